use std::time::Duration;

use fsm_runtime::check;
use fsm_runtime::sim::Session;

use super::*;

fn connect() -> Session<Lines, Client> {
    Session::new(Client::new(Hearers::default()))
}

fn text(peer: &mut Session<Lines, Client>) -> String {
    String::from_utf8_lossy(&peer.receive()).into_owned()
}

#[test]
fn each_command_is_answered() {
    let mut peer = connect();
    peer.send(b"ECHO hello\r\nPIN\n1234SUM 3\nabcNET\n5:hello,SKIP 2\nxxCOUNT 3\nSUM 0\nECHO\n");
    assert_eq!(text(&mut peer), "hello\nfour digits\n294\nhello\nskipped 2 bytes\n1\n2\n3\n0\n\n");
    peer.send(b"SLEEP\nQUIT\n");
    assert_eq!(text(&mut peer), "");
    peer.advance(Duration::from_secs(1));
    assert_eq!(text(&mut peer), "awake\nbye\n");
    assert_eq!(peer.ended(), Some(Ended::Done));
}

#[test]
fn commands_are_the_same_however_they_arrive() {
    check::frames::<Commands>();
}

#[test]
fn a_clock_ticks_until_a_line_is_complete() {
    let mut peer = connect();
    peer.send(b"CLOCK\n");
    peer.advance(Duration::from_millis(1_999));
    peer.send(b"enou");
    peer.advance(Duration::from_millis(1));
    assert_eq!(text(&mut peer), "1\n2\n");
    peer.send(b"gh\nECHO hello\n");
    peer.advance(Duration::from_secs(2));
    assert_eq!(text(&mut peer), "hello\n");
}

#[test]
fn a_shout_waits_until_a_command_is_complete_and_leaves_half_a_line_alone() {
    let mut peer = connect();
    peer.send(b"PIN\n12");
    peer.post("one".into()).expect("the mailbox has room");
    assert_eq!(text(&mut peer), "");
    peer.send(b"34ECH");
    assert_eq!(text(&mut peer), "four digits\n* one\n");
    peer.post("two".into()).expect("the mailbox has room");
    peer.send(b"O hello\n");
    assert_eq!(text(&mut peer), "* two\nhello\n");
}

#[test]
fn what_is_no_command_is_answered_and_the_client_goes_on() {
    for (sent, answer) in [
        (&b"DANCE\n"[..], "! unknown command\n"),
        (b"SUM many\n", "! not a number\n"),
        (b"SUM\r\n", "! not a number\n"),
        (b"QUIT now\n", "! something follows the command\n"),
        (&[b"CLOCK\n", &[b'x'; 99][..], b"\n"].concat(), "! a line has at most 80 bytes\n"),
        (b"PIN\n12x4", "! a pin is four digits\n"),
        (&[&[b'x'; 1_000][..], b"\n"].concat(), "! a line has at most 80 bytes\n"),
    ] {
        let mut peer = connect();
        peer.send(sent);
        peer.send(b"ECHO after\n");
        assert_eq!(text(&mut peer), format!("{answer}after\n"));
        assert_eq!(peer.ended(), None);
    }
}

#[test]
fn a_malformed_netstring_is_answered_and_ends_the_connection() {
    for (sent, answer) in [
        (&b"NET\n5hello,"[..], "! `len` is no number in its range\n"),
        (b"NET\n5:hello!", "! `text` is not followed by what ends it\n"),
        (b"NET\n2000:", "! the length of `text` is 2000, and may be at most 1018\n"),
    ] {
        let mut peer = connect();
        peer.send(sent);
        assert_eq!(text(&mut peer), answer);
        assert_eq!(peer.ended(), Some(Ended::Done));
    }
}

#[test]
fn late_input_ends_the_connection() {
    for (sent, seconds) in [
        (&b""[..], 60),
        (b"ECH", 10),
        (&[b'x'; 90], 10),
        (b"PIN\n12", 10),
        (b"SUM 9\nab", 5),
        (b"NET\n5:", 10),
        (b"SKIP 9\nab", 60),
    ] {
        let mut peer = connect();
        peer.send(sent);
        peer.advance(Duration::from_millis(seconds * 1_000 - 1));
        assert_eq!(peer.ended(), None);
        peer.advance(Duration::from_millis(1));
        assert_eq!(text(&mut peer), "! too slow\n");
        assert_eq!(peer.ended(), Some(Ended::Done));
    }
}

#[test]
fn shouts_do_not_hide_a_silent_client_for_longer_than_its_setting() {
    let times = Times { idle: Duration::from_secs(3) };
    let mut peer = Session::<Lines, _>::with_settings(Client::new(Hearers::default()), times);
    for _ in 0..2 {
        peer.advance(Duration::from_secs(1));
        peer.post("hello".into()).expect("the mailbox has room");
    }
    peer.advance(Duration::from_secs(1));
    assert_eq!(text(&mut peer), "* hello\n* hello\n! too slow\n");
    assert_eq!(peer.ended(), Some(Ended::Done));
}

#[test]
fn a_byte_every_four_seconds_does_not_last_longer_than_a_minute() {
    let mut peer = connect();
    peer.send(b"SUM 1000\n");
    for _ in 0..14 {
        peer.advance(Duration::from_secs(4));
        peer.send(b"x");
    }
    assert_eq!(peer.state(), Some("Summing"));
    peer.advance(Duration::from_secs(4));
    assert_eq!(peer.ended(), Some(Ended::Done));
}

#[test]
fn after_half_the_states_have_a_time_each_and_one_together() {
    let mut peer = connect();
    peer.window(0);
    peer.send(b"HALF\n");
    peer.advance(Duration::from_secs(9));
    assert_eq!(peer.state(), Some("Halving"));
    peer.window(100);
    assert_eq!(text(&mut peer), "half\n");
    for _ in 0..5 {
        peer.send(b"more");
        peer.advance(Duration::from_secs(4));
    }
    peer.send(b"more");
    peer.advance(Duration::from_millis(999));
    assert_eq!(peer.state(), Some("Listening"));
    peer.advance(Duration::from_millis(1));
    assert_eq!((peer.ended(), &*text(&mut peer)), (Some(Ended::Done), ""));
}

#[test]
fn after_half_a_silent_client_has_five_seconds() {
    let mut peer = connect();
    peer.send(b"HALF\n");
    peer.advance(Duration::from_millis(4_999));
    assert_eq!((peer.state(), &*text(&mut peer)), (Some("Listening"), "half\n"));
    peer.advance(Duration::from_millis(1));
    assert_eq!(peer.ended(), Some(Ended::Done));
}

#[test]
fn a_drain_says_goodbye_between_two_commands_and_in_the_clock() {
    for sent in [&b""[..], b"CLOCK\n"] {
        let mut peer = connect();
        peer.send(sent);
        peer.drain();
        peer.advance(Duration::from_secs(1));
        assert_eq!(text(&mut peer), "! the server shuts down\n");
        assert_eq!(peer.ended(), Some(Ended::Done));
    }
    let mut peer = connect();
    peer.send(b"PIN\n12");
    peer.drain();
    assert_eq!(peer.state(), Some("Pin"));
    peer.send(b"34");
    assert_eq!(text(&mut peer), "four digits\n! the server shuts down\n");
}

#[test]
fn a_slow_reader_makes_counting_slow_and_not_large() {
    let mut peer = connect();
    peer.window(10_000);
    peer.send(b"COUNT 100000\nQUIT\n");
    let mut received = Vec::new();
    while peer.ended().is_none() {
        peer.advance(Duration::from_secs(9));
        received.extend(peer.receive());
    }
    let received = String::from_utf8(received).unwrap();
    let mut lines = received.lines();
    assert!((1..=100_000).all(|n| lines.next() == Some(&n.to_string())));
    assert_eq!((lines.next(), lines.next()), (Some("bye"), None));
}

#[test]
fn l7_cuts_make_no_difference() {
    for input in [
        &b"ECHO hello\r\nPIN\n1234SUM 30\nabcdefghijklmnopqrstuvwxyzabcdNET\n5:hello,QUIT\n"[..],
        b"NET\n12x",
        b"PIN\nabcdDANCE\nSKIP 9\n\n\n\n\n\n\n\n\n\nSKIP 0\nSUM x\nECHO on\n",
        &[b"ECHO a\n", &[b'x'; 200][..], b"\nECHO b\nCLOCK\nend\nHALF\nmore\nmore"].concat(),
    ] {
        check::splits::<Lines, _>(|| Client::new(Hearers::default()), input);
    }
}

#[test]
fn a_client_that_pipelines_does_not_hold_a_drain_up() {
    for (line, answer) in [("ECHO a", "a\n"), ("nosuch", "!")] {
        let (first, rest) = line.split_at(3);
        let next = format!("{rest}\n{first}");
        let mut peer = Session::<Lines, _>::new(Client::new(Hearers::default()));
        // A part of the next command is always there.
        peer.send(first.as_bytes());
        peer.drain();
        peer.send(next.as_bytes());
        assert!(peer.receive().starts_with(answer.as_bytes()));
        assert_eq!(peer.state(), Some("Line"));
        peer.advance(Duration::from_secs(1));
        peer.send(next.as_bytes());
        assert!(peer.receive().starts_with(answer.as_bytes()));
        assert_eq!(peer.state(), None, "{line}");
    }
}
