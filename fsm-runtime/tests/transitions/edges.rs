//! How often each edge is taken.

use super::*;

/// Does each of these once, and returns the edges that it takes.
fn take_each(running: &Running) -> Vec<(&'static str, &'static str, &'static str, u64)> {
    let mut peer = Peer::new(running);
    for line in ["a\n", "b\n", "run\n", "fail\n"] {
        peer.ask(line, 1);
    }
    peer.ask("body\nx.", 2);
    peer.ask("nap\n", 2);
    // The answer to the line comes after the deadline of `Slow`.
    peer.ask("slow\n", 1);
    std::thread::sleep(Duration::from_millis(60));
    peer.ask("after\n", 1);
    peer.ask("ticks\n", 2);
    peer.ask("this line is too long", 1);
    peer.end();

    // The two events of `Body` that one arm serves, and the end of the stream in `Line`.
    let mut over = Peer::new(running);
    over.ask("body\n", 1);
    over.0.write_all(b"123456").unwrap();
    over.end();
    let mut cut = Peer::new(running);
    cut.ask("body\n", 1);
    cut.0.shutdown(std::net::Shutdown::Write).unwrap();
    cut.end();
    let mut wrong = Peer::new(running);
    wrong.ask("wrong\n", 1);
    wrong.end();
    let mut done = Peer::new(running);
    done.ask("end\n", 1);
    done.end();
    vec![
        ("Line", "Line", "verdict", 3),
        ("Line", "Run", "verdict", 2),
        ("Line", "Body", "verdict", 3),
        ("Line", "Nap", "verdict", 1),
        ("Line", "Slow", "verdict", 1),
        ("Line", "Ticks", "verdict", 1),
        ("Line", "Gone", "verdict", 1),
        ("Line", "Gone", "error", 1),
        ("Line", "Gone", "idle", 0),
        ("Line", "TooLong", "limit", 1),
        ("Run", "Line", "verdict", 1),
        ("Run", "Line", "error", 1),
        ("Body", "Line", "verdict", 1),
        ("Body", "Gone", "limit", 1),
        ("Body", "Gone", "eof", 1),
        ("Body", "Gone", "within", 0),
        ("Nap", "Line", "verdict", 1),
        ("Slow", "Line", "within", 1),
        ("Slow", "Line", "verdict", 0),
        ("Ticks", "Line", "verdict", 1),
        ("TooLong", "Bye", "verdict", 1),
        ("Bye", "Gone", "verdict", 1),
    ]
}

#[test]
fn v8_each_edge_is_counted_by_its_event() {
    for threads in [1, 2] {
        for history in [0, 3] {
            let builder = Pool::builder::<Ways>("ways").listen("127.0.0.1:0").threads(threads);
            let builder = builder.history(history);
            let handle = builder.handle();
            let running = builder.handler(|_peer| Client).start().unwrap();
            let expected = take_each(&running);
            let ended = |pool: &PoolSnapshot| pool.stats.open == 0;
            let pool = until(|| handle.snapshot(WITHIN), ended);
            for (from, to, on, count) in expected {
                let counted = taken(&pool, from, to, on);
                assert_eq!(counted, count, "{from} -> {to} on {on}, {threads} threads, {history}");
            }
            let ends: u64 = ["verdict", "eof", "error"]
                .map(|on| taken(&pool, "Line", "Gone", on))
                .into_iter()
                .sum();
            let ends = ends + pool.transitions("Body", "Gone") + pool.transitions("Bye", "Gone");
            assert_eq!(ends, pool.stats.done);
            running.drain().unwrap();
        }
    }
}

#[test]
fn v8_the_edge_of_a_drain_is_counted() {
    let builder = Pool::builder::<Ways>("ways").listen("127.0.0.1:0");
    let handle = builder.handle();
    let running = builder.handler(|_peer| Client).start().unwrap();
    let mut peers: Vec<Peer> = (0..3).map(|_| Peer::new(&running)).collect();
    for peer in &mut peers {
        peer.ask("a\n", 1);
    }
    handle.drain();
    for peer in peers {
        peer.end();
    }
    running.drain().unwrap();
    let pool = handle.snapshot(WITHIN);
    assert_eq!(taken(&pool, "Line", "Bye", "drain"), 3);
    assert_eq!((taken(&pool, "Bye", "Gone", "verdict"), pool.transitions("Line", "Line")), (3, 3));
}

#[test]
fn v8_all_edges_are_there_before_anything_has_happened() {
    let builder = Pool::builder::<Ways>("ways").listen("127.0.0.1:0");
    let handle = builder.handle();
    for started in [false, true] {
        let running = started.then(|| {
            Pool::builder::<Ways>("other").listen("127.0.0.1:0").handler(|_peer| Client).start()
        });
        let pool = handle.snapshot(Duration::ZERO);
        let edges: usize = Ways::SPEC.states.iter().map(|state| state.edges.len()).sum();
        assert_eq!((pool.edges.len(), edges > 30), (edges, true), "{edges}");
        assert!(pool.edges.iter().all(|edge| edge.count == 0));
        let numbered = pool.edges.iter().map(|edge| (edge.state.name, *edge.edge));
        let of_spec = Ways::SPEC.edges().map(|(state, edge)| (state.name, *edge));
        assert!(numbered.eq(of_spec));
        drop(running);
    }
}

/// Jobs, messages and other pools.
#[state_machine(start = Begin, job = u8, reply = u8, message = u8)]
enum Work {
    #[run]
    #[to(Wait | Done)]
    Begin { job: u8 },
    #[message(within = 60s => Late)]
    #[to(Wait | Done)]
    Wait,
    #[run]
    #[to(Done)]
    Late,
    #[end]
    Done,
}

struct Worker;

impl work::Handler for Worker {
    fn begin(&mut self, job: &mut u8, cx: &mut JobCx<'_, u8>) -> work::AfterBegin {
        if *job == 0 {
            return work::AfterBegin::Done { reply: 0 };
        }
        for message in 0..*job {
            cx.post(cx.key(), message).unwrap();
        }
        work::AfterBegin::Wait
    }

    fn wait(&mut self, message: u8, _: &mut JobCx<'_, u8>) -> work::AfterWait {
        if message == 4 { work::AfterWait::Done { reply: 4 } } else { work::AfterWait::Wait }
    }

    fn late(&mut self, _: &mut JobCx<'_, u8>) -> work::AfterLate {
        work::AfterLate::Done { reply: 9 }
    }
}

#[test]
fn v8_transitions_of_jobs_on_several_threads_are_summed() {
    let builder = Pool::builder::<Work>("work").threads(3).max_running(3);
    let handle = builder.handle();
    let running = builder.worker(|| Worker).start().unwrap();
    let jobs: Vec<_> =
        (0..300).map(|job| handle.submit(if job % 3 == 0 { 5 } else { 0 })).collect();
    let replies = jobs.into_iter().map(|job| u64::from(job.unwrap().wait().unwrap()));
    assert_eq!(replies.sum::<u64>(), 400);
    let pool = handle.snapshot(WITHIN);
    assert_eq!(taken(&pool, "Begin", "Done", "verdict"), 200);
    assert_eq!(taken(&pool, "Begin", "Wait", "verdict"), 100);
    assert_eq!(taken(&pool, "Wait", "Wait", "verdict"), 400);
    assert_eq!(taken(&pool, "Wait", "Done", "verdict"), 100);
    assert_eq!(taken(&pool, "Wait", "Late", "within"), 0);
    running.drain().unwrap();
}

#[test]
fn v8_events_have_names_without_times() {
    let names: std::collections::BTreeSet<_> =
        Ways::SPEC.edges().map(|(_, edge)| edge.on.name()).collect();
    let expected = ["drain", "eof", "error", "idle", "limit", "verdict", "within"];
    assert!(names.into_iter().eq(expected));
    assert_eq!(Trigger::Budget(WITHIN).name(), "group_within");
    assert_eq!(Trigger::Other(&Trigger::Eof).name(), "other_eof");
}
