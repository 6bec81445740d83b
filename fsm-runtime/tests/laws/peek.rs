//! States that look at the input and leave it unread.

use super::*;

/// Looks at the first four bytes, and then reads them as one of two things.
#[state_machine(start = Look, eof => Gone, limit => Gone)]
enum Two {
    #[read(peek = 4, idle = 10s => Late)]
    #[to(Number | Line)]
    #[rest]
    Look,
    #[read(exact = 8, within = 5s => Gone)]
    #[to(Look)]
    Number,
    #[read(until = b"\n", max = 16, within = 5s => Gone)]
    #[to(Look | Gone)]
    Line,
    #[run]
    #[to(Gone)]
    Late,
    #[end]
    Gone,
}

struct Either;

impl two::Handler for Either {
    fn look(&mut self, bytes: &[u8; 4], cx: &mut Cx<'_>) -> two::AfterLook {
        assert!(cx.unread() >= 4, "what it looks at is unread");
        if bytes == b"\0\0\0\0" { two::AfterLook::Number } else { two::AfterLook::Line }
    }

    fn number(&mut self, bytes: &[u8; 8], cx: &mut Cx<'_>) -> two::AfterNumber {
        writeln!(cx, "{}", u64::from_be_bytes(*bytes));
        two::AfterNumber::Look
    }

    fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> two::AfterLine {
        writeln!(cx, "{}", String::from_utf8_lossy(line));
        if line == b"quit" { two::AfterLine::Gone } else { two::AfterLine::Look }
    }

    fn late(&mut self, cx: &mut Cx<'_>) -> two::AfterLate {
        cx.write(b"late");
        two::AfterLate::Gone
    }
}

#[test]
fn the_next_state_reads_what_a_peek_has_looked_at() {
    let mut peer = Session::<Two, _>::new(Either);
    peer.send(b"hello\n\0\0\0\0\0\0\0\x07quit\n");
    assert_eq!(peer.receive(), b"hello\n7\nquit\n");
    assert_eq!(peer.ended(), Some(Ended::Done));
}

#[test]
fn l7_a_peek_waits_for_all_its_bytes_however_they_are_cut() {
    check::splits::<Two, _>(|| Either, b"hello\n\0\0\0\0\0\0\0\x07and\nquit\n");
    let mut peer = Session::<Two, _>::new(Either);
    peer.send(b"hel");
    assert_eq!(peer.state(), Some("Look"));
    peer.send(b"l");
    assert_eq!(peer.state(), Some("Line"));
}

#[test]
fn a_peek_ends_with_the_stream_and_with_its_time() {
    let mut peer = Session::<Two, _>::new(Either);
    peer.send(b"hel");
    peer.end();
    assert_eq!(peer.ended(), Some(Ended::Done));
    let mut peer = Session::<Two, _>::new(Either);
    peer.send(b"hel");
    peer.advance(Duration::from_secs(10));
    assert_eq!(peer.receive(), b"late");
}
