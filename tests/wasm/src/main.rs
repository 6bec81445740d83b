//! Machines where there is no system: no sockets, threads, clock or panics that are caught. The process fails, and
//! the instance of WebAssembly traps, if one of them does something else than it should.
//!
//! ```text
//! cargo build -p fsm-wasm --target wasm32-unknown-unknown
//! node tests/wasm/run.mjs target/wasm32-unknown-unknown/debug/fsm-wasm.wasm
//! ```

use std::time::Duration;

use fsm_runtime::prelude::*;
use fsm_runtime::{check, embed};

/// Sends lines back, one message at a time, to a peer that goes on talking.
#[state_machine(start = Line, message = u8, eof => Gone)]
enum Echo {
    #[read(frame = Texts, refused => Gone, begun = 5s => Slow, idle = 60s => Gone)]
    #[message]
    #[to(Line)]
    #[rest]
    Line,
    /// Says that a line took too long.
    #[run]
    #[to(Gone)]
    Slow,
    #[end]
    Gone,
}

/// A text behind its length.
#[frame(Texts)]
struct Text<'a> {
    len: u8,
    #[bytes(len <= 64)]
    bytes: &'a [u8],
}

struct Client;

impl echo::Handler for Client {
    fn line(&mut self, line: Text<'_>, cx: &mut Cx<'_, u8>) -> echo::AfterLine {
        cx.write(line.bytes);
        echo::AfterLine::Line
    }

    fn line_message(&mut self, number: u8, cx: &mut Cx<'_, u8>) -> echo::AfterLine {
        write!(cx, "{number}");
        echo::AfterLine::Line
    }

    fn slow(&mut self, cx: &mut Cx<'_, u8>) -> echo::AfterSlow {
        cx.write(b"slow");
        echo::AfterSlow::Gone
    }
}

fn main() {
    let at = Duration::from_millis;
    let host = embed::Host::<Echo, _>::new();
    let mut conn = host.open(Peer::Memory, Client, at(0));
    assert_eq!(conn.input(b"\x05hello\x03a", at(0)), 8);
    assert_eq!(conn.output(), b"hello");
    conn.sent(5, at(10));
    assert_eq!(conn.post(7, at(20)), Ok(()));
    assert_eq!(conn.input(b"bc", at(30)), 2);
    assert_eq!(conn.output(), b"7abc");
    conn.sent(4, at(30));

    // A line begins, and nothing follows.
    assert_eq!(conn.input(b"\x09", at(1_000)), 1);
    assert_eq!(conn.deadline(), Some(at(6_000)));
    conn.on_time(at(6_000));
    assert_eq!((conn.output(), conn.ended()), (&b"slow"[..], Some(Ended::Done)));

    check::splits::<Echo, _>(|| Client, b"\x05hello\x00\x03abc");
}
