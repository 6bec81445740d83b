#![allow(clippy::all, clippy::unwrap_used, missing_docs)]
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::sleep;
use std::time::{Duration, Instant};

use fsm_runtime::prelude::*;
use fsm_runtime::{Address, Running};

const MS: Duration = Duration::from_millis(1);

fn addr(running: &Running, n: usize) -> SocketAddr {
    match &running.addresses()[n] {
        Address::Tcp(address) => *address,
        other => panic!("{other}"),
    }
}
fn connect(running: &Running, n: usize) -> TcpStream {
    let stream = TcpStream::connect(addr(running, n)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
    stream
}
fn byte(s: &mut TcpStream) -> std::io::Result<Option<u8>> {
    let mut b = [0];
    Ok(if s.read(&mut b)? == 1 { Some(b[0]) } else { None })
}

// ---- the target: listens too, and is handed connections
#[state_machine(start = Hello, eof => Gone)]
enum Plain {
    #[read(some, max = 16KiB, idle = 60s => Gone)]
    #[to(Hello)]
    #[rest]
    Hello,
    #[end]
    Gone,
}
struct P;
impl plain::Handler for P {
    fn hello(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> plain::AfterHello {
        cx.write(bytes);
        plain::AfterHello::Hello
    }
}

#[state_machine(start = Door, eof => Gone, gone => Gone)]
enum Gate {
    #[read(exact = 1, idle = 60s => Gone)]
    #[to(Through | Door)]
    Door,
    #[handoff(Plain, within = 100ms => Gone)]
    Through,
    #[end]
    Gone,
}
struct G;
impl gate::Handler for G {
    fn door(&mut self, b: &[u8; 1], _: &mut Cx<'_>) -> gate::AfterDoor {
        if b[0] == b's' {
            // Busy for a while, like any handler.
            sleep(400 * MS);
            return gate::AfterDoor::Door;
        }
        gate::AfterDoor::Through { seed: () }
    }
}

/// Bug 1: a granted credit that is dropped in the source pool does not resume the listener.
#[test]
fn b1_a_credit_given_up_resumes_the_listener() {
    let plain = Pool::builder::<Plain>("plain").listen("127.0.0.1:0").max_connections(1).handler(|_| P);
    let gate = Pool::builder::<Gate>("gate").listen("127.0.0.1:0").handler(|_| G);
    let running = Pipeline::new().pool(plain).pool(gate).start().unwrap();
    let mut x = connect(&running, 0);
    x.write_all(b"x").unwrap();
    assert_eq!(byte(&mut x).unwrap(), Some(b'x'));
    // Waits in the backlog; the listener pauses.
    let mut y = connect(&running, 0);
    y.write_all(b"y").unwrap();
    sleep(50 * MS);
    // Waits for room, 100 ms at most.
    let mut z = connect(&running, 1);
    let mut busy = connect(&running, 1);
    z.write_all(b"z").unwrap();
    sleep(30 * MS);
    busy.write_all(b"s").unwrap(); // the only thread of `gate` is busy for 400 ms
    sleep(20 * MS);
    drop(x); // room: the credit goes to z
    sleep(500 * MS);
    // z's deadline has passed; nobody is in `plain`, so y must be served.
    let got = byte(&mut y);
    println!("{:?}", running.stats());
    assert_eq!(got.unwrap(), Some(b'y'));
}

/// Bug 1b: the same, and the drain of the target waits for its whole patience.
#[test]
fn b1b_a_credit_given_up_ends_a_drain() {
    let builder = Pool::builder::<Plain>("plain").listen("127.0.0.1:0").max_connections(1).drain_within(Duration::from_secs(8));
    let handle = builder.handle();
    let plain = builder.handler(|_| P);
    let gate = Pool::builder::<Gate>("gate").listen("127.0.0.1:0").handler(|_| G);
    let running = Pipeline::new().pool(plain).pool(gate).start().unwrap();
    let mut x = connect(&running, 0);
    x.write_all(b"x").unwrap();
    assert_eq!(byte(&mut x).unwrap(), Some(b'x'));
    let mut z = connect(&running, 1);
    let mut busy = connect(&running, 1);
    z.write_all(b"z").unwrap();
    sleep(30 * MS);
    busy.write_all(b"s").unwrap();
    sleep(20 * MS);
    drop(x);
    sleep(20 * MS);
    handle.drain(); // out = 1: the credit granted to z
    sleep(700 * MS);
    let start = Instant::now();
    drop(busy);
    let _ = running.drain();
    println!("drain took {:?}", start.elapsed());
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

/// Bug 2: the acceptors' transient credits pause each other for ever.
#[test]
fn b2_listeners_do_not_pause_each_other_for_ever() {
    for round in 0..200 {
        let pool = Pool::builder::<Plain>("plain").listen("127.0.0.1:0").ports(4).reuse_port().max_connections(1).handler(|_| P);
        let running = pool.start().unwrap();
        for n in 0..3 {
            let mut c = connect(&running, 0);
            c.write_all(b"c").unwrap();
            assert_eq!(byte(&mut c).expect(&format!("round {round} client {n}: {:?}", running.stats())), Some(b'c'));
        }
        drop(running);
    }
}

/// Bug 3: a connection that is placed on a port which drains already, by one that does not yet.
#[test]
fn b3_x11_a_request_that_came_is_answered_on_any_port() {
  for round in 0..20 {
    let builder = Pool::builder::<Plain>("plain").listen("127.0.0.1:0").ports(2).threads(2).cap(2);
    let handle = builder.handle();
    let n = AtomicUsize::new(0);
    let pool = builder.handler(move |_| {
        match n.fetch_add(1, Ordering::SeqCst) {
            // Two clients come while this one is made; the other port begins to drain.
            0 => { sleep(100 * MS); handle.drain(); sleep(30 * MS); }
            _ => {}
        }
        P
    });
    let running = pool.start().unwrap();
    let mut clients: Vec<_> = (0..30).map(|_| connect(&running, 0)).collect();
    for c in &mut clients { c.write_all(b"r").unwrap(); }
    let got: Vec<_> = clients.iter_mut().map(|c| byte(c)).collect();
    let bad: Vec<_> = got.iter().filter(|g| !matches!(g, Ok(Some(b'r')))).collect();
    assert!(bad.is_empty(), "round {round} {bad:?} {:?}", running.stats());
  }
}

// ---- Bug 4: pools that hand over to each other.
#[state_machine(start = Ask, seed = u8, eof => Gone, gone => Lost)]
enum Front {
    #[run]
    #[to(Next)]
    Ask { answer: u8 },
    #[read(exact = 1, idle = 60s => Gone)]
    #[to(Over)]
    #[rest]
    Next,
    #[handoff(Back, within = 5s => Gone, full => Gone)]
    Over,
    #[run]
    #[to(Gone)]
    Lost,
    #[end]
    Gone,
}
#[state_machine(start = Enter, eof => Gone, gone => Lost)]
enum Listens {
    #[read(exact = 1, idle = 60s => Gone)]
    #[to(Over)]
    #[rest]
    Enter,
    #[handoff(Back, within = 5s => Gone, full => Gone)]
    Over,
    #[run]
    #[to(Gone)]
    Lost,
    #[end]
    Gone,
}
#[state_machine(start = Work, seed = u8, gone => Lost)]
enum Back {
    #[sleep(500ms)]
    #[to(Home)]
    Work { n: u8 },
    #[handoff(Front, within = 5s => Gone, full => Gone)]
    Home,
    #[run]
    #[to(Gone)]
    Lost,
    #[end]
    Gone,
}
struct H;
impl front::Handler for H {
    fn ask(&mut self, a: &mut u8, cx: &mut Cx<'_>) -> front::AfterAsk { cx.write(&[*a]); front::AfterAsk::Next }
    fn next(&mut self, b: &[u8; 1], _: &mut Cx<'_>) -> front::AfterNext { front::AfterNext::Over { seed: b[0] } }
    fn lost(&mut self, cx: &mut Cx<'_>) -> front::AfterLost { cx.write(b"!"); front::AfterLost::Gone }
}
impl listens::Handler for H {
    fn enter(&mut self, b: &[u8; 1], _: &mut Cx<'_>) -> listens::AfterEnter { listens::AfterEnter::Over { seed: b[0] } }
    fn lost(&mut self, cx: &mut Cx<'_>) -> listens::AfterLost { cx.write(b"!"); listens::AfterLost::Gone }
}
impl back::Handler for H {
    fn work(&mut self, n: &mut u8, _: &mut Cx<'_>) -> back::AfterWork { back::AfterWork::Home { seed: *n } }
    fn lost(&mut self, cx: &mut Cx<'_>) -> back::AfterLost { cx.write(b"!"); back::AfterLost::Gone }
}

#[test]
fn b4_x11_a_cycle_of_pools_drains_together() {
    let listens = Pool::builder::<Listens>("listens").listen("127.0.0.1:0").handler(|_| H);
    let front = Pool::builder::<Front>("front").handler(|_| H);
    let back = Pool::builder::<Back>("back").handler(|_| H);
    let running = Pipeline::new().pool(listens).pool(front).pool(back).start().unwrap();
    let mut c = connect(&running, 0);
    c.write_all(b"1").unwrap();
    assert_eq!(byte(&mut c).unwrap(), Some(b'1'));
    c.write_all(b"2").unwrap();
    sleep(100 * MS);
    let drains = std::thread::spawn(move || running.drain());
    assert_eq!(byte(&mut c).unwrap(), Some(b'2'));
    println!("{:?}", drains.join().unwrap());
}

// ---- Bug 5: a thread's first turn has the time 0.
#[state_machine(start = Go, job = u8, reply = Duration)]
enum Timed {
    #[run]
    #[to(Rest | Done)]
    Go { job: u8 },
    #[sleep(1s)]
    #[to(Done)]
    Rest { since: Instant },
    #[end]
    Done,
}
struct W;
impl timed::Handler for W {
    fn go(&mut self, job: &mut u8, _: &mut JobCx<'_>) -> timed::AfterGo {
        match *job {
            0 => sleep(200 * MS),
            1 => sleep(3000 * MS),
            _ => return timed::AfterGo::Rest { since: Instant::now() },
        }
        timed::AfterGo::Done { reply: Duration::ZERO }
    }
    fn rest(&mut self, since: &mut Instant, _: &mut JobCx<'_>) -> timed::AfterRest {
        timed::AfterRest::Done { reply: since.elapsed() }
    }
}
#[test]
fn b5_a_sleep_lasts_on_a_thread_that_started_late() {
    let builder = Pool::builder::<Timed>("timed").threads(2).cap(2);
    let handle = builder.handle();
    let n = AtomicUsize::new(0);
    let pool = builder.worker(move || {
        if n.fetch_add(1, Ordering::SeqCst) == 1 { sleep(1500 * MS) } // it loads a model
        W
    });
    let submits = std::thread::spawn(move || {
        let first = loop {
            if let Ok(t) = handle.submit(0) { break t }
            sleep(MS);
        };
        sleep(50 * MS);
        let second = handle.submit(1).unwrap();
        let third = handle.submit(2).unwrap();
        let _ = (first.wait(), third.wait().map(|t| { println!("slept {t:?}"); t })).1.map(|t| assert!(t >= 950 * MS, "slept {t:?}"));
        second.wait();
    });
    let running = pool.start().unwrap();
    submits.join().unwrap();
    drop(running);
}

// ---- Bug 6: the drop of a thread's handler panics.
#[state_machine(start = Go, job = u8, reply = u8)]
enum One {
    #[run]
    #[to(Done)]
    Go { job: u8 },
    #[end]
    Done,
}
struct Bad;
impl Drop for Bad { fn drop(&mut self) { panic!("drop") } }
impl one::Handler for Bad {
    fn go(&mut self, job: &mut u8, _: &mut JobCx<'_>) -> one::AfterGo { one::AfterGo::Done { reply: *job } }
}
#[test]
fn b6_a_handler_that_panics_in_its_drop_is_no_failure_of_the_pool() {
    let running = Pool::builder::<One>("one").worker(|| Bad).start().unwrap();
    let r = running.drain();
    assert!(r.is_ok(), "{r:?}");
}

// ---- Bug 7: the reply's drop panics: whose fault?
struct BadReply;
impl Drop for BadReply { fn drop(&mut self) { if !std::thread::panicking() { panic!("reply") } } }
#[state_machine(start = Go, job = u8, reply = BadReply)]
enum Two {
    #[run]
    #[to(Done)]
    Go { job: u8 },
    #[end]
    Done,
}
impl two::Handler for W {
    fn go(&mut self, _: &mut u8, _: &mut JobCx<'_>) -> two::AfterGo { sleep(50 * MS); two::AfterGo::Done { reply: BadReply } }
}
#[test]
fn b7_late_reply_drop_panics() {
    let b = Pool::builder::<Two>("two");
    let handle = b.handle();
    let makes = Arc::new(AtomicUsize::new(0));
    let m = Arc::clone(&makes);
    let running = b.worker(move || { m.fetch_add(1, Ordering::SeqCst); W }).start().unwrap();
    drop(handle.submit(1).unwrap());
    sleep(100 * MS);
    drop(handle.submit(1).unwrap());
    sleep(100 * MS);
    println!("makes {} {:?}", makes.load(Ordering::SeqCst), handle.stats());
    assert_eq!(handle.stats().panicked, 0);
    let _ = running.drain();
    let _ = (Mutex::new(0), mpsc::channel::<u8>());
}

// ---- Bug 8: a connection that arrives at a pool which has closed: its peer takes what it got for all.
#[state_machine(start = Door, eof => Gone, gone => Gone)]
enum Big {
    #[read(exact = 1, idle = 60s => Gone)]
    #[to(Through)]
    Door,
    #[handoff(Plain, within = 5s => Gone)]
    Through,
    #[end]
    Gone,
}
impl big::Handler for G {
    fn door(&mut self, _: &[u8; 1], cx: &mut Cx<'_>) -> big::AfterDoor {
        cx.send(vec![b'.'; 32 << 20]);
        big::AfterDoor::Through { seed: () }
    }
}
#[test]
fn b8_a_connection_lost_on_arrival_is_reset() {
    let builder = Pool::builder::<Plain>("plain");
    let handle = builder.handle();
    let closes = builder.handle();
    let plain = builder.handler(move |_| { closes.close(); P });
    let big = Pool::builder::<Big>("big").listen("127.0.0.1:0").handler(|_| G);
    let running = Pipeline::new().pool(big).pool(plain).start().unwrap();
    let mut c = connect(&running, 0);
    c.write_all(b"x").unwrap();
    sleep(300 * MS);
    let mut all = Vec::new();
    let got = c.read_to_end(&mut all);
    println!("{got:?} {} {:?}", all.len(), handle.stats());
    assert!(got.is_err() || all.len() == 32 << 20, "a clean end after {} bytes", all.len());
}

#[test]
fn b9_many_ports_and_threads() {
    let t = Instant::now();
    let pool = Pool::builder::<Plain>("plain").listen("127.0.0.1:0").ports(64).threads(64).handler(|_| P);
    let running = pool.start().unwrap();
    println!("start {:?}", t.elapsed());
    let mut cs: Vec<_> = (0..500).map(|_| connect(&running, 0)).collect();
    for _ in 0..5 {
        for c in &mut cs { c.write_all(b"c").unwrap(); }
        for c in &mut cs { assert_eq!(byte(c).unwrap(), Some(b'c')); }
    }
    let t = Instant::now();
    let s = running.drain().unwrap();
    println!("drain {:?} {s:?}", t.elapsed());
    assert_eq!((s.drained, s.open), (500, 0));
}

#[test]
fn b10_a_start_that_fails_half_way_ends_tickets() {
    let builder = Pool::builder::<Timed>("timed").threads(2).cap(1);
    let handle = builder.handle();
    let n = AtomicUsize::new(0);
    let pool = builder.try_worker(move || {
        if n.fetch_add(1, Ordering::SeqCst) == 1 { sleep(300 * MS); return Err("no") }
        Ok(W)
    });
    let submits = std::thread::spawn(move || {
        let first = loop {
            if let Ok(t) = handle.submit(0) { break t }
            sleep(MS);
        };
        let second = handle.submit(2);
        let third = handle.submit(2);
        (first.wait_for(5000 * MS).is_ok(), second.map(|s| s.wait_for(5000 * MS).is_ok()), third.map(|s| s.wait_for(5000 * MS).is_ok()), handle.stats())
    });
    let r = pool.start();
    println!("{r:?}");
    println!("{:?}", submits.join().unwrap());
}

#[state_machine(start = Read, eof => Gone, gone => Gone)]
enum Enter0 {
    #[read(exact = 1, idle = 60s => Gone)]
    #[to(Go)]
    Read,
    #[handoff(Ping, within = 5s => Gone)]
    Go,
    #[end]
    Gone,
}
#[state_machine(start = Read, eof => Gone, gone => Gone)]
enum Ping {
    #[read(exact = 1, idle = 60s => Gone)]
    #[to(Go)]
    Read,
    #[handoff(Pong, within = 5s => Gone, full => Gone)]
    Go,
    #[end]
    Gone,
}
#[state_machine(start = Read, eof => Gone, gone => Gone)]
enum Pong {
    #[read(exact = 1, idle = 60s => Gone)]
    #[to(Go)]
    Read,
    #[handoff(Ping, within = 5s => Gone)]
    Go,
    #[end]
    Gone,
}
struct X;
impl enter0::Handler for X {
    fn read(&mut self, b: &[u8; 1], cx: &mut Cx<'_>) -> enter0::AfterRead { cx.write(b); enter0::AfterRead::Go { seed: () } }
}
impl ping::Handler for X {
    fn read(&mut self, b: &[u8; 1], cx: &mut Cx<'_>) -> ping::AfterRead { cx.write(b); ping::AfterRead::Go { seed: () } }
}
impl pong::Handler for X {
    fn read(&mut self, b: &[u8; 1], cx: &mut Cx<'_>) -> pong::AfterRead { cx.write(b); pong::AfterRead::Go { seed: () } }
}
#[test]
fn b11_ping_pong() {
    let e = Pool::builder::<Enter0>("enter").listen("127.0.0.1:0").handler(|_| X);
    let a = Pool::builder::<Ping>("ping").ports(3).threads(3).handler(|_| X);
    let b = Pool::builder::<Pong>("pong").ports(2).threads(4).handler(|_| X);
    let running = Pipeline::new().pool(e).pool(a).pool(b).start().unwrap();
    let mut joins = vec![];
    for t in 0..8u8 {
        let mut c: Vec<_> = (0..10).map(|_| connect(&running, 0)).collect();
        joins.push(std::thread::spawn(move || {
            for n in 0..150u32 {
                let size = 1 + (n % 7) as usize;
                let data: Vec<u8> = (0..size).map(|i| (n as u8) ^ t ^ (i as u8)).collect();
                for c in &mut c { c.write_all(&data).unwrap(); }
                for c in &mut c {
                    let mut got = vec![0; size];
                    c.read_exact(&mut got).unwrap();
                    assert_eq!(got, data);
                }
            }
        }));
    }
    let bad = joins.into_iter().map(|j| j.join()).filter(|j| j.is_err()).count();
    let s = running.drain();
    println!("{s:?}");
    assert_eq!(bad, 0);
}

/// Bug: making a handler holds the poll.
#[test]
fn b12_x2_a_slow_maker_does_not_hold_the_port_up() {
    let n = AtomicUsize::new(0);
    let pool = Pool::builder::<Plain>("plain").listen("127.0.0.1:0").threads(4).cap(4).handler(move |_| {
        if n.fetch_add(1, Ordering::SeqCst) == 1 { sleep(1000 * MS) }
        P
    });
    let running = pool.start().unwrap();
    let mut a = connect(&running, 0);
    a.write_all(b"a").unwrap();
    assert_eq!(byte(&mut a).unwrap(), Some(b'a'));
    let _b = connect(&running, 0);
    sleep(50 * MS);
    let t = Instant::now();
    a.write_all(b"a").unwrap();
    assert_eq!(byte(&mut a).unwrap(), Some(b'a'));
    assert!(t.elapsed() < 200 * MS, "{:?}", t.elapsed());
}

#[state_machine(start = Go, job = u8, reply = u8)]
enum Three {
    #[run(blocking)]
    #[to(Done)]
    Go { job: u8 },
    #[end]
    Done,
}
impl three::Handler for W {
    fn go(&mut self, job: &mut u8, _: &mut JobCx<'_>) -> three::AfterGo {
        assert_ne!(*job, 0);
        sleep(20 * MS);
        three::AfterGo::Done { reply: 1 }
    }
}
#[test]
fn b13_a_thread_without_a_handler_does_not_eat_the_jobs() {
    let b = Pool::builder::<Three>("three").threads(4).cap(4);
    let handle = b.handle();
    let n = AtomicUsize::new(0);
    let running = b.try_worker(move || if n.fetch_add(1, Ordering::SeqCst) < 4 { Ok(W) } else { Err("the database is down") }).start().unwrap();
    assert_eq!(handle.submit(0).unwrap().wait(), None); // one of four threads has lost its handler
    let tickets: Vec<_> = (0..40).map(|_| handle.submit(1).unwrap()).collect();
    let lost = tickets.into_iter().filter(|_| true).map(|t| t.wait()).filter(|r| r.is_none()).count();
    drop(running);
    assert!(lost < 2, "{lost} of 40 lost");
}
#[test]
fn b14_the_most_is_of_connections() {
    let running = Pool::builder::<Plain>("plain").listen("127.0.0.1:0").handler(|_| P).start().unwrap();
    sleep(100 * MS);
    assert_eq!(running.stats().most, 0);
    let mut a = connect(&running, 0);
    a.write_all(b"a").unwrap();
    assert_eq!(byte(&mut a).unwrap(), Some(b'a'));
    assert_eq!(running.stats().most, 1);
}
