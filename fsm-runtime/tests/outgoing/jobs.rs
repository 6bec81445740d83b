use super::*;

#[test]
fn c1_c3_jobs_are_answered_by_as_few_connections_as_do() {
    let server = Server::start(|line| Some(format!("{line}!")));
    let (running, jobs) = start(asking(server.address));
    assert_eq!(server.accepted(), 0, "none is needed yet");
    for number in 0..100 {
        assert_eq!(ask(&jobs, &number.to_string()), Some(Ok(format!("{number}!"))));
    }
    assert_eq!(server.accepted(), 1);
    let stats = jobs.stats();
    assert_eq!((stats.offered, stats.taken, stats.open), (100, 100, 1));
    let stats = running.drain().unwrap();
    assert_eq!((stats.open, stats.drained), (0, 1));
}

#[test]
fn c3_connections_are_opened_while_jobs_wait_up_to_the_most() {
    let (open, gate) = mpsc::channel::<()>();
    let gate = std::sync::Mutex::new(gate);
    let arrived = Arc::<AtomicUsize>::default();
    let counter = Arc::clone(&arrived);
    let server = Server::start(move |line| {
        counter.fetch_add(1, Ordering::SeqCst);
        let _ = gate.lock().unwrap().recv();
        Some(line.to_owned())
    });
    let (running, jobs) = start(asking(server.address).connections(0..=3).max_jobs(5));
    let handles: Vec<_> = (0..5).map(|n| jobs.submit(format!("{n}")).unwrap()).collect();
    assert!(matches!(jobs.submit("6".to_owned()), Err(TrySendError::Full(_))));
    until("three have asked", || arrived.load(Ordering::SeqCst) == 3);
    assert_eq!(server.accepted(), 3);
    for _ in 0..5 {
        open.send(()).unwrap();
    }
    let replies: Vec<_> = handles.into_iter().map(|job| job.wait().unwrap().unwrap()).collect();
    assert_eq!(replies, ["0", "1", "2", "3", "4"]);
    assert_eq!(server.accepted(), 3);
    running.drain().unwrap();
}

#[test]
fn c1_a_connection_that_breaks_replies_that_nobody_knows_and_others_go_on() {
    let server = Server::start(|line| (line != "break").then(|| line.to_owned()));
    let (running, jobs) = start(asking(server.address));
    for _ in 0..3 {
        assert_eq!(ask(&jobs, "one"), Some(Ok("one".to_owned())));
        assert_eq!(ask(&jobs, "break"), Some(Err(Lost)));
        assert_eq!(ask(&jobs, "two"), Some(Ok("two".to_owned())));
    }
    running.drain().unwrap();
}

#[test]
fn c2_what_comes_unasked_ends_the_connection_and_meets_no_job() {
    let server = Server::start(|line| Some(format!("{line}\nunasked")));
    let (running, jobs) = start(asking(server.address));
    for number in 0..20 {
        let number = number.to_string();
        assert_eq!(ask(&jobs, &number), Some(Ok(number)));
    }
    // The end of each is seen before its next job.
    assert_eq!(server.accepted(), 20);
    running.drain().unwrap();
}

#[test]
fn x11_a_drain_answers_the_jobs_that_wait_and_closes_free_connections() {
    let (open, gate) = mpsc::channel::<()>();
    let gate = std::sync::Mutex::new(gate);
    let server = Server::start(move |line| {
        let _ = gate.lock().unwrap().recv();
        Some(line.to_owned())
    });
    let builder = asking(server.address).connections(0..=1);
    let handle = builder.handle();
    let (running, jobs) = start(builder);
    let handles: Vec<_> = (0..3).map(|n| jobs.submit(format!("{n}")).unwrap()).collect();
    handle.drain();
    assert!(matches!(jobs.submit("late".to_owned()), Err(TrySendError::Gone(_))));
    drop(open);
    for (number, job) in handles.into_iter().enumerate() {
        assert_eq!(job.wait(), Some(Ok(number.to_string())));
    }
    assert_eq!(running.join().unwrap().open, 0);
}

#[test]
fn r5_a_close_lets_no_caller_wait() {
    let server = Server::start(|_| {
        thread::sleep(Duration::from_secs(60));
        None
    });
    let builder = asking(server.address).connections(0..=1);
    let handle = builder.handle();
    let (running, jobs) = start(builder);
    let handles: Vec<_> = (0..3).map(|n| jobs.submit(format!("{n}")).unwrap()).collect();
    until("it is connected", || server.accepted() == 1);
    handle.close();
    for job in handles {
        assert_eq!(job.wait(), None);
    }
    running.join().unwrap();
}

/// A front that asks the pool for each line of its clients.
#[state_machine(start = Line, eof => Gone, limit => Gone)]
enum Front {
    #[read(until = b"\n", max = 1KiB, idle = 60s => Gone)]
    #[to(Asked)]
    #[rest]
    Line,
    #[call(Asking, within = 20s => Gone, gone => Sorry)]
    #[to(Line)]
    Asked,
    #[run]
    #[to(Line)]
    Sorry,
    #[end]
    Gone,
}

struct Door;

impl front::Handler for Door {
    fn line(&mut self, line: &[u8], _: &mut Cx<'_>) -> front::AfterLine {
        front::AfterLine::Asked { job: String::from_utf8_lossy(line).into_owned() }
    }

    fn asked(&mut self, reply: Result<String, Lost>, cx: &mut Cx<'_>) -> front::AfterAsked {
        match reply {
            Ok(text) => writeln!(cx, "{text}"),
            Err(Lost) => writeln!(cx, "lost"),
        }
        front::AfterAsked::Line
    }

    fn sorry(&mut self, cx: &mut Cx<'_>) -> front::AfterSorry {
        cx.write(b"gone\n");
        front::AfterSorry::Line
    }
}

#[test]
fn c3_to_a_front_it_is_a_pool_like_any_other() {
    let server = Server::start(|line| Some(line.to_uppercase()));
    let front = Pool::builder::<Front>("front").listen("127.0.0.1:0").handler(|_| Door);
    let back = asking(server.address).connections(0..=4).handler(|_| Client);
    let pipeline = Pipeline::new().pool(front).pool(back);
    let picture = pipeline.to_string();
    assert!(picture.contains("call in Asked, waits for room -> asking"), "{picture}");
    assert!(picture.contains(&format!("connects to {}", server.address)), "{picture}");
    let running = pipeline.start().unwrap();
    let address = running.addresses()[0].to_string();
    thread::scope(|scope| {
        for client in 0..8 {
            let address = &address;
            scope.spawn(move || {
                let stream = TcpStream::connect(address).unwrap();
                let mut lines = BufReader::new(&stream).lines();
                for number in 0..50 {
                    writeln!(&mut &stream, "client {client} line {number}").unwrap();
                    let answer = lines.next().unwrap().unwrap();
                    assert_eq!(answer, format!("CLIENT {client} LINE {number}"));
                }
            });
        }
    });
    assert!(server.accepted() <= 4);
    running.drain().unwrap();
}

/// How many jobs the property below runs through; `FSM_JOBS` sets it.
fn jobs_to_run() -> usize {
    std::env::var("FSM_JOBS").map_or(3_000, |jobs| jobs.parse().unwrap())
}

/// Servers that answer, break, close in time and come late, in an order that depends on the job.
#[test]
fn c1_each_job_is_answered_with_its_own_answer_or_lost_or_gone_and_that_once() {
    let behave = |line: &str| {
        let number: u64 = line.parse().unwrap();
        match number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56 {
            0..=7 => None,
            8..=11 => Some(format!("{line}\nunasked")),
            12..=14 => {
                thread::sleep(Duration::from_millis(2));
                Some(line.to_owned())
            }
            15..=30 => Some(format!("{line} bye")),
            _ => Some(line.to_owned()),
        }
    };
    let servers = [Server::start(behave), Server::start(behave)];
    let builder = asking(servers[0].address).connect(servers[1].address.to_string());
    let builder =
        builder.connections(0..=8).retry(Duration::from_millis(1)..=Duration::from_millis(5));
    let (running, jobs) = start(builder.shards(2).max_jobs(64));
    let (mut answered, mut lost, mut gone) = (0, 0, 0);
    let mut pending = std::collections::VecDeque::new();
    let total = jobs_to_run();
    for number in 0..total {
        let job = jobs.submit_within(number.to_string(), Duration::from_secs(20)).unwrap();
        pending.push_back((number, job));
        while pending.len() > if number + 1 == total { 0 } else { 32 } {
            let (number, job) = pending.pop_front().unwrap();
            let reply = job.wait_for(Duration::from_secs(30));
            match reply.unwrap_or_else(|_| panic!("job {number} has no end")) {
                Some(Ok(answer)) => {
                    assert_eq!(answer.trim_end_matches(" bye"), number.to_string());
                    answered += 1;
                }
                Some(Err(Lost)) => lost += 1,
                None => gone += 1,
            }
        }
    }
    assert_eq!(answered + lost + gone, total);
    assert!(answered > total / 2 && lost > 0, "{answered} answered, {lost} lost, {gone} gone");
    let stats = jobs.stats();
    assert_eq!((stats.offered, stats.taken), (total as u64, total as u64));
    running.drain().unwrap();
}
