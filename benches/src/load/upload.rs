use super::exchange::{Answer, Exchange};
use super::http;

/// The bytes of a body.
pub(crate) const SIZE: usize = 300_000;

/// An upload.
pub(crate) fn exchange() -> Exchange {
    let length = (SIZE as u64).to_be_bytes();
    let requests = vec![[&length[..], &[b'x'; SIZE]].concat()];
    Exchange { requests, answer: Answer::These(length.to_vec()) }
}

/// The same with PUT of HTTP, to so many files in turn.
pub(crate) fn exchange_of_http(files: usize) -> Exchange {
    let put = |number| http::request("PUT", &format!("/{number}"), &[b'x'; SIZE]);
    Exchange { requests: (0..files).map(put).collect(), answer: Answer::Http { body: 0 } }
}
