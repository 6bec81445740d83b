//! Several waits on a state, and goodbyes (rules W, T and G).

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use fsm_runtime::Address;
use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

use chat::{AfterBye, AfterLast, AfterRoom};

#[state_machine(start = Room, message = Arc<str>, eof => Gone)]
pub(super) enum Chat {
    #[read(until = b"\n", max = 64, limit => TooLong, begun = 10s => Gone, idle = 60s => Gone)]
    #[message]
    #[tick(20s)]
    #[to(Room | Gone)]
    #[rest(drain => Bye)]
    Room,
    #[discard(until = b"\n", within = 10s => Gone)]
    #[to(Room)]
    TooLong,
    #[run]
    #[to(Hush)]
    Bye,
    #[shutdown(within = 5s => Gone)]
    #[to(Last)]
    Hush,
    #[read(some, max = 1KiB, within = 5s => Gone)]
    #[to(Last)]
    Last,
    #[end]
    Gone,
}

/// Writes down everything that it hears.
#[derive(Default)]
pub(super) struct Member;

impl chat::Handler for Member {
    fn room(&mut self, bytes: &[u8], cx: &mut Cx<'_, Arc<str>>) -> AfterRoom {
        cx.write(b"<");
        cx.write(bytes);
        if bytes == b"quit" { AfterRoom::Gone } else { AfterRoom::Room }
    }

    fn room_message(&mut self, message: Arc<str>, cx: &mut Cx<'_, Arc<str>>) -> AfterRoom {
        cx.write(b">");
        cx.write(message.as_bytes());
        if &*message == "kick" { AfterRoom::Gone } else { AfterRoom::Room }
    }

    fn room_tick(&mut self, cx: &mut Cx<'_, Arc<str>>) -> AfterRoom {
        cx.write(b".");
        AfterRoom::Room
    }

    fn bye(&mut self, cx: &mut Cx<'_, Arc<str>>) -> AfterBye {
        cx.write(b"bye");
        AfterBye::Hush
    }

    fn last(&mut self, bytes: &[u8], cx: &mut Cx<'_, Arc<str>>) -> AfterLast {
        let _ = (bytes, cx);
        AfterLast::Last
    }
}

fn member() -> Session<Chat, Member> {
    Session::new(Member)
}

#[test]
fn l13_w2_messages_and_input_alternate() {
    let mut peer = member();
    for text in ["1", "2", "3"] {
        peer.post(text.into()).unwrap();
    }
    peer.send(b"a\nb\nc\nd\n");
    assert_eq!(peer.receive(), b">1>2>3<a<b<c<d");
}

#[test]
fn w3_a_message_leaves_the_incomplete_line_alone() {
    let mut peer = member();
    peer.send(b"ab");
    peer.post("x".into()).unwrap();
    peer.send(b"c\n");
    assert_eq!(peer.receive(), b">x<abc");
}

#[test]
fn l13_w4_only_a_line_arms_idle_again() {
    let mut peer = member();
    for _ in 0..5 {
        peer.advance(Duration::from_secs(10));
        peer.post("x".into()).unwrap();
    }
    assert_eq!(peer.receive(), b">x.>x>x.>x>x");
    peer.advance(Duration::from_secs(10));
    assert_eq!(peer.state(), None);
}

#[test]
fn t3_begun_replaces_idle() {
    let mut peer = member();
    peer.advance(Duration::from_secs(55));
    peer.send(b"half");
    peer.advance(Duration::from_secs(9));
    assert_eq!(peer.state(), Some("Room"));
    peer.send(b" a line\nhal");
    peer.advance(Duration::from_secs(9));
    assert_eq!(peer.state(), Some("Room"));
    peer.send(b"f");
    peer.advance(Duration::from_secs(1));
    assert_eq!(peer.state(), None);
}

#[test]
fn what_is_too_long_is_thrown_away() {
    let mut peer = member();
    peer.send(&[b'x'; 1000]);
    assert_eq!(peer.state(), Some("TooLong"));
    peer.send(&[b'x'; 1000]);
    peer.send(b"\nshort\n");
    assert_eq!(peer.receive(), b"<short");
}

#[test]
fn l15_g1_a_drain_takes_its_edge_once() {
    let mut peer = member();
    peer.send(b"half");
    peer.drain();
    assert_eq!(peer.state(), Some("Room"));
    peer.send(b" a line\n");
    assert_eq!(peer.receive(), b"<half a linebye");
    assert_eq!(peer.state(), Some("Last"));
    peer.end();
    assert_eq!(peer.ended(), Some(Ended::Done));
}

#[test]
fn a_verdict_of_each_wait_leads_on() {
    let mut peer = member();
    peer.post("kick".into()).unwrap();
    assert_eq!(peer.ended(), Some(Ended::Done));
    let mut peer = member();
    peer.send(b"quit\n");
    assert_eq!(peer.ended(), Some(Ended::Done));
}

/// Takes a message, then a line.
#[state_machine(start = Listening, message = u8, eof => Gone, limit => Gone)]
enum Order {
    #[message(within = 60s => Gone)]
    #[to(Line)]
    Listening,
    #[read(until = b"\n", max = 64, within = 60s => Gone)]
    #[to(Listening)]
    Line,
    #[end]
    Gone,
}

struct Orders;

impl order::Handler for Orders {
    fn listening(&mut self, _: u8, _: &mut Cx<'_, u8>) -> order::AfterListening {
        order::AfterListening::Line
    }

    fn line(&mut self, line: &[u8], cx: &mut Cx<'_, u8>) -> order::AfterLine {
        cx.write(line);
        order::AfterLine::Listening
    }
}

#[test]
fn w6_the_end_of_the_stream_comes_after_the_unread_input() {
    let mut peer = Session::<Order, _>::new(Orders);
    peer.send(b"a\nb\n");
    peer.end();
    for expected in ["a", "b"] {
        assert_eq!(peer.state(), Some("Listening"));
        peer.post(0).unwrap();
        assert_eq!(peer.receive(), expected.as_bytes());
    }
    assert_eq!(peer.ended(), Some(Ended::Done));
}

/// Asks another pool, and is interrupted by the end of the peer's stream.
#[state_machine(start = Line, eof => Gone, limit => Gone)]
enum Asker {
    #[read(until = b"\n", max = 64, within = 60s => Gone)]
    #[to(Asking)]
    Line,
    #[call(Shout, within = 60s => Gone, gone => Gone, eof => Left)]
    #[tick(5s)]
    #[to(Line | Late)]
    Asking,
    #[run]
    #[to(Gone)]
    Left,
    #[run]
    #[to(Line)]
    Late,
    #[end]
    Gone,
}

struct Shout;

impl Service for Shout {
    type Job = Vec<u8>;
    type Reply = Vec<u8>;
}

#[derive(Default)]
struct Client {
    ticks: u8,
}

impl asker::Handler for Client {
    fn line(&mut self, line: &[u8], _: &mut Cx<'_>) -> asker::AfterLine {
        self.ticks = 0;
        asker::AfterLine::Asking { job: line.to_vec() }
    }

    fn asking(&mut self, reply: Vec<u8>, cx: &mut Cx<'_>) -> asker::AfterAsking {
        cx.write(&reply);
        asker::AfterAsking::Line
    }

    fn asking_tick(&mut self, cx: &mut Cx<'_>) -> Option<asker::AfterAsking> {
        cx.write(b".");
        self.ticks += 1;
        (self.ticks == 3).then_some(asker::AfterAsking::Late)
    }

    fn left(&mut self, cx: &mut Cx<'_>) -> asker::AfterLeft {
        cx.write(b"left");
        asker::AfterLeft::Gone
    }

    fn late(&mut self, cx: &mut Cx<'_>) -> asker::AfterLate {
        cx.write(b"late");
        asker::AfterLate::Line
    }
}

#[test]
fn w6_a_call_that_says_so_is_withdrawn_when_the_peer_leaves() {
    let mut peer = Session::<Asker, _>::new(Client::default());
    // The input behind the first line keeps the end from being noticed.
    peer.send(b"a\nb\n");
    peer.end();
    assert_eq!(peer.state(), Some("Asking"));
    assert_eq!(peer.job::<Shout>(), Some(b"a".to_vec()));
    peer.reply::<Shout>(b"A".to_vec());
    assert_eq!(peer.receive(), b"Aleft");
    assert_eq!(peer.ended(), Some(Ended::Done));
}

#[test]
fn w1_a_tick_beside_a_call_waits_on_or_withdraws_the_job() {
    let mut peer = Session::<Asker, _>::new(Client::default());
    peer.send(b"a\n");
    peer.advance(Duration::from_secs(12));
    assert_eq!(peer.receive(), b"..");
    assert_eq!(peer.job::<Shout>(), Some(b"a".to_vec()));
    peer.reply::<Shout>(b"A".to_vec());
    assert_eq!(peer.receive(), b"A");
    peer.send(b"b\n");
    peer.advance(Duration::from_secs(15));
    assert_eq!(peer.receive(), b"...late");
    assert_eq!(peer.state(), Some("Line"));
}

/// What an operator may choose.
struct Limits {
    line: usize,
    idle: Duration,
    beat: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { line: 8, idle: Duration::from_secs(10), beat: Duration::from_secs(3) }
    }
}

const NAP: Duration = Duration::from_millis(1_500);

#[state_machine(start = Line, settings = Limits, eof => Gone, limit => Gone)]
enum Tuned {
    #[read(until = b"\n", max = settings.line <= 16, idle = settings.idle <= 30s => Gone)]
    #[tick(settings.beat <= 1min)]
    #[to(Line | Body | Nap)]
    Line,
    #[read(exact = len + 2 <= 16, within = Duration::from_millis(u64::from(*len) * 100) <= 1s => Gone)]
    #[to(Line)]
    Body { len: u8 },
    #[sleep(NAP)]
    #[to(Line)]
    Nap,
    #[end]
    Gone,
}

struct Tuner;

impl tuned::Handler for Tuner {
    fn line(&mut self, line: &[u8], cx: &mut Cx<'_, NoMessage, Limits>) -> tuned::AfterLine {
        write!(cx, "{}/{}", line.len(), cx.settings().line);
        match line {
            b"nap" => tuned::AfterLine::Nap,
            [b'b', len] => tuned::AfterLine::Body { len: *len },
            _ => tuned::AfterLine::Line,
        }
    }

    fn line_tick(&mut self, cx: &mut Cx<'_, NoMessage, Limits>) -> tuned::AfterLine {
        cx.write(b".");
        tuned::AfterLine::Line
    }

    fn body(
        &mut self,
        _: &mut u8,
        bytes: &[u8],
        cx: &mut Cx<'_, NoMessage, Limits>,
    ) -> tuned::AfterBody {
        cx.write(bytes);
        tuned::AfterBody::Line
    }
}

fn tuned(settings: Limits) -> Session<Tuned, Tuner> {
    Session::with_settings(Tuner, settings)
}

#[test]
fn l14_t1_t2_times_and_sizes_come_from_the_settings_up_to_their_bounds() {
    let mut peer = Session::<Tuned, _>::new(Tuner);
    peer.send(b"12345678\n");
    assert_eq!(peer.receive(), b"8/8");
    peer.advance(Duration::from_secs(9));
    assert_eq!((peer.receive(), peer.state()), (b"...".into(), Some("Line")));
    peer.advance(Duration::from_secs(1));
    assert_eq!(peer.state(), None);

    // Above the bounds.
    let far = Duration::from_secs(1_000_000);
    let mut peer = tuned(Limits { line: 1_000, idle: far, beat: far });
    peer.send(&[b'x'; 17]);
    assert_eq!(peer.state(), None);
    let mut peer = tuned(Limits { line: 1_000, idle: far, beat: far });
    peer.advance(Duration::from_secs(29));
    assert_eq!(peer.state(), Some("Line"));
    peer.advance(Duration::from_secs(1));
    assert_eq!(peer.state(), None);

    // Nothing at all counts as the least there is.
    let mut peer = tuned(Limits { line: 0, idle: far, beat: Duration::ZERO });
    peer.send(b"x\n");
    assert_eq!(peer.receive(), b"1/0");
    peer.advance(Duration::from_millis(3));
    assert_eq!(peer.receive(), b"...");
}

#[test]
fn t1_an_expression_is_evaluated_when_its_timer_is_armed() {
    let mut peer = Session::<Tuned, _>::new(Tuner);
    peer.send(b"b\x03\n");
    assert_eq!(peer.state(), Some("Body"));
    peer.advance(Duration::from_millis(299));
    assert_eq!(peer.state(), Some("Body"));
    peer.send(b"12345");
    assert_eq!(peer.receive(), b"2/812345");
    peer.send(b"b\x03\n");
    peer.advance(Duration::from_millis(300));
    assert_eq!(peer.state(), None);

    let mut peer = Session::<Tuned, _>::new(Tuner);
    peer.send(b"nap\n");
    peer.advance(Duration::from_millis(1_499));
    assert_eq!(peer.state(), Some("Nap"));
    peer.advance(Duration::from_millis(1));
    assert_eq!(peer.state(), Some("Line"));
}

/// Reads a head and a body within a time for both.
#[state_machine(
    start = Idle, settings = Patience, eof => Gone, limit => Gone,
    Request = Head | Body | Pause,
    within(Request) = settings.request <= 1min => Slow,
)]
enum Budgeted {
    #[read(exact = 1, idle = 30s => Gone)]
    #[to(Head)]
    #[rest]
    Idle,
    #[read(until = b"\n", max = 64)]
    #[to(Body)]
    Head,
    #[read(exact = 4, within = 5s => Pause)]
    #[to(Idle | Body)]
    Body,
    #[sleep(1s)]
    #[to(Body)]
    Pause,
    #[run]
    #[to(Gone)]
    Slow,
    #[end]
    Gone,
}

struct Patience {
    request: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { request: Duration::from_secs(20) }
    }
}

struct Requests;

impl budgeted::Handler for Requests {
    fn idle(&mut self, _: &[u8; 1], _: &mut Cx<'_, NoMessage, Patience>) -> budgeted::AfterIdle {
        budgeted::AfterIdle::Head
    }

    fn head(&mut self, _: &[u8], _: &mut Cx<'_, NoMessage, Patience>) -> budgeted::AfterHead {
        budgeted::AfterHead::Body
    }

    fn body(&mut self, body: &[u8; 4], _: &mut Cx<'_, NoMessage, Patience>) -> budgeted::AfterBody {
        if body == b"more" { budgeted::AfterBody::Body } else { budgeted::AfterBody::Idle }
    }

    fn slow(&mut self, cx: &mut Cx<'_, NoMessage, Patience>) -> budgeted::AfterSlow {
        cx.write(b"slow");
        budgeted::AfterSlow::Gone
    }
}

#[test]
fn t4_a_budget_runs_through_the_states_of_its_group() {
    let mut peer = Session::<Budgeted, _>::new(Requests);
    let wait =
        |peer: &mut Session<Budgeted, _>, seconds| peer.advance(Duration::from_secs(seconds));
    peer.send(b"x");
    wait(&mut peer, 9);
    peer.send(b"head\n");
    // A loop inside the group does not give it more time.
    for _ in 0..3 {
        wait(&mut peer, 3);
        peer.send(b"more");
    }
    wait(&mut peer, 1);
    peer.send(b"done");
    assert_eq!(peer.state(), Some("Idle"));
    // Outside of the group it is off, and it begins anew.
    wait(&mut peer, 25);
    peer.send(b"x");
    wait(&mut peer, 19);
    assert_eq!(peer.state(), Some("Head"));
    wait(&mut peer, 1);
    assert_eq!(peer.receive(), b"slow");
    assert_eq!(peer.ended(), Some(Ended::Done));
}

#[test]
fn t4_a_deadline_inside_does_not_hide_the_budget() {
    let mut peer = Session::<Budgeted, _>::new(Requests);
    peer.send(b"xhead\n");
    peer.advance(Duration::from_secs(19));
    assert!(matches!(peer.state(), Some("Body" | "Pause")));
    peer.advance(Duration::from_secs(1));
    assert_eq!(peer.ended(), Some(Ended::Done));
}

/// Hears of others in a state of its own, and writes a beat while its peer is silent.
#[state_machine(start = Hall, message = u8, eof => Gone, limit => Gone)]
enum Guest {
    #[read(until = b"\n", max = 64, begun = 6s => Slow, idle = 10s => Silent, within = 4s => Beat)]
    #[message]
    #[to(Hall | Telling)]
    Hall,
    #[flush(within = 5s => Gone)]
    #[to(Hall)]
    Telling,
    #[sleep(1s)]
    #[to(Hall)]
    Beat,
    #[run]
    #[to(Gone)]
    Silent,
    #[run]
    #[to(Gone)]
    Slow,
    #[end]
    Gone,
}

struct Quiet;

impl guest::Handler for Quiet {
    fn hall(&mut self, _: &[u8], _: &mut Cx<'_, u8>) -> guest::AfterHall {
        guest::AfterHall::Hall
    }

    fn hall_message(&mut self, _: u8, _: &mut Cx<'_, u8>) -> guest::AfterHall {
        guest::AfterHall::Telling
    }

    fn silent(&mut self, cx: &mut Cx<'_, u8>) -> guest::AfterSilent {
        cx.write(b"silent");
        guest::AfterSilent::Gone
    }

    fn slow(&mut self, cx: &mut Cx<'_, u8>) -> guest::AfterSlow {
        cx.write(b"slow");
        guest::AfterSlow::Gone
    }
}

#[test]
fn t5_idle_survives_detours_by_messages_and_deadlines() {
    for (posts, seconds) in [
        (true, 10),
        // 4 s in the hall and 1 s of a beat, twice, and 2 s more in the hall are 10 s of silence there.
        (false, 12),
    ] {
        let mut peer = Session::<Guest, _>::new(Quiet);
        for second in 0..seconds {
            assert!(matches!(peer.state(), Some("Hall" | "Beat")), "{second}");
            if posts {
                peer.post(0).unwrap();
            }
            peer.advance(Duration::from_secs(1));
        }
        assert_eq!(peer.receive(), b"silent");
    }

    // Half a line does not become whole because others talk.
    let mut peer = Session::<Guest, _>::new(Quiet);
    peer.advance(Duration::from_secs(3));
    peer.send(b"half");
    for _ in 0..6 {
        peer.post(0).unwrap();
        peer.advance(Duration::from_secs(1));
    }
    assert_eq!(peer.receive(), b"slow");
}

/// Answers a line with a flood, and hears messages.
#[state_machine(start = Line, message = u8, eof => Gone, limit => Gone)]
enum Loud {
    #[read(until = b"\n", max = 64, idle = 5min => Gone)]
    #[message]
    #[tick(1s)]
    #[to(Line)]
    Line,
    #[end]
    Gone,
}

struct Flood;

impl loud::Handler for Flood {
    fn line(&mut self, _: &[u8], cx: &mut Cx<'_, u8>) -> loud::AfterLine {
        cx.send(vec![b'x'; 512 * 1024]);
        loud::AfterLine::Line
    }

    fn line_message(&mut self, message: u8, cx: &mut Cx<'_, u8>) -> loud::AfterLine {
        cx.write(&[message]);
        loud::AfterLine::Line
    }

    fn line_tick(&mut self, cx: &mut Cx<'_, u8>) -> loud::AfterLine {
        cx.write(b".");
        loud::AfterLine::Line
    }
}

#[test]
fn w5_at_the_output_mark_nothing_is_taken_and_the_poster_hears_full() {
    let mut peer = Session::<Loud, _>::new(Flood);
    peer.window(0);
    peer.send(b"flood\nagain\n");
    let posted = (0..10_000).take_while(|_| peer.post(b'm').is_ok()).count();
    assert_eq!(posted, 1024);
    assert_eq!(peer.post(b'm'), Err(TrySendError::Full(b'm')));
    // Ticks write nothing either, and begin anew.
    peer.advance(Duration::from_secs(30));
    peer.window(usize::MAX);
    let heard = peer.receive();
    let floods = heard.iter().filter(|byte| **byte == b'x');
    assert_eq!(floods.count(), 2 * 512 * 1024);
    let others: Vec<u8> = heard.iter().copied().filter(|byte| *byte != b'x').collect();
    assert_eq!(others, [b'm'; 1024], "no tick is among them");
    peer.advance(Duration::from_secs(1));
    assert_eq!(peer.receive(), b".");
}

/// Says its word, ends its own stream, and reads on.
#[state_machine(start = Word, eof => Done)]
enum Half {
    #[run]
    #[to(Over)]
    Word,
    #[shutdown(within = 5s => Gone)]
    #[to(Rest)]
    Over,
    #[read(some, max = 64KiB, within = 20s => Gone)]
    #[to(Rest)]
    Rest,
    #[run]
    #[to(Gone)]
    Done,
    #[end]
    Gone,
}

struct Reader {
    bytes: usize,
    done: std::sync::mpsc::Sender<usize>,
}

impl half::Handler for Reader {
    fn word(&mut self, cx: &mut Cx<'_>) -> half::AfterWord {
        cx.send(vec![b'w'; 3 * 1024 * 1024]);
        half::AfterWord::Over
    }

    fn rest(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> half::AfterRest {
        self.bytes += bytes.len();
        // What is written behind the end of the stream is lost, and harms nobody.
        cx.write(b"too late");
        half::AfterRest::Rest
    }

    fn done(&mut self, _: &mut Cx<'_>) -> half::AfterDone {
        self.done.send(self.bytes).unwrap();
        half::AfterDone::Gone
    }
}

#[test]
fn g3_after_a_shutdown_the_peer_sees_the_end_and_may_still_send() {
    let (done, received) = std::sync::mpsc::channel();
    let pool = Pool::builder::<Half>("half").listen("127.0.0.1:0");
    let running = pool.handler(move |_| Reader { bytes: 0, done: done.clone() }).start().unwrap();
    let Address::Tcp(address) = running.addresses()[0] else { unreachable!() };
    let mut peer = TcpStream::connect(address).unwrap();
    let mut word = Vec::new();
    peer.read_to_end(&mut word).unwrap();
    assert_eq!(word.len(), 3 * 1024 * 1024);
    for _ in 0..10 {
        peer.write_all(&[b'r'; 10_000]).unwrap();
    }
    drop(peer);
    assert_eq!(received.recv_timeout(Duration::from_secs(20)), Ok(100_000));
    running.drain().unwrap();
}
