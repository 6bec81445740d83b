//! Parts of files as output: `Cx::send_file`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;
use fsm_runtime::{Address, Running};

mod bounds;
#[cfg(unix)]
mod datagrams;
mod sockets;

/// Sends parts of files.
#[state_machine(start = Ask, eof => Gone, limit => Gone)]
enum Parts {
    /// `get AT LEN`, `last AT LEN`, `move AT LEN`, or a line that is echoed.
    #[read(until = b"\n", max = 80, idle = 1h => Gone)]
    #[to(Ask | Moving | Gone)]
    #[rest]
    Ask,
    #[handoff(Echo, within = 10s => Gone, gone => Gone)]
    Moving,
    #[end]
    Gone,
}

struct Client {
    file: Arc<File>,
}

impl parts::Handler for Client {
    fn ask(&mut self, line: &[u8], cx: &mut Cx<'_>) -> parts::AfterAsk {
        let line = std::str::from_utf8(line).unwrap();
        let words: Vec<_> = line.split(' ').collect();
        let [what, at, len] = words[..] else {
            writeln!(cx, "{line}!");
            return parts::AfterAsk::Ask;
        };
        let (at, len): (u64, u64) = (at.parse().unwrap(), len.parse().unwrap());
        cx.write(b"<");
        cx.send_file(Arc::clone(&self.file), at..at + len);
        cx.write(b">");
        match what {
            "last" => parts::AfterAsk::Gone,
            "move" => parts::AfterAsk::Moving { seed: () },
            _ => parts::AfterAsk::Ask,
        }
    }
}

/// The pool that connections move to.
#[state_machine(start = Line, eof => Gone, limit => Gone)]
enum Echo {
    #[read(until = b"\n", max = 80, idle = 1min => Gone)]
    #[to(Line)]
    #[rest]
    Line,
    #[end]
    Gone,
}

struct Echoes;

impl echo::Handler for Echoes {
    fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> echo::AfterLine {
        writeln!(cx, "{} there", String::from_utf8_lossy(line));
        echo::AfterLine::Line
    }
}

/// A pattern whose length is a prime, so that a piece at a wrong place does not look right.
fn pattern() -> Vec<u8> {
    let mut seed = 1_u32;
    let next = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        seed.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(1_000_003).collect()
}

/// A file of this many bytes: the pattern again and again.
fn patterned(len: usize) -> Arc<File> {
    let (pattern, mut file, mut left) = (pattern(), tempfile::tempfile().unwrap(), len);
    while left > 0 {
        let piece = &pattern[..left.min(pattern.len())];
        file.write_all(piece).unwrap();
        left -= piece.len();
    }
    Arc::new(file)
}

/// Reads `len` bytes in reads of at most `most` and compares them with those of the file from `at` on.
fn expect_part(peer: &mut impl Read, mut at: usize, len: usize, most: usize) {
    let (pattern, mut buffer, mut left) = (pattern(), vec![0; most], len);
    while left > 0 {
        let room = left.min(most).min(pattern.len() - at % pattern.len());
        let read = peer.read(&mut buffer[..room]).unwrap();
        assert_ne!(read, 0, "it ends {left} bytes too early");
        let from = at % pattern.len();
        assert!(buffer[..read] == pattern[from..from + read], "wrong bytes from {at} on");
        at += read;
        left -= read;
    }
}

fn expect(peer: &mut impl Read, bytes: &[u8]) {
    let mut buffer = vec![0; bytes.len()];
    peer.read_exact(&mut buffer).unwrap();
    assert_eq!(buffer, bytes);
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}
