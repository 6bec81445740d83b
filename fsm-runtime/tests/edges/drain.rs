use super::*;

#[test]
fn x11_a_drain_that_begins_on_one_port_while_another_accepts_answers_every_request() {
    // The ports begin to drain one after another. When a connection comes in between is a matter of
    // chance, but it is likely: the one port accepts many for the other, whose first orders the drain.
    for _ in 0..5 {
        let door = Arc::<Door>::default();
        let pool = echo().shards(2);
        let handle = pool.handle();
        let make = {
            let door = Arc::clone(&door);
            let mut count = 0;
            move |_| {
                count += 1;
                match count {
                    // It keeps the port that accepts.
                    1 => door.pass(),
                    2 => handle.drain(),
                    _ => {}
                }
                Client
            }
        };
        let running = pool.handler(make).start().unwrap();
        let mut peers = Peer::many(&running, 1);
        door.wait_for(1);
        peers.extend(Peer::many(&running, 300));
        for peer in &mut peers {
            peer.say(b"in time");
        }
        door.open();
        for peer in &mut peers {
            assert_eq!(peer.hear(7), b"in time");
        }
        let stats = running.join().unwrap();
        assert_eq!((stats.accepted, stats.drained), (301, 301));
    }
}

/// Brings clients to the circle of the other two.
#[state_machine(start = Enter, eof => Gone, gone => Lost)]
enum Entrance {
    #[read(exact = 1, idle = 60s => Gone)]
    #[to(Over)]
    #[rest]
    Enter,
    #[handoff(Back, within = 20s => Gone, full => Lost)]
    Over,
    #[run]
    #[to(Gone)]
    Lost,
    #[end]
    Gone,
}

/// Gives an answer, and hands the next question over.
#[state_machine(start = Answer, seed = u8, eof => Gone, gone => Lost)]
enum Front {
    #[run]
    #[to(Next)]
    Answer { answer: u8 },
    #[read(exact = 1, idle = 60s => Gone)]
    #[to(Over)]
    #[rest]
    Next,
    #[handoff(Back, within = 20s => Gone, full => Lost)]
    Over,
    #[run]
    #[to(Gone)]
    Lost,
    #[end]
    Gone,
}

/// Works for as long as the test likes, and hands the client back.
#[state_machine(start = Work, seed = u8, gone => Lost)]
enum Back {
    #[run(blocking)]
    #[to(Home)]
    Work { question: u8 },
    #[handoff(Front, within = 20s => Gone, full => Lost)]
    Home,
    #[run]
    #[to(Gone)]
    Lost,
    #[end]
    Gone,
}

struct Guide(Arc<Door>);

impl entrance::Handler for Guide {
    fn enter(&mut self, byte: &[u8; 1], _: &mut Cx<'_>) -> entrance::AfterEnter {
        entrance::AfterEnter::Over { seed: byte[0] }
    }

    fn lost(&mut self, cx: &mut Cx<'_>) -> entrance::AfterLost {
        cx.write(b"!");
        entrance::AfterLost::Gone
    }
}

impl front::Handler for Guide {
    fn answer(&mut self, answer: &mut u8, cx: &mut Cx<'_>) -> front::AfterAnswer {
        cx.write(&[*answer]);
        front::AfterAnswer::Next
    }

    fn next(&mut self, byte: &[u8; 1], _: &mut Cx<'_>) -> front::AfterNext {
        front::AfterNext::Over { seed: byte[0] }
    }

    fn lost(&mut self, cx: &mut Cx<'_>) -> front::AfterLost {
        cx.write(b"!");
        front::AfterLost::Gone
    }
}

impl back::Handler for Guide {
    fn work(&mut self, question: &mut u8, _: &mut Cx<'_>) -> back::AfterWork {
        self.0.pass();
        back::AfterWork::Home { seed: *question }
    }

    fn lost(&mut self, cx: &mut Cx<'_>) -> back::AfterLost {
        cx.write(b"!");
        back::AfterLost::Gone
    }
}

#[test]
fn x11_a_circle_of_pools_drains_together() {
    let door = Arc::<Door>::default();
    let guide = || {
        let door = Arc::clone(&door);
        move |_| Guide(Arc::clone(&door))
    };
    let entrance = Pool::builder::<Entrance>("entrance").listen("127.0.0.1:0").handler(guide());
    let front = Pool::builder::<Front>("front").drain_within(LONG).handler(guide());
    let back = Pool::builder::<Back>("back").drain_within(LONG).handler(guide());
    let running = Pipeline::new().pool(entrance).pool(front).pool(back).start().unwrap();
    let address = address(&running, 0);
    let mut peer = Peer::new(&running, 0);
    door.open();
    peer.echoes(b"1");
    peer.say(b"2");
    door.wait_for(2);
    let start = Instant::now();
    let drained = thread::spawn(move || running.drain().unwrap());
    // The entrance ends first, and then nobody is at the front.
    until(|| TcpStream::connect(address).is_err());
    // It must not end, which only time shows: this is enough for it to do so, and no harm else.
    thread::sleep(Duration::from_millis(30));
    door.open();
    assert_eq!(peer.hear(1), b"2");
    let stats = drained.join().unwrap();
    assert!(start.elapsed() < LONG / 2, "it waited for nobody");
    assert_eq!((stats.handed_off, stats.closed, stats.open), (4, 0, 0));
}
