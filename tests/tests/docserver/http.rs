//! `docserver` implements HTTP/1.1 according to RFC 9110 and 9112, over real sockets.

use std::time::Duration;

use fsm_tests::{Answer, Connection, Docserver, Random, get, put, request};

mod conditions;
mod connection;
#[cfg(target_os = "linux")]
mod hot;
mod refusals;
mod resources;

fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}
