//! Questions of handlers to their `Cx`: whether the output is at its mark, and the wall-clock time.

use std::time::{SystemTime, UNIX_EPOCH};

use fsm_runtime::sim::{Clock, JobSession};

use super::*;

/// Answers each byte with as much as there is room for.
#[state_machine(start = Ask, eof => Gone)]
enum Fill {
    #[read(exact = 1, idle = 60s => Gone)]
    #[to(Ask)]
    Ask,
    #[end]
    Gone,
}

struct Filler;

impl fill::Handler for Filler {
    fn ask(&mut self, _: &[u8; 1], cx: &mut Cx<'_>) -> fill::AfterAsk {
        while !cx.is_full() {
            cx.write(&[b'x'; 100]);
        }
        fill::AfterAsk::Ask
    }
}

/// The mark in whole writes.
fn filled(mark: usize) -> usize {
    mark.next_multiple_of(100)
}

#[test]
fn l3_a_handler_that_asks_writes_up_to_the_mark_and_no_further() {
    // The mark of a session is 64 KiB.
    let mut peer = Session::<Fill, _>::new(Filler);
    peer.send(b"?");
    assert_eq!(peer.receive().len(), filled(64 * 1024));
    // This peer takes a part, after which the next answer fills up what is free.
    peer.window(0);
    peer.send(b"??");
    peer.window(10_000);
    assert_eq!(peer.receive().len(), filled(64 * 1024) + 10_000);
}

#[test]
fn l3_the_mark_that_a_handler_asks_for_is_that_of_its_pool() {
    let fill = Pool::builder::<Fill>("fill").listen("127.0.0.1:0").output_mark(1_000);
    let running = fill.handler(|_| Filler).start().unwrap();
    let mut stream = TcpStream::connect(running.addresses()[0].to_string()).unwrap();
    stream.write_all(b"?").unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert_eq!(answer.len(), filled(1_000));
    running.drain().unwrap();
}

/// Writes the wall-clock time in seconds.
#[state_machine(start = Ask, eof => Gone)]
enum Date {
    #[read(exact = 1, idle = 2h => Gone)]
    #[to(Ask)]
    Ask,
    #[end]
    Gone,
}

struct Dated;

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap().as_secs()
}

impl date::Handler for Dated {
    fn ask(&mut self, _: &[u8; 1], cx: &mut Cx<'_>) -> date::AfterAsk {
        let (first, second) = (cx.wall(), cx.wall());
        assert_eq!(first, second);
        write!(cx, "{};", seconds(first));
        date::AfterAsk::Ask
    }
}

/// A job that takes an hour, and replies with the time of its end.
#[state_machine(start = Slow, job = (), reply = SystemTime)]
enum Report {
    #[sleep(1h)]
    #[to(Done)]
    Slow { unused: () },
    #[end]
    Done,
}

impl report::Handler for Dated {
    fn slow(&mut self, (): &mut (), cx: &mut JobCx<'_>) -> report::AfterSlow {
        report::AfterSlow::Done { reply: cx.wall() }
    }
}

#[test]
fn a_test_sets_the_wall_clock_and_time_moves_it() {
    let mut peer = Session::<Date, _>::new(Dated);
    peer.send(b"?");
    peer.advance(Duration::from_secs(5));
    peer.send(b"?");
    // Somebody sets the clock of the server back.
    peer.set_wall(UNIX_EPOCH + Duration::from_secs(100));
    peer.send(b"?");
    peer.advance(Duration::from_secs(60));
    peer.send(b"?");
    assert_eq!(peer.receive(), b"946684800;946684805;100;160;");
}

#[test]
fn sessions_on_one_clock_share_its_wall_clock() {
    let clock = Clock::new();
    let mut peer = Session::<Date, _>::on(&clock, Dated);
    let mut job = JobSession::<Report, _>::on(&clock, Dated, ());
    clock.set_wall(UNIX_EPOCH + Duration::from_secs(1_000));
    clock.advance(Duration::from_secs(3_600));
    peer.send(b"?");
    assert_eq!(peer.receive(), b"4600;");
    assert_eq!(job.replied().map(seconds), Some(4_600));
}
