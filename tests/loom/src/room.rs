use std::sync::Arc;

use loom::sync::{Condvar, Mutex};
use loom::thread;

use crate::Key;
use crate::credits::{Books, Credit, Credits, NoCredit, Waiting, Wakes};
use crate::rules::schedules;

/// A thread that waits for a credit.
#[derive(Default)]
struct Sleeper {
    woken: Mutex<bool>,
    bell: Condvar,
}

impl Wakes for Sleeper {
    fn wake(&self, _: Key) {
        *self.woken.lock().expect("no panics") = true;
        self.bell.notify_one();
    }
}

impl Sleeper {
    fn sleep(&self) {
        let mut woken = self.woken.lock().expect("no panics");
        while !*woken {
            woken = self.bell.wait(woken).expect("no panics");
        }
    }
}

fn wait(credits: &Arc<Credits>) -> Result<Credit, NoCredit> {
    let sleeper = Arc::new(Sleeper::default());
    match offer(credits, &sleeper)? {
        Ok(credit) => Ok(credit),
        Err(mut waiting) => {
            sleeper.sleep();
            waiting.ready().expect("who is woken finds out why")
        }
    }
}

fn offer(
    credits: &Arc<Credits>,
    sleeper: &Arc<Sleeper>,
) -> Result<Result<Credit, Waiting>, NoCredit> {
    let wakes: Arc<dyn Wakes> = Arc::<Sleeper>::clone(sleeper);
    credits.offer_or_wait(|| wakes, Key::new(0, 0))
}

fn check_books(credits: &Credits) {
    let Books { offered, taken, refused, abandoned, waiting, .. } = credits.books();
    assert_eq!(offered, taken + refused + abandoned + waiting);
    assert_eq!((waiting, credits.out()), (0, 0));
}

/// Three want the only one.
pub fn x7_a_credit_that_is_free_wakes_who_waits() {
    schedules(5, || {
        let credits = Arc::new(Credits::new(1));
        let threads = [(); 2].map(|()| {
            let credits = Arc::clone(&credits);
            thread::spawn(move || drop(wait(&credits).expect("nobody closes")))
        });
        drop(wait(&credits).expect("nobody closes"));
        for thread in threads {
            thread.join().expect("no panics");
        }
        check_books(&credits);
    });
}

/// One leaves the queue while a credit is granted to it: it goes to the next.
pub fn x7_a_credit_for_one_who_leaves_goes_to_the_next() {
    schedules(6, || {
        let credits = Arc::new(Credits::new(1));
        let held = credits.offer().expect("there is room");
        let leaves = {
            let credits = Arc::clone(&credits);
            thread::spawn(move || drop(offer(&credits, &Arc::default())))
        };
        let waits = {
            let credits = Arc::clone(&credits);
            thread::spawn(move || drop(wait(&credits).expect("nobody closes")))
        };
        drop(held);
        leaves.join().expect("no panics");
        waits.join().expect("no panics");
        check_books(&credits);
    });
}

/// The pool closes while one waits, one gives back, and one asks.
pub fn x7_close_wakes_all_who_wait() {
    schedules(3, || {
        let credits = Arc::new(Credits::new(1));
        let held = credits.offer().expect("there is room");
        let threads = [(); 2].map(|()| {
            let credits = Arc::clone(&credits);
            thread::spawn(move || drop(wait(&credits)))
        });
        let closes = {
            let credits = Arc::clone(&credits);
            thread::spawn(move || credits.close())
        };
        drop(held);
        for thread in threads.into_iter().chain([closes]) {
            thread.join().expect("no panics");
        }
        assert_eq!(credits.draw().err(), Some(NoCredit::Closed));
        check_books(&credits);
    });
}
