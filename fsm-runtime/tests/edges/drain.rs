use super::*;

#[test]
fn x11_a_drain_that_begins_on_one_port_while_another_accepts_answers_every_request() {
    // The ports begin to drain one after another. A connection that arrives in between depends on
    // chance, but is likely: one port accepts many for the other, whose first connection starts the
    // drain.
    for _ in 0..5 {
        let semaphore = Arc::<Semaphore>::default();
        let pool = echo().shards(2);
        let handle = pool.handle();
        let make = {
            let semaphore = Arc::clone(&semaphore);
            let mut count = 0;
            move |_| {
                count += 1;
                match count {
                    // Holds up the port that accepts.
                    1 => semaphore.acquire(),
                    2 => handle.drain(),
                    _ => {}
                }
                Client
            }
        };
        let running = pool.handler(make).start().unwrap();
        let mut peers = Peer::many(&running, 1);
        semaphore.wait_for_arrivals(1);
        peers.extend(Peer::many(&running, 300));
        for peer in &mut peers {
            peer.send(b"in time");
        }
        semaphore.release();
        for peer in &mut peers {
            assert_eq!(peer.receive(7), b"in time");
        }
        let stats = running.join().unwrap();
        assert_eq!((stats.accepted, stats.drained), (301, 301));
    }
}

/// Hands clients over to the cycle of the other two pools.
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

/// Writes an answer, and hands the connection over with the next question.
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

/// Works until the test releases it, and hands the connection back.
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

struct CycleHandler(Arc<Semaphore>);

impl entrance::Handler for CycleHandler {
    fn enter(&mut self, byte: &[u8; 1], _: &mut Cx<'_>) -> entrance::AfterEnter {
        entrance::AfterEnter::Over { seed: byte[0] }
    }

    fn lost(&mut self, cx: &mut Cx<'_>) -> entrance::AfterLost {
        cx.write(b"!");
        entrance::AfterLost::Gone
    }
}

impl front::Handler for CycleHandler {
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

impl back::Handler for CycleHandler {
    fn work(&mut self, question: &mut u8, _: &mut Cx<'_>) -> back::AfterWork {
        self.0.acquire();
        back::AfterWork::Home { seed: *question }
    }

    fn lost(&mut self, cx: &mut Cx<'_>) -> back::AfterLost {
        cx.write(b"!");
        back::AfterLost::Gone
    }
}

#[test]
fn x11_a_cycle_of_pools_drains_together() {
    let semaphore = Arc::<Semaphore>::default();
    let handler = || {
        let semaphore = Arc::clone(&semaphore);
        move |_| CycleHandler(Arc::clone(&semaphore))
    };
    let entrance = Pool::builder::<Entrance>("entrance").listen("127.0.0.1:0").handler(handler());
    let front = Pool::builder::<Front>("front").drain_within(TIMEOUT).handler(handler());
    let back = Pool::builder::<Back>("back").drain_within(TIMEOUT).handler(handler());
    let running = Pipeline::new().pool(entrance).pool(front).pool(back).start().unwrap();
    let address = address(&running, 0);
    let mut peer = Peer::new(&running, 0);
    semaphore.release();
    peer.echo(b"1");
    peer.send(b"2");
    semaphore.wait_for_arrivals(2);
    let start = Instant::now();
    let drained = thread::spawn(move || running.drain().unwrap());
    // The entrance ends first, and then the front pool has no connection.
    wait_until(|| TcpStream::connect(address).is_err());
    // Sleep long enough for the pools to end, which they must not; no event marks that.
    thread::sleep(Duration::from_millis(30));
    semaphore.release();
    assert_eq!(peer.receive(1), b"2");
    let stats = drained.join().unwrap();
    assert!(start.elapsed() < TIMEOUT / 2, "the drain waited for no client");
    assert_eq!((stats.handed_off, stats.closed, stats.open), (4, 0, 0));
}

/// Answers each line, and says in a drain which answer is the last one.
#[state_machine(start = Ask, eof => Gone)]
enum Polite {
    #[read(until = b"\n", max = 16, limit => Gone, idle = 60s => Gone)]
    #[to(Ask | Gone)]
    #[rest]
    Ask,
    #[end]
    Gone,
}

struct PoliteClient;

impl polite::Handler for PoliteClient {
    fn ask(&mut self, _: &[u8], cx: &mut Cx<'_>) -> polite::AfterAsk {
        if cx.draining() {
            cx.write(b"!");
            return polite::AfterAsk::Gone;
        }
        cx.write(b".");
        polite::AfterAsk::Ask
    }
}

#[test]
fn x11_a_handler_sees_that_its_pool_drains_and_says_goodbye() {
    for threads in [1, 4] {
        let pool = Pool::builder::<Polite>("polite").listen("127.0.0.1:0").threads(threads);
        let handle = pool.handle();
        let running = pool.drain_within(2 * TIMEOUT).handler(|_| PoliteClient).start().unwrap();
        let address = address(&running, 0);
        let mut peer = Peer::new(&running, 0);
        peer.send(b"question\nquest");
        assert_eq!(peer.receive(1), b".");
        handle.drain();
        wait_until(|| TcpStream::connect(address).is_err());
        peer.send(b"ion\nquestion\nquest");
        assert_eq!(peer.receive(1), b"!");
        assert_eq!(peer.0.read(&mut [0]).unwrap(), 0, "the second question should have no answer");
        drop(peer);
        let stats = running.join().unwrap();
        // Each look whether it still listens may have been a connection, too.
        assert_eq!(stats.done + stats.drained, stats.accepted, "{stats:?}");
    }
}
