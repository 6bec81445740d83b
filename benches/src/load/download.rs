use super::exchange::Exchange;
use super::http;
use super::response::Expected;

/// Bytes of a download.
pub(crate) const SIZE: usize = 16_000_000;

pub(crate) fn exchange() -> Exchange {
    let requests = vec![(SIZE as u64).to_be_bytes().to_vec()];
    Exchange { requests, response: Expected::Length(SIZE) }
}

/// The same download as an HTTP GET.
pub(crate) fn http_exchange(path: &str) -> Exchange {
    let requests = vec![http::request("GET", path, &[])];
    Exchange { requests, response: Expected::Http { body: SIZE } }
}
