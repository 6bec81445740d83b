use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};
use std::task::Waker;
use std::thread::{self, Thread};

use super::*;
use crate::call::reply::ReplySender;

struct Double;

impl Service for Double {
    type Job = u32;
    type Reply = u32;
}

/// A pool that stores its jobs and runs none.
struct Sink {
    semaphore: Arc<Semaphore>,
    jobs: Mutex<Vec<(u32, Permit, ReplySender)>>,
}

impl Sink {
    fn new(limit: usize) -> Self {
        Self { semaphore: Arc::new(Semaphore::new(limit)), jobs: Mutex::default() }
    }

    fn take(&self) -> (u32, Permit, ReplySender) {
        self.jobs.lock().unwrap().remove(0)
    }
}

impl JobSink<Double> for Sink {
    fn semaphore(&self) -> &Arc<Semaphore> {
        &self.semaphore
    }

    fn submit(&self, job: u32, permit: Permit, to: ReplySender) {
        self.jobs.lock().unwrap().push((job, permit, to));
    }
}

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(1);

#[test]
fn l12_a_job_has_its_reply_or_none() {
    let sink = Sink::new(2);
    let answered = JobHandle::submit::<Double>(&sink, 21).unwrap();
    let failed = JobHandle::submit::<Double>(&sink, 7).unwrap();
    let Err(TrySendError::Full(3)) = JobHandle::submit::<Double>(&sink, 3) else {
        panic!("the pool is full")
    };
    let Err(answered) = answered.wait_for(SHORT) else { panic!("nobody has answered") };
    let (job, _permit, reply) = sink.take();
    reply.send(job * 2);
    assert_eq!(answered.wait(), Some(42));
    drop(sink.take());
    assert_eq!(failed.wait_for(LONG).unwrap(), None);
}

#[test]
fn x7_a_thread_waits_for_room_and_gets_the_permit_that_comes_back() {
    let sink = Sink::new(1);
    let first = JobHandle::submit::<Double>(&sink, 1).unwrap();
    assert!(matches!(
        JobHandle::submit_within::<Double>(&sink, 2, SHORT),
        Err(TrySendError::Full(2))
    ));
    thread::scope(|scope| {
        let (done, replied) = mpsc::channel();
        let sink = &sink;
        scope.spawn(move || {
            let handle = JobHandle::submit_within::<Double>(sink, 2, LONG).unwrap();
            done.send(handle.wait()).unwrap();
        });
        // The permit of the first job is dropped here, whether the thread waits for it already or
        // not yet.
        let (_, permit, reply) = sink.take();
        drop(permit);
        reply.send(2_u32);
        assert_eq!(first.wait(), Some(2));
        while sink.jobs.lock().unwrap().is_empty() {
            thread::yield_now();
        }
        sink.take().2.send(4_u32);
        assert_eq!(replied.recv().unwrap(), Some(4));
    });
    let accounting = sink.semaphore.accounting();
    assert_eq!((accounting.offered, accounting.taken, accounting.abandoned), (3, 2, 1));
}

#[test]
fn x7_a_thread_that_waits_for_room_learns_that_the_pool_is_closed() {
    let sink = Sink::new(0);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| JobHandle::submit_within::<Double>(&sink, 2, LONG));
        while sink.semaphore.accounting().waiting == 0 {
            thread::yield_now();
        }
        sink.semaphore.close();
        assert!(matches!(waiting.join().unwrap(), Err(TrySendError::Gone(2))));
    });
    assert!(matches!(JobHandle::submit::<Double>(&sink, 2), Err(TrySendError::Gone(2))));
}

/// Wakes a thread, and counts.
struct Unpark(Thread, AtomicUsize);

impl Unpark {
    fn this_thread() -> Arc<Self> {
        Arc::new(Self(thread::current(), AtomicUsize::new(0)))
    }

    fn count(&self) -> usize {
        self.1.load(Ordering::SeqCst)
    }
}

impl std::task::Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.unpark();
    }
}

fn poll(handle: &mut JobHandle<u32>, waker: &Arc<Unpark>) -> Poll<Option<u32>> {
    let waker = Waker::from(Arc::clone(waker));
    Pin::new(handle).poll(&mut Context::from_waker(&waker))
}

fn block_on(mut handle: JobHandle<u32>) -> Option<u32> {
    let waker = Unpark::this_thread();
    loop {
        match poll(&mut handle, &waker) {
            Poll::Ready(reply) => return reply,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn l12_a_future_has_the_reply_of_its_job_or_none() {
    let sink = Sink::new(3);
    let [early, late, failed] =
        [1, 2, 3].map(|job| JobHandle::submit::<Double>(&sink, job).unwrap());
    sink.take().2.send(2_u32);
    assert_eq!(block_on(early), Some(2));
    thread::scope(|scope| {
        let waiting = [late, failed].map(|handle| scope.spawn(move || block_on(handle)));
        sink.take().2.send(4_u32);
        drop(sink.take());
        assert_eq!(waiting.map(|thread| thread.join().unwrap()), [Some(4), None]);
    });
}

#[test]
fn l12_the_task_that_polled_last_is_woken_once() {
    let sink = Sink::new(1);
    let mut handle = JobHandle::submit::<Double>(&sink, 1).unwrap();
    let (first, last) = (Unpark::this_thread(), Unpark::this_thread());
    assert!(poll(&mut handle, &first).is_pending());
    assert!(poll(&mut handle, &last).is_pending());
    sink.take().2.send(2_u32);
    assert_eq!((first.count(), last.count()), (0, 1));
    assert_eq!(poll(&mut handle, &last), Poll::Ready(Some(2)));
    // The reply is given once, and no way of asking again waits for ever.
    assert_eq!(poll(&mut handle, &last), Poll::Ready(None));
    assert_eq!(handle.wait(), None);
    assert_eq!((Arc::strong_count(&first), Arc::strong_count(&last)), (1, 1));
}

#[test]
fn a_future_that_is_dropped_abandons_its_job_and_wakes_nobody() {
    let sink = Sink::new(1);
    let mut handle = JobHandle::submit::<Double>(&sink, 1).unwrap();
    let waker = Unpark::this_thread();
    assert!(poll(&mut handle, &waker).is_pending());
    drop(handle);
    let (job, permit, reply) = sink.take();
    assert_eq!(job, 1, "the job itself goes on");
    reply.send(2_u32);
    assert_eq!((waker.count(), Arc::strong_count(&waker)), (0, 1));
    drop(permit);
    assert!(JobHandle::submit::<Double>(&sink, 2).is_ok(), "its room is free again");
}

#[test]
fn x8_a_waker_that_panics_does_not_harm_the_thread_that_replies() {
    struct Panics;

    impl std::task::Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("this executor is broken");
        }
    }

    let sink = Sink::new(1);
    let mut handle = JobHandle::submit::<Double>(&sink, 1).unwrap();
    let waker = Waker::from(Arc::new(Panics));
    assert!(Pin::new(&mut handle).poll(&mut Context::from_waker(&waker)).is_pending());
    sink.take().2.send(2_u32);
    assert_eq!(handle.wait(), Some(2));
}
