//! Random requests, as templates: `{etag}` and `{modified}` are the validators that the server gave the document.

use fsm_tests::Random;

/// The documents, by their names and lengths.
pub(super) const DOCUMENTS: [(&str, usize); 4] =
    [("empty.txt", 0), ("one.txt", 1), ("ten.txt", 10), ("large.bin", 100_000)];

const METHODS: [&str; 6] = ["GET", "GET", "GET", "GET", "HEAD", "HEAD"];
const ODD_METHODS: [&str; 8] =
    ["POST", "PATCH", "OPTIONS", "BREW", "TRACE", "get", "G\u{e9}T", "GET\t"];

/// The document of the odd targets that name one.
const ODD_DOCUMENT: &str = "ten.txt";

const ODD_TARGETS: [&str; 9] = [
    "/docs/none.txt",
    "/docs/ten.txt?x=y",
    "/docs/%74en.txt",
    "http://a/docs/ten.txt",
    "HTTP://a:80/docs/ten.txt",
    "/docs/%zz",
    "docs/ten.txt",
    "/docs/ten.txt#part",
    "/docs/a%00b",
];

const VERSIONS: [&str; 4] = ["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0"];
const ODD_VERSIONS: [&str; 7] =
    ["HTTP/2.0", "HTTP/1", "HTTP/0.9", "http/1.1", "HTTP/1.1 x", "HTTP/11", "HTTQ/1.1"];

const ODD_HOSTS: [&str; 5] =
    ["", "Host:\r\n", "Host: a\r\nHost: a\r\n", "Host: a b\r\n", "Host: a/b\r\n"];

const FIELDS: [&str; 53] = [
    "Range: bytes=0-0",
    "Range: bytes=0-",
    "Range: bytes=3-5",
    "Range: bytes=-1",
    "Range: bytes=-5",
    "Range: bytes=-0",
    "Range: bytes=9-",
    "Range: bytes=10-",
    "Range: bytes=5-2",
    "Range: bytes=5-99999999999999999999999",
    "Range: bytes=99999999999999999999999-",
    "Range: bytes=99999-1000000",
    "Range: bytes=1000000-",
    "Range: bytes=-1000000",
    "Range: bytes=",
    "Range: bytes=-",
    "Range: bytes=a-b",
    "Range: bytes=1-2x",
    "Range: bytes = 1-2",
    "Range: bytes=1 - 2",
    "Range: bytes=1-2,",
    "Range: bytes=1-2, 4-5",
    "Range: Bytes=1-2",
    "Range: pages=1-2",
    "Range: 1-2",
    "If-Match: *",
    "If-Match: {etag}",
    "If-Match: W/{etag}",
    "If-Match: \"other\"",
    "If-Match: \"other\", {etag}",
    "If-None-Match: *",
    "If-None-Match: {etag}",
    "If-None-Match: W/{etag}",
    "If-None-Match: \"other\"",
    "If-None-Match: \"other\",{etag}",
    "If-None-Match: W/\"other\" , W/{etag}",
    "If-Modified-Since: {modified}",
    "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT",
    "If-Modified-Since: Tue, 31 Dec 2199 23:59:59 GMT",
    "If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT",
    "If-Modified-Since: yesterday",
    "If-Unmodified-Since: {modified}",
    "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT",
    "If-Unmodified-Since: Tue, 31 Dec 2199 23:59:59 GMT",
    "If-Unmodified-Since: yesterday",
    "If-Range: {etag}",
    "If-Range: W/{etag}",
    "If-Range: \"other\"",
    "If-Range: {modified}",
    "If-Range: Sun, 06 Nov 1994 08:49:37 GMT",
    "Connection: close",
    "Connection: keep-alive",
    "X-Other: a b\tc",
];

const ODD_FIELDS: [&str; 10] = [
    "No colon",
    "Space : before the colon",
    ": no name",
    "X-Zero: a\0b",
    "X-Return: a\rb",
    "X-Folded: a\r\n b",
    " X-Leading: space",
    "X-(Odd): name",
    "Content-Length: 0",
    "Content-Length: -1",
];

/// A request, as a template.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: &'static str,
    /// The document whose validators it uses.
    pub(super) document: &'static str,
    pub(super) text: String,
}

impl Request {
    /// A request with a few fields. About one part in 25 is odd.
    pub(super) fn random(random: &mut Random) -> Self {
        let mut pick = |usual: &[&'static str], odd: &[&'static str]| {
            let list = if random.index(25) == 0 { odd } else { usual };
            list[random.index(list.len())]
        };
        let method = pick(&METHODS, &ODD_METHODS);
        let names = DOCUMENTS.map(|(name, _)| name);
        let document = pick(&names, &names);
        let odd_target = pick(&[""], &ODD_TARGETS);
        let version = pick(&VERSIONS, &ODD_VERSIONS);
        let host = pick(&["Host: a\r\n"], &ODD_HOSTS);
        let odd_field = pick(&[""], &ODD_FIELDS);
        let (document, target) = match odd_target {
            "" => (document, format!("/docs/{document}")),
            odd => (ODD_DOCUMENT, odd.to_owned()),
        };
        let mut text = format!("{method} {target} {version}\r\n{host}");
        for field in fields(random).into_iter().chain([odd_field]).filter(|field| !field.is_empty())
        {
            text.push_str(field);
            text.push_str("\r\n");
        }
        text.push_str("\r\n");
        Self { method, document, text }
    }

    /// Whether it has this part, such as a line.
    pub(super) fn has(&self, part: &str) -> bool {
        self.text.contains(part)
    }

    /// Whether two fields have the same name.
    pub(super) fn has_twice(&self) -> bool {
        let names: Vec<_> = self.text.lines().skip(1).map(name).collect();
        names.iter().enumerate().any(|(at, one)| !one.is_empty() && names[..at].contains(one))
    }
}

/// A few fields, seldom two of the same name.
fn fields(random: &mut Random) -> Vec<&'static str> {
    let mut fields: Vec<&str> = Vec::new();
    for _ in 0..random.index(4) {
        let field = FIELDS[random.index(FIELDS.len())];
        let is_there = fields.iter().any(|other| name(other) == name(field));
        if !is_there || random.index(25) == 0 {
            fields.push(field);
        }
    }
    fields
}

/// The name of a field.
fn name(field: &str) -> &str {
    field.split_once(':').map_or("", |(name, _)| name)
}
