//! The end of a connection, from either side.

use super::*;

#[test]
fn m1_at_the_end_what_was_said_is_still_to_be_sent() {
    let mut conn = talking();
    give(&mut conn, b"one\nquit\nand more", at(0));
    assert_eq!((conn.ended(), conn.state()), (Some(Ended::Done), None));
    assert_eq!((conn.is_shut(), conn.is_aborted(), conn.wants_input()), (true, false, false));
    assert_eq!(conn.output(), b"one;quit;");
    // Calls after the end lose what they bring, as a closed socket does.
    assert_eq!(conn.input(b"late\n", at(1)), 5);
    assert_eq!(conn.post(1, at(1)), Err(TrySendError::Gone(1)));
    conn.eof(at(1));
    conn.on_time(at(1));
    conn.sent(4, at(1));
    assert_eq!(conn.output(), b"quit;");
}

#[test]
fn m1_an_end_behind_much_output_comes_when_that_has_left() {
    let mut conn = talking();
    give(&mut conn, b"flood\nquit\n", at(0));
    let mut output = conn.output().len();
    while !conn.output().is_empty() {
        assert_eq!(conn.is_shut(), conn.ended().is_some());
        conn.sent(conn.output().len(), at(0));
        output += conn.output().len();
    }
    assert_eq!(output, "flood;".len() + 512 * 1024 + "quit;".len());
    assert_eq!(conn.ended(), Some(Ended::Done));
}

#[test]
fn m1_g3_a_machine_may_end_its_stream_and_read_on() {
    let mut conn = talking();
    give(&mut conn, b"bye\n", at(0));
    assert_eq!((conn.is_shut(), conn.ended()), (true, None));
    assert_eq!(taken(&mut conn, at(0)), b"bye;");
    give(&mut conn, b"more", at(0));
    assert_eq!(conn.state(), Some("Last"));
    conn.eof(at(0));
    assert_eq!(conn.ended(), Some(Ended::Done));
}

#[test]
fn m1_a_connection_that_breaks_ends_at_once() {
    let mut conn = talking();
    give(&mut conn, b"one\n", at(0));
    conn.reset(at(0));
    assert_eq!((conn.ended(), conn.output()), (Some(Ended::Reset), &b""[..]));
}

#[test]
fn m1_x11_a_drain_closes_at_rest_and_waits_in_the_middle() {
    let mut conn = talking();
    give(&mut conn, b"hal", at(0));
    conn.drain(at(0));
    assert_eq!(conn.ended(), None);
    give(&mut conn, b"f\n", at(0));
    assert_eq!(taken(&mut conn, at(0)), b"half;");
    assert_eq!(conn.ended(), Some(Ended::Drained));
}

#[test]
fn m1_x19_a_drain_waits_for_the_first_bytes_of_a_peer() {
    let (mut asks, mut silent) = (talking(), talking());
    for conn in [&mut asks, &mut silent] {
        conn.drain(at(0));
        assert_eq!((conn.ended(), conn.deadline()), (None, Some(at(1_000))));
    }
    give(&mut asks, b"one\n", at(999));
    assert_eq!(taken(&mut asks, at(999)), b"one;");
    assert_eq!(asks.ended(), Some(Ended::Drained));
    silent.on_time(at(1_000));
    taken(&mut silent, at(1_000));
    assert_eq!(silent.ended(), Some(Ended::Drained));
}

#[test]
fn m4_a_panic_ends_its_connection_and_affects_no_other() {
    let host = Host::<Talk, Speaker>::new();
    let mut conns = [(); 2].map(|()| host.open(Peer::Memory, Speaker, at(0)));
    let [first, second] = &mut conns;
    taken(second, at(0));
    // The output of the turn is lost with it, and that before is not.
    give(first, b"panic\n", at(0));
    assert_eq!((first.ended(), first.is_aborted()), (Some(Ended::Panicked), true));
    assert_eq!((first.output(), first.state()), (&b""[..], None));
    give(second, b"one\n", at(0));
    assert_eq!(taken(second, at(0)), b"one;");
    let stats = host.stats();
    assert_eq!((stats.accepted, stats.open, stats.panicked), (2, 1, 1));
    // A connection that is dropped is counted, too.
    drop(conns);
    let stats = host.stats();
    assert_eq!((stats.open, stats.panicked, stats.closed), (0, 1, 1));
}
