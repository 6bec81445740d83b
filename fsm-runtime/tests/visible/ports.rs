//! Connections of a pool, and ports that answer or do not.

use super::*;

#[test]
fn v2_counts_match_the_oldest_come_first_and_filters_choose() {
    let (latch, _entered) = Latch::new();
    let builder = Pool::builder::<Lines>("front").listen("127.0.0.1:0").shards(2);
    let handle = builder.handle();
    assert!(handle.snapshot(WITHIN).ports.is_empty(), "it has not started");
    let running = builder.handler(move |_| Client(Arc::clone(&latch))).start().unwrap();
    let mut clients = Peer::many(&running, 12);
    for client in &mut clients {
        client.ask("hello");
        std::thread::sleep(Duration::from_millis(5));
    }
    for client in &mut clients[..5] {
        client.ask("body");
        std::thread::sleep(Duration::from_millis(5));
    }
    clients[11].ask("forever");
    clients[2].send(b"xyz");
    let take = || handle.snapshot(WITHIN);
    let pool = until(take, |pool| pool.tasks.iter().any(|task| task.unread == 3));
    let counts = ["Line", "Body", "Forever", "Gone"].map(|state| pool.count(state));
    assert_eq!((counts, pool.stats.open), ([6, 5, 1, 0], 12));
    assert_eq!((pool.ports.len(), pool.unanswered().count()), (2, 0));
    assert_eq!(pool.ports.iter().map(|port| port.open).sum::<usize>(), 12);
    assert_eq!((pool.room.taken, pool.room.waiting, pool.phase), (12, 0, PoolPhase::Serves));
    // Those that wait for a line have waited longest, and of the last one no age is known.
    let order =
        [5, 6, 7, 8, 9, 10, 0, 1, 2, 3, 4, 11].map(|client: usize| clients[client].address());
    assert_eq!(peers(&pool), order);
    // A walk counts first and describes afterwards, when all are older by as much.
    let (counted, described) = (pool.states[0].oldest.unwrap(), pool.tasks[0].age.unwrap().time);
    let later = described.checked_sub(counted);
    assert!(later.is_some_and(|later| later < WITHIN), "{counted:?} {described:?}");
    let since = |client: usize| {
        let peer = fsm_runtime::Peer::Tcp(clients[client].address());
        let task = pool.tasks.iter().find(|task| task.peer == Some(peer)).unwrap();
        (task.state.name, task.age.map(|age| age.since), task.left.is_some(), task.unread)
    };
    assert_eq!(since(7), ("Line", Some(Since::Progress), true, 0));
    assert_eq!(since(2), ("Body", Some(Since::Entered), true, 3));
    assert_eq!(since(11), ("Forever", None, false, 0));

    let some = handle.snapshot_of(&Filter::new().limit(3), WITHIN);
    assert_eq!(peers(&some), order[..3]);
    let body = handle.snapshot_of(&Filter::new().state("Body").limit(2), WITHIN);
    assert_eq!((peers(&body), body.count("Line")), (order[6..8].to_vec(), 6));
    let age = pool.tasks[6].age.unwrap().time;
    let old = handle.snapshot_of(&Filter::new().older(age).limit(100), WITHIN);
    assert!(old.tasks.len() >= 7 && old.tasks.len() < 12, "{}", old.tasks.len());
    for nothing in [Filter::new().state("Nowhere"), Filter::new().pool("other")] {
        assert!(handle.snapshot_of(&nothing, WITHIN).tasks.is_empty());
    }
    drop(clients);
    running.drain().unwrap();
    let ended = handle.snapshot(WITHIN);
    assert_eq!((ended.phase, ended.ports.len(), ended.stats.open), (PoolPhase::Closed, 0, 0));
}

#[test]
fn v2_a_port_that_is_stuck_is_told_in_time_and_the_others_answer() {
    let (latch, entered) = Latch::new();
    let builder = Pool::builder::<Lines>("front").listen("127.0.0.1:0").shards(2);
    let handle = builder.handle();
    let opened = Arc::clone(&latch);
    let running = builder.handler(move |_| Client(Arc::clone(&latch))).start().unwrap();
    let mut clients = Peer::many(&running, 10);
    for client in &mut clients {
        client.ask("hello");
    }
    clients[0].send(b"block\n");
    entered.recv().unwrap();
    // Those that find the port stuck leave nothing behind.
    for _ in 0..20 {
        handle.snapshot(Duration::from_millis(1));
    }
    let asked = Instant::now();
    let pool = handle.snapshot(Duration::from_millis(200));
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    let stuck: Vec<_> = pool.unanswered().collect();
    let [port] = stuck[..] else { panic!("{pool:#?}") };
    assert_eq!((port.open, port.threads.len(), pool.count("Line")), (5, 1, 5));
    let thread = &port.threads[0];
    assert_eq!(thread.name, format!("front/{}", port.number));
    let handler = thread.running.unwrap();
    assert_eq!(handler.state.name, "Line");
    assert!(handler.at_least >= Duration::from_millis(100), "{handler:?}");
    if cfg!(target_os = "linux") {
        assert_eq!(handler.block, Some(fsm_runtime::Block::Seen));
    }
    opened.open();
    let pool = until(|| handle.snapshot(WITHIN), |pool| pool.unanswered().count() == 0);
    assert_eq!(pool.count("Line"), 10);
    drop(clients);
    running.drain().unwrap();
}

#[test]
fn v2_a_port_of_several_threads_answers_while_all_of_them_are_in_handlers() {
    let (latch, entered) = Latch::new();
    let builder = Pool::builder::<Lines>("front").listen("127.0.0.1:0").threads(2).max_running(2);
    let handle = builder.handle();
    let opened = Arc::clone(&latch);
    let running = builder.handler(move |_| Client(Arc::clone(&latch))).start().unwrap();
    let mut clients = Peer::many(&running, 4);
    for client in &mut clients {
        client.ask("hello");
    }
    for client in &mut clients[..2] {
        client.send(b"block\n");
        entered.recv().unwrap();
    }
    let pool = handle.snapshot(WITHIN);
    assert_eq!((pool.unanswered().count(), pool.count("Line"), pool.tasks.len()), (0, 4, 4));
    let runs = |task: &fsm_runtime::TaskSnapshot| task.to_string() == "Line: runs";
    assert_eq!(pool.tasks.iter().filter(|task| runs(task)).count(), 2, "{:#?}", pool.tasks);
    let names = pool.ports[0].threads.iter().map(|thread| &thread.name[..]);
    assert_eq!(names.collect::<Vec<_>>(), ["front/0", "front/1"]);
    assert!(pool.ports[0].threads.iter().all(|thread| thread.running.is_some()));
    opened.open();
    drop(clients);
    running.drain().unwrap();
}

#[test]
fn v2_a_pool_that_drains_is_seen_until_it_has_ended() {
    let (latch, _entered) = Latch::new();
    let builder = Pool::builder::<Lines>("front").listen("127.0.0.1:0");
    let handle = builder.handle();
    let running = builder.handler(move |_| Client(Arc::clone(&latch))).start().unwrap();
    let mut clients = Peer::many(&running, 3);
    for client in &mut clients {
        client.ask("hello");
    }
    clients[1].ask("body");
    handle.drain();
    // The counts are read after the walk, and others may have left meanwhile.
    let left = |pool: &PoolSnapshot| pool.stats.open == 1 && pool.tasks.len() == 1;
    let pool = until(|| handle.snapshot(WITHIN), left);
    assert_eq!((pool.phase, pool.count("Body")), (PoolPhase::Drains, 1));
    assert_eq!(peers(&pool), [clients[1].address()]);
    clients[1].send(b"1234");
    assert_eq!(running.join().unwrap().drained, 3);
    assert!(handle.snapshot(WITHIN).tasks.is_empty());
}

#[test]
fn v4_output_that_the_peer_does_not_take_is_told() {
    /// Sends more than any socket takes.
    #[state_machine(start = Flood)]
    enum Floods {
        #[run]
        #[to(Leaving)]
        Flood,
        #[flush(within = 60s => Gone)]
        #[to(Gone)]
        Leaving,
        #[end]
        Gone,
    }
    struct Flooder;
    impl floods::Handler for Flooder {
        fn flood(&mut self, cx: &mut Cx<'_>) -> floods::AfterFlood {
            cx.write(&vec![0; 64 << 20]);
            floods::AfterFlood::Leaving
        }
    }
    let builder = Pool::builder::<Floods>("flood").listen("127.0.0.1:0");
    let handle = builder.handle();
    let running = builder.handler(|_| Flooder).start().unwrap();
    let _client = Peer::new(&running);
    let pool = until(|| handle.snapshot(WITHIN), |pool| pool.count("Leaving") == 1);
    let task = &pool.tasks[0];
    assert!(task.unsent > 1 << 20, "{task:?}");
    let (start, end) = (": waits for flush; ", format!("; {} bytes unsent", task.unsent));
    let text = task.to_string();
    assert!(text.starts_with("Leaving ") && text.contains(start) && text.ends_with(&end), "{text}");
    drop(running);
}
