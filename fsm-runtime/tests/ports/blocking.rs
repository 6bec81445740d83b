use super::*;

/// Does what may block in a state of its own.
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
    door: Arc<Door>,
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
        // The end of what blocks inside is not the end of all that does.
        cx.blocking(|| ());
        self.entered.send(()).unwrap();
        self.door.pass();
        writeln!(cx, "blocked");
        declared::AfterWork::Line
    }
}

#[test]
fn r3_a_state_that_says_it_blocks_gives_its_place_to_others() {
    let (entered, inside) = mpsc::channel();
    let door = Arc::<Door>::default();
    let worker = Worker { entered, door: Arc::clone(&door) };
    let pool = Pool::builder::<Declared>("declared").listen("127.0.0.1:0");
    let pool = pool.threads(3).max_running(1).watchdog(false).handler(move |_| worker.clone());
    let running = pool.start().unwrap();
    let mut blocked = Peer::many(&running, 2);
    for peer in &blocked {
        peer.say("block");
        inside.recv().unwrap();
    }
    for mut peer in Peer::many(&running, 5) {
        assert_eq!(peer.ask("go on"), "did not block");
    }
    door.open();
    for peer in &mut blocked {
        assert_eq!(peer.hear(), "blocked");
    }
}

#[test]
fn r3_what_runs_in_blocking_gives_its_place_to_others() {
    let (entered, inside) = mpsc::channel();
    let door = Arc::<Door>::default();
    let running = {
        let door = Arc::clone(&door);
        start(pool("blocking").threads(2).max_running(1).watchdog(false), move |line, cx| {
            if line == "block" {
                cx.blocking(|| {
                    entered.send(()).unwrap();
                    door.pass();
                });
            }
            line.to_owned()
        })
    };
    let mut blocked = Peer::new(&running);
    blocked.say("block");
    inside.recv().unwrap();
    for mut peer in Peer::many(&running, 5) {
        assert_eq!(peer.ask("go on"), "go on");
    }
    door.open();
    assert_eq!(blocked.hear(), "block");
}

#[test]
fn r3_a_panic_in_blocking_leaves_the_cap_as_it_was() {
    let room = Arc::<Room>::default();
    let running = {
        let room = Arc::clone(&room);
        start(pool("panicking").threads(3).max_running(1).watchdog(false), move |line, cx| {
            if line == "panic" {
                cx.blocking(|| panic!("as asked"));
            }
            room.stay();
            line.to_owned()
        })
    };
    for peer in Peer::many(&running, 5) {
        peer.say("panic");
        assert_eq!(peer.rest(), "");
    }
    flood(&mut Peer::many(&running, 8), 20);
    assert_eq!(room.most(), 1);
    assert_eq!(running.stats().panicked, 5);
}

#[test]
fn r4_more_than_the_cap_run_when_one_goes_on_and_then_no_more() {
    let (entered, inside) = mpsc::channel();
    let (blocks, busy) = (Arc::<Door>::default(), Arc::<Door>::default());
    let room = Arc::<Room>::default();
    let running = {
        let (blocks, busy, room) = (Arc::clone(&blocks), Arc::clone(&busy), Arc::clone(&room));
        start(pool("converging").threads(4).max_running(1).watchdog(false), move |line, cx| {
            match line {
                "block" => {
                    cx.blocking(|| {
                        entered.send("blocks").unwrap();
                        blocks.pass();
                    });
                    room.enter();
                    entered.send("goes on").unwrap();
                    busy.pass();
                    room.leave();
                }
                "busy" => {
                    room.enter();
                    entered.send("busy").unwrap();
                    busy.pass();
                    room.leave();
                }
                _ => room.stay(),
            }
            line.to_owned()
        })
    };
    let (mut first, mut second) = (Peer::new(&running), Peer::new(&running));
    first.say("block");
    assert_eq!(inside.recv(), Ok("blocks"));
    second.say("busy");
    assert_eq!(inside.recv(), Ok("busy"));
    // It does not wait for a place: it has the thread, and holds who knows what.
    blocks.open();
    assert_eq!(inside.recv(), Ok("goes on"));
    assert_eq!(room.most(), 2);
    let mut others = Peer::many(&running, 8);
    for peer in &others {
        peer.say("wait");
    }
    busy.open();
    for peer in &mut others {
        peer.hear();
    }
    assert_eq!((first.hear(), second.hear()), ("block".to_owned(), "busy".to_owned()));
    assert_eq!(room.most(), 2);
    room.most.store(0, Ordering::SeqCst);
    flood(&mut others, 20);
    assert_eq!(room.most(), 1);
}
