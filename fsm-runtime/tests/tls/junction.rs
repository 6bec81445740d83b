//! Both sockets of many connections at random: peers that stall, end, reset and drains at any moment (S4, S5).

use std::collections::HashMap;
use std::fs::File;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use fsm_runtime::Builder;

use self::peers::{Client, Manner, Peer, Target as Server, client, target};
use super::relay::To;
use super::*;

mod peers;

/// The bytes that each direction of a connection may carry.
const MOST: usize = 6 << 20;

/// Does what its client says, to both sockets.
#[state_machine(start = Hello, settings = To, eof => Gone, limit => Gone)]
enum Crossing {
    #[run]
    #[to(Dial)]
    Hello,
    #[connect(within = 10s => Gone, refused => Gone)]
    #[to(Line)]
    Dial,
    /// `out N` and `back N` queue bytes, `pass N` passes on what follows, `bye` ends.
    #[read(until = b"\n", max = 100, idle = 1s => Gone)]
    #[to(Line | Pass | Gone)]
    #[rest]
    Line,
    #[relay(out, exact = left, max = 64KiB, idle = 5s => Cut, eof => Cut, gone => Line)]
    #[to(Line)]
    Pass { left: u64 },
    #[run]
    #[to(Gone)]
    Cut,
    #[end]
    Gone,
}

type CrossingCx<'a> = Cx<'a, NoMessage, To>;

/// What the handlers of a connection have queued for each socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Queued {
    first: usize,
    other: usize,
}

/// What all connections of a pool have queued, by the number that their client has told.
type Books = Arc<Mutex<HashMap<usize, Queued>>>;

struct Switch {
    number: usize,
    queued: Queued,
    books: Books,
    pattern: Arc<Pattern>,
}

/// The bytes of each direction: in memory, and in a file.
struct Pattern {
    bytes: Vec<u8>,
    file: Arc<File>,
}

impl Pattern {
    fn new() -> Arc<Self> {
        let bytes: Vec<u8> =
            (0..MOST).map(|at| u8::try_from((at / 7 + at) % 251).unwrap()).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        Arc::new(Self { bytes, file: Arc::new(file) })
    }
}

impl Switch {
    /// Counts bytes before they are queued, so that a peer that has them finds them counted.
    fn note(&self) {
        self.books.lock().unwrap().insert(self.number, self.queued);
    }
}

impl crossing::Handler for Switch {
    fn hello(&mut self, cx: &mut CrossingCx<'_>) -> crossing::AfterHello {
        crossing::AfterHello::Dial { to: cx.settings().0.clone().unwrap() }
    }

    fn dial(&mut self, _: Connected, _: &mut CrossingCx<'_>) -> crossing::AfterDial {
        crossing::AfterDial::Line
    }

    fn line(&mut self, line: &[u8], cx: &mut CrossingCx<'_>) -> crossing::AfterLine {
        // When a target has broken off, what was to be passed on comes as lines.
        let text = String::from_utf8_lossy(line);
        let (verb, count) = text.split_once(' ').unwrap_or((&text, "0"));
        let Ok(count) = count.parse::<usize>() else { return crossing::AfterLine::Gone };
        let Queued { first, other } = self.queued;
        match verb {
            "number" => {
                self.number = count;
                cx.other().write(&count.to_be_bytes());
            }
            "back" => {
                self.queued.first += count;
                self.note();
                cx.write(&self.pattern.bytes[first..first + count]);
            }
            "out" => {
                self.queued.other += count;
                self.note();
                cx.other().write(&self.pattern.bytes[other..other + count]);
            }
            "file" => {
                self.queued.other += count;
                self.note();
                let range = other as u64..(other + count) as u64;
                cx.other().send_file(Arc::clone(&self.pattern.file), range);
            }
            "pass" => return crossing::AfterLine::Pass { left: count as u64 },
            _ => return crossing::AfterLine::Gone,
        }
        crossing::AfterLine::Line
    }

    fn pass(&mut self, _: &mut u64, moved: Moved, _: &mut CrossingCx<'_>) -> crossing::AfterPass {
        self.queued.other += usize::try_from(moved.out).unwrap();
        self.note();
        crossing::AfterPass::Line
    }

    fn cut(&mut self, cx: &mut CrossingCx<'_>) -> crossing::AfterCut {
        self.queued.other += usize::try_from(cx.moved().out).unwrap();
        self.note();
        crossing::AfterCut::Gone
    }
}

/// A generator of numbers that is good enough to choose with.
#[derive(Clone)]
struct Random(u64);

impl Random {
    fn another(&mut self) -> Self {
        let seed = self.below(usize::MAX) as u64;
        Self(seed | 1)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

/// The settings of a pool: which of its sockets are encrypted, and whether it drains while they are at work.
#[derive(Clone, Copy, Debug)]
struct Kind {
    first: bool,
    other: bool,
    drains: bool,
}

fn start(kind: Kind, authority: &Authority, target: SocketAddr, books: &Books) -> Running {
    let scheme = if kind.other { "tls:localhost:" } else { "127.0.0.1:" };
    let to = To(Some(format!("{scheme}{}", target.port()).parse().unwrap()));
    let pool = Pool::builder::<Crossing>("junction")
        .settings(to)
        .send_timeout(Duration::from_secs(4))
        .linger(Duration::from_secs(4))
        .drain_within(Duration::from_secs(40));
    let (books, pattern) = (Arc::clone(books), Pattern::new());
    let handler = move |_peer| Switch {
        number: 0,
        queued: Queued::default(),
        books: Arc::clone(&books),
        pattern: Arc::clone(&pattern),
    };
    let encrypted = |pool: Builder<Crossing>| pool.tls_client(client_config(authority));
    let running = match kind {
        Kind { first: true, .. } => encrypted(pool)
            .and_tls(server_config(authority, "localhost"))
            .listen("127.0.0.1:0")
            .handler(handler)
            .start(),
        Kind { other: true, .. } => {
            encrypted(pool).listen_plain("127.0.0.1:0").handler(handler).start()
        }
        _ => pool.listen("127.0.0.1:0").handler(handler).start(),
    };
    running.unwrap()
}

/// What all peers of a pool know.
struct Scene {
    pattern: Arc<Pattern>,
    /// The clients that have nothing more to do.
    asked: AtomicUsize,
    /// All connections have ended.
    over: AtomicBool,
    /// The counters of the pool then.
    stats: Mutex<Stats>,
}

impl Default for Scene {
    fn default() -> Self {
        Self {
            pattern: Pattern::new(),
            asked: AtomicUsize::new(0),
            over: AtomicBool::new(false),
            stats: Mutex::default(),
        }
    }
}

impl Scene {
    fn asked(&self) {
        self.asked.fetch_add(1, Ordering::Relaxed);
    }

    /// Holds a connection without reading, until the pool has ended it.
    fn wait(&self) {
        while !self.over.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// What became of a connection at its two ends.
#[derive(Debug, Default)]
struct Ends {
    first: Option<(Manner, Peer)>,
    other: Option<(Manner, Peer)>,
}

/// Runs so many connections of a pool, and checks what their peers have got.
fn run(kind: Kind, connections: usize, random: &mut Random) {
    let authority = Authority::new();
    let listener =
        socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    // What is on its way lies in the queue of the connection, and not in the kernel.
    listener.set_recv_buffer_size(16 * 1024).unwrap();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    listener.bind(&any.into()).unwrap();
    listener.listen(1024).unwrap();
    let listener = TcpListener::from(listener);
    let books = Books::default();
    let running = start(kind, &authority, listener.local_addr().unwrap(), &books);
    let address = running.addresses()[0].to_string().parse().unwrap();
    let ends = Mutex::new(HashMap::<usize, Ends>::new());
    let scene = Scene::default();
    let server = Arc::new(server_config(&authority, "localhost"));
    let config = Arc::new(client_config(&authority));
    let drain_at = Duration::from_millis(random.below(1_500) as u64);
    let begun = Instant::now();
    thread::scope(|scope| {
        let (ends, scene) = (&ends, &scene);
        for number in 1..=connections {
            let mut random = random.another();
            let tls = kind.first.then(|| Arc::clone(&config));
            scope.spawn(move || {
                let plan = Client::new(number, tls, &mut random);
                let manner = plan.manner;
                let peer = client(address, plan, scene, &mut random);
                ends.lock().unwrap().entry(number).or_default().first = Some((manner, peer));
            });
        }
        listener.set_nonblocking(true).unwrap();
        let mut running = Some(running);
        loop {
            match listener.accept() {
                Ok((stream, _)) => {
                    let plan = Server::new(kind.other.then(|| Arc::clone(&server)), random);
                    scope.spawn(move || {
                        let manner = plan.manner;
                        if let Some((number, peer)) = target(stream, plan, scene) {
                            let mut ends = ends.lock().unwrap();
                            ends.entry(number).or_default().other = Some((manner, peer));
                        }
                    });
                }
                Err(_) => thread::sleep(Duration::from_millis(1)),
            }
            let all_asked = scene.asked.load(Ordering::Relaxed) == connections;
            let drains = kind.drains && begun.elapsed() > drain_at;
            let all_ended = running.as_ref().is_some_and(|running| running.stats().open == 0);
            if let Some(running) = running.take_if(|_| drains || all_asked && all_ended) {
                scope.spawn(move || {
                    *scene.stats.lock().unwrap() = drain(running, kind);
                    scene.over.store(true, Ordering::Relaxed);
                });
            }
            if all_asked && scene.over.load(Ordering::Relaxed) {
                break;
            }
            if begun.elapsed() > Duration::from_secs(60) {
                scene.over.store(true, Ordering::Relaxed);
                let stats = running.as_ref().map(Running::stats);
                panic!("{kind:?}: some stay, {all_asked}, {stats:?}");
            }
        }
    });
    let stats = scene.stats.into_inner().unwrap();
    check(kind, stats, &ends.into_inner().unwrap(), &books.lock().unwrap());
}

/// Nothing stays past its time, which is much shorter than that of the drain.
fn drain(running: Running, kind: Kind) -> Stats {
    let begun = Instant::now();
    let stats = running.drain().unwrap();
    assert_eq!((stats.open, stats.panicked), (0, 0), "{kind:?}");
    assert!(begun.elapsed() < Duration::from_secs(30), "{kind:?}: {:?}", begun.elapsed());
    stats
}

/// Whoever has seen a clean end has got all that was queued, and those who behave see one.
fn check(kind: Kind, stats: Stats, ends: &HashMap<usize, Ends>, books: &HashMap<usize, Queued>) {
    for (number, Ends { first, other }) in ends {
        let queued = books.get(number).copied().unwrap_or_default();
        let told = format!("{kind:?}, {number}: {first:?}, {other:?} of {queued:?}; {stats:?}");
        let well =
            |end: &Option<(Manner, Peer)>| end.as_ref().is_some_and(|(manner, _)| manner.is_good());
        let (first_is_good, other_is_good) = (well(first), well(other));
        if let Some((manner, peer)) = first {
            assert!(peer.is_in_order, "{told}");
            if peer.is_whole && *manner != Manner::EndsEarly {
                assert_eq!(peer.got, queued.first, "{told}");
            }
            // If the target breaks off or the pool drains, what it still sends may meet a connection that is closed (G2).
            let may_break = !first_is_good || !other_is_good || kind.drains;
            assert!(peer.is_whole || may_break, "{told}");
        }
        if let Some((_, peer)) = other {
            assert!(peer.is_in_order, "{told}");
            if peer.is_whole {
                assert_eq!(peer.got, queued.other, "{told}");
            }
            // A reset of the client is one for the target, too.
            let may_break = !first_is_good || !other_is_good || kind.drains;
            assert!(peer.is_whole || may_break, "{told}");
        }
    }
}

#[test]
fn s4_s5_whatever_both_peers_do_a_clean_end_loses_nothing_and_nobody_stays() {
    let connections = std::env::var("FSM_SOCKETS").map_or(48, |count| count.parse().unwrap());
    let seed = std::env::var("FSM_SEED").map_or(1, |seed| seed.parse().unwrap());
    let mut random = Random(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(seed));
    let kinds = [(false, false), (false, true), (true, false), (true, true)];
    // As many at a time as there are threads for.
    let at_a_time = 24;
    let mut left = connections.max(kinds.len());
    while left > 0 {
        for (first, other) in kinds {
            let drains = random.below(2) == 0;
            let count = left.min(at_a_time).div_ceil(2);
            run(Kind { first, other, drains }, count, &mut random);
            left = left.saturating_sub(count);
        }
    }
}
