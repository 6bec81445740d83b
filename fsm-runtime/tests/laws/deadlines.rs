//! Deadlines and sleeps (L3, L4, X6).

use super::*;

/// Sums digits; errors and timeouts lead back to the same state.
#[state_machine(start = Digit, eof => Gone, error = std::num::ParseIntError)]
enum Sum {
    #[read(exact = 1, within = 9s => Gone, idle = 5s => Digit, error => Digit)]
    #[to(Digit)]
    Digit,
    #[end]
    Gone,
}

struct SumHandler(u32);

impl sum::Handler for SumHandler {
    fn digit(
        &mut self,
        digit: &[u8; 1],
        cx: &mut Cx<'_>,
    ) -> Result<sum::AfterDigit, std::num::ParseIntError> {
        self.0 += String::from_utf8_lossy(digit).parse::<u32>()?;
        cx.write(self.0.to_string().as_bytes());
        Ok(sum::AfterDigit::Digit)
    }
}

#[test]
fn l3_an_edge_back_to_its_state_does_not_start_within_anew() {
    let mut session = Session::<Sum, _>::new(SumHandler(0));
    session.send(b"1x2");
    assert_eq!(session.receive(), b"13");
    session.advance(Duration::from_secs(5));
    session.send(b"x");
    session.advance(Duration::from_millis(3_999));
    assert_eq!(session.state(), Some("Digit"));
    session.advance(Duration::from_millis(1));
    assert_eq!(session.state(), None);
}

#[test]
fn l3_within_counts_from_entering_and_idle_from_the_last_completion() {
    let mut peer = filing();
    for _ in 0..9 {
        // A part of a line every second does not extend the deadline.
        peer.send(b"x");
        peer.advance(Duration::from_secs(1));
    }
    assert_eq!(peer.state(), Some("Name"));
    peer.advance(Duration::from_secs(1));
    assert_eq!(peer.receive(), b"late\n");

    let mut peer = filing();
    peer.send(b"chat\n");
    for _ in 0..30 {
        peer.send(b"hi");
        peer.advance(Duration::from_millis(1_900));
    }
    assert_eq!(peer.state(), Some("Chat"));
    peer.advance(Duration::from_millis(100));
    assert_eq!(peer.ended(), Some(Ended::Done));
}

#[test]
fn l3_a_sleep_lasts_its_time() {
    let mut peer = filing();
    peer.send(b"sleep\nchat\nhi");
    peer.advance(Duration::from_millis(1_499));
    assert_eq!(peer.state(), Some("Sleeping"));
    peer.advance(Duration::from_millis(1));
    assert_eq!((peer.state(), peer.receive()), (Some("Chat"), b"hi".into()));
}

#[test]
fn l4_a_sleep_of_no_time_takes_some() {
    let mut peer = Session::<ZeroSleeps, _>::new(ZeroSleepsHandler { count: 0 });
    peer.advance(Duration::from_millis(10));
    assert_eq!(peer.receive(), b"..........");
}

/// Sleeps for no time, again and again.
#[state_machine(start = Start)]
enum ZeroSleeps {
    #[run]
    #[to(Sleep)]
    Start,
    #[sleep(time, max = 1s)]
    #[to(Sleep | Gone)]
    Sleep { time: Duration },
    #[end]
    Gone,
}

struct ZeroSleepsHandler {
    count: u32,
}

impl zero_sleeps::Handler for ZeroSleepsHandler {
    fn start(&mut self, _cx: &mut Cx<'_>) -> zero_sleeps::AfterStart {
        zero_sleeps::AfterStart::Sleep { time: Duration::ZERO }
    }

    fn sleep(&mut self, _time: &mut Duration, cx: &mut Cx<'_>) -> zero_sleeps::AfterSleep {
        cx.write(b".");
        self.count += 1;
        if self.count > 1_000 {
            zero_sleeps::AfterSleep::Gone
        } else {
            zero_sleeps::AfterSleep::Sleep
        }
    }
}

/// Echoes for a second.
#[state_machine(start = Talk, eof => Gone)]
enum Brief {
    #[read(some, max = 4KiB, within = 1s => Gone)]
    #[to(Talk)]
    #[rest]
    Talk,
    #[end]
    Gone,
}

struct BriefHandler;

impl brief::Handler for BriefHandler {
    fn talk(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> brief::AfterTalk {
        cx.write(bytes);
        brief::AfterTalk::Talk
    }
}

#[test]
fn x6_a_storm_of_deadlines_ends_all_of_them() {
    let (running, address) =
        start(Pool::builder::<Brief>("brief").listen("127.0.0.1:0").handler(|_| BriefHandler));
    let streams: Vec<_> = (0..3_000).map(|_| TcpStream::connect(address).unwrap()).collect();
    for mut stream in &streams {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    }
    assert_eq!(running.stats().done, 3_000);
}
