//! The upload and download servers behave as their figures assume.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/server.rs"]
mod server;

use std::io::{Read, Write};
use std::thread;
use std::time::Duration;

use server::Server;

fn each(workload: &str, check: impl Fn(&str, &Server)) {
    server::each(workload, &["ours", "mio", "tokio", "tokio-threads", "compio"], check);
}

#[test]
fn an_upload_in_pieces_of_any_size_is_answered_with_its_length() {
    for size in [1, 9, 50_000] {
        each("upload", |peer, server| {
            let mut stream = server.connect();
            stream.set_nodelay(true).unwrap();
            for length in [3_u64, 0, 1, if size < 10 { 20 } else { 1_000_000 }] {
                let body = vec![7; usize::try_from(length).unwrap()];
                for piece in [&length.to_be_bytes()[..], &body].concat().chunks(size) {
                    stream.write_all(piece).unwrap();
                    thread::sleep(Duration::from_micros(200));
                }
                let mut answer = [0; 8];
                stream.read_exact(&mut answer).unwrap_or_else(|error| panic!("{peer}: {error}"));
                assert_eq!(u64::from_be_bytes(answer), length, "{peer}, {size} bytes at a time");
            }
        });
    }
}

#[test]
fn pipelined_uploads_are_each_answered() {
    each("upload", |peer, server| {
        let mut stream = server.connect();
        let upload = [&100_u64.to_be_bytes()[..], &[7; 100]].concat();
        stream.write_all(&upload.repeat(10)).unwrap();
        let mut answers = [0; 80];
        stream.read_exact(&mut answers).unwrap_or_else(|error| panic!("{peer}: {error}"));
        assert_eq!(answers[..], 100_u64.to_be_bytes().repeat(10), "{peer}");
    });
}

#[test]
fn a_slow_client_receives_downloads_of_the_requested_lengths() {
    let lengths = [1_u64, 0, 262_144, 262_145, 9_000_000, 8];
    each("download", |peer, server| {
        let mut stream = server.connect();
        stream.write_all(&lengths.map(u64::to_be_bytes).concat()).unwrap();
        // The sleep lets all buffers between client and server fill up.
        thread::sleep(Duration::from_millis(300));
        let sum = usize::try_from(lengths.iter().sum::<u64>()).unwrap();
        let mut received = vec![0; sum];
        stream.read_exact(&mut received).unwrap_or_else(|error| panic!("{peer}: {error}"));
        assert!(received.iter().all(|byte| *byte == b'x'), "{peer} sent wrong bytes");
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        assert!(stream.read(&mut [0]).is_err(), "{peer} sent more bytes or the end of stream");
    });
}

#[test]
fn a_client_that_leaves_during_a_download_does_not_disturb_another() {
    each("download", |peer, server| {
        let mut left = server.connect();
        left.write_all(&100_000_000_u64.to_be_bytes()).unwrap();
        left.read_exact(&mut [0; 1000]).unwrap();
        let mut stays = server.connect();
        drop(left);
        for _ in 0..10 {
            stays.write_all(&1000_u64.to_be_bytes()).unwrap();
            let read = stays.read_exact(&mut [0; 1000]);
            read.unwrap_or_else(|error| panic!("{peer}: {error}"));
        }
    });
}
