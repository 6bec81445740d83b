use super::exchange::{Answer, Exchange};
use super::http;

/// The bytes of a body.
pub(crate) const SIZE: usize = 300_000;

/// An upload.
pub(crate) fn exchange() -> Exchange {
    let length = (SIZE as u64).to_be_bytes();
    let requests = vec![[&length[..], &body()].concat()];
    Exchange { requests, answer: Answer::These(length.to_vec()) }
}

/// The same with PUT of HTTP, to so many files in turn.
pub(crate) fn exchange_of_http(files: usize) -> Exchange {
    let put = |number| http::request("PUT", &format!("/{number}"), &body());
    Exchange { requests: (0..files).map(put).collect(), answer: Answer::Http { body: 0 } }
}

fn body() -> Vec<u8> {
    vec![b'x'; SIZE]
}
