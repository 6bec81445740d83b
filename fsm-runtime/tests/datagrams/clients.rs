use std::sync::mpsc;

use fsm_runtime::sim::Session;
use fsm_runtime::{Ended, Submitter};

use super::server::{Flood, Server};
use super::*;

/// Asks a server, up to three times. A question begins with a number, which its answer has, too.
#[state_machine(start = Free, job = &'static str, reply = Result<String, TimedOut>)]
enum Asks {
    #[job(idle = 60s => Gone)]
    #[to(Answer)]
    #[rest]
    Free,
    #[read(datagram, max = 512, within = 200ms => Again)]
    #[to(Answer | Free)]
    Answer { asked: Asked },
    #[run]
    #[to(Answer | Gone)]
    Again {
        #[carry]
        asked: Asked,
    },
    #[end]
    Gone,
}

/// A question that has no answer yet.
#[derive(Clone, Copy)]
struct Asked {
    id: u8,
    question: &'static str,
    tries: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct TimedOut;

#[derive(Default)]
struct Asker {
    last_id: u8,
}

impl Asked {
    fn send(self, cx: &mut Cx<'_>) {
        cx.write(&[self.id]);
        cx.write(self.question.as_bytes());
    }
}

impl asks::Handler for Asker {
    fn free(&mut self, question: &'static str, cx: &mut Cx<'_>) -> asks::AfterFree {
        self.last_id += 1;
        let asked = Asked { id: self.last_id, question, tries: 1 };
        asked.send(cx);
        asks::AfterFree::Answer { asked }
    }

    fn answer(&mut self, asked: &mut Asked, datagram: &[u8], _: &mut Cx<'_>) -> asks::AfterAnswer {
        match datagram {
            [id, text @ ..] if *id == asked.id => {
                let reply = Ok(String::from_utf8_lossy(text).into_owned());
                asks::AfterAnswer::Free { reply }
            }
            // An answer to an earlier question.
            _ => asks::AfterAnswer::Answer,
        }
    }

    fn again(&mut self, asked: &mut Asked, cx: &mut Cx<'_>) -> asks::AfterAgain {
        if asked.tries == 3 {
            return asks::AfterAgain::Gone { reply: Err(TimedOut) };
        }
        asked.tries += 1;
        asked.send(cx);
        asks::AfterAgain::Answer { asked: *asked }
    }
}

fn asking(target: impl std::fmt::Display) -> Builder<Asks> {
    Pool::builder::<Asks>("asks").connect(format!("udp:{target}")).connections(0..=1)
}

fn start(builder: Builder<Asks>) -> (Running, Submitter<Asks>) {
    let pool = builder.handler(|_server| Asker::default());
    let jobs = pool.submitter::<Asks>().unwrap();
    (pool.start().unwrap(), jobs)
}

/// Waits for the reply: `None` if the job is gone.
fn reply(job: JobHandle<Result<String, TimedOut>>) -> Option<Result<String, TimedOut>> {
    job.wait_for(Duration::from_secs(20)).unwrap_or_else(|_| panic!("no reply"))
}

/// Asks until the target is not left alone any more, and the job is answered.
fn ask_until_answered(jobs: &Submitter<Asks>, question: &'static str) -> String {
    let answer = (0..10_000).find_map(|_| {
        std::thread::sleep(Duration::from_millis(1));
        reply(jobs.submit(question).ok()?)?.ok()
    });
    answer.expect("it is answered")
}

#[expect(clippy::unnecessary_wraps, reason = "it is what `reply` returns")]
fn ok(text: &str) -> Option<Result<String, TimedOut>> {
    Some(Ok(text.to_owned()))
}

#[test]
fn d6_each_connection_asks_from_a_port_of_its_own_and_hears_its_server_alone() {
    let server = Server::new();
    let (running, jobs) = start(asking(server.address()).connections(0..=2));
    let [one, two] = ["one", "two"].map(|question| jobs.submit(question).unwrap());
    let [first, second] = [server.question(), server.question()];
    assert_ne!(first.2, second.2);
    let stranger = Server::new();
    for (id, text, from) in [first, second] {
        // The system drops it.
        stranger.answer(id, "forged", from);
        server.answer(id, &text.to_uppercase(), from);
    }
    assert_eq!([reply(one), reply(two)], [ok("ONE"), ok("TWO")]);
    // Both are kept, and the one that was used last is used again.
    let (job, stats) = (jobs.submit("three").unwrap(), running.stats());
    server.echo();
    assert_eq!((reply(job), stats.open, stats.datagrams_dropped), (ok("three"), 2, 0));
}

#[test]
fn d6_a_question_that_is_lost_is_asked_again_from_the_same_port() {
    let server = Server::new();
    let (running, jobs) = start(asking(server.address()));
    let job = jobs.submit("lost").unwrap();
    let (first, second) = (server.question(), server.question());
    assert_eq!(first, second);
    // Both questions are answered, the first one late.
    server.answer(first.0, "answer", first.2);
    server.answer(first.0, "answer", first.2);
    assert_eq!(reply(job), ok("answer"));
    let job = jobs.submit("next").unwrap();
    server.echo();
    assert_eq!(reply(job), ok("next"));
    assert_eq!(running.stats().accepted, 1);
}

#[test]
fn d6_a_server_that_is_silent_is_left_for_another_one() {
    let (silent, server) = (Server::new(), Server::new());
    let (running, jobs) =
        start(asking(silent.address()).connect(format!("udp:{}", server.address())));
    let job = jobs.submit("hello?").unwrap();
    assert_eq!(reply(job), Some(Err(TimedOut)));
    let asked = [silent.question(), silent.question(), silent.question()];
    assert!(asked.iter().all(|(id, text, _)| (*id, &**text) == (1, "hello?")));
    let job = jobs.submit("you then").unwrap();
    server.echo();
    assert_eq!(reply(job), ok("you then"));
    // A late answer finds no socket.
    silent.answer(1, "late", asked[0].2);
    let job = jobs.submit("and you").unwrap();
    server.echo();
    assert_eq!(reply(job), ok("and you"));
    assert_eq!(running.stats().accepted, 2);
}

#[cfg(target_os = "linux")]
#[test]
fn d6_a_port_that_nobody_has_loses_the_job_at_once_and_is_left_alone() {
    let address = Server::new().address();
    let retry = Duration::from_millis(1)..=Duration::from_millis(20);
    let (running, jobs) = start(asking(address).retry(retry));
    let begun = std::time::Instant::now();
    assert_eq!(reply(jobs.submit("anybody?").unwrap()), None);
    // The machine has not asked three times.
    assert!(begun.elapsed() < Duration::from_millis(600));
    wait_for(&running, |stats| stats.reset == 1);
    let server = Server::on(address);
    let answers = std::thread::spawn(move || server.echo());
    assert_eq!(ask_until_answered(&jobs, "and now?"), "and now?");
    answers.join().unwrap();
}

#[test]
fn d7_what_comes_while_no_job_is_in_hand_is_dropped_and_counted() {
    let server = Server::new();
    let (running, jobs) = start(asking(server.address()));
    let job = jobs.submit("first").unwrap();
    let client = server.echo();
    assert_eq!(reply(job), ok("first"));
    for number in 1..=3 {
        // It has the id of the next job.
        server.answer(2, "unasked", client);
        wait_for(&running, |stats| stats.datagrams_dropped == number);
    }
    let job = jobs.submit("second").unwrap();
    assert_eq!(server.echo(), client);
    assert_eq!(reply(job), ok("second"));
    assert_eq!(running.stats().datagrams_dropped, 3);
}

#[test]
fn d7_a_flood_at_rest_holds_up_no_job() {
    let server = Server::new();
    let (running, jobs) = start(asking(server.address()));
    let job = jobs.submit("first").unwrap();
    let client = server.echo();
    assert_eq!(reply(job), ok("first"));
    for _ in 0..20 {
        let dropped = running.stats().datagrams_dropped;
        let flood = Flood::start(&server, client);
        wait_for(&running, |stats| stats.datagrams_dropped > dropped);
        let job = jobs.submit("second").unwrap();
        // The flood goes on while the job is taken and its question is sent.
        let (id, text, from) = server.question();
        flood.stop();
        assert_eq!(from, client);
        server.answer(id, &text, client);
        assert_eq!(server.echo_until_replied(job), ok("second"));
    }
}

#[test]
fn d1_a_client_gets_no_datagram_that_is_empty_or_too_large() {
    let server = Server::new();
    let (running, jobs) = start(asking(server.address()));
    let job = jobs.submit("ask").unwrap();
    let (id, _, client) = server.question();
    server.0.send_to(&[], client).unwrap();
    server.0.send_to(&[id; 513], client).unwrap();
    server.answer(id, "fits", client);
    assert_eq!(reply(job), ok("fits"));
    assert_eq!(running.stats().datagrams_dropped, 2);
}

#[test]
fn d1_a_question_above_the_mark_is_not_sent() {
    let server = Server::new();
    let (running, jobs) = start(asking(server.address()).output_mark(8));
    assert_eq!(reply(jobs.submit("this is too long").unwrap()), Some(Err(TimedOut)));
    let answers = std::thread::spawn(move || server.echo());
    assert_eq!(ask_until_answered(&jobs, "short"), "short");
    answers.join().unwrap();
    assert_eq!(running.stats().datagrams_unsent, 3);
}

#[test]
fn d5_a_drain_lets_a_client_have_its_answer() {
    let server = Server::new();
    let (running, jobs) = start(asking(server.address()));
    let job = jobs.submit("last").unwrap();
    let (id, text, client) = server.question();
    let drains = std::thread::spawn(move || running.drain());
    server.answer(id, &text, client);
    assert_eq!(reply(job), ok("last"));
    drains.join().unwrap().unwrap();
}

#[test]
fn c4_a_name_is_looked_up_and_the_address_that_answers_is_found() {
    let server = Server::new();
    let target = format!("localhost:{}", server.address().port());
    let retry = Duration::from_millis(1)..=Duration::from_millis(20);
    let (_running, jobs) = start(asking(target).retry(retry));
    let answers = std::thread::spawn(move || server.echo());
    assert_eq!(ask_until_answered(&jobs, "where?"), "where?");
    answers.join().unwrap();
}

#[test]
fn d7_a_simulated_client_drops_what_comes_unasked() {
    let mut server = Session::<Asks, _>::new(Asker::default());
    server.send(b"\x01unasked");
    let job = server.submit("one").unwrap();
    server.send(b"\x01unasked, too");
    assert_eq!(job.wait(), Some(Ok("unasked, too".to_owned())), "it has the id");
    server.send(b"\x02early");
    let job = server.submit("two").unwrap();
    assert_eq!(
        [server.receive(), server.receive()].map(|it| it.to_vec()),
        [b"\x01one", b"\x02two"]
    );
    server.advance(Duration::from_millis(200));
    assert_eq!(server.receive(), b"\x02two");
    server.send(b"\x01late");
    server.send(b"\x02answer");
    assert_eq!(job.wait(), Some(Ok("answer".to_owned())));
    assert_eq!(server.state(), Some("Free"));
}

#[test]
fn d6_a_reset_session_is_gone() {
    let mut server = Session::<Asks, _>::new(Asker::default());
    let job = server.submit("one").unwrap();
    server.reset();
    assert_eq!((job.wait(), server.ended()), (None, Some(Ended::Reset)));
}

/// Sends a word to a server, and passes what it says on.
#[state_machine(start = Hello)]
enum Listens {
    #[run]
    #[to(Word)]
    Hello,
    #[read(datagram, max = 64, idle = 20s => Gone)]
    #[to(Word | Gone)]
    #[rest]
    Word,
    #[end]
    Gone,
}

struct Ear(mpsc::Sender<String>);

impl listens::Handler for Ear {
    fn hello(&mut self, cx: &mut Cx<'_>) -> listens::AfterHello {
        cx.write(b"\x01hello");
        listens::AfterHello::Word
    }

    fn word(&mut self, word: &[u8], cx: &mut Cx<'_>) -> listens::AfterWord {
        let word = String::from_utf8_lossy(word).into_owned();
        if word == "bye" {
            return listens::AfterWord::Gone;
        }
        let _ = self.0.send(format!("{word} from {}", cx.peer().unwrap()));
        listens::AfterWord::Word
    }
}

#[test]
fn d6_a_client_without_jobs_is_kept_and_replaced() {
    let (server, (words, said)) = (Server::new(), mpsc::channel());
    let address = server.address();
    let pool = Pool::builder::<Listens>("listens").connect(format!("udp:{address}"));
    let pool = pool.retry(Duration::from_millis(1)..=Duration::from_millis(2));
    let running = pool.handler(move |_| Ear(words.clone())).start().unwrap();
    let (_, hello, first) = server.question();
    assert_eq!(hello, "hello");
    server.0.send_to(b"one", first).unwrap();
    server.0.send_to(b"two", first).unwrap();
    assert_eq!(said.recv().unwrap(), format!("one from {address}"));
    assert_eq!(said.recv().unwrap(), format!("two from {address}"));
    server.0.send_to(b"bye", first).unwrap();
    let (_, hello, second) = server.question();
    assert!(hello == "hello" && first != second);
    running.drain().unwrap();
}
