use super::*;

/// Answers lines, and has nothing to say at the end.
#[state_machine(start = Line, eof => Gone, limit => Gone)]
enum Plain {
    #[read(until = b"\n", max = 80, idle = 5min => Gone)]
    #[to(Line)]
    #[rest]
    Line,
    #[end]
    Gone,
}

/// Asks the peer whether it agrees, and takes its time.
#[state_machine(start = Line, eof => Gone, limit => Gone)]
enum Polite {
    #[read(until = b"\n", max = 80, idle = 5min => Gone)]
    #[to(Line)]
    #[rest(drain => Last)]
    Line,
    #[run]
    #[to(Agreed)]
    Last,
    #[read(until = b"\n", max = 80, within = 1min => Gone)]
    #[to(Line)]
    Agreed,
    #[end]
    Gone,
}

struct Echo;

impl plain::Handler for Echo {
    fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> plain::AfterLine {
        cx.write(line);
        cx.write(b"\n");
        plain::AfterLine::Line
    }
}

impl polite::Handler for Echo {
    fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> polite::AfterLine {
        cx.write(line);
        cx.write(b"\n");
        polite::AfterLine::Line
    }

    fn last(&mut self, cx: &mut Cx<'_>) -> polite::AfterLast {
        cx.write(b"may I?\n");
        polite::AfterLast::Agreed
    }

    fn agreed(&mut self, _: &[u8], cx: &mut Cx<'_>) -> polite::AfterAgreed {
        cx.write(b"thanks\n");
        polite::AfterAgreed::Line
    }
}

#[test]
fn v11_without_a_farewell_the_stream_ends() {
    let pool = Pool::builder::<Plain>("plain").listen("127.0.0.1:0");
    let running = pool.max_connections(1).shed_at_rest().handler(|_| Echo).start().unwrap();
    let first = Peer::served(&running);
    Peer::new(&running).ask("hello");
    assert_eq!(first.last_words(), "");
    assert_eq!((running.stats().shed, running.stats().drained), (1, 0));
}

#[test]
fn v11_a_farewell_that_takes_long_holds_up_no_newcomer_for_long() {
    let pool = Pool::builder::<Polite>("polite").listen("127.0.0.1:0");
    let running = pool.max_connections(2).shed_at_rest().handler(|_| Echo).start().unwrap();
    let [mut first, mut second] = [(); 2].map(|()| Peer::served(&running));
    let mut newcomer = Peer::new(&running);
    newcomer.send("hello\n");
    assert_eq!(first.line(), "may I?\n");
    // It does not answer, so another one is asked.
    assert_eq!(second.line(), "may I?\n");
    second.send("yes\n");
    // It comes to rest again, and is closed.
    assert_eq!(second.last_words(), "thanks\n");
    assert_eq!(newcomer.line(), "hello\n");
    first.send("yes\n");
    assert_eq!(first.last_words(), "thanks\n");
    drop(newcomer);
    let stats = running.drain().unwrap();
    assert_eq!((stats.shed, stats.ended()), (2, 3));
}

#[test]
fn v11_a_peer_that_does_not_notice_holds_up_nobody() {
    let pool = pool(1).linger(Duration::from_secs(60));
    let running = start(pool);
    let silent = Peer::served(&running);
    let started = Instant::now();
    Peer::new(&running).ask("hello");
    let took = started.elapsed();
    assert!(took < Duration::from_secs(20), "it took {took:?}");
    assert_eq!(silent.last_words(), "bye\n");
}
