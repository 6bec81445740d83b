use super::*;

#[test]
fn x11_a_drain_of_several_ports_and_threads_answers_every_request() {
    let running =
        start(pool("draining").shards(2).threads(2).max_running(2), |line, _| line.to_owned());
    let mut peers = Peer::many(&running, 60);
    for (number, peer) in peers.iter_mut().enumerate() {
        assert_eq!(peer.ask("here"), "here");
        if number % 3 > 0 {
            peer.send("the last one");
        }
    }
    let stats = running.drain().unwrap();
    assert_eq!((stats.accepted, stats.drained, stats.open), (60, 60, 0));
    for (number, peer) in peers.into_iter().enumerate() {
        assert_eq!(peer.read_to_end(), if number % 3 > 0 { "the last one\n" } else { "" });
    }
}

#[test]
fn x11_a_drain_waits_for_handlers_that_run_on_any_port() {
    let (entered, inside) = mpsc::channel();
    let latch = Arc::<Latch>::default();
    let pool = pool("waited-for").shards(2).threads(3).max_running(2);
    let handle = pool.handle();
    let running = {
        let latch = Arc::clone(&latch);
        start(pool, move |line, _| {
            entered.send(()).unwrap();
            latch.wait();
            line.to_owned()
        })
    };
    let peers = Peer::many(&running, 4);
    for peer in &peers {
        peer.send("one");
        inside.recv().unwrap();
    }
    handle.drain();
    for peer in &peers {
        peer.send("two");
    }
    latch.open();
    for peer in peers {
        assert_eq!(peer.read_to_end(), "one\ntwo\n");
    }
    assert_eq!(running.join().unwrap().drained, 4);
}
