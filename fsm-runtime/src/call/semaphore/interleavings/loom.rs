//! All schedules of a few preemptions of three or four threads.

use std::sync::Arc;

use super::check_accounting;
use crate::Key;
use crate::call::semaphore::{NoPermit, Permit, QueuedPermit, Semaphore};
use crate::sync::schedules::{Flag, schedules, thread};
use crate::wake::Wake;

fn wait(semaphore: &Arc<Semaphore>) -> Result<Permit, NoPermit> {
    let flag = Arc::new(Flag::default());
    match offer(semaphore, &flag)? {
        Ok(permit) => Ok(permit),
        Err(mut waiting) => {
            flag.wait();
            waiting.poll().expect("a woken thread finds out why")
        }
    }
}

fn offer(
    semaphore: &Arc<Semaphore>,
    flag: &Arc<Flag>,
) -> Result<Result<Permit, QueuedPermit>, NoPermit> {
    let wakes: Arc<dyn Wake> = Arc::<Flag>::clone(flag);
    semaphore.offer_or_queue(|| wakes, Key::new(0, 0))
}

/// Three threads want the only permit.
#[test]
fn x7_a_permit_that_is_free_wakes_who_waits() {
    schedules(5, || {
        let semaphore = Arc::new(Semaphore::new(1));
        let threads = [(); 2].map(|()| {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || drop(wait(&semaphore).expect("nobody closes")))
        });
        drop(wait(&semaphore).expect("nobody closes"));
        for thread in threads {
            thread.join().expect("no panics");
        }
        check_accounting(&semaphore);
    });
}

/// One thread leaves the queue while a permit is granted to it: the permit goes to the next one.
#[test]
fn x7_a_permit_for_one_who_leaves_goes_to_the_next() {
    schedules(6, || {
        let semaphore = Arc::new(Semaphore::new(1));
        let held = semaphore.try_offer().expect("there is room");
        let leaves = {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || drop(offer(&semaphore, &Arc::default())))
        };
        let waits = {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || drop(wait(&semaphore).expect("nobody closes")))
        };
        drop(held);
        leaves.join().expect("no panics");
        waits.join().expect("no panics");
        check_accounting(&semaphore);
    });
}

/// The pool closes while one thread waits, one gives back, and one asks.
#[test]
fn x7_close_wakes_all_who_wait() {
    schedules(3, || {
        let semaphore = Arc::new(Semaphore::new(1));
        let held = semaphore.try_offer().expect("there is room");
        let threads = [(); 2].map(|()| {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || drop(wait(&semaphore)))
        });
        let closes = {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || semaphore.close())
        };
        drop(held);
        for thread in threads.into_iter().chain([closes]) {
            thread.join().expect("no panics");
        }
        assert_eq!(semaphore.try_acquire().err(), Some(NoPermit::Closed));
        check_accounting(&semaphore);
    });
}
