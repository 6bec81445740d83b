use std::sync::Barrier;
use std::sync::atomic::AtomicBool;

use super::*;

#[test]
fn r2_no_more_handlers_run_at_once_than_the_cap() {
    let concurrency = Arc::<Concurrency>::default();
    let running = {
        let concurrency = Arc::clone(&concurrency);
        // Without the watchdog, because handlers that it takes for blocked do not count.
        start(pool("capped").threads(8).max_running(2).watchdog(false), move |_, _| {
            concurrency.dwell();
            String::new()
        })
    };
    flood(&mut Peer::many(&running, 16), 50);
    assert!((1..=2).contains(&concurrency.peak()), "{} at once", concurrency.peak());
}

#[test]
fn r1_as_many_handlers_run_at_once_as_the_cap() {
    let meeting = Arc::new(Barrier::new(3));
    let running = start(pool("meeting").threads(4).max_running(3).watchdog(false), move |_, _| {
        // No handler goes on before all three have started.
        meeting.wait();
        String::new()
    });
    flood(&mut Peer::many(&running, 3), 20);
}

#[test]
fn x1_a_key_is_on_one_thread_at_a_time() {
    struct Exclusive(AtomicBool);

    impl lines::Handler for Exclusive {
        fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> lines::AfterLine {
            assert!(!self.0.swap(true, Ordering::SeqCst), "two threads run one connection");
            thread::yield_now();
            assert!(self.0.swap(false, Ordering::SeqCst), "two threads run one connection");
            cx.write(line);
            cx.write(b"\n");
            lines::AfterLine::Line
        }
    }

    let pool = pool("flooded").threads(4).max_running(4);
    let running = pool.handler(|_| Exclusive(AtomicBool::new(false))).start().unwrap();
    let lines = 5_000;
    let floods = Peer::many(&running, 6).into_iter().map(|mut peer| {
        thread::spawn(move || {
            let writer = Peer(BufReader::new(peer.0.get_ref().try_clone().unwrap()));
            // Bytes arrive at any time, whether the connection runs or not.
            let sender =
                thread::spawn(move || (0..lines).for_each(|n| writer.send(&n.to_string())));
            for n in 0..lines {
                assert_eq!(peer.receive(), n.to_string());
            }
            sender.join().unwrap();
        })
    });
    for flood in floods.collect::<Vec<_>>() {
        flood.join().unwrap();
    }
    assert_eq!(running.drain().unwrap().panicked, 0);
}

#[test]
fn x2_a_slow_handler_does_not_hold_up_the_port() {
    let (entered, inside) = mpsc::channel();
    let latch = Arc::<Latch>::default();
    let running = {
        let latch = Arc::clone(&latch);
        start(pool("slow").threads(2).max_running(2).watchdog(false), move |line, _| {
            if line == "slow" {
                entered.send(()).unwrap();
                latch.wait();
            }
            line.to_owned()
        })
    };
    let mut slow = Peer::new(&running);
    slow.send("slow");
    inside.recv().unwrap();
    // The thread that polled is in the handler, and another one polls.
    for mut peer in Peer::many(&running, 20) {
        assert_eq!(peer.ask("quick"), "quick");
    }
    latch.open();
    assert_eq!(slow.receive(), "slow");
}
