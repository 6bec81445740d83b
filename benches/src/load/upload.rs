use std::net::SocketAddr;

use super::exchange::{Answer, Exchange};
use super::http;
use crate::Error;

/// The bytes of a body.
pub(crate) const SIZE: usize = 300_000;

/// Uploads so many bodies.
pub(crate) fn run(address: SocketAddr, connections: usize, bodies: u64) -> Result<(), Error> {
    let length = (SIZE as u64).to_be_bytes();
    let requests = vec![[&length[..], &[b'x'; SIZE]].concat()];
    let answer = Answer::These(length.to_vec());
    Exchange { requests, answer }.run(address, connections, bodies)
}

/// The same with PUT of HTTP, to a file for each connection.
pub(crate) fn run_http(address: SocketAddr, connections: usize, bodies: u64) -> Result<(), Error> {
    let put = |number| http::request("PUT", &format!("/{number}"), &[b'x'; SIZE]);
    let requests = (0..connections).map(put).collect();
    Exchange { requests, answer: Answer::Http { body: 0 } }.run(address, connections, bodies)
}
