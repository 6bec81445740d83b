use super::*;

/// Lets clients in, and hands them over. What they say first says how.
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
/// More than the system keeps for a peer that does not read.
const MUCH: usize = 32 << 20;

struct Keeper(Arc<Door>);

impl gate::Handler for Keeper {
    fn ask(&mut self, word: &[u8; 1], cx: &mut Cx<'_>) -> gate::AfterAsk {
        match &word[..] {
            DOOR => {
                self.0.pass();
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

/// A pool with room for one, and another that hands over to it and has one thread.
struct Scene {
    running: Running,
    echo: Handle<Echo>,
    door: Arc<Door>,
    /// Has the one place.
    first: Peer,
    /// They keep the gate's thread at the door.
    keep: [Peer; 2],
    /// It comes over the gate.
    next: Peer,
}

impl Scene {
    fn new(echo: Builder<Echo>) -> Self {
        let door = Arc::<Door>::default();
        let keeper = {
            let door = Arc::clone(&door);
            move |_| Keeper(Arc::clone(&door))
        };
        let gate = Pool::builder::<Gate>("gate").listen("127.0.0.1:0");
        let (at_gate, at_echo) = (gate.handle(), echo.handle());
        let echo = echo.max_connections(1).handler(|_| Client);
        let running = Pipeline::new().pool(echo).pool(gate.handler(keeper)).start().unwrap();
        let mut first = Peer::new(&running, 0);
        first.echoes(b"first");
        let [one, next, other] = [(); 3].map(|()| Peer::new(&running, 1));
        until(|| at_gate.stats().accepted == 3);
        Self { running, echo: at_echo, door, first, keep: [one, other], next }
    }

    /// `next` waits for room, and gets what `first` had: but it does not learn it before the door is
    /// opened.
    fn grant(mut self, word: &[u8]) -> Granted {
        self.keep[0].say(DOOR);
        self.door.wait_for(1);
        // The thread takes these from one poll, in their order: between them it does not look at the
        // time.
        self.next.say(word);
        self.keep[1].say(DOOR);
        self.door.open();
        self.door.wait_for(2);
        assert_eq!(self.echo.stats().waiting, 1);
        drop(self.first);
        until(|| self.echo.stats().taken == 1);
        let Self { running, echo, door, keep, next, .. } = self;
        Granted { running, echo, door, keep, next }
    }
}

struct Granted {
    running: Running,
    echo: Handle<Echo>,
    door: Arc<Door>,
    keep: [Peer; 2],
    next: Peer,
}

impl Granted {
    /// `next` finds that its time is over before it finds that there is room.
    fn give_up(&self) {
        // Only time does this: the deadline of `Hurrying`, which began to run before, and some.
        thread::sleep(Duration::from_millis(20));
        self.door.open();
    }
}

#[test]
fn x9_a_credit_given_up_resumes_the_listener() {
    let scene = Scene::new(echo());
    // It waits in the backlog: the listener pauses, since the only place is taken.
    let mut last = Peer::new(&scene.running, 0);
    last.say(b"last");
    let granted = scene.grant(HURRY);
    granted.give_up();
    assert_eq!(last.hear(4), b"last");
    // The one that had the credit did not come.
    assert_eq!((granted.echo.stats().accepted, granted.running.stats().handed_off), (2, 0));
}

#[test]
fn x11_a_credit_given_up_ends_a_drain() {
    let patience = LONG;
    let granted = Scene::new(echo().drain_within(patience)).grant(HURRY);
    granted.echo.drain();
    let start = Instant::now();
    granted.give_up();
    // The gate drains meanwhile; it has nobody in the middle of something then.
    drop((granted.keep, granted.next));
    let stats = granted.running.drain().unwrap();
    assert!(start.elapsed() < patience / 2, "it waited for nobody");
    assert_eq!((stats.handed_off, stats.open), (0, 0));
}

#[test]
fn x7_a_connection_that_comes_too_late_with_output_is_reset() {
    let mut granted = Scene::new(echo()).grant(MOVE_WITH_MUCH);
    granted.echo.close();
    granted.door.open();
    until(|| granted.echo.stats().closed == 1);
    // What it got is not all, and it must not be taken for it.
    let end = granted.next.0.read_to_end(&mut Vec::new());
    assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
#[cfg(target_os = "linux")]
fn x9_listeners_do_not_pause_each_other_for_ever() {
    // Each port takes a credit to see whether anybody has come, and so the others may find none. It is
    // a matter of chance.
    for _ in 0..40 {
        let pool = echo().shards(4).reuse_port().max_connections(1).handler(|_| Client);
        let running = pool.start().unwrap();
        for _ in 0..3 {
            Peer::new(&running, 0).echoes(b"in turn");
        }
    }
}

#[test]
fn x9_the_most_is_of_connections_and_not_of_looks_for_them() {
    let running = echo().handler(|_| Client).start().unwrap();
    let mut peers = Vec::new();
    for count in 1..=3 {
        let mut peer = Peer::new(&running, 0);
        peer.echoes(b"one more");
        peers.push(peer);
        assert_eq!(running.stats().peak, count);
    }
}
