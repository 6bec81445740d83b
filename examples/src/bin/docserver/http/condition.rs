//! Conditional requests.

use std::time::SystemTime;

use super::date::to_date;
use super::tag::Tags;
use super::{Head, Method, Refusal};

/// The precondition of a request. It owns its data, so that the index pool can check it together
/// with the change that depends on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Condition {
    matches: Option<Tags>,
    none_matches: Option<Tags>,
    unmodified_since: Option<SystemTime>,
    modified_since: Option<SystemTime>,
}

/// The validators of the document as it is, which a condition is compared with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Validators<'a> {
    /// The strong tag, without quotes.
    pub(crate) etag: &'a str,
    pub(crate) modified: SystemTime,
}

/// The result of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Proceed,
    /// Answer 304: the client has this version.
    NotModified,
    /// Answer 412.
    Failed,
}

impl Condition {
    /// Parses the condition of a request. It ignores malformed dates, as RFC 9110 demands.
    pub(crate) fn parse(head: &Head<'_>) -> Result<Self, Refusal> {
        let date = |name| {
            let value = std::str::from_utf8(head.fields.values(name).next()?).ok()?;
            httpdate::parse_http_date(value).ok()
        };
        Ok(Self {
            matches: Tags::parse(head.fields.values("if-match"))?,
            none_matches: Tags::parse(head.fields.values("if-none-match"))?,
            unmodified_since: date("if-unmodified-since"),
            modified_since: date("if-modified-since"),
        })
    }

    /// Compares the condition with a document as it is, or with `None` if no document has the name,
    /// in the order of RFC 9110, section 13.2.2.
    pub(crate) fn verdict(&self, method: Method, current: Option<Validators<'_>>) -> Verdict {
        let etag = current.map(|current| current.etag);
        // Compare with the date that the client got.
        let is_after = |date| current.is_some_and(|current| to_date(current.modified) > date);
        let is_met = match (&self.matches, self.unmodified_since) {
            (Some(tags), _) => etag.is_some_and(|etag| tags.has_strong(etag)),
            (None, Some(date)) => current.is_some() && !is_after(date),
            (None, None) => true,
        };
        if !is_met {
            return Verdict::Failed;
        }
        let is_read = matches!(method, Method::Get | Method::Head);
        match (&self.none_matches, self.modified_since) {
            (Some(tags), _) if etag.is_some_and(|etag| tags.has(etag)) => {
                if is_read {
                    Verdict::NotModified
                } else {
                    Verdict::Failed
                }
            }
            (None, Some(date)) if is_read && current.is_some() && !is_after(date) => {
                Verdict::NotModified
            }
            _ => Verdict::Proceed,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::http::head::tests::{refusal, with_head};

    const ETAG: &str = "5ha2";

    fn verdict(method: &str, fields: &str, exists: bool) -> Verdict {
        let request = format!("{method} /docs/a HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n");
        let modified = UNIX_EPOCH + Duration::from_millis(1_700_000_000_900); // 22:13:20.9
        let current = exists.then_some(Validators { etag: ETAG, modified });
        with_head(&request, |head| {
            Condition::parse(&head).expect("a condition").verdict(head.method, current)
        })
    }

    #[test]
    fn conditions_come_to_a_verdict() {
        use Verdict::{Failed, NotModified, Proceed};
        let (on, before) = ("Tue, 14 Nov 2023 22:13:20 GMT", "Tue, 14 Nov 2023 22:13:19 GMT");
        for (fields, get, put, put_new) in [
            ("X: y", Proceed, Proceed, Proceed),
            ("If-None-Match: \"5ha2\"", NotModified, Failed, Proceed),
            ("If-None-Match: W/\"5ha2\"", NotModified, Failed, Proceed),
            ("If-None-Match: \"a,b\" , ,W/\"\",\"5ha2\"", NotModified, Failed, Proceed),
            ("If-None-Match: \"a\"\r\nIf-None-Match: \"5ha2\"", NotModified, Failed, Proceed),
            ("If-None-Match: \"5ha2x\"", Proceed, Proceed, Proceed),
            ("If-None-Match: *", NotModified, Failed, Proceed),
            ("If-Match: *", Proceed, Proceed, Failed),
            ("If-Match: \"5ha2\"", Proceed, Proceed, Failed),
            ("If-Match: \"x\", \"5ha2\"", Proceed, Proceed, Failed),
            ("If-Match: W/\"5ha2\"", Failed, Failed, Failed),
            ("If-Match: \"x\"", Failed, Failed, Failed),
            ("If-Match:", Failed, Failed, Failed),
            ("If-Match: *\r\nIf-None-Match: \"5ha2\"", NotModified, Failed, Failed),
            (&format!("If-Modified-Since: {on}"), NotModified, Proceed, Proceed),
            (&format!("If-Modified-Since: {before}"), Proceed, Proceed, Proceed),
            ("If-Modified-Since: yesterday", Proceed, Proceed, Proceed),
            (&format!("If-Unmodified-Since: {on}"), Proceed, Proceed, Failed),
            (&format!("If-Unmodified-Since: {before}"), Failed, Failed, Failed),
            // Tags take precedence over dates.
            (
                &format!("If-None-Match: \"x\"\r\nIf-Modified-Since: {on}"),
                Proceed,
                Proceed,
                Proceed,
            ),
            (
                &format!("If-Match: \"5ha2\"\r\nIf-Unmodified-Since: {before}"),
                Proceed,
                Proceed,
                Failed,
            ),
        ] {
            assert_eq!(verdict("GET", fields, true), get, "GET {fields}");
            assert_eq!(verdict("HEAD", fields, true), get, "HEAD {fields}");
            assert_eq!(verdict("PUT", fields, true), put, "PUT {fields}");
            assert_eq!(verdict("PUT", fields, false), put_new, "PUT a new one {fields}");
        }
    }

    #[test]
    fn malformed_tags_are_refused() {
        for tags in
            ["5ha2", "\"a", "\"a\" \"b\"", "w/\"a\"", "*, \"a\"", "\"a\", *", "\"a b\"", "W/"]
        {
            for name in ["If-Match", "If-None-Match"] {
                let request = format!("GET / HTTP/1.1\r\nHost: a\r\n{name}: {tags}\r\n\r\n");
                let refused = with_head(&request, |head| Condition::parse(&head).is_err());
                assert!(refused, "{name}: {tags}");
            }
        }
        assert_eq!(refusal("GET / HTTP/1.1\r\nHost: a\r\nIf-Match: \"\x01\"\r\n\r\n"), 400);
    }
}
