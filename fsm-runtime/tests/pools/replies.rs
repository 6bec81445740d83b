//! Jobs that connections give away, and whose replies arrive as messages.

use fsm_runtime::Stats;
use fsm_runtime::sim::{Session, StubPool};

use super::*;

/// Gives each line away, and says the replies when they arrive.
#[state_machine(start = Line, message = Answer, eof => Gone, limit => Gone)]
enum Asker {
    #[read(until = b"\n", max = 80, idle = 60s => Gone)]
    #[message]
    #[to(Line | Deaf)]
    #[rest]
    Line,
    /// Takes no messages.
    #[read(until = b"\n", max = 80, idle = 60s => Gone)]
    #[to(Line | Deaf)]
    Deaf,
    #[end]
    Gone,
}

struct Answer(Option<String>);

struct Asks {
    uppers: Submitter<Upcase>,
}

impl Asks {
    fn ask(&self, line: &[u8], cx: &mut Cx<'_, Answer>) {
        let job = String::from_utf8_lossy(line).into_owned();
        let asked = if job == "ruin" {
            cx.submit(&self.uppers, job, |_| panic!("this function is broken"))
        } else {
            cx.submit(&self.uppers, job, Answer)
        };
        match asked {
            Ok(()) => writeln!(cx, "asked"),
            Err(TrySendError::Full(job)) => writeln!(cx, "full: {job}"),
            Err(TrySendError::Gone(job)) => writeln!(cx, "gone: {job}"),
        }
    }
}

impl asker::Handler for Asks {
    fn line(&mut self, line: &[u8], cx: &mut Cx<'_, Answer>) -> asker::AfterLine {
        if line == b"deaf" {
            return asker::AfterLine::Deaf;
        }
        self.ask(line, cx);
        asker::AfterLine::Line
    }

    fn line_message(&mut self, Answer(text): Answer, cx: &mut Cx<'_, Answer>) -> asker::AfterLine {
        writeln!(cx, "{}", text.as_deref().unwrap_or("failed"));
        asker::AfterLine::Line
    }

    fn deaf(&mut self, line: &[u8], cx: &mut Cx<'_, Answer>) -> asker::AfterDeaf {
        if line == b"listen" {
            return asker::AfterDeaf::Line;
        }
        self.ask(line, cx);
        asker::AfterDeaf::Deaf
    }
}

/// A server of lines on this pool.
fn serve(upcase: Pool) -> Running {
    let uppers = upcase.submitter::<Upcase>().unwrap();
    let asker = Pool::builder::<Asker>("asker").listen("127.0.0.1:0");
    let asker = asker.handler(move |_| Asks { uppers: uppers.clone() });
    Pipeline::new().pool(asker).pool(upcase).start().unwrap()
}

fn workers(work: impl Fn(&str) + Send + Sync + Clone + 'static) -> Pool {
    Pool::workers::<Upcase>("upcase", 2, move |text: String| {
        work(&text);
        text.to_uppercase()
    })
}

fn until(running: &Running, is_so: impl Fn(&Stats) -> bool) {
    while !is_so(&running.stats()) {
        std::thread::yield_now();
    }
}

#[test]
fn l12_w8_each_job_has_its_reply_as_a_message_while_the_connection_reads_on() {
    let running = serve(workers(|_| {}));
    let mut clients: Vec<_> = (0..10).map(|_| connect(&running)).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        for round in 0..50 {
            writeln!(client, "a{number} {round}").unwrap();
        }
    }
    for (number, client) in clients.iter_mut().enumerate() {
        let mut lines: Vec<_> = (0..100).map(|_| line(client)).collect();
        lines.sort();
        let mut expected: Vec<_> = (0..50).map(|round| format!("A{number} {round}")).collect();
        expected.extend((0..50).map(|_| "asked".to_owned()));
        expected.sort();
        assert_eq!(lines, expected);
    }
    drop(clients);
    let stats = running.drain().unwrap();
    assert_eq!((stats.offered, stats.taken, stats.open), (500, 500, 0));
}

#[test]
fn l12_x8_a_job_that_panics_is_a_message_without_a_reply() {
    let running = serve(workers(|text| assert_ne!(text, "bad")));
    let mut client = connect(&running);
    for (text, answer) in [("good", "GOOD"), ("bad", "failed"), ("fine", "FINE")] {
        writeln!(client, "{text}").unwrap();
        assert_eq!([line(&mut client), line(&mut client)], ["asked", answer]);
    }
    drop(client);
    assert_eq!(running.drain().unwrap().panicked, 1);
}

#[test]
fn x8_a_panic_in_the_making_of_a_message_ends_nothing() {
    let running = serve(workers(|_| {}));
    let mut client = connect(&running);
    for text in ["ruin", "good"] {
        writeln!(client, "{text}").unwrap();
        assert_eq!(line(&mut client), "asked");
    }
    assert_eq!(line(&mut client), "GOOD");
    drop(client);
    let stats = running.drain().unwrap();
    assert_eq!((stats.panicked, stats.taken), (0, 2));
}

#[test]
fn x7_a_full_pool_gives_the_job_back_and_a_closed_one_too() {
    let latch = Arc::<Latch>::default();
    let builder = Pool::builder::<Upcase>("upcase").max_jobs(2);
    let handle = builder.handle();
    let upcase = {
        let latch = Arc::clone(&latch);
        builder.worker(move || Worker(Arc::clone(&latch)))
    };
    let running = serve(upcase);
    let mut client = connect(&running);
    for (text, answer) in [("one", "asked"), ("two", "asked"), ("three", "full: three")] {
        writeln!(client, "{text}").unwrap();
        assert_eq!(line(&mut client), answer);
    }
    while latch.arrivals() < 1 {
        std::thread::yield_now();
    }
    handle.close();
    writeln!(client, "four").unwrap();
    assert_eq!(line(&mut client), "gone: four");
    latch.open();
    // The first job runs to its end; the second one has not begun.
    let mut replies = [line(&mut client), line(&mut client)];
    replies.sort();
    assert_eq!(replies, ["ONE", "failed"]);
}

#[test]
fn x5_a_late_reply_reaches_no_other_connection() {
    let latch = Arc::<Latch>::default();
    let running = serve(Upcase::pool(&latch, 10));
    let mut first = connect(&running);
    writeln!(first, "first").unwrap();
    assert_eq!(line(&mut first), "asked");
    drop(first);
    // The job still runs. The next connection takes the place of the one that has ended.
    until(&running, |stats| stats.done == 1);
    let mut second = connect(&running);
    writeln!(second, "second").unwrap();
    assert_eq!(line(&mut second), "asked");
    latch.open();
    assert_eq!(line(&mut second), "SECOND");
    writeln!(second, "third").unwrap();
    assert_eq!([line(&mut second), line(&mut second)], ["asked", "THIRD"]);
    drop(second);
    running.drain().unwrap();
}

#[test]
fn x7_replies_are_not_lost_in_a_full_mailbox_and_are_bounded_by_it() {
    let upcase = StubPool::<Upcase>::new();
    let mut peer = Session::<Asker, _>::new(Asks { uppers: upcase.submitter() });
    peer.send(b"deaf\na\nb\n");
    while peer.post(Answer(Some("news".to_owned()))).is_ok() {}
    assert_eq!(peer.receive(), b"asked\nasked\n");
    assert_eq!(upcase.job().zip(upcase.job()), Some(("a".to_owned(), "b".to_owned())));
    upcase.reply("A".to_owned());
    upcase.reply("B".to_owned());
    peer.send(b"c\nlisten\n");
    let text = String::from_utf8(peer.receive().into()).unwrap();
    let (refused, messages) = text.split_once('\n').unwrap();
    assert_eq!(refused, "full: c");
    assert_eq!(messages, format!("{}A\nB\n", "news\n".repeat(1024)));
}

#[test]
fn l12_a_session_plays_the_end_of_jobs_and_of_their_pool() {
    let upcase = StubPool::<Upcase>::new();
    let mut peer = Session::<Asker, _>::new(Asks { uppers: upcase.submitter() });
    upcase.room(2);
    peer.send(b"a\nb\nc\n");
    assert_eq!(peer.receive(), b"asked\nasked\nfull: c\n");
    // In the order in which the jobs end; time passes and other things happen meanwhile.
    upcase.job();
    upcase.fail();
    peer.advance(Duration::from_secs(1));
    upcase.job();
    upcase.reply("B".to_owned());
    assert_eq!(peer.receive(), b"failed\nB\n");
    peer.send(b"d\n");
    upcase.close();
    assert_eq!(peer.receive(), b"asked\nfailed\n");
    peer.send(b"e\n");
    assert_eq!(peer.receive(), b"gone: e\n");
    // After the end of the connection replies are dropped.
    let upcase = StubPool::<Upcase>::new();
    let mut peer = Session::<Asker, _>::new(Asks { uppers: upcase.submitter() });
    peer.send(b"a\n");
    peer.end();
    assert_eq!(peer.state(), None);
    upcase.job();
    upcase.reply("A".to_owned());
    assert_eq!(peer.receive(), b"asked\n");
}

#[test]
fn x11_a_drain_waits_for_replies_that_are_awaited_and_no_longer() {
    let upcase = StubPool::<Upcase>::new();
    let mut peer = Session::<Asker, _>::new(Asks { uppers: upcase.submitter() });
    peer.send(b"a\nruin\n");
    peer.drain();
    upcase.job();
    upcase.reply("A".to_owned());
    assert_eq!(peer.receive(), b"asked\nasked\nA\n");
    assert_eq!(peer.ended(), None);
    // Of this reply no message is made.
    upcase.job();
    upcase.reply("RUIN".to_owned());
    peer.advance(Duration::ZERO);
    assert_eq!(peer.ended(), Some(Ended::Drained));

    let mut peer = Session::<Asker, _>::new(Asks { uppers: upcase.submitter() });
    peer.send(b"\n");
    upcase.job();
    upcase.reply(String::new());
    peer.drain();
    assert_eq!(peer.ended(), Some(Ended::Drained), "it awaits none");
}

#[test]
fn x11_a_drain_ends_when_the_last_reply_has_come_or_was_lost() {
    for (text, answers) in [("late", "LATE\n"), ("ruin", "")] {
        let latch = Arc::<Latch>::default();
        let upcase = Upcase::pool(&latch, 10);
        let uppers = upcase.submitter::<Upcase>().unwrap();
        let asker = Pool::builder::<Asker>("asker").listen("127.0.0.1:0");
        let handle = asker.handle();
        let asker = asker.handler(move |_| Asks { uppers: uppers.clone() });
        let running = Pipeline::new().pool(asker).pool(upcase).start().unwrap();
        let mut client = connect(&running);
        writeln!(client, "{text}").unwrap();
        assert_eq!(line(&mut client), "asked");
        handle.drain();
        latch.open();
        let mut received = String::new();
        client.read_to_string(&mut received).unwrap();
        assert_eq!(received, answers);
        assert_eq!(running.drain().unwrap().drained, 1);
    }
}

#[test]
fn a_session_takes_the_replies_of_a_pool_with_threads() {
    let upcase = workers(|_| {});
    let uppers = upcase.submitter::<Upcase>().unwrap();
    let running = upcase.start().unwrap();
    let mut peer = Session::<Asker, _>::new(Asks { uppers });
    peer.send(b"hello\n");
    let mut received = Vec::new();
    while !received.ends_with(b"HELLO\n") {
        std::thread::yield_now();
        received.extend(peer.receive());
    }
    assert_eq!(received, b"asked\nHELLO\n");
    running.drain().unwrap();
}
