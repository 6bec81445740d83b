//! Request targets.

use fsm_examples::http::is_authority;

use super::{Method, Refusal};

/// The path and the query of a request, still percent-encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target<'a> {
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
}

impl<'a> Target<'a> {
    /// Parses `/path?query`, `http://host/path?query`, or the `*` of OPTIONS.
    pub(crate) fn parse(target: &'a [u8], method: Method) -> Result<Self, Refusal> {
        let bad = Refusal::bad("the target is not a path");
        let is_visible = target.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'#');
        let target = std::str::from_utf8(target).ok().filter(|_| is_visible).ok_or(bad)?;
        let local = match strip_scheme(target) {
            _ if target.starts_with('/') => target,
            None if target == "*" && method == Method::Options => target,
            None => return Err(bad),
            Some(rest) => {
                let end = rest.find(['/', '?']).unwrap_or(rest.len());
                let (authority, local) = rest.split_at(end);
                if !is_authority(authority.as_bytes()) {
                    return Err(bad);
                }
                local
            }
        };
        let (path, query) = local.split_once('?').unwrap_or((local, ""));
        Ok(Self { path: if path.is_empty() { "/" } else { path }, query })
    }
}

fn strip_scheme(target: &str) -> Option<&str> {
    let (scheme, rest) = target.split_once("://")?;
    let is_http = ["http", "https"].iter().any(|http| scheme.eq_ignore_ascii_case(http));
    is_http.then_some(rest)
}
