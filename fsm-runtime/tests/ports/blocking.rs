use super::*;

/// Blocks in a state that declares it.
#[state_machine(start = Line, eof => Gone, limit => Gone)]
enum Declared {
    #[read(until = b"\n", max = 80, idle = 60s => Gone)]
    #[to(Work | Line)]
    #[rest]
    Line,
    #[run(blocking)]
    #[to(Line)]
    Work,
    #[end]
    Gone,
}

#[derive(Clone)]
struct Worker {
    entered: mpsc::Sender<()>,
    latch: Arc<Latch>,
}

impl declared::Handler for Worker {
    fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> declared::AfterLine {
        if line == b"block" {
            return declared::AfterLine::Work;
        }
        writeln!(cx, "did not block");
        declared::AfterLine::Line
    }

    fn work(&mut self, cx: &mut Cx<'_>) -> declared::AfterWork {
        // The end of a nested blocking closure does not end the blocking of the state.
        cx.blocking(|| ());
        self.entered.send(()).unwrap();
        self.latch.wait();
        writeln!(cx, "blocked");
        declared::AfterWork::Line
    }
}

#[test]
fn r3_a_state_declared_blocking_lets_others_run() {
    let (entered, inside) = mpsc::channel();
    let latch = Arc::<Latch>::default();
    let worker = Worker { entered, latch: Arc::clone(&latch) };
    let pool = Pool::builder::<Declared>("declared").listen("127.0.0.1:0");
    let pool = pool.threads(3).max_running(1).watchdog(false).handler(move |_| worker.clone());
    let running = pool.start().unwrap();
    let mut blocked = Peer::many(&running, 2);
    for peer in &blocked {
        peer.send("block");
        inside.recv().unwrap();
    }
    for mut peer in Peer::many(&running, 5) {
        assert_eq!(peer.ask("go on"), "did not block");
    }
    latch.open();
    for peer in &mut blocked {
        assert_eq!(peer.receive(), "blocked");
    }
}

#[test]
fn r3_a_blocking_closure_lets_others_run() {
    let (entered, inside) = mpsc::channel();
    let latch = Arc::<Latch>::default();
    let running = {
        let latch = Arc::clone(&latch);
        start(pool("blocking").threads(2).max_running(1).watchdog(false), move |line, cx| {
            if line == "block" {
                cx.blocking(|| {
                    entered.send(()).unwrap();
                    latch.wait();
                });
            }
            line.to_owned()
        })
    };
    let mut blocked = Peer::new(&running);
    blocked.send("block");
    inside.recv().unwrap();
    for mut peer in Peer::many(&running, 5) {
        assert_eq!(peer.ask("go on"), "go on");
    }
    latch.open();
    assert_eq!(blocked.receive(), "block");
}

#[test]
fn r3_a_panic_in_blocking_leaves_the_cap_as_it_was() {
    let concurrency = Arc::<Concurrency>::default();
    let running = {
        let concurrency = Arc::clone(&concurrency);
        start(pool("panicking").threads(3).max_running(1).watchdog(false), move |line, cx| {
            if line == "panic" {
                cx.blocking(|| panic!("requested"));
            }
            concurrency.dwell();
            line.to_owned()
        })
    };
    for peer in Peer::many(&running, 5) {
        peer.send("panic");
        assert_eq!(peer.read_to_end(), "");
    }
    flood(&mut Peer::many(&running, 8), 20);
    assert_eq!(concurrency.peak(), 1);
    assert_eq!(running.stats().panicked, 5);
}

#[test]
fn r4_the_cap_is_exceeded_when_a_blocked_handler_goes_on_and_then_holds_again() {
    let (entered, inside) = mpsc::channel();
    let (blocks, busy) = (Arc::<Latch>::default(), Arc::<Latch>::default());
    let concurrency = Arc::<Concurrency>::default();
    let running = {
        let (blocks, busy, concurrency) =
            (Arc::clone(&blocks), Arc::clone(&busy), Arc::clone(&concurrency));
        start(pool("converging").threads(4).max_running(1).watchdog(false), move |line, cx| {
            match line {
                "block" => {
                    cx.blocking(|| {
                        entered.send("blocks").unwrap();
                        blocks.wait();
                    });
                    concurrency.enter();
                    entered.send("goes on").unwrap();
                    busy.wait();
                    concurrency.leave();
                }
                "busy" => {
                    concurrency.enter();
                    entered.send("busy").unwrap();
                    busy.wait();
                    concurrency.leave();
                }
                _ => concurrency.dwell(),
            }
            line.to_owned()
        })
    };
    let (mut first, mut second) = (Peer::new(&running), Peer::new(&running));
    first.send("block");
    assert_eq!(inside.recv(), Ok("blocks"));
    second.send("busy");
    assert_eq!(inside.recv(), Ok("busy"));
    // The thread that blocked goes on at once, because it cannot give its thread up and may hold
    // locks.
    blocks.open();
    assert_eq!(inside.recv(), Ok("goes on"));
    assert_eq!(concurrency.peak(), 2);
    let mut others = Peer::many(&running, 8);
    for peer in &others {
        peer.send("wait");
    }
    busy.open();
    for peer in &mut others {
        peer.receive();
    }
    assert_eq!((first.receive(), second.receive()), ("block".to_owned(), "busy".to_owned()));
    assert_eq!(concurrency.peak(), 2);
    concurrency.peak.store(0, Ordering::SeqCst);
    flood(&mut others, 20);
    assert_eq!(concurrency.peak(), 1);
}
