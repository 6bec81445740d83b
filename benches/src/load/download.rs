use std::net::SocketAddr;

use super::exchange::{Answer, Exchange};
use super::http;
use crate::Error;

/// The bytes of a download.
pub(crate) const SIZE: usize = 16_000_000;

pub(crate) fn run(address: SocketAddr, connections: usize, downloads: u64) -> Result<(), Error> {
    let requests = vec![(SIZE as u64).to_be_bytes().to_vec()];
    Exchange { requests, answer: Answer::Bytes(SIZE) }.run(address, connections, downloads)
}

/// The same with GET of HTTP.
pub(crate) fn run_http(
    address: SocketAddr,
    connections: usize,
    downloads: u64,
    path: &str,
) -> Result<(), Error> {
    let requests = vec![http::request("GET", path, &[])];
    Exchange { requests, answer: Answer::Http { body: SIZE } }.run(address, connections, downloads)
}
