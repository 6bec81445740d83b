//! Peers that do not read, and machines that have much to do.

use super::*;

const MARK: usize = 4_000;

#[test]
fn m3_while_its_output_is_not_sent_it_takes_no_input_and_no_message() {
    let host = HostBuilder::new().output_mark(MARK).mailbox(2).build();
    let mut conn = host.open(Peer::Memory, Speaker, at(0));
    let line = b"0123456789abcde\n";
    let (mut given, mut rounds) = (0, 0);
    while conn.wants_input() {
        given += conn.input(&line.repeat(100), at(0));
        rounds += 1;
        assert!(rounds < 100, "it takes input without end");
    }
    // All that was taken is in the output, behind it, or not yet used.
    assert!(given < 2 * MARK + line.len() + 4_096, "{given}");
    assert_eq!(conn.output().len(), MARK);
    assert_eq!(conn.input(line, at(0)), 0);
    assert_eq!(conn.post(1, at(0)), Ok(()));
    assert_eq!(conn.post(2, at(0)), Ok(()));
    assert_eq!(conn.post(3, at(0)), Err(TrySendError::Full(3)));
    // A little room is not enough for it to go on, but half of the window is.
    conn.sent(10, at(0));
    assert_eq!((conn.output().len(), conn.wants_input()), (MARK - 10, false));
    conn.sent(MARK / 2, at(0));
    assert_eq!((conn.output().len(), conn.wants_input()), (MARK, true));
    let output = taken(&mut conn, at(0));
    assert!(output.ends_with(b">2;"), "{:?}", output.escape_ascii().to_string());
    assert!(conn.wants_input());
}

#[test]
fn m3_a_peer_that_takes_nothing_is_given_up_after_the_send_timeout() {
    let host = HostBuilder::new().send_timeout(Duration::from_secs(7)).build();
    let mut conn = host.open(Peer::Memory, Speaker, at(0));
    give(&mut conn, b"flood\n", at(1_000));
    assert_eq!(conn.deadline(), Some(at(8_000)));
    // Some of it is taken, and not enough for more to leave the machine: the time runs on until that is tried.
    conn.sent(100, at(2_000));
    conn.on_time(at(8_000));
    assert_eq!((conn.ended(), conn.deadline()), (None, Some(at(11_000))));
    while conn.ended().is_none() {
        conn.on_time(conn.deadline().unwrap());
    }
    assert_eq!((conn.ended(), conn.is_aborted()), (Some(Ended::SendTimeout), true));
    assert_eq!(conn.output(), b"");
}

/// Handles each byte, and writes nothing.
#[state_machine(start = Byte, eof => Gone)]
enum Eater {
    #[read(exact = 1, idle = 60s => Gone)]
    #[to(Byte)]
    Byte,
    #[end]
    Gone,
}

struct Eating(u32);

impl eater::Handler for Eating {
    fn byte(&mut self, _: &[u8; 1], cx: &mut Cx<'_>) -> eater::AfterByte {
        self.0 += 1;
        if self.0 % 1_000 == 0 {
            write!(cx, "{};", self.0);
        }
        eater::AfterByte::Byte
    }
}

#[test]
fn m3_x4_a_call_runs_so_many_handlers_and_is_due_again_at_once() {
    let mut conn = Host::<Eater, _>::new().open(Peer::Memory, Eating(0), at(0));
    let bytes = vec![0; 100_000];
    // As much as one read.
    assert_eq!(conn.input(&bytes, at(5)), 64 * 1024);
    assert_eq!(conn.output(), b"1000;");
    let mut calls = 1;
    while conn.deadline() == Some(at(5)) {
        conn.on_time(at(5));
        calls += 1;
    }
    assert_eq!(calls, 65, "64 KiB by 1,024 bytes a call, and one that finds nothing more");
    assert!(conn.output().ends_with(b"65000;"));
    assert_eq!(conn.deadline(), Some(at(60_005)));
}

/// Moves without waiting, and without an end.
#[state_machine(start = Read, eof => Gone)]
enum Spinner {
    #[read(upto = 0_u64 + u64::from(false), max = 8, within = 60s => Gone)]
    #[to(Read)]
    Read,
    #[end]
    Gone,
}

struct Spinning;

impl spinner::Handler for Spinning {
    fn read(&mut self, _: &[u8], _: &mut Cx<'_>) -> spinner::AfterRead {
        spinner::AfterRead::Read
    }
}

#[test]
fn m3_l4_a_machine_that_loops_without_end_is_stopped() {
    let mut conn = Host::<Spinner, _>::new().open(Peer::Memory, Spinning, at(0));
    while conn.deadline() == Some(at(0)) {
        conn.on_time(at(0));
    }
    assert_eq!(conn.ended(), Some(Ended::BusyLoop));
}
