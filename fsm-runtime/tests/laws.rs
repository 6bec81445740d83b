//! The laws of generated machines and the rules of a port that runs them, on machines without
//! sockets where that is enough. (Traps of sockets are in `pitfalls.rs`, the rules of `PortCore`
//! beside it.)

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;
use fsm_runtime::{Address, Running, check};

/// Takes a name and a body, and files them.
#[state_machine(start = Name, eof => Gone, limit => Gone, within = 10s => Late, error = String, error => Failed)]
enum Filing {
    #[read(until = b"\n", max = 32)]
    #[to(Body | Chat | Napping)]
    #[rest]
    Name,
    #[read(exact = usize::from(*len), max = 100)]
    #[to(Filed)]
    Body { name: NotClone, len: u8 },
    #[run]
    #[to(Name)]
    Filed {
        #[carry]
        name: NotClone,
    },
    #[read(some, max = 16, idle = 2s => Late)]
    #[to(Chat | Gone)]
    Chat,
    #[sleep(*pause, max = 1min)]
    #[to(Name)]
    Napping { pause: Duration },
    #[run(error => Gone)]
    #[to(Gone)]
    Failed {
        #[error]
        why: String,
    },
    #[run(error => Gone)]
    #[to(Gone)]
    Late,
    #[end]
    Gone,
}

/// Can only be moved.
#[derive(Debug)]
struct NotClone(Vec<u8>);

struct Clerk;

impl filing::Handler for Clerk {
    fn name(&mut self, line: &[u8], cx: &mut Cx<'_>) -> Result<filing::AfterName, String> {
        match line {
            b"chat" => Ok(filing::AfterName::Chat),
            b"nap" => Ok(filing::AfterName::Napping { pause: Duration::from_millis(1_500) }),
            b"panic" => {
                cx.write(b"lost with the panic");
                panic!("as asked")
            }
            b"" => Err("no name".to_owned()),
            [name @ .., len] => Ok(filing::AfterName::Body {
                name: NotClone(name.to_vec()),
                len: len.wrapping_sub(b'0'),
            }),
        }
    }

    fn body(
        &mut self,
        name: &mut NotClone,
        _len: &mut u8,
        bytes: &[u8],
        _cx: &mut Cx<'_>,
    ) -> Result<filing::AfterBody, String> {
        name.0.push(b'=');
        name.0.extend_from_slice(bytes);
        if bytes.contains(&b'!') { Err(format!("{name:?}")) } else { Ok(filing::AfterBody::Filed) }
    }

    fn filed(
        &mut self,
        name: &mut NotClone,
        cx: &mut Cx<'_>,
    ) -> Result<filing::AfterFiled, String> {
        writeln!(cx, "{}", String::from_utf8_lossy(&name.0));
        Ok(filing::AfterFiled::Name)
    }

    fn chat(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> Result<filing::AfterChat, String> {
        cx.write(bytes);
        Ok(if bytes.contains(&b'.') { filing::AfterChat::Gone } else { filing::AfterChat::Chat })
    }

    fn failed(&mut self, why: &mut String, cx: &mut Cx<'_>) -> Result<filing::AfterFailed, String> {
        writeln!(cx, "failed: {why}");
        Ok(filing::AfterFailed::Gone)
    }

    fn late(&mut self, cx: &mut Cx<'_>) -> Result<filing::AfterLate, String> {
        cx.write(b"late\n");
        Ok(filing::AfterLate::Gone)
    }
}

fn clerk() -> Session<Filing, Clerk> {
    Session::new(Clerk)
}

#[test]
fn l5_a_panic_leaves_a_named_state_and_sends_nothing() {
    let mut peer = clerk();
    peer.send(b"panic\n");
    assert_eq!((peer.ended(), peer.receive()), (Some(Ended::Panicked), Vec::new()));
}

#[test]
fn l5_an_error_takes_its_edge_with_the_error_and_the_state_as_it_is() {
    let mut peer = clerk();
    peer.send(b"\n");
    assert_eq!(peer.receive(), b"failed: no name\n");
    assert_eq!(peer.ended(), Some(Ended::Done));
}

#[test]
fn l6_a_carried_field_is_moved_on() {
    let mut peer = clerk();
    peer.send(b"doc3\nabcdoc0\n");
    assert_eq!(peer.receive(), b"doc=abc\ndoc=\n");
}

#[test]
fn l7_cuts_make_no_difference() {
    check::splits::<Filing, _>(
        || Clerk,
        b"doc3\nabcx0\nlong9\n123456789chat\nhello world, this is it.",
    );
    check::splits::<Filing, _>(|| Clerk, b"doc3\na!c");
    check::splits::<Filing, _>(|| Clerk, b"a line without an end is cut off at its limit");
    check::splits::<Filing, _>(|| Clerk, b"z\n and a length over the maximum");
    check::splits::<Filing, _>(|| Clerk, b"");
}

/// A decoder that takes whatever is there for a frame, which is against the law.
#[derive(Default)]
struct Greedy;

impl Frame for Greedy {
    type Item<'a> = &'a [u8];
    type Error = std::convert::Infallible;

    fn decode<'a>(&mut self, input: &'a [u8]) -> Result<Decoded<&'a [u8]>, Self::Error> {
        Ok(Decoded::Frame(input, input.len()))
    }
}

#[state_machine(start = Word, eof => Gone, error => Gone)]
enum Words {
    #[read(frame = Greedy, max = 64, limit => Gone, idle = 1min => Gone)]
    #[to(Word)]
    #[rest]
    Word,
    #[end]
    Gone,
}

struct Reader;

impl words::Handler for Reader {
    fn word(&mut self, _word: &[u8], _cx: &mut Cx<'_>) -> words::AfterWord {
        words::AfterWord::Word
    }
}

#[test]
#[should_panic(expected = "makes a difference")]
fn l7_a_decoder_that_looks_at_the_cut_is_found_out() {
    check::splits::<Words, _>(|| Reader, b"abcdef");
}

/// Sums digits; whatever goes wrong leads back.
#[state_machine(start = Digit, eof => Gone, error = std::num::ParseIntError)]
enum Sum {
    #[read(exact = 1, within = 9s => Gone, idle = 5s => Digit, error => Digit)]
    #[to(Digit)]
    Digit,
    #[end]
    Gone,
}

struct Adder(u32);

impl sum::Handler for Adder {
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
    let mut session = Session::<Sum, _>::new(Adder(0));
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
    let mut peer = clerk();
    for _ in 0..9 {
        // Half a line every second does not help.
        peer.send(b"x");
        peer.advance(Duration::from_secs(1));
    }
    assert_eq!(peer.state(), Some("Name"));
    peer.advance(Duration::from_secs(1));
    assert_eq!(peer.receive(), b"late\n");

    let mut peer = clerk();
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
    let mut peer = clerk();
    peer.send(b"nap\nchat\nhi");
    peer.advance(Duration::from_millis(1_499));
    assert_eq!(peer.state(), Some("Napping"));
    peer.advance(Duration::from_millis(1));
    assert_eq!((peer.state(), peer.receive()), (Some("Chat"), b"hi".to_vec()));
}

#[test]
fn l4_a_sleep_of_no_time_takes_some() {
    let mut peer = Session::<Nodding, _>::new(Sleepy { nods: 0 });
    peer.advance(Duration::from_millis(10));
    assert_eq!(peer.receive(), b"..........");
}

/// Sleeps for no time, over and over.
#[state_machine(start = Start)]
enum Nodding {
    #[run]
    #[to(Nod)]
    Start,
    #[sleep(time, max = 1s)]
    #[to(Nod | Gone)]
    Nod { time: Duration },
    #[end]
    Gone,
}

struct Sleepy {
    nods: u32,
}

impl nodding::Handler for Sleepy {
    fn start(&mut self, _cx: &mut Cx<'_>) -> nodding::AfterStart {
        nodding::AfterStart::Nod { time: Duration::ZERO }
    }

    fn nod(&mut self, _time: &mut Duration, cx: &mut Cx<'_>) -> nodding::AfterNod {
        cx.write(b".");
        self.nods += 1;
        if self.nods > 1_000 { nodding::AfterNod::Gone } else { nodding::AfterNod::Nod }
    }
}

#[test]
fn l9_the_graph_is_data() {
    let spec = Filing::SPEC;
    assert_eq!((spec.name, spec.docs), ("Filing", "Takes a name and a body, and files them."));
    let edges = |name: &str| {
        let state = spec.states.iter().find(|state| state.name == name).unwrap();
        let edges = state.edges.iter();
        edges
            .map(|edge| format!("{}: {}", edge.on, spec.states[edge.target].name))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        edges("Chat"),
        ["verdict: Chat", "verdict: Gone", "idle 2s: Late", "eof: Gone", "error: Failed"]
    );
    assert_eq!(edges("Gone"), [""; 0]);
    let diagram = spec.mermaid();
    assert!(diagram.contains("Chat --> Late: idle 2s\n"), "{diagram}");
    assert!(spec.dot().contains("Chat -> Late [label=\"idle 2s\"];"), "{}", spec.dot());
}

#[test]
fn l2_an_end_in_the_middle_takes_the_eof_edge_and_a_reset_ends_it() {
    let mut peer = clerk();
    peer.send(b"doc3\nab");
    peer.end();
    assert_eq!(peer.ended(), Some(Ended::Done));

    let mut peer = clerk();
    peer.send(b"doc3\nab");
    peer.reset();
    assert_eq!(peer.ended(), Some(Ended::Reset));
}

#[test]
fn x11_a_drain_closes_at_rest_and_waits_in_the_middle() {
    let mut peer = clerk();
    peer.drain();
    assert_eq!(peer.ended(), Some(Ended::Drained));

    let mut peer = clerk();
    peer.send(b"doc3\nab");
    peer.drain();
    assert_eq!(peer.ended(), None);
    peer.send(b"c");
    assert_eq!((peer.receive(), peer.ended()), (b"doc=abc\n".to_vec(), Some(Ended::Drained)));

    // Half a request at rest is something in progress, too.
    let mut peer = clerk();
    peer.send(b"do");
    peer.drain();
    assert_eq!(peer.ended(), None);
    peer.send(b"c1\nx");
    assert_eq!((peer.receive(), peer.ended()), (b"doc=x\n".to_vec(), Some(Ended::Drained)));
}

#[test]
fn l3_a_peer_that_takes_nothing_is_reset_also_where_no_time_is_set() {
    let mut peer = Session::<Ticking, _>::new(Clockwork);
    peer.window(0);
    peer.advance(Duration::from_secs(59));
    assert_eq!(peer.ended(), None);
    peer.advance(Duration::from_secs(2));
    assert_eq!(peer.ended(), Some(Ended::SendTimeout));

    // Whoever takes a little now and then, stays; what cannot leave does not pile up meanwhile.
    let mut peer = Session::<Ticking, _>::new(Clockwork);
    peer.window(0);
    for n in 1..10 {
        peer.advance(Duration::from_secs(50));
        peer.window(100 * n);
    }
    assert_eq!(peer.ended(), None);
    peer.window(usize::MAX);
    assert!(peer.receive().len() < 100_000);
}

#[test]
fn l3_what_deadlines_write_does_not_pile_up() {
    let mut peer = Session::<Beating, _>::new(Heart);
    peer.window(0);
    let mut taken = 0;
    while peer.ended().is_none() {
        // It takes a byte now and then, which is not enough.
        peer.advance(Duration::from_secs(50));
        taken += 1;
        peer.window(taken);
        assert!(taken < 20, "it goes on and on");
    }
    assert_eq!(peer.ended(), Some(Ended::SendTimeout));
}

/// Says that it is there whenever the client says nothing for ten seconds.
#[state_machine(start = Listen, eof => Gone)]
enum Beating {
    #[read(some, max = 64, within = 10s => Beat)]
    #[to(Listen | Gone)]
    Listen,
    #[run]
    #[to(Listen)]
    Beat,
    #[end]
    Gone,
}

struct Heart;

impl beating::Handler for Heart {
    fn listen(&mut self, bytes: &[u8], _cx: &mut Cx<'_>) -> beating::AfterListen {
        if bytes == b"bye" { beating::AfterListen::Gone } else { beating::AfterListen::Listen }
    }

    fn beat(&mut self, cx: &mut Cx<'_>) -> beating::AfterBeat {
        assert!(cx.queued() < 128 * 1024, "it piles up");
        cx.write(&[b'b'; 8_000]);
        beating::AfterBeat::Listen
    }
}

/// Writes 10,000 bytes a second.
#[state_machine(start = Tick)]
enum Ticking {
    #[sleep(1s)]
    #[to(Tick | Gone)]
    Tick,
    #[end]
    Gone,
}

struct Clockwork;

impl ticking::Handler for Clockwork {
    fn tick(&mut self, cx: &mut Cx<'_>) -> ticking::AfterTick {
        assert!(cx.queued() < 64 * 1024, "it piles up");
        cx.write(&[b't'; 10_000]);
        if cx.queued() > 1_000_000 { ticking::AfterTick::Gone } else { ticking::AfterTick::Tick }
    }
}

#[test]
fn l4_handlers_that_go_round_in_a_state_are_stopped() {
    let mut peer = Session::<Rounds, _>::new(Dizzy);
    peer.send(b"x");
    assert_eq!(peer.ended(), Some(Ended::BusyLoop));
}

#[test]
#[should_panic(expected = "goes round")]
fn l4_a_check_of_splits_ends_too() {
    check::splits::<Rounds, _>(|| Dizzy, b"ab");
}

/// Stays, and uses nothing up.
#[state_machine(start = Round, eof => Gone)]
enum Rounds {
    #[read(upto = 0_u64 + u64::from(false), max = 16, within = 10s => Gone)]
    #[to(Round)]
    Round,
    #[end]
    Gone,
}

struct Dizzy;

impl rounds::Handler for Dizzy {
    fn round(&mut self, bytes: &[u8], _cx: &mut Cx<'_>) -> rounds::AfterRound {
        assert!(bytes.is_empty());
        rounds::AfterRound::Round
    }
}

/// Writes as much as it is asked to.
#[state_machine(start = Ask, eof => Gone)]
enum Pouring {
    #[read(exact = 1, idle = 1min => Gone)]
    #[to(Ask | Pour | Last)]
    #[rest]
    Ask,
    #[writable(below = 1KiB, idle = 10s => Gone)]
    #[to(Pour | Ask)]
    Pour { left: u32 },
    #[run]
    #[to(Gone)]
    Last,
    #[end]
    Gone,
}

struct Tap {
    calls: Arc<Mutex<usize>>,
}

impl pouring::Handler for Tap {
    fn ask(&mut self, what: &[u8; 1], cx: &mut Cx<'_>) -> pouring::AfterAsk {
        *self.calls.lock().unwrap() += 1;
        match what {
            b"p" => return pouring::AfterAsk::Pour { left: 100 },
            b"l" => return pouring::AfterAsk::Last,
            b"z" => cx.send(vec![b'z'; 100_000]),
            _ => cx.write(&[what[0]; 1_000]),
        }
        pouring::AfterAsk::Ask
    }

    fn pour(&mut self, left: &mut u32, cx: &mut Cx<'_>) -> pouring::AfterPour {
        assert!(cx.queued() < 1024);
        cx.write(&[b'p'; 1_000]);
        *left -= 1;
        if *left == 0 { pouring::AfterPour::Ask } else { pouring::AfterPour::Pour }
    }

    fn last(&mut self, cx: &mut Cx<'_>) -> pouring::AfterLast {
        cx.write(&[b'l'; 1_000]);
        pouring::AfterLast::Gone
    }
}

fn tap() -> (Session<Pouring, Tap>, Arc<Mutex<usize>>) {
    let calls = Arc::<Mutex<usize>>::default();
    (Session::new(Tap { calls: Arc::clone(&calls) }), calls)
}

#[test]
fn l3_no_handler_is_called_while_the_peer_does_not_read() {
    let (mut peer, calls) = tap();
    peer.window(0);
    peer.send(&[b'a'; 10_000]);
    // The mark of a session is 64 KiB, and each call writes 1,000 bytes.
    assert_eq!(*calls.lock().unwrap(), 66);
    peer.window(usize::MAX);
    assert_eq!(peer.receive().len(), 10_000 * 1_000);
}

#[test]
fn l3_a_peer_that_never_reads_is_gone_when_its_time_is_over() {
    let (mut peer, _) = tap();
    peer.window(0);
    peer.send(&[b'a'; 10_000]);
    peer.advance(Duration::from_secs(61));
    // The edge is taken; what is queued has a few seconds more.
    assert_eq!(peer.state(), Some("Gone"));
    peer.advance(Duration::from_secs(5));
    assert_eq!(peer.ended(), Some(Ended::SendTimeout));
}

#[test]
fn l3_a_deadline_leads_out_also_when_output_is_stuck() {
    let mut peer = clerk();
    peer.window(0);
    peer.send(b"chat\n");
    peer.send(&vec![b'x'; 100_000]);
    peer.advance(Duration::from_secs(2));
    // `Late` has run, although nothing can leave.
    assert_eq!(peer.state(), Some("Gone"));
    peer.advance(Duration::from_secs(5));
    assert_eq!(peer.ended(), Some(Ended::SendTimeout));
}

#[test]
fn a_drain_state_writes_as_fast_as_the_peer_reads() {
    let (mut peer, _) = tap();
    peer.window(5_000);
    peer.send(b"pl");
    let mut received = Vec::new();
    while peer.ended().is_none() {
        let some = peer.receive();
        assert!(!some.is_empty());
        received.extend(some);
    }
    let expected = [vec![b'p'; 100_000], vec![b'l'; 1_000]].concat();
    assert!(received == expected);
}

#[test]
fn the_last_words_arrive_if_the_peer_reads_in_time() {
    let (mut peer, _) = tap();
    peer.window(0);
    peer.send(b"zl");
    peer.advance(Duration::from_secs(4));
    assert_eq!(peer.ended(), None);
    peer.window(usize::MAX);
    assert_eq!(peer.receive().len(), 101_000);
    assert_eq!(peer.ended(), Some(Ended::Done));
}

#[test]
fn x14_copied_and_shared_output_keep_their_order() {
    let (mut peer, _) = tap();
    peer.window(700);
    peer.send(b"azbzcl");
    let mut received = Vec::new();
    while peer.ended().is_none() {
        received.extend(peer.receive());
    }
    let expected = [
        vec![b'a'; 1_000],
        vec![b'z'; 100_000],
        vec![b'b'; 1_000],
        vec![b'z'; 100_000],
        vec![b'c'; 1_000],
        vec![b'l'; 1_000],
    ]
    .concat();
    assert!(received == expected);
}

/// A room: every line is told to all members.
#[state_machine(start = Joining, eof => Left, message = Arc<str>)]
enum Room {
    #[run]
    #[to(Listening)]
    Joining,
    #[message(within = never)]
    #[to(Listening | Left)]
    #[rest]
    Listening,
    #[end]
    Left,
}

struct Member {
    members: Arc<Mutex<Vec<Key>>>,
}

impl room::Handler for Member {
    fn joining(&mut self, cx: &mut Cx<'_, Arc<str>>) -> room::AfterJoining {
        self.members.lock().unwrap().push(cx.key());
        cx.write(b"*");
        room::AfterJoining::Listening
    }

    fn listening(&mut self, text: Arc<str>, cx: &mut Cx<'_, Arc<str>>) -> room::AfterListening {
        cx.write(text.as_bytes());
        if &*text == "bye" { room::AfterListening::Left } else { room::AfterListening::Listening }
    }
}

#[test]
fn r6_a_message_completes_a_wait_and_none_is_for_the_dead() {
    let mut peer = Session::<Room, _>::new(Member { members: Arc::default() });
    peer.post("one ".into()).unwrap();
    peer.post("two ".into()).unwrap();
    assert_eq!(peer.receive(), b"*one two ");
    peer.post("bye".into()).unwrap();
    assert_eq!(peer.ended(), Some(Ended::Done));
    let error = peer.post("anyone?".into()).unwrap_err();
    assert!(matches!(error, TrySendError::Gone(text) if &*text == "anyone?"));
}

#[test]
fn l2_a_peer_that_leaves_is_noticed_by_a_state_that_does_not_read() {
    let mut peer = Session::<Room, _>::new(Member { members: Arc::default() });
    peer.send(b"what nobody reads");
    assert_eq!(peer.state(), Some("Listening"));
    peer.end();
    assert_eq!(peer.ended(), Some(Ended::Done));

    let mut peer = Session::<Room, _>::new(Member { members: Arc::default() });
    peer.reset();
    assert_eq!(peer.ended(), Some(Ended::Reset));

    let members = Arc::<Mutex<Vec<Key>>>::default();
    let (running, address) = start(
        Pool::builder::<Room>("room")
            .listen("127.0.0.1:0")
            .handler(move |_| Member { members: Arc::clone(&members) }),
    );
    let mut streams: Vec<_> = (0..3).map(|_| TcpStream::connect(address).unwrap()).collect();
    for stream in &mut streams {
        stream.read_exact(&mut [0]).unwrap();
    }
    // One ends its stream, one after writing; and one resets the connection.
    streams[1].write_all(&vec![b'x'; 50_000]).unwrap();
    socket2::SockRef::from(&streams[2]).set_linger(Some(Duration::ZERO)).unwrap();
    drop(streams);
    let end = Instant::now() + Duration::from_secs(20);
    while running.stats().open > 0 {
        assert!(Instant::now() < end, "{:?}", running.stats());
        thread::yield_now();
    }
    assert_eq!((running.stats().done, running.stats().reset), (2, 1));
}

/// Takes messages and says nothing.
#[state_machine(start = Quiet, eof => Left, message = u8)]
enum Sink {
    #[message(within = never)]
    #[to(Quiet | Left)]
    #[rest]
    Quiet,
    #[end]
    Left,
}

struct Silent;

impl sink::Handler for Silent {
    fn quiet(&mut self, message: u8, _cx: &mut Cx<'_, u8>) -> sink::AfterQuiet {
        if message == 0 { sink::AfterQuiet::Left } else { sink::AfterQuiet::Quiet }
    }
}

#[test]
fn r6_many_messages_that_nobody_answers_are_no_endless_loop() {
    let keys = Arc::<Mutex<Vec<Key>>>::default();
    let builder = Pool::builder::<Room>("room").listen("127.0.0.1:0").mailbox(5_000);
    let handle = builder.handle();
    let members = Arc::clone(&keys);
    let (running, address) =
        start(builder.handler(move |_| Member { members: Arc::clone(&members) }));
    let mut stream = TcpStream::connect(address).unwrap();
    stream.read_exact(&mut [0]).unwrap();
    let key = keys.lock().unwrap()[0];
    // Empty texts: the handler runs, and nothing is written.
    for _ in 0..5_000 {
        while handle.post(key, "".into()).is_err() {
            thread::yield_now();
        }
    }
    while handle.post(key, "bye".into()).is_err() {
        thread::yield_now();
    }
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "bye");
    assert_eq!(running.drain().unwrap().done, 1);

    let mut peer = Session::<Sink, _>::new(Silent);
    for _ in 0..3_000 {
        peer.post(1).unwrap();
    }
    peer.post(0).unwrap();
    assert_eq!(peer.ended(), Some(Ended::Done));
}

fn start(pool: Pool) -> (Running, SocketAddr) {
    let running = pool.start().unwrap();
    let Address::Tcp(address) = running.addresses()[0] else { unreachable!() };
    (running, address)
}

#[test]
fn pitfall_11_posts_from_many_threads_all_arrive_or_come_back() {
    let members = Arc::<Mutex<Vec<Key>>>::default();
    let builder = Pool::builder::<Room>("room").listen("127.0.0.1:0").mailbox(8);
    let handle = builder.handle();
    let joining = Arc::clone(&members);
    let (running, address) =
        start(builder.handler(move |_| Member { members: Arc::clone(&joining) }));
    let mut streams: Vec<_> = (0..20).map(|_| TcpStream::connect(address).unwrap()).collect();
    for stream in &mut streams {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.read_exact(&mut [0]).unwrap();
    }
    let members = members.lock().unwrap().clone();
    let posters: Vec<_> = (0..4)
        .map(|_| {
            let (handle, members) = (handle.clone(), members.clone());
            thread::spawn(move || {
                for _ in 0..2_000 {
                    for member in &members {
                        let mut text: Arc<str> = "x".into();
                        while let Err(error) = handle.post(*member, text) {
                            assert!(matches!(error, TrySendError::Full(_)));
                            text = error.into_inner();
                            thread::yield_now();
                        }
                    }
                }
            })
        })
        .collect();
    for stream in &mut streams {
        let mut received = vec![0; 8_000];
        stream.read_exact(&mut received).unwrap();
        assert!(received.iter().all(|byte| *byte == b'x'));
    }
    for poster in posters {
        poster.join().unwrap();
    }
    assert_eq!(running.drain().unwrap().drained, 20);
    assert!(matches!(handle.post(members[0], "late".into()), Err(TrySendError::Gone(_))));
}

/// Counts to a second, then leaves.
#[state_machine(start = Talk, eof => Gone)]
enum Brief {
    #[read(some, max = 4KiB, within = 1s => Gone)]
    #[to(Talk)]
    #[rest]
    Talk,
    #[end]
    Gone,
}

struct Parrot;

impl brief::Handler for Parrot {
    fn talk(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> brief::AfterTalk {
        cx.write(bytes);
        brief::AfterTalk::Talk
    }
}

#[test]
fn x6_a_storm_of_deadlines_ends_all_of_them() {
    let (running, address) =
        start(Pool::builder::<Brief>("brief").listen("127.0.0.1:0").handler(|_| Parrot));
    let streams: Vec<_> = (0..3_000).map(|_| TcpStream::connect(address).unwrap()).collect();
    for mut stream in &streams {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    }
    assert_eq!(running.stats().done, 3_000);
}

#[test]
fn x4_a_client_that_pipelines_does_not_keep_others_waiting() {
    let (_running, address) = start(
        Pool::builder::<Pouring>("pouring")
            .listen("127.0.0.1:0")
            .handler(|_| Tap { calls: Arc::default() }),
    );
    let mut greedy = TcpStream::connect(address).unwrap();
    let writer = greedy.try_clone().unwrap();
    let sent = thread::spawn(move || (&writer).write_all(&vec![b'a'; 200_000]).unwrap());
    let mut polite = TcpStream::connect(address).unwrap();
    polite.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut answer = [0; 1_000];
    // The greedy one, whose answers nobody reads, could not be served whole while this goes on.
    for _ in 0..100 {
        polite.write_all(b"b").unwrap();
        polite.read_exact(&mut answer).unwrap();
        assert!(answer.iter().all(|byte| *byte == b'b'));
    }
    let mut received = vec![0; 200_000 * 1_000];
    greedy.read_exact(&mut received).unwrap();
    assert!(received.iter().all(|byte| *byte == b'a'));
    sent.join().unwrap();
}

/// A word whose length is its first byte.
#[derive(Default)]
struct Short;

impl Frame for Short {
    type Item<'a> = &'a [u8];
    type Error = std::convert::Infallible;

    fn decode<'a>(&mut self, input: &'a [u8]) -> Result<Decoded<&'a [u8]>, Self::Error> {
        let Some(&len) = input.first() else { return Ok(Decoded::More(1)) };
        let end = 1 + usize::from(len);
        Ok(input.get(1..end).map_or(Decoded::More(end), |word| Decoded::Frame(word, end)))
    }
}

/// Reads in each way that lends bytes of the input.
#[state_machine(start = Four, eof => Gone, limit => Gone, error => Gone, within = 10s => Gone)]
enum Lent {
    #[read(exact = 4)]
    #[to(Counted)]
    Four,
    #[read(exact = usize::from(3_u8), max = 16)]
    #[to(Line)]
    Counted,
    #[read(until = b"\r\n", max = 16)]
    #[to(Word)]
    Line,
    #[read(frame = Short, max = 16)]
    #[to(Four)]
    Word,
    #[end]
    Gone,
}

/// Remembers where the bytes of each call lie.
struct Where(Arc<Mutex<Vec<std::ops::Range<usize>>>>);

impl Where {
    fn note(&self, bytes: &[u8]) {
        let from = bytes.as_ptr().addr();
        self.0.lock().unwrap().push(from..from + bytes.len());
    }
}

impl lent::Handler for Where {
    fn four(&mut self, bytes: &[u8; 4], _: &mut Cx<'_>) -> lent::AfterFour {
        self.note(bytes);
        lent::AfterFour::Counted
    }

    fn counted(&mut self, bytes: &[u8], _: &mut Cx<'_>) -> lent::AfterCounted {
        self.note(bytes);
        lent::AfterCounted::Line
    }

    fn line(&mut self, bytes: &[u8], _: &mut Cx<'_>) -> lent::AfterLine {
        self.note(bytes);
        lent::AfterLine::Word
    }

    fn word(&mut self, bytes: &[u8], _: &mut Cx<'_>) -> lent::AfterWord {
        self.note(bytes);
        lent::AfterWord::Four
    }
}

#[test]
fn l8_handlers_are_lent_bytes_of_one_input_buffer() {
    let places = Arc::<Mutex<Vec<_>>>::default();
    let mut peer = Session::<Lent, _>::new(Where(Arc::clone(&places)));
    peer.send(b"fourabcline\r\n\x04wordFOURABC");
    let places = places.lock().unwrap();
    // Each slice lies as far behind the first one as its bytes do in what was sent. A copy would not.
    let start = places[0].start;
    let offsets: Vec<_> =
        places.iter().map(|place| (place.start - start, place.end - start)).collect();
    assert_eq!(offsets, [(0, 4), (4, 7), (7, 11), (14, 18), (18, 22), (22, 25)]);
}
