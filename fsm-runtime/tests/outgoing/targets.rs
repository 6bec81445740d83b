use super::*;

const SOON: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(1)..=Duration::from_millis(20);

#[test]
fn c3_without_a_target_jobs_are_gone_at_once_and_one_probe_brings_them_back() {
    let address = unused_port();
    let (running, jobs) = start(asking(address).retry(SOON));
    assert_eq!(ask(&jobs, "one"), None);
    until("it is known that there is none", || jobs.stats().connect_failures > 0);
    let begun = Instant::now();
    for _ in 0..100 {
        assert_eq!(ask(&jobs, "two"), None);
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "each is gone at once");
    let failures = jobs.stats().connect_failures;
    until("it tries again", || jobs.stats().connect_failures > failures + 2);

    let server = Server::on(TcpListener::bind(address).unwrap(), |line| Some(line.to_owned()));
    until("it is back", || ask(&jobs, "three") == Some(Ok("three".to_owned())));
    assert_eq!(ask(&jobs, "four"), Some(Ok("four".to_owned())));
    assert!(server.accepted() >= 1);
    running.drain().unwrap();
}

#[test]
fn c3_a_target_that_refuses_is_left_to_the_others() {
    let server = Server::start(|line| Some(line.to_owned()));
    let builder = asking(unused_port()).connect(server.address.to_string());
    let (running, jobs) = start(builder.connections(0..=2));
    for number in 0..50 {
        let number = number.to_string();
        assert_eq!(ask(&jobs, &number), Some(Ok(number)));
    }
    running.drain().unwrap();
}

#[test]
fn c3_a_target_that_accepts_and_closes_backs_off() {
    let closing = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closing.local_addr().unwrap();
    let accepted = Arc::<AtomicUsize>::default();
    let counter = Arc::clone(&accepted);
    thread::spawn(move || {
        for stream in closing.incoming() {
            drop(stream);
            counter.fetch_add(1, Ordering::SeqCst);
        }
    });
    let retry = Duration::from_secs(5)..=Duration::from_secs(60);
    let (running, jobs) = start(asking(address).retry(retry));
    // The connection may take the first job before it sees the end.
    for _ in 0..200 {
        assert!(matches!(ask(&jobs, "x"), None | Some(Err(Lost))));
    }
    assert!(accepted.load(Ordering::SeqCst) < 20, "{accepted:?} connections for nothing");
    running.drain().unwrap();
}

/// A client of a server that greets first.
#[state_machine(start = Greeting, job = String, reply = Result<String, Lost>, eof => Cut, limit => Cut)]
enum Greeted {
    #[read(until = b"\n", max = 1KiB, within = 100ms => Gone, eof => Gone, limit => Gone)]
    #[to(Free)]
    Greeting,
    #[job(idle = 60s => Gone, eof => Gone)]
    #[to(Answer)]
    #[rest]
    Free,
    #[read(until = b"\n", max = 1KiB, within = 100ms => Cut)]
    #[to(Free)]
    Answer,
    #[run]
    #[to(Gone)]
    Cut,
    #[end]
    Gone,
}

impl greeted::Handler for Client {
    fn greeting(&mut self, _: &[u8], _: &mut Cx<'_>) -> greeted::AfterGreeting {
        greeted::AfterGreeting::Free
    }

    fn free(&mut self, job: String, cx: &mut Cx<'_>) -> greeted::AfterFree {
        writeln!(cx, "{job}");
        greeted::AfterFree::Answer
    }

    fn answer(&mut self, line: &[u8], _: &mut Cx<'_>) -> greeted::AfterAnswer {
        greeted::AfterAnswer::Free { reply: Ok(String::from_utf8_lossy(line).into_owned()) }
    }

    fn cut(&mut self, _: &mut Cx<'_>) -> greeted::AfterCut {
        greeted::AfterCut::Gone { reply: Err(Lost) }
    }
}

/// However long the machine waits for it, compared with `retry`.
#[test]
fn c3_a_target_that_accepts_and_says_nothing_has_failed() {
    let listen = |greeting: &'static [u8]| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let mut open = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                stream.write_all(greeting).unwrap();
                open.push(stream);
            }
        });
        address
    };
    // The first says nothing at all, the second greets and then is silent.
    for target in [listen(b""), listen(b"hello\n")] {
        let pool = Pool::builder::<Greeted>("greeted").connect(target.to_string());
        let pool = pool.retry(Duration::from_millis(1)..=Duration::from_millis(50));
        let pool = pool.handler(|_server| Client);
        let jobs = pool.submitter::<Greeted>().unwrap();
        let running = pool.start().unwrap();
        // A job may find that out. Others are gone at once, while the target is left alone.
        let gone = (0..100).any(|_| {
            let job = jobs.submit("x".to_owned()).unwrap();
            let reply = job.wait_for(Duration::from_secs(20)).expect("it is lost or gone");
            assert!(matches!(reply, None | Some(Err(Lost))));
            reply.is_none()
        });
        assert!(gone, "each job had a connection");
        running.drain().unwrap();
    }
}

#[test]
fn c4_names_and_unix_sockets_are_connected_to() {
    let server = Server::start(|line| Some(line.to_owned()));
    let (running, jobs) = start(asking(format!("localhost:{}", server.address.port())));
    assert_eq!(ask(&jobs, "by name"), Some(Ok("by name".to_owned())));
    running.drain().unwrap();

    let (running, jobs) = start(asking("no.such.host.invalid:80").retry(SOON));
    assert_eq!(ask(&jobs, "nobody"), None);
    assert!(jobs.stats().connect_failures > 0);
    running.drain().unwrap();
}

#[cfg(unix)]
#[test]
fn c4_a_unix_socket_is_a_target() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(&stream).lines();
        let line = lines.next().unwrap().unwrap();
        writeln!(&mut &stream, "{line}").unwrap();
    });
    let (running, jobs) = start(asking(format!("unix:{}", path.display())));
    assert_eq!(ask(&jobs, "by path"), Some(Ok("by path".to_owned())));
    running.drain().unwrap();
}

#[test]
fn a_pool_without_a_place_to_connect_to_does_not_start() {
    for (builder, reason) in [
        (asking("nowhere"), "the port is missing"),
        (
            Pool::builder::<Asking>("asking"),
            "`asking` answer jobs, so it opens them itself: it has no target; add `connect(..)`",
        ),
        (asking("127.0.0.1:80").listen("127.0.0.1:0"), "it cannot listen; remove `listen(..)`"),
    ] {
        let error = builder.handler(|_| Client).start().unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
    for (least, most, reason) in [(0, 0, "it is 0"), (5, 4, "it is 5, and must be from 0 to 4")] {
        let pool = asking("127.0.0.1:80").connections(least..=most).handler(|_| Client);
        let error = pool.start().unwrap_err().to_string();
        assert!(error.contains("`connections`") && error.contains(reason), "{error}");
    }
}

/// While one target is silent, another one that works again is tried.
#[cfg(target_os = "linux")]
#[test]
fn c3_a_silent_target_does_not_keep_another_one_from_being_probed() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    rustix::net::listen(&silent, 0).unwrap();
    let full = TcpStream::connect(silent.local_addr().unwrap()).unwrap();
    let back = unused_port();
    let builder = asking(silent.local_addr().unwrap())
        .connect(back.to_string())
        .connect_within(Duration::from_secs(2))
        .retry(SOON);
    let handle = builder.handle();
    let (running, jobs) = start(builder);
    let _ = ask(&jobs, "one");
    // Both have failed, and the silent one is probed.
    until("both have failed", || ask(&jobs, "two").is_none());
    let before = handle.stats().connect_failures;
    thread::sleep(Duration::from_millis(1500));
    let failures = handle.stats().connect_failures - before;
    assert!(failures > 10, "the other one is probed meanwhile: {failures}");
    let server = Server::on(TcpListener::bind(back).unwrap(), |line| Some(line.to_owned()));
    until("it is back", || ask(&jobs, "three") == Some(Ok("three".to_owned())));
    assert!(server.accepted() >= 1);
    drop(full);
    running.drain().unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn c3_one_job_knocks_once_where_nobody_answers() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    rustix::net::listen(&silent, 0).unwrap();
    let full = TcpStream::connect(silent.local_addr().unwrap()).unwrap();
    let builder = asking(silent.local_addr().unwrap()).connect_within(Duration::from_secs(2));
    let (running, jobs) = start(builder);
    assert_eq!(ask(&jobs, "one"), None, "the only attempt has ended");
    assert_eq!(jobs.stats().connect_failures, 1);
    drop(full);
    running.drain().unwrap();
}

#[test]
fn c2_an_adopted_connection_answers_jobs() {
    let server = Server::start(|line| Some(line.to_owned()));
    let builder = asking(unused_port()).retry(SOON);
    let handle = builder.handle();
    let (running, jobs) = start(builder);
    assert_eq!(ask(&jobs, "one"), None);
    let stream = TcpStream::connect(server.address).unwrap();
    handle.adopt(stream, ()).unwrap();
    until("it answers", || ask(&jobs, "two") == Some(Ok("two".to_owned())));
    assert_eq!(ask(&jobs, "three"), Some(Ok("three".to_owned())));
    running.drain().unwrap();
}
