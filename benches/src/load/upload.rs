use super::exchange::Exchange;
use super::http;
use super::response::Expected;

/// Bytes of a body.
pub(crate) const SIZE: usize = 300_000;

pub(crate) fn exchange() -> Exchange {
    let length = (SIZE as u64).to_be_bytes();
    let requests = vec![[&length[..], &body()].concat()];
    Exchange { requests, response: Expected::Bytes(length.to_vec()) }
}

/// The same upload as an HTTP PUT, to `files` files in turn.
pub(crate) fn http_exchange(files: usize) -> Exchange {
    let put = |number| http::request("PUT", &format!("/{number}"), &body());
    Exchange { requests: (0..files).map(put).collect(), response: Expected::Http { body: 0 } }
}

fn body() -> Vec<u8> {
    vec![b'x'; SIZE]
}
