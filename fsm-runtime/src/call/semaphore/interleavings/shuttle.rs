//! Random schedules of five threads.

use std::sync::Arc;

use super::check_accounting;
use crate::Key;
use crate::call::semaphore::Semaphore;
use crate::sync::schedules::thread;
use crate::sync::schedules::{Flag, below, schedules};
use crate::wake::Wake;

/// Four threads that offer to a pool, wait or leave, and give back, with a close at any time or
/// none.
#[test]
fn x7_books_balance_whoever_waits_leaves_or_closes() {
    schedules(|| {
        let limit = 1 + below(2);
        let semaphore = Arc::new(Semaphore::new(limit));
        let parties = (0..4).map(|_| {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || {
                for _ in 0..3 {
                    party(&semaphore);
                    assert!(semaphore.out() <= limit, "X7: more permits than there are");
                }
            })
        });
        let parties: Vec<_> = parties.collect();
        if below(2) == 0 {
            for _ in 0..below(20) {
                thread::yield_now();
            }
            semaphore.close();
        }
        for party in parties {
            party.join().expect("no thread panics");
        }
        check_accounting(&semaphore);
    });
}

fn party(semaphore: &Arc<Semaphore>) {
    if below(3) == 0 {
        let permit = semaphore.try_offer();
        thread::yield_now();
        drop(permit);
        return;
    }
    let flag = Arc::new(Flag::default());
    let wakes: Arc<dyn Wake> = Arc::<Flag>::clone(&flag);
    let Ok(offered) = semaphore.offer_or_queue(|| wakes, Key::new(0, 0)) else { return };
    match offered {
        Ok(permit) => {
            thread::yield_now();
            drop(permit);
        }
        Err(mut waiting) => {
            if below(3) == 0 {
                // It leaves, granted or not.
                return;
            }
            flag.wait();
            let permit = waiting.poll().expect("a woken thread finds out why");
            thread::yield_now();
            drop(permit);
        }
    }
}
