//! Jobs that plain threads submit.

use std::pin::pin;
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};

use super::*;

/// Wakes a task whose executor is a thread.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Arc::new(Unpark(thread::current())).into();
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn jobs_from_plain_threads_get_their_replies() {
    let latch = Arc::<Latch>::default();
    latch.open();
    let builder = Pool::builder::<Upcase>("upcase").threads(2).max_running(2).max_jobs(8);
    let handle = builder.handle();
    let running = builder.worker(move || Worker(Arc::clone(&latch))).start().unwrap();
    let submit = |text: String| handle.submit_within(text, Duration::from_secs(20)).unwrap();
    thread::scope(|scope| {
        for thread in 0..6 {
            scope.spawn(move || {
                for round in 0..200 {
                    let jobs = [0, 1, 2].map(|n| submit(format!("a{thread} {round} {n}")));
                    for (n, job) in jobs.into_iter().enumerate() {
                        assert_eq!(job.wait(), Some(format!("A{thread} {round} {n}")));
                    }
                }
            });
        }
    });
    let stats = running.drain().unwrap();
    assert_eq!((stats.offered, stats.taken, stats.done, stats.open), (3_600, 3_600, 3_600, 0));
}

#[test]
fn x7_a_submitting_thread_gets_full_or_waits_for_room() {
    let latch = Arc::<Latch>::default();
    let builder = Pool::builder::<Upcase>("upcase").max_jobs(1);
    let handle = builder.handle();
    let running = {
        let latch = Arc::clone(&latch);
        builder.worker(move || Worker(Arc::clone(&latch))).start().unwrap()
    };
    let first = handle.submit("first".to_owned()).unwrap();
    let refused = handle.submit("second".to_owned()).unwrap_err();
    assert_eq!(refused, TrySendError::Full("second".to_owned()));
    let late = handle.submit_within("third".to_owned(), Duration::from_millis(1)).unwrap_err();
    assert_eq!(late, TrySendError::Full("third".to_owned()));
    let waits = thread::spawn(move || {
        let job = handle.submit_within("fourth".to_owned(), Duration::from_secs(20));
        job.unwrap().wait()
    });
    while running.stats().waiting < 1 {
        thread::yield_now();
    }
    let first = first.wait_for(Duration::from_millis(1)).unwrap_err();
    latch.open();
    assert_eq!(first.wait().as_deref(), Some("FIRST"));
    assert_eq!(waits.join().unwrap().as_deref(), Some("FOURTH"));
    let stats = running.drain().unwrap();
    assert_eq!((stats.offered, stats.taken, stats.refused, stats.abandoned), (4, 2, 1, 1));
}

#[test]
fn l12_x7_a_submitting_thread_learns_that_there_will_be_no_reply() {
    let latch = Arc::<Latch>::default();
    let builder = Pool::builder::<Upcase>("upcase").max_jobs(2);
    let handle = builder.handle();
    let gone = Err(TrySendError::Gone("job".to_owned()));
    let submit = || handle.submit("job".to_owned()).map(drop);
    assert_eq!(submit(), gone, "it has not started");
    let running = {
        let latch = Arc::clone(&latch);
        builder.worker(move || Worker(Arc::clone(&latch))).start().unwrap()
    };
    // One job runs, one waits for the thread, and one for room.
    let jobs = [(); 2].map(|()| handle.submit("job".to_owned()).unwrap());
    let waits = {
        let handle = handle.clone();
        thread::spawn(move || {
            handle.submit_within("job".to_owned(), Duration::from_secs(20)).map(drop)
        })
    };
    while running.stats().waiting < 1 || latch.arrivals() < 1 {
        thread::yield_now();
    }
    handle.drain();
    assert_eq!(submit(), gone, "it drains");
    handle.close();
    assert_eq!(waits.join().unwrap(), gone, "it is closed");
    assert_eq!(submit(), gone, "it is closed");
    latch.open();
    let [first, second] = jobs;
    // The first job runs to its end; the second one has not begun.
    assert_eq!((first.wait(), second.wait()), (Some("JOB".to_owned()), None));
    let stats = running.join().unwrap();
    assert_eq!((stats.done, stats.closed, stats.open), (1, 1, 0));
}

#[test]
fn an_async_program_awaits_jobs_of_a_pool() {
    let upper = Pool::workers::<Upper>("upper", 2, |text: String| text.to_uppercase());
    let uppers = upper.submitter::<Upper>().unwrap();
    let running = upper.start().unwrap();
    let program = async {
        for round in 0..200 {
            let jobs = ["a", "b", "c"].map(|text| uppers.submit(format!("{text}{round}")).unwrap());
            for (job, text) in jobs.into_iter().zip(["A", "B", "C"]) {
                assert_eq!(job.await, Some(format!("{text}{round}")));
            }
        }
    };
    block_on(program);
    assert_eq!(running.drain().unwrap().taken, 600);
}

#[test]
fn l12_x8_an_awaited_job_that_panics_has_no_reply() {
    let upper = Pool::workers::<Upper>("upper", 1, |text: String| {
        assert_ne!(text, "bad");
        text.to_uppercase()
    });
    let uppers = upper.submitter::<Upper>().unwrap();
    let running = upper.start().unwrap();
    let [bad, good] = ["bad", "good"].map(|text| uppers.submit(text.to_owned()).unwrap());
    assert_eq!(block_on(async { (bad.await, good.await) }), (None, Some("GOOD".to_owned())));
    assert_eq!(running.drain().unwrap().panicked, 1);
}

#[test]
fn l12_x7_an_awaiting_task_learns_that_the_pool_is_closed() {
    let latch = Arc::<Latch>::default();
    let builder = Pool::builder::<Upcase>("upcase").max_jobs(2);
    let handle = builder.handle();
    let running = {
        let latch = Arc::clone(&latch);
        builder.worker(move || Worker(Arc::clone(&latch))).start().unwrap()
    };
    let [first, second] = [(); 2].map(|()| handle.submit("job".to_owned()).unwrap());
    while latch.arrivals() < 1 {
        thread::yield_now();
    }
    let waiting = thread::spawn(|| block_on(async { (first.await, second.await) }));
    handle.close();
    latch.open();
    // The first job runs to its end; the second one has not begun.
    assert_eq!(waiting.join().unwrap(), (Some("JOB".to_owned()), None));
    running.join().unwrap();
}
