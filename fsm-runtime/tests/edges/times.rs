//! A slow handler does not make the deadlines of others early.

use super::*;

/// The time that a slow handler takes, because no event could stand for it.
const SLOW: Duration = Duration::from_millis(300);
/// A lower bound of a sleep of 200 ms, whose end is rounded to milliseconds.
const SLEPT: Duration = Duration::from_millis(198);

/// Sleeps, and replies with the time since the job was made.
#[state_machine(start = Sleep, job = Instant, reply = Duration)]
enum Timed {
    #[sleep(200ms)]
    #[to(Done)]
    Sleep { since: Instant },
    #[end]
    Done,
}

/// Sleeps, or holds its thread up.
#[state_machine(start = Begin, job = bool, reply = Duration)]
enum SleepOrBlock {
    #[run]
    #[to(Sleep | Done)]
    Begin { sleeps: bool },
    #[sleep(200ms)]
    #[to(Done)]
    Sleep { since: Instant },
    #[end]
    Done,
}

/// Takes long for each byte, and then calls a pool whose job sleeps.
#[state_machine(start = Ask, eof => Gone)]
enum SlowCaller {
    #[read(exact = 1, idle = 60s => Gone)]
    #[to(Wait)]
    Ask,
    #[call(Timed, within = 20s => Gone, gone => Gone)]
    #[to(Ask)]
    Wait,
    #[end]
    Gone,
}

/// Echoes bytes until none arrives in time.
#[state_machine(start = Talk, eof => Gone)]
enum Brief {
    #[read(exact = 1, idle = 800ms => Gone)]
    #[to(Talk)]
    Talk,
    #[end]
    Gone,
}

struct Worker(Arc<Semaphore>);

impl timed::Handler for Worker {
    fn sleep(&mut self, since: &mut Instant, _: &mut JobCx<'_>) -> timed::AfterSleep {
        timed::AfterSleep::Done { reply: since.elapsed() }
    }
}

impl sleep_or_block::Handler for Worker {
    fn begin(&mut self, sleeps: &mut bool, _: &mut JobCx<'_>) -> sleep_or_block::AfterBegin {
        if *sleeps {
            return sleep_or_block::AfterBegin::Sleep { since: Instant::now() };
        }
        self.0.acquire();
        thread::sleep(SLOW);
        sleep_or_block::AfterBegin::Done { reply: Duration::ZERO }
    }

    fn sleep(&mut self, since: &mut Instant, _: &mut JobCx<'_>) -> sleep_or_block::AfterSleep {
        sleep_or_block::AfterSleep::Done { reply: since.elapsed() }
    }
}

impl slow_caller::Handler for Worker {
    fn ask(&mut self, _: &[u8; 1], _: &mut Cx<'_>) -> slow_caller::AfterAsk {
        thread::sleep(SLOW);
        slow_caller::AfterAsk::Wait { job: Instant::now() }
    }

    fn wait(&mut self, slept: Duration, cx: &mut Cx<'_>) -> slow_caller::AfterWait {
        cx.write(if slept >= SLEPT { b"y" } else { b"n" });
        slow_caller::AfterWait::Ask
    }
}

impl brief::Handler for Worker {
    fn talk(&mut self, byte: &[u8; 1], cx: &mut Cx<'_>) -> brief::AfterTalk {
        cx.write(byte);
        match byte {
            b"d" => self.0.acquire(),
            b"s" => thread::sleep(3 * SLOW),
            _ => {}
        }
        brief::AfterTalk::Talk
    }
}

#[test]
fn x6_a_job_queued_behind_a_slow_one_sleeps_its_full_time() {
    let semaphore = Arc::<Semaphore>::default();
    let builder = Pool::builder::<SleepOrBlock>("sleep_or_block").max_jobs(8);
    let handle = builder.handle();
    let make = {
        let semaphore = Arc::clone(&semaphore);
        move || Worker(Arc::clone(&semaphore))
    };
    let running = builder.worker(make).start().unwrap();
    let held = handle.submit(false).unwrap();
    semaphore.wait_for_arrivals(1);
    // The thread finds all these jobs together.
    let slow = handle.submit(false).unwrap();
    let sleeps = [(); 3].map(|()| handle.submit(true).unwrap());
    semaphore.release();
    semaphore.release();
    for sleep in sleeps {
        let slept = sleep.wait().unwrap();
        assert!(slept >= SLEPT, "it slept {slept:?}");
    }
    assert!(held.wait().is_some() && slow.wait().is_some());
    drop(running);
}

#[test]
fn x6_the_job_of_a_slow_handler_begins_when_it_is_submitted() {
    let timed = Pool::builder::<Timed>("timed").worker(|| Worker(Arc::default()));
    let slow_caller = Pool::builder::<SlowCaller>("slow_caller").listen("127.0.0.1:0");
    let slow_caller = slow_caller.handler(|_| Worker(Arc::default()));
    let running = Pipeline::new().pool(slow_caller).pool(timed).start().unwrap();
    let mut peer = Peer::new(&running, 0);
    peer.send(b"?");
    assert_eq!(peer.receive(1), b"y");
}

#[test]
fn x6_a_connection_handled_after_a_slow_one_has_its_full_time() {
    let semaphore = Arc::<Semaphore>::default();
    let brief = Pool::builder::<Brief>("brief").listen("127.0.0.1:0");
    let make = {
        let semaphore = Arc::clone(&semaphore);
        move |_| Worker(Arc::clone(&semaphore))
    };
    let running = brief.handler(make).start().unwrap();
    let mut peers = Peer::many(&running, 4);
    for peer in &mut peers {
        peer.echo(b"x");
    }
    peers[0].send(b"d");
    semaphore.wait_for_arrivals(1);
    // One poll returns these events, the slow one first.
    peers[1].send(b"s");
    peers[2].send(b"a");
    peers[3].send(b"b");
    semaphore.release();
    assert_eq!(peers[2].receive(1), b"a");
    assert_eq!(peers[3].receive(1), b"b");
    thread::sleep(Duration::from_millis(50));
    peers[2].echo(b"x");
    peers[3].echo(b"x");
}
