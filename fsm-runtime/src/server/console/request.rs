use super::query::{Query, decoded};
use super::response::{Response, Status};

/// The most fields of a head.
const FIELDS: usize = 64;

/// The head of a request.
#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) method: Method,
    /// The parts of the path, decoded.
    pub(super) path: Vec<String>,
    pub(super) query: Query,
    /// The token that it brings.
    pub(super) token: Option<Vec<u8>>,
    pub(super) host: Option<String>,
    /// It takes plain text and no JSON.
    pub(super) wants_text: bool,
    /// No request follows on its connection.
    pub(super) closes: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Method {
    #[default]
    Get,
    Head,
    Post,
    Other,
}

impl Request {
    /// Parses a head, with the empty line at its end.
    pub(super) fn parse(head: &[u8]) -> Result<Self, Response> {
        let bad = |why: &str| Err(Response::error(Status::BadRequest, why));
        let mut fields = [httparse::EMPTY_HEADER; FIELDS];
        let mut parsed = httparse::Request::new(&mut fields);
        if !matches!(parsed.parse(head), Ok(httparse::Status::Complete(_))) {
            return bad("this is no request of HTTP/1.1");
        }
        let (Some(method), Some(target), Some(version)) =
            (parsed.method, parsed.path, parsed.version)
        else {
            return bad("this is no request of HTTP/1.1");
        };
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let Some(path) = path.strip_prefix('/') else {
            return bad("the target is no path");
        };
        let Some(path) = path.split('/').map(decoded).collect() else {
            return bad("the path is no text");
        };
        let Some(query) = Query::parse(query) else {
            return bad("the query is no text");
        };
        let mut request = Self {
            method: match method {
                "GET" => Method::Get,
                "HEAD" => Method::Head,
                "POST" => Method::Post,
                _ => Method::Other,
            },
            path,
            query,
            closes: version == 0,
            ..Self::default()
        };
        for field in &*parsed.headers {
            request.add_field(field)?;
        }
        if request.host.is_none() && version > 0 {
            return bad("the field `Host` is missing");
        }
        Ok(request)
    }

    fn add_field(&mut self, field: &httparse::Header<'_>) -> Result<(), Response> {
        let bad = |why: &str| Err(Response::error(Status::BadRequest, why));
        let text = || String::from_utf8_lossy(field.value);
        match &*field.name.to_ascii_lowercase() {
            "host" if self.host.is_some() => return bad("there are two fields `Host`"),
            "host" => self.host = Some(text().trim().to_owned()),
            "accept" => {
                let text = text().to_ascii_lowercase();
                self.wants_text = text.contains("text/plain") && !text.contains("json");
            }
            "connection" => self.closes |= text().to_ascii_lowercase().contains("close"),
            "x-console-token" => self.token = Some(field.value.to_vec()),
            "authorization" => {
                if let Some((scheme, token)) = text().split_once(' ') {
                    if scheme.eq_ignore_ascii_case("bearer") {
                        self.token = Some(token.trim().as_bytes().to_vec());
                    }
                }
            }
            "content-length" if field.value != b"0" => return bad("no request has a body"),
            "transfer-encoding" => return bad("no request has a body"),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(head: &str) -> Result<Request, Status> {
        Request::parse(format!("{head}\r\n\r\n").as_bytes()).map_err(|refused| refused.status)
    }

    #[test]
    fn a_head_is_taken_apart() {
        let head = "POST /pools/a%20b/drain?x=1&y=%26 HTTP/1.1\r\nHost: localhost:1\r\n\
                    Authorization: bearer abc\r\nAccept: text/plain\r\nConnection: Close";
        let request = parse(head).unwrap();
        assert_eq!((request.method, request.closes), (Method::Post, true));
        assert_eq!(request.path, ["pools", "a b", "drain"]);
        assert_eq!((request.query.get("x"), request.query.get("y")), (Some("1"), Some("&")));
        assert_eq!(request.token.as_deref(), Some(&b"abc"[..]));
        assert!(request.wants_text);
        let request = parse("GET / HTTP/1.0").unwrap();
        assert!(request.closes && request.host.is_none() && request.path == [""]);
    }

    #[test]
    fn v6_what_could_be_taken_in_two_ways_is_refused() {
        for head in [
            "GET / HTTP/1.1",
            "GET / HTTP/1.1\r\nHost: a\r\nHost: b",
            "GET http://a/ HTTP/1.1\r\nHost: a",
            "GET /%ff HTTP/1.1\r\nHost: a",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked",
            "GET / HTTP/2.0\r\nHost: a",
            "hello",
        ] {
            assert_eq!(parse(head).unwrap_err(), Status::BadRequest, "{head}");
        }
    }
}
