//! The head of a request.

use fsm_examples::http::{
    Fields, Framing, Refusal, RequestLine, Scan, Status, Version, check_host, expects_continue,
    is_authority, is_token, keeps_alive, split,
};
use fsm_runtime::{Decoded, Frame};

/// The head of a request, borrowed from the input.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a [u8],
    /// The path and the query, or `*`.
    pub(crate) target: Vec<u8>,
    pub(crate) version: Version,
    pub(crate) host: Option<&'a [u8]>,
    pub(crate) framing: Framing,
    /// The client sends the body only after an answer of 100.
    pub(crate) expects_continue: bool,
    /// Whether the client may send another request on this connection.
    pub(crate) keep_alive: bool,
    pub(crate) fields: Fields<'a>,
}

/// Decodes the head of a request at the start of the input.
#[derive(Debug, Default)]
pub(crate) struct RequestCodec(Scan);

impl Frame for RequestCodec {
    type Item<'a> = Request<'a>;
    type Error = Refusal;

    fn decode<'a>(&mut self, input: &'a [u8]) -> Result<Decoded<Request<'a>>, Refusal> {
        Ok(match self.0.head(input)? {
            Some(range) => Decoded::Frame(Request::parse(&input[range.clone()])?, range.end),
            None => Decoded::More(input.len() + 1),
        })
    }
}

impl<'a> Request<'a> {
    fn parse(head: &'a [u8]) -> Result<Self, Refusal> {
        let (line, lines) = split(head);
        let RequestLine { method, target, version } = RequestLine::parse(line)?;
        if !is_token(method) {
            return Err(Refusal::bad("the method is not a token"));
        }
        if method == b"CONNECT" {
            return Err(Refusal::new(Status::NotImplemented, "the proxy opens no tunnels"));
        }
        let fields = Fields::parse(lines)?;
        let host = check_host(&fields, version)?;
        let target = local_target(method, target, host)?;
        check_coding(&fields)?;
        let framing = Framing::parse(&fields, version)?;
        let expects_continue = expects_continue(&fields, version)? && !framing.is_empty();
        let keep_alive = keeps_alive(&fields, version);
        Ok(Self { method, target, version, host, framing, expects_continue, keep_alive, fields })
    }

    /// Whether the request can be sent a second time when nobody knows what became of the first.
    pub(crate) fn is_repeatable(&self) -> bool {
        let is_idempotent =
            matches!(self.method, b"GET" | b"HEAD" | b"OPTIONS" | b"TRACE" | b"PUT" | b"DELETE");
        is_idempotent && self.framing.is_empty()
    }
}

/// Refuses a body whose last coding is not chunked, because its end is not known.
fn check_coding(fields: &Fields<'_>) -> Result<(), Refusal> {
    match fields.words("transfer-encoding").last() {
        Some(last) if !last.eq_ignore_ascii_case(b"chunked") => {
            Err(Refusal::bad("chunked is not the last transfer-encoding"))
        }
        _ => Ok(()),
    }
}

/// The target without scheme and host. A host in it must be that of the field, because two servers could
/// choose differently.
fn local_target(method: &[u8], target: &[u8], host: Option<&[u8]>) -> Result<Vec<u8>, Refusal> {
    let bad = Refusal::bad("the target is not a path");
    if !target.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'#') {
        return Err(bad);
    }
    if target.starts_with(b"/") || (target == b"*" && method == b"OPTIONS") {
        return Ok(target.to_vec());
    }
    let after = |scheme: &[u8]| {
        let start = target.get(..scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then(|| &target[scheme.len()..])
    };
    let rest = after(b"http://").or_else(|| after(b"https://")).ok_or(bad)?;
    let end = rest.iter().position(|byte| b"/?".contains(byte)).unwrap_or(rest.len());
    let (authority, local) = rest.split_at(end);
    if !is_authority(authority) {
        return Err(bad);
    }
    if !host.is_some_and(|host| host.eq_ignore_ascii_case(authority)) {
        return Err(Refusal::bad("the target has another host than the field"));
    }
    Ok(match local {
        [] if method == b"OPTIONS" => b"*".to_vec(),
        [b'/', ..] => local.to_vec(),
        query => [b"/", query].concat(),
    })
}
