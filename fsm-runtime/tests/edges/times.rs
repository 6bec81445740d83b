//! A slow handler must not make the deadlines of others early.

use super::*;

/// So long a handler takes that is slow. Only time does this.
const SLOW: Duration = Duration::from_millis(300);
/// Less than a sleep of 200 ms, whose end is counted in whole milliseconds.
const SLEPT: Duration = Duration::from_millis(198);

/// Sleeps from its start on; says for how long.
#[state_machine(start = Nap, job = Instant, reply = Duration)]
enum Rests {
    #[sleep(200ms)]
    #[to(Done)]
    Nap { since: Instant },
    #[end]
    Done,
}

/// Sleeps if there is something to be slept off; otherwise it holds its thread up.
#[state_machine(start = Begin, job = bool, reply = Duration)]
enum Shifts {
    #[run]
    #[to(Nap | Done)]
    Begin { naps: bool },
    #[sleep(200ms)]
    #[to(Done)]
    Nap { since: Instant },
    #[end]
    Done,
}

/// Takes its time over each byte, if it is slow, and then has somebody rest.
#[state_machine(start = Ask, eof => Gone)]
enum Boss {
    #[read(exact = 1, idle = 60s => Gone)]
    #[to(Wait)]
    Ask,
    #[call(Rests, within = 20s => Gone, gone => Gone)]
    #[to(Ask)]
    Wait,
    #[end]
    Gone,
}

/// Says what it hears, unless nothing comes.
#[state_machine(start = Talk, eof => Gone)]
enum Brief {
    #[read(exact = 1, idle = 800ms => Gone)]
    #[to(Talk)]
    Talk,
    #[end]
    Gone,
}

struct Worker(Arc<Door>);

impl rests::Handler for Worker {
    fn nap(&mut self, since: &mut Instant, _: &mut JobCx<'_>) -> rests::AfterNap {
        rests::AfterNap::Done { reply: since.elapsed() }
    }
}

impl shifts::Handler for Worker {
    fn begin(&mut self, naps: &mut bool, _: &mut JobCx<'_>) -> shifts::AfterBegin {
        if *naps {
            return shifts::AfterBegin::Nap { since: Instant::now() };
        }
        self.0.pass();
        thread::sleep(SLOW);
        shifts::AfterBegin::Done { reply: Duration::ZERO }
    }

    fn nap(&mut self, since: &mut Instant, _: &mut JobCx<'_>) -> shifts::AfterNap {
        shifts::AfterNap::Done { reply: since.elapsed() }
    }
}

impl boss::Handler for Worker {
    fn ask(&mut self, _: &[u8; 1], _: &mut Cx<'_>) -> boss::AfterAsk {
        thread::sleep(SLOW);
        boss::AfterAsk::Wait { job: Instant::now() }
    }

    fn wait(&mut self, slept: Duration, cx: &mut Cx<'_>) -> boss::AfterWait {
        cx.write(if slept >= SLEPT { b"y" } else { b"n" });
        boss::AfterWait::Ask
    }
}

impl brief::Handler for Worker {
    fn talk(&mut self, byte: &[u8; 1], cx: &mut Cx<'_>) -> brief::AfterTalk {
        cx.write(byte);
        match byte {
            b"d" => self.0.pass(),
            b"s" => thread::sleep(3 * SLOW),
            _ => {}
        }
        brief::AfterTalk::Talk
    }
}

#[test]
fn x6_a_job_that_comes_behind_a_slow_one_sleeps_its_time() {
    let door = Arc::<Door>::default();
    let builder = Pool::builder::<Shifts>("shifts").max_jobs(8);
    let handle = builder.handle();
    let make = {
        let door = Arc::clone(&door);
        move || Worker(Arc::clone(&door))
    };
    let running = builder.worker(make).start().unwrap();
    let held = handle.submit(false).unwrap();
    door.wait_for(1);
    // These are there together when the thread comes for them.
    let slow = handle.submit(false).unwrap();
    let naps = [(); 3].map(|()| handle.submit(true).unwrap());
    door.open();
    door.open();
    for nap in naps {
        let slept = nap.wait().unwrap();
        assert!(slept >= SLEPT, "it slept {slept:?}");
    }
    assert!(held.wait().is_some() && slow.wait().is_some());
    drop(running);
}

#[test]
fn x6_the_job_of_a_slow_handler_begins_when_it_is_given_away() {
    let rests = Pool::builder::<Rests>("rests").worker(|| Worker(Arc::default()));
    let boss = Pool::builder::<Boss>("boss").listen("127.0.0.1:0");
    let boss = boss.handler(|_| Worker(Arc::default()));
    let running = Pipeline::new().pool(boss).pool(rests).start().unwrap();
    let mut peer = Peer::new(&running, 0);
    peer.say(b"?");
    assert_eq!(peer.hear(1), b"y");
}

#[test]
fn x6_a_connection_that_is_heard_behind_a_slow_one_has_its_time() {
    let door = Arc::<Door>::default();
    let brief = Pool::builder::<Brief>("brief").listen("127.0.0.1:0");
    let make = {
        let door = Arc::clone(&door);
        move |_| Worker(Arc::clone(&door))
    };
    let running = brief.handler(make).start().unwrap();
    let mut peers = Peer::many(&running, 4);
    for peer in &mut peers {
        peer.echoes(b"x");
    }
    peers[0].say(b"d");
    door.wait_for(1);
    // These events come with one poll. The slow one is the first.
    peers[1].say(b"s");
    peers[2].say(b"a");
    peers[3].say(b"b");
    door.open();
    assert_eq!(peers[2].hear(1), b"a");
    assert_eq!(peers[3].hear(1), b"b");
    thread::sleep(Duration::from_millis(50));
    peers[2].echoes(b"x");
    peers[3].echoes(b"x");
}
