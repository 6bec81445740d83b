//! Settings of a pool whose effect no other test shows.

use std::io::ErrorKind;

use fsm_runtime::bytes::Bytes;
use fsm_runtime::{Pipeline, TrySendError};

use super::*;

/// Answers each request with more than a socket takes at once.
#[state_machine(start = Ask, eof => Gone)]
enum Flood {
    #[read(some, max = 16, idle = 60s => Gone)]
    #[to(Ask)]
    #[rest]
    Ask,
    #[end]
    Gone,
}

struct Source;

impl flood::Handler for Source {
    fn ask(&mut self, _: &[u8], cx: &mut Cx<'_>) -> flood::AfterAsk {
        cx.send(Bytes::from(vec![0; 64 << 20]));
        flood::AfterAsk::Ask
    }
}

#[test]
fn a_peer_that_does_not_read_is_reset_after_the_send_timeout() {
    let pool = Pool::builder::<Flood>("flood").listen("127.0.0.1:0");
    let pool = pool.send_timeout(Duration::from_millis(50)).handler(|_| Source);
    let running = pool.start().unwrap();
    let mut peer = Peer::new(&running, 0);
    peer.send(b"give me 64 MiB");
    wait_until(|| running.stats().send_timeouts == 1);
    let error = std::io::copy(&mut peer.0, &mut std::io::sink()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(running.stats().open, 0);
}

#[test]
fn output_above_the_mark_all_arrives_and_so_does_the_next_answer() {
    let pool = Pool::builder::<Flood>("flood").listen("127.0.0.1:0").output_mark(1);
    let running = pool.handler(|_| Source).start().unwrap();
    let mut peer = Peer::new(&running, 0);
    peer.send(b"one");
    assert_eq!(peer.receive(1 << 20), vec![0; 1 << 20]);
    peer.send(b"two");
    // The second answer begins only when the first one is read.
    let left = (2 << 26) - (1 << 20);
    let read = std::io::copy(&mut (&mut peer.0).take(left), &mut std::io::sink()).unwrap();
    assert_eq!(read, left);
}

#[test]
fn a_pool_listens_on_names_and_on_several_addresses_and_says_when_it_does() {
    let (sender, ready) = mpsc::channel();
    let pool =
        Pool::builder::<Echo>("echo").listen("127.0.0.1:0").listen("localhost:0").backlog(16);
    let pipeline = Pipeline::new().pool(pool.handler(|_| Client));
    let running = pipeline
        .on_ready(move |addresses| sender.send(addresses.to_vec()).unwrap())
        .start()
        .unwrap();
    assert_eq!(ready.recv().unwrap(), running.addresses());
    for number in 0..2 {
        assert_ne!(address(&running, number).port(), 0);
        Peer::new(&running, number).echo(b"x");
    }
}

#[test]
fn a_pool_that_was_drained_before_it_starts_ends_at_once() {
    let pool = echo();
    pool.handle().drain();
    assert_eq!(pool.handler(|_| Client).start().unwrap().join().unwrap().accepted, 0);
    let pool = echo();
    pool.handle().close();
    assert_eq!(pool.handler(|_| Client).start().unwrap().join().unwrap().accepted, 0);
}

#[test]
fn a_pool_that_is_not_running_takes_no_jobs() {
    struct Length;

    impl Service for Length {
        type Job = String;
        type Reply = usize;
    }

    let pool = Pool::workers::<Length>("length", 2, |text| text.len());
    assert!(pool.submitter::<Echoes>().is_err(), "it takes the jobs of another service");
    let lengths = pool.submitter::<Length>().unwrap();
    let early = lengths.submit("early".to_owned());
    assert!(matches!(early, Err(TrySendError::Gone(job)) if job == "early"));
    let running = pool.start().unwrap();
    assert_eq!(lengths.submit("hello".to_owned()).unwrap().wait(), Some(5));
    let patient = lengths.submit_within("patience".to_owned(), TIMEOUT).unwrap();
    assert_eq!(patient.wait(), Some(8));
    let stats = running.drain().unwrap();
    assert_eq!((stats.accepted, stats.done, stats.taken), (2, 2, 2));
    assert!(lengths.submit("late".to_owned()).is_err());
}

/// A service that no pool has.
struct Echoes;

impl Service for Echoes {
    type Job = ();
    type Reply = ();
}

/// The error of the start, which names the setting and its range.
fn refused(pool: Pool) -> String {
    let error = pool.start().unwrap_err();
    assert!(matches!(error, PoolError::Setting { .. }), "{error}");
    error.to_string()
}

#[test]
fn a_number_out_of_its_range_is_an_error_of_the_start() {
    type Set = fn(Builder<Echo>, usize) -> Builder<Echo>;
    let bounded: [(&str, Set, usize); 4] = [
        ("shards", Builder::shards, Pool::MAX_SHARDS),
        ("threads", Builder::threads, Pool::MAX_THREADS),
        ("max_running", Builder::max_running, Pool::MAX_THREADS),
        ("max_connections", Builder::max_connections, Pool::MAX_CONNECTIONS),
    ];
    let unbounded: [(&str, Set, usize); 2] = [
        ("output_mark", Builder::output_mark, usize::MAX),
        ("mailbox", Builder::mailbox, usize::MAX),
    ];
    for (setting, set, most) in bounded.into_iter().chain(unbounded) {
        for value in [Some(0), most.checked_add(1), (most < usize::MAX).then_some(usize::MAX)] {
            let Some(value) = value else { continue };
            let error = refused(set(echo(), value).handler(|_| Client));
            for words in [format!("`{setting}`"), "`echo`".to_owned(), format!("it is {value}")] {
                assert!(error.contains(&words), "no {words}: {error}");
            }
        }
        // The last call counts, and the ends of the range belong to it.
        let pool = set(set(set(echo(), 0), most), 1);
        assert!(pool.handler(|_| Client).start().is_ok(), "{setting}");
    }
    for pool in [echo().max_connections(Pool::MAX_CONNECTIONS), echo().output_mark(usize::MAX)] {
        Peer::new(&pool.handler(|_| Client).start().unwrap(), 0).echo(b"x");
    }
}

#[test]
fn a_number_of_jobs_or_of_their_threads_out_of_its_range_is_an_error_of_the_start() {
    for jobs in [0, Pool::MAX_JOBS + 1] {
        let pool = Pool::builder::<Once>("once").max_jobs(jobs).worker(|| Worker);
        assert!(refused(pool).contains("`max_jobs` of the pool `once`"));
    }
    for threads in [0, Pool::MAX_THREADS + 1] {
        let pool = Pool::workers::<Echoes>("plain", threads, |()| ());
        assert!(refused(pool).contains("`threads` of the pool `plain`"));
    }
}

/// A job without work.
#[state_machine(start = Work, job = (), reply = ())]
enum Once {
    #[run]
    #[to(Done)]
    Work { job: () },
    #[end]
    Done,
}

struct Worker;

impl once::Handler for Worker {
    fn work(&mut self, (): &mut (), _: &mut JobCx<'_>) -> once::AfterWork {
        once::AfterWork::Done { reply: () }
    }
}

#[test]
fn a_name_with_a_nul_byte_is_an_error_of_the_start() {
    let error = Pool::builder::<Echo>("a\0b").handler(|_| Client).start().unwrap_err();
    assert!(error.to_string().contains(r"a\0b"), "{error}");
}

#[test]
fn a_close_ends_a_handler_that_waits_for_a_job_of_its_own_pool() {
    struct Own;

    impl Service for Own {
        type Job = bool;
        type Reply = bool;
    }

    let (sender, submitter) = mpsc::channel::<Submitter<Own>>();
    let submitter = Mutex::new(submitter);
    let (waits, waiting) = mpsc::channel();
    let pool = Pool::workers::<Own>("own", 1, move |waits_for_another| {
        if !waits_for_another {
            return true;
        }
        let own = submitter.lock().unwrap().recv().unwrap();
        let another = own.submit(false).unwrap();
        waits.send(()).unwrap();
        another.wait().is_some()
    });
    let own = pool.submitter::<Own>().unwrap();
    sender.send(own.clone()).unwrap();
    let running = pool.start().unwrap();
    let outer = own.submit(true).unwrap();
    waiting.recv_timeout(TIMEOUT).unwrap();
    let (ended, end) = mpsc::channel();
    thread::spawn(move || {
        drop(running);
        ended.send(()).unwrap();
    });
    end.recv_timeout(TIMEOUT).unwrap();
    assert_ne!(outer.wait(), Some(true));
}
