use super::*;

/// Accepts clients, and hands them over in the way that their first byte selects.
#[state_machine(start = Ask, eof => Gone, gone => Gone)]
enum Gate {
    #[read(exact = 1, idle = 60s => Gone)]
    #[to(Ask | Moving | Hurrying)]
    Ask,
    #[handoff(Echo, within = 20s => Gone)]
    Moving,
    #[handoff(Echo, within = 10ms => Gone)]
    Hurrying,
    #[end]
    Gone,
}

const DOOR: &[u8] = b"d";
const HURRY: &[u8] = b"h";
const MOVE_WITH_MUCH: &[u8] = b"m";
/// More bytes than the system buffers for a peer that does not read.
const MUCH: usize = 32 << 20;

struct GateHandler(Arc<Semaphore>);

impl gate::Handler for GateHandler {
    fn ask(&mut self, word: &[u8; 1], cx: &mut Cx<'_>) -> gate::AfterAsk {
        match &word[..] {
            DOOR => {
                self.0.acquire();
                gate::AfterAsk::Ask
            }
            HURRY => gate::AfterAsk::Hurrying { seed: () },
            _ => {
                cx.send(vec![b'.'; MUCH]);
                gate::AfterAsk::Moving { seed: () }
            }
        }
    }
}

/// A pool with room for one connection, and a pool with one thread that hands over to it.
struct Fixture {
    running: Running,
    echo: Handle<Echo>,
    semaphore: Arc<Semaphore>,
    /// The connection in the first pool.
    first: Peer,
    /// Connections that hold the gate's thread at the semaphore.
    holders: [Peer; 2],
    /// The connection that the gate hands over.
    next: Peer,
}

impl Fixture {
    fn new(echo: Builder<Echo>) -> Self {
        let semaphore = Arc::<Semaphore>::default();
        let handler = {
            let semaphore = Arc::clone(&semaphore);
            move |_| GateHandler(Arc::clone(&semaphore))
        };
        let gate = Pool::builder::<Gate>("gate").listen("127.0.0.1:0");
        let (at_gate, at_echo) = (gate.handle(), echo.handle());
        let echo = echo.max_connections(1).handler(|_| Client);
        let running = Pipeline::new().pool(echo).pool(gate.handler(handler)).start().unwrap();
        let mut first = Peer::new(&running, 0);
        first.echo(b"first");
        let [one, next, other] = [(); 3].map(|()| Peer::new(&running, 1));
        wait_until(|| at_gate.stats().accepted == 3);
        Self { running, echo: at_echo, semaphore, first, holders: [one, other], next }
    }

    /// Lets `next` wait for room and get the permit of `first`, which the gate's thread learns only
    /// after the next `release`.
    fn grant(mut self, word: &[u8]) -> Granted {
        self.holders[0].send(DOOR);
        self.semaphore.wait_for_arrivals(1);
        // The thread handles both events of one poll in order, without checking the time between
        // them.
        self.next.send(word);
        self.holders[1].send(DOOR);
        self.semaphore.release();
        self.semaphore.wait_for_arrivals(2);
        assert_eq!(self.echo.stats().waiting, 1);
        drop(self.first);
        wait_until(|| self.echo.stats().taken == 1);
        let Self { running, echo, semaphore, holders, next, .. } = self;
        Granted { running, echo, semaphore, holders, next }
    }
}

struct Granted {
    running: Running,
    echo: Handle<Echo>,
    semaphore: Arc<Semaphore>,
    holders: [Peer; 2],
    next: Peer,
}

impl Granted {
    /// Lets the deadline of `next` pass before the thread learns of the permit.
    fn give_up(&self) {
        // Sleep until the deadline of `Hurrying` has passed, because no event marks it.
        thread::sleep(Duration::from_millis(20));
        self.semaphore.release();
    }
}

#[test]
fn x9_a_permit_given_up_resumes_the_listener() {
    let fixture = Fixture::new(echo());
    // It waits in the backlog, because the listener pauses while the only place is taken.
    let mut last = Peer::new(&fixture.running, 0);
    last.send(b"last");
    let granted = fixture.grant(HURRY);
    granted.give_up();
    assert_eq!(last.receive(4), b"last");
    // The connection with the permit was not handed over.
    assert_eq!((granted.echo.stats().accepted, granted.running.stats().handed_off), (2, 0));
}

#[test]
fn x11_a_permit_given_up_ends_a_drain() {
    let limit = TIMEOUT;
    let granted = Fixture::new(echo().drain_within(limit)).grant(HURRY);
    granted.echo.drain();
    let start = Instant::now();
    granted.give_up();
    // The gate drains meanwhile, and then has no connection in progress.
    drop((granted.holders, granted.next));
    let stats = granted.running.drain().unwrap();
    assert!(start.elapsed() < limit / 2, "the drain waited for no client");
    assert_eq!((stats.handed_off, stats.open), (0, 0));
}

#[test]
fn x7_a_late_hand_off_with_unsent_output_is_reset() {
    let mut granted = Fixture::new(echo()).grant(MOVE_WITH_MUCH);
    granted.echo.close();
    granted.semaphore.release();
    wait_until(|| granted.echo.stats().closed == 1);
    // A reset, because the client must not take the part that it got for the whole output.
    let end = granted.next.0.read_to_end(&mut Vec::new());
    assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
#[cfg(target_os = "linux")]
fn x9_listeners_do_not_pause_each_other_for_ever() {
    // Each port takes a permit before it accepts, so that others may find none. Repeat, because
    // this depends on chance.
    for _ in 0..40 {
        let pool = echo().shards(4).reuse_port().max_connections(1).handler(|_| Client);
        let running = pool.start().unwrap();
        for _ in 0..3 {
            Peer::new(&running, 0).echo(b"in turn");
        }
    }
}

#[test]
fn x9_the_peak_counts_connections_and_not_attempts_to_accept() {
    let running = echo().handler(|_| Client).start().unwrap();
    let mut peers = Vec::new();
    for count in 1..=3 {
        let mut peer = Peer::new(&running, 0);
        peer.echo(b"one more");
        peers.push(peer);
        assert_eq!(running.stats().peak, count);
    }
}
