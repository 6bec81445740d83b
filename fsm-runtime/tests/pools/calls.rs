//! Calls from connections to other pools.

use super::*;

#[test]
fn a_job_is_done_in_another_pool_and_its_reply_comes_back() {
    let upper = Pool::workers::<Upper>("upper", 2, |text: String| text.to_uppercase());
    let running = Pipeline::new().pool(front()).pool(upper).start().unwrap();
    let mut clients: Vec<_> = (0..20).map(|_| connect(&running)).collect();
    for round in 0..50 {
        for (number, client) in clients.iter_mut().enumerate() {
            writeln!(client, "hello {round} {number}").unwrap();
        }
        for (number, client) in clients.iter_mut().enumerate() {
            assert_eq!(line(client), format!("HELLO {round} {number}"));
        }
    }
    drop(clients);
    let stats = running.drain().unwrap();
    assert_eq!((stats.offered, stats.taken, stats.open), (1_000, 1_000, 0));
}

#[test]
fn l12_x8_a_job_that_panics_takes_the_gone_edge_and_affects_no_other() {
    let upper = Pool::workers::<Upper>("upper", 1, |text: String| {
        assert_ne!(text, "bad");
        text.to_uppercase()
    });
    let running = Pipeline::new().pool(front()).pool(upper).start().unwrap();
    let mut client = connect(&running);
    for (text, answer) in [("good", "GOOD"), ("bad", "failed"), ("fine", "FINE")] {
        writeln!(client, "{text}").unwrap();
        assert_eq!(line(&mut client), answer);
    }
    drop(client);
    assert_eq!(running.drain().unwrap().panicked, 1);
}

/// Refuses lines for which the other pool has no room.
#[state_machine(start = Line, eof => Gone, limit => Gone, gone => Gone)]
enum Shedding {
    #[read(until = b"\n", max = 80, idle = 60s => Gone)]
    #[to(Asking)]
    #[rest]
    Line,
    #[call(Upper, within = 20s => Gone, full => Full)]
    #[to(Line)]
    Asking,
    /// The other pool is full, and returned the job.
    #[run]
    #[to(Line)]
    Full {
        #[job]
        job: String,
    },
    #[end]
    Gone,
}

impl shedding::Handler for Client {
    fn line(&mut self, line: &[u8], _: &mut Cx<'_>) -> shedding::AfterLine {
        shedding::AfterLine::Asking { job: String::from_utf8_lossy(line).into_owned() }
    }

    fn asking(&mut self, reply: String, cx: &mut Cx<'_>) -> shedding::AfterAsking {
        writeln!(cx, "{reply}");
        shedding::AfterAsking::Line
    }

    fn full(&mut self, job: &mut String, cx: &mut Cx<'_>) -> shedding::AfterFull {
        writeln!(cx, "no room for {job}");
        shedding::AfterFull::Line
    }
}

/// Like `Front`, but calls the job machine, and with a deadline that a test can wait for.
#[state_machine(start = Line, eof => Gone, limit => Gone, gone => Gone)]
enum Caller {
    #[read(until = b"\n", max = 80, idle = 60s => Gone)]
    #[to(Asking | Hurry)]
    #[rest]
    Line,
    #[call(Upcase, within = 20s => Gone)]
    #[to(Line)]
    Asking,
    #[call(Upcase, within = 100ms => Late)]
    #[to(Line)]
    Hurry,
    #[run]
    #[to(Line)]
    Late,
    #[end]
    Gone,
}

impl caller::Handler for Client {
    fn line(&mut self, line: &[u8], _: &mut Cx<'_>) -> caller::AfterLine {
        let job = String::from_utf8_lossy(line).into_owned();
        if line.starts_with(b"hurry") {
            caller::AfterLine::Hurry { job }
        } else {
            caller::AfterLine::Asking { job }
        }
    }

    fn asking(&mut self, reply: String, cx: &mut Cx<'_>) -> caller::AfterAsking {
        writeln!(cx, "{reply}");
        caller::AfterAsking::Line
    }

    fn hurry(&mut self, reply: String, cx: &mut Cx<'_>) -> caller::AfterHurry {
        writeln!(cx, "{reply}");
        caller::AfterHurry::Line
    }

    fn late(&mut self, cx: &mut Cx<'_>) -> caller::AfterLate {
        writeln!(cx, "late");
        caller::AfterLate::Line
    }
}

#[test]
fn x7_a_full_pool_is_an_event_that_gives_the_job_back() {
    let latch = Arc::<Latch>::default();
    let (sender, begun) = mpsc::channel();
    let worker = {
        let latch = Arc::clone(&latch);
        move |text: String| {
            sender.send(()).unwrap();
            latch.wait();
            text.to_uppercase()
        }
    };
    let shedding = Pool::builder::<Shedding>("shedding").listen("127.0.0.1:0").handler(|_| Client);
    // `Pool::workers` has room for 1,024 jobs, of which one runs.
    let upper = Pool::workers::<Upper>("upper", 1, worker);
    let running = Pipeline::new().pool(shedding).pool(upper).start().unwrap();
    let mut clients: Vec<_> = (0..1_025).map(|_| connect(&running)).collect();
    for client in &mut clients[..1_024] {
        writeln!(client, "a").unwrap();
    }
    begun.recv().unwrap();
    while running.stats().taken < 1_024 {
        std::thread::yield_now();
    }
    writeln!(clients[1_024], "b").unwrap();
    assert_eq!(line(&mut clients[1_024]), "no room for b");
    latch.open();
    for client in &mut clients[..1_024] {
        assert_eq!(line(client), "A");
    }
    writeln!(clients[1_024], "b").unwrap();
    assert_eq!(line(&mut clients[1_024]), "B");
    drop(clients);
    let stats = running.drain().unwrap();
    assert_eq!((stats.offered, stats.taken, stats.refused), (1_026, 1_025, 1));
}

#[test]
fn x7_without_a_full_edge_a_caller_waits_for_room_within_its_deadline() {
    let latch = Arc::<Latch>::default();
    let caller = Pool::builder::<Caller>("caller").listen("127.0.0.1:0").handler(|_| Client);
    let pipeline = Pipeline::new().pool(caller).pool(Upcase::pool(&latch, 1));
    let running = pipeline.start().unwrap();
    let mut clients: Vec<_> = (0..4).map(|_| connect(&running)).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        writeln!(client, "a{number}").unwrap();
        // Wait, so that the next call comes later.
        while running.stats().offered <= number as u64 {
            std::thread::yield_now();
        }
    }
    assert_eq!(running.stats().waiting, 3);
    let mut hasty = connect(&running);
    writeln!(hasty, "hurry").unwrap();
    assert_eq!(line(&mut hasty), "late");
    // A caller that leaves the queue does not hold up the others.
    drop(clients.remove(2));
    latch.open();
    for (number, client) in [0, 1, 3].into_iter().zip(&mut clients) {
        assert_eq!(line(client), format!("A{number}"));
    }
    drop((clients, hasty));
    let stats = running.drain().unwrap();
    assert_eq!(stats.offered, stats.taken + stats.refused + stats.abandoned);
    assert_eq!(stats.waiting, 0);
    assert!(stats.abandoned >= 1);
}

#[test]
fn l12_x7_a_late_reply_is_dropped() {
    let latch = Arc::<Latch>::default();
    let caller = Pool::builder::<Caller>("caller").listen("127.0.0.1:0").handler(|_| Client);
    let running = Pipeline::new().pool(caller).pool(Upcase::pool(&latch, 10)).start().unwrap();
    let mut client = connect(&running);
    writeln!(client, "hurry").unwrap();
    assert_eq!(line(&mut client), "late");
    // The first job still runs and takes a permit. Its reply must not reach the second call.
    writeln!(client, "second").unwrap();
    while running.stats().taken < 2 {
        std::thread::yield_now();
    }
    latch.open();
    assert_eq!(line(&mut client), "SECOND");
    drop(client);
    running.drain().unwrap();
}

#[test]
fn a_worker_that_cannot_start_is_an_error_and_nothing_hangs() {
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&tries);
    let broken = Pool::builder::<Upcase>("upcase").threads(3).try_worker(move || {
        if counted.fetch_add(1, Ordering::Relaxed) == 1 {
            return Err("no database");
        }
        Ok(Worker(Arc::default()))
    });
    let caller = Pool::builder::<Caller>("caller").listen("127.0.0.1:0").handler(|_| Client);
    let error = Pipeline::new().pool(caller).pool(broken).start().unwrap_err();
    assert_eq!(error.to_string(), "the pool `upcase` cannot make a handler: no database");
}
