use super::*;

#[test]
fn x2_a_handler_that_is_slow_to_make_does_not_hold_its_port_up() {
    let semaphore = Arc::<Semaphore>::default();
    let tries = AtomicUsize::new(0);
    let make = {
        let semaphore = Arc::clone(&semaphore);
        move |_| {
            if tries.fetch_add(1, Ordering::SeqCst) == 1 {
                semaphore.acquire();
            }
            Client
        }
    };
    let running = echo().threads(2).max_running(2).handler(make).start().unwrap();
    let mut quick = Peer::new(&running, 0);
    quick.echo(b"before");
    let mut slow = Peer::new(&running, 0);
    slow.send(b"slow");
    semaphore.wait_for_arrivals(1);
    quick.echo(b"meanwhile");
    semaphore.release();
    assert_eq!(slow.receive(4), b"slow");
}

#[test]
fn x10_many_more_ports_and_threads_than_cores_serve_and_drain() {
    let running = echo().shards(16).threads(8).max_running(4).handler(|_| Client).start().unwrap();
    let mut peers = Peer::many(&running, 160);
    for _ in 0..3 {
        for peer in &mut peers {
            peer.send(b"all at once");
        }
        for peer in &mut peers {
            assert_eq!(peer.receive(11), b"all at once");
        }
    }
    let stats = running.drain().unwrap();
    assert_eq!((stats.accepted, stats.drained, stats.open), (160, 160, 0));
}

/// Hands clients over to the other two pools.
#[state_machine(start = Serve, eof => Gone, gone => Gone)]
enum Entry {
    #[read(exact = 1, idle = 60s => Gone)]
    #[to(Over)]
    #[rest]
    Serve,
    #[handoff(Ping, within = 20s => Gone)]
    Over,
    #[end]
    Gone,
}

#[state_machine(start = Play, eof => Gone, gone => Gone)]
enum Ping {
    #[read(exact = 1, idle = 60s => Gone)]
    #[to(Over)]
    #[rest]
    Play,
    #[handoff(Pong, within = 20s => Gone, full => Gone)]
    Over,
    #[end]
    Gone,
}

#[state_machine(start = Play, eof => Gone, gone => Gone)]
enum Pong {
    #[read(exact = 1, idle = 60s => Gone)]
    #[to(Over)]
    #[rest]
    Play,
    #[handoff(Ping, within = 20s => Gone)]
    Over,
    #[end]
    Gone,
}

struct Player;

impl entry::Handler for Player {
    fn serve(&mut self, byte: &[u8; 1], cx: &mut Cx<'_>) -> entry::AfterServe {
        cx.write(byte);
        entry::AfterServe::Over { seed: () }
    }
}

impl ping::Handler for Player {
    fn play(&mut self, byte: &[u8; 1], cx: &mut Cx<'_>) -> ping::AfterPlay {
        cx.write(byte);
        ping::AfterPlay::Over { seed: () }
    }
}

impl pong::Handler for Player {
    fn play(&mut self, byte: &[u8; 1], cx: &mut Cx<'_>) -> pong::AfterPlay {
        cx.write(byte);
        pong::AfterPlay::Over { seed: () }
    }
}

#[test]
fn x7_a_connection_that_moves_with_every_byte_loses_none() {
    let entry = Pool::builder::<Entry>("entry").listen("127.0.0.1:0").handler(|_| Player);
    let here =
        Pool::builder::<Ping>("ping").shards(3).threads(2).max_running(2).handler(|_| Player);
    let there =
        Pool::builder::<Pong>("pong").shards(2).threads(3).max_running(2).handler(|_| Player);
    let running = Pipeline::new().pool(entry).pool(here).pool(there).start().unwrap();
    let mut peers = Peer::many(&running, 20);
    let texts: Vec<_> = (1..=7).cycle().take(28).map(|count| &b"advantage"[..count]).collect();
    for text in &texts {
        for peer in &mut peers {
            peer.send(text);
        }
        for peer in &mut peers {
            assert_eq!(peer.receive(text.len()), *text);
        }
    }
    let bytes = texts.iter().map(|text| text.len() as u64).sum::<u64>();
    let stats = running.drain().unwrap();
    assert_eq!((stats.handed_off, stats.taken, stats.drained), (bytes * 20, bytes * 20, 20));
}
