//! The echo servers behave as their figures assume.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/server.rs"]
mod server;

use std::io::{Read, Write};
use std::net::Shutdown;
use std::thread;
use std::time::Duration;

use server::Server;

const PEERS: [&str; 7] = ["ours", "mio", "mio-features", "tokio", "tokio-threads", "compio", "may"];

fn each(check: impl Fn(&str, &Server)) {
    server::each("echo", &PEERS, check);
}

#[test]
fn unsent_output_is_sent_later_complete_and_in_order() {
    each(|peer, server| {
        let bytes: Vec<u8> = (0..6_000_000_u32).map(|n| (n % 251) as u8).collect();
        let mut stream = server.connect();
        let mut writer = stream.try_clone().unwrap();
        let sent = bytes.clone();
        let writer = thread::spawn(move || writer.write_all(&sent).unwrap());
        // The sleep lets all buffers between client and server fill up.
        thread::sleep(Duration::from_millis(300));
        let mut received = vec![0; bytes.len()];
        stream.read_exact(&mut received).unwrap_or_else(|error| panic!("{peer}: {error}"));
        assert!(received == bytes, "{peer} sent wrong bytes");
        writer.join().unwrap();
    });
}

#[test]
fn a_client_that_shuts_down_its_writing_side_gets_the_answer_and_the_end() {
    each(|peer, server| {
        for _ in 0..50 {
            let mut stream = server.connect();
            stream.write_all(b"last words").unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap_or_else(|error| panic!("{peer}: {error}"));
            assert_eq!(answer, "last words", "{peer}");
        }
    });
}

#[test]
fn a_flooding_client_does_not_delay_another() {
    each(|peer, server| {
        let mut flood = server.connect();
        let mut drain = flood.try_clone().unwrap();
        thread::spawn(move || while flood.write_all(&[7; 16_384]).is_ok() {});
        thread::spawn(move || while drain.read(&mut [0; 16_384]).is_ok_and(|n| n > 0) {});
        let mut other = server.connect();
        for _ in 0..20 {
            other.write_all(b"hello").unwrap();
            let mut answer = [0; 5];
            other.read_exact(&mut answer).unwrap_or_else(|error| panic!("{peer}: {error}"));
            assert_eq!(&answer, b"hello", "{peer}");
        }
    });
}
