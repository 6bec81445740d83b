//! Output to peers that read slowly or never.

use super::*;

#[test]
fn l3_a_peer_that_takes_nothing_is_reset_also_where_no_time_is_set() {
    let mut peer = Session::<Ticking, _>::new(TickingHandler);
    peer.window(0);
    peer.advance(Duration::from_secs(59));
    assert_eq!(peer.ended(), None);
    peer.advance(Duration::from_secs(2));
    assert_eq!(peer.ended(), Some(Ended::SendTimeout));

    // A peer that reads a little now and then stays connected, and output does not pile up
    // meanwhile.
    let mut peer = Session::<Ticking, _>::new(TickingHandler);
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
fn l3_output_of_deadline_handlers_does_not_pile_up() {
    let mut peer = Session::<Heartbeat, _>::new(HeartbeatHandler);
    peer.window(0);
    let mut taken = 0;
    while peer.ended().is_none() {
        // The peer reads a byte now and then, which is not enough.
        peer.advance(Duration::from_secs(50));
        taken += 1;
        peer.window(taken);
        assert!(taken < 20, "it goes on and on");
    }
    assert_eq!(peer.ended(), Some(Ended::SendTimeout));
}

/// Writes a heartbeat whenever the client sends nothing for ten seconds.
#[state_machine(start = Listen, eof => Gone)]
enum Heartbeat {
    #[read(some, max = 64, within = 10s => Beat)]
    #[to(Listen | Gone)]
    Listen,
    #[run]
    #[to(Listen)]
    Beat,
    #[end]
    Gone,
}

struct HeartbeatHandler;

impl heartbeat::Handler for HeartbeatHandler {
    fn listen(&mut self, bytes: &[u8], _cx: &mut Cx<'_>) -> heartbeat::AfterListen {
        if bytes == b"bye" { heartbeat::AfterListen::Gone } else { heartbeat::AfterListen::Listen }
    }

    fn beat(&mut self, cx: &mut Cx<'_>) -> heartbeat::AfterBeat {
        assert!(cx.queued() < 128 * 1024, "it piles up");
        cx.write(&[b'b'; 8_000]);
        heartbeat::AfterBeat::Listen
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

struct TickingHandler;

impl ticking::Handler for TickingHandler {
    fn tick(&mut self, cx: &mut Cx<'_>) -> ticking::AfterTick {
        assert!(cx.queued() < 64 * 1024, "it piles up");
        cx.write(&[b't'; 10_000]);
        if cx.queued() > 1_000_000 { ticking::AfterTick::Gone } else { ticking::AfterTick::Tick }
    }
}

/// Writes as much as the client requests.
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

struct PouringHandler {
    calls: Arc<Mutex<usize>>,
}

impl pouring::Handler for PouringHandler {
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

fn pouring() -> (Session<Pouring, PouringHandler>, Arc<Mutex<usize>>) {
    let calls = Arc::<Mutex<usize>>::default();
    (Session::new(PouringHandler { calls: Arc::clone(&calls) }), calls)
}

#[test]
fn l3_no_handler_is_called_while_the_peer_does_not_read() {
    let (mut peer, calls) = pouring();
    peer.window(0);
    peer.send(&[b'a'; 10_000]);
    // The high-water mark of a session is 64 KiB, and each call writes 1,000 bytes.
    assert_eq!(*calls.lock().unwrap(), 66);
    peer.window(usize::MAX);
    assert_eq!(peer.receive().len(), 10_000 * 1_000);
}

#[test]
fn l3_a_peer_that_never_reads_is_closed_at_its_deadline() {
    let (mut peer, _) = pouring();
    peer.window(0);
    peer.send(&[b'a'; 10_000]);
    peer.advance(Duration::from_secs(61));
    // The edge is taken, and queued output has a few more seconds.
    assert_eq!(peer.state(), Some("Gone"));
    peer.advance(Duration::from_secs(5));
    assert_eq!(peer.ended(), Some(Ended::SendTimeout));
}

#[test]
fn l3_a_deadline_leads_out_also_when_output_is_stuck() {
    let mut peer = filing();
    peer.window(0);
    peer.send(b"chat\n");
    peer.send(&vec![b'x'; 100_000]);
    peer.advance(Duration::from_secs(2));
    // `Late` has run, although the peer takes no output.
    assert_eq!(peer.state(), Some("Gone"));
    peer.advance(Duration::from_secs(5));
    assert_eq!(peer.ended(), Some(Ended::SendTimeout));
}

#[test]
fn a_drain_state_writes_as_fast_as_the_peer_reads() {
    let (mut peer, _) = pouring();
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
fn the_last_output_arrives_if_the_peer_reads_in_time() {
    let (mut peer, _) = pouring();
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
    let (mut peer, _) = pouring();
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

#[test]
fn x4_a_client_that_pipelines_does_not_hold_up_others() {
    let (_running, address) = start(
        Pool::builder::<Pouring>("pouring")
            .listen("127.0.0.1:0")
            .handler(|_| PouringHandler { calls: Arc::default() }),
    );
    let mut greedy = TcpStream::connect(address).unwrap();
    let writer = greedy.try_clone().unwrap();
    let sent = thread::spawn(move || (&writer).write_all(&vec![b'a'; 200_000]).unwrap());
    let mut polite = TcpStream::connect(address).unwrap();
    polite.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut answer = [0; 1_000];
    // The greedy client does not read its answers, so that it cannot be served completely
    // meanwhile.
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
