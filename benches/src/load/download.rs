use super::exchange::{Answer, Exchange};
use super::http;

/// The bytes of a download.
pub(crate) const SIZE: usize = 16_000_000;

/// A download.
pub(crate) fn exchange() -> Exchange {
    let requests = vec![(SIZE as u64).to_be_bytes().to_vec()];
    Exchange { requests, answer: Answer::Bytes(SIZE) }
}

/// The same with GET of HTTP.
pub(crate) fn exchange_of_http(path: &str) -> Exchange {
    let requests = vec![http::request("GET", path, &[])];
    Exchange { requests, answer: Answer::Http { body: SIZE } }
}
