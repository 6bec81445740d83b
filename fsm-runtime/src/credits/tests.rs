use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wakes for Woken {
    fn wake(&self, _: Key) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn wait(credits: &Arc<Credits>, wakes: &Arc<Woken>) -> Result<Credit, Waiting> {
    let wakes: Arc<dyn Wakes> = Arc::<Woken>::clone(wakes);
    credits.offer_or_wait(|| wakes, Key::new(0, 0)).unwrap()
}

fn balances(credits: &Credits) {
    let Books { offered, taken, refused, abandoned, waiting, .. } = credits.books();
    assert_eq!(offered, taken + refused + abandoned + waiting);
}

#[test]
fn x7_who_waits_longest_gets_what_becomes_free() {
    let (credits, woken) = (Arc::new(Credits::new(1)), Arc::new(Woken::default()));
    let Ok(first) = wait(&credits, &woken) else { panic!("there is room") };
    let Err(mut second) = wait(&credits, &woken) else { panic!("there is none") };
    let Err(mut third) = wait(&credits, &woken) else { panic!("there is none") };
    assert!(second.ready().is_none() && third.ready().is_none());
    drop(first);
    assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    // Nobody comes in between.
    assert_eq!(credits.offer().err(), Some(NoCredit::Full));
    assert!(third.ready().is_none());
    let second = second.ready().unwrap().unwrap();
    drop(second);
    assert!(third.ready().unwrap().is_ok());
    assert_eq!(credits.out(), 0);
    balances(&credits);
}

#[test]
fn x7_who_leaves_the_queue_holds_nobody_up() {
    let (credits, woken) = (Arc::new(Credits::new(1)), Arc::new(Woken::default()));
    let Ok(first) = wait(&credits, &woken) else { panic!("there is room") };
    let Err(second) = wait(&credits, &woken) else { panic!("there is none") };
    let Err(granted) = wait(&credits, &woken) else { panic!("there is none") };
    let Err(mut last) = wait(&credits, &woken) else { panic!("there is none") };
    drop(second);
    drop(first);
    // It had the credit, and never took it.
    drop(granted);
    assert!(last.ready().unwrap().is_ok());
    let books = credits.books();
    assert_eq!((books.taken, books.abandoned, books.waiting), (2, 2, 0));
    balances(&credits);
}

#[test]
fn x7_close_tells_all_that_wait() {
    let (credits, woken) = (Arc::new(Credits::new(0)), Arc::new(Woken::default()));
    let Err(mut first) = wait(&credits, &woken) else { panic!("there is none") };
    credits.close();
    assert_eq!(first.ready().unwrap().err(), Some(NoCredit::Closed));
    assert_eq!(credits.draw().err(), Some(NoCredit::Closed));
    assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    drop(first);
    balances(&credits);
}

/// All histories of a few steps with a few parties, on a limit of none to two.
#[test]
fn x7_books_balance_in_every_short_history() {
    const STEPS: u32 = 6;
    const CHOICES: u32 = 6;
    for limit in 0..3 {
        for history in 0..CHOICES.pow(STEPS) {
            let (credits, woken) = (Arc::new(Credits::new(limit)), Arc::new(Woken::default()));
            let (mut held, mut waiting) = (Vec::new(), VecDeque::new());
            let mut rest = history;
            for _ in 0..STEPS {
                match rest % CHOICES {
                    0 => held.extend(credits.offer()),
                    1 => {
                        let wakes: Arc<dyn Wakes> = Arc::<Woken>::clone(&woken);
                        match credits.offer_or_wait(|| wakes, Key::new(0, 0)) {
                            Ok(Ok(credit)) => held.push(credit),
                            Ok(Err(waits)) => waiting.push_back(waits),
                            Err(_) => {}
                        }
                    }
                    2 => drop(held.pop()),
                    3 => drop(waiting.pop_front()),
                    4 => {
                        for waits in &mut waiting {
                            held.extend(waits.ready().and_then(Result::ok));
                        }
                    }
                    _ => credits.close(),
                }
                rest /= CHOICES;
                balances(&credits);
                assert!(credits.out() <= limit);
            }
            drop((held, waiting));
            balances(&credits);
            assert_eq!(credits.out(), 0);
        }
    }
}

#[test]
fn those_who_have_left_do_not_pile_up() {
    let (credits, woken) = (Arc::new(Credits::new(0)), Arc::new(Woken::default()));
    for _ in 0..10_000 {
        drop(wait(&credits, &woken).err());
    }
    assert!(credits.state().waiters.len() < 200);
    balances(&credits);
}

#[test]
fn x7_those_who_wait_get_what_there_is_more_of() {
    let (credits, woken) = (Arc::new(Credits::new(0)), Arc::new(Woken::default()));
    let mut waiting: Vec<_> = (0..3).filter_map(|_| wait(&credits, &woken).err()).collect();
    credits.set_limit(2);
    assert_eq!(woken.0.load(Ordering::Relaxed), 2);
    let got: Vec<_> = waiting.iter_mut().map(Waiting::ready).collect();
    assert!(matches!(got[..], [Some(Ok(_)), Some(Ok(_)), None]));
    balances(&credits);
}

#[test]
fn the_most_is_of_what_was_kept_or_offered() {
    let credits = Arc::new(Credits::new(3));
    // An acceptor takes one only to see whether anybody has come.
    drop(credits.draw().unwrap());
    assert_eq!(credits.books().most, 0);
    for _ in 0..2 {
        credits.draw().unwrap().keep();
    }
    credits.give_back();
    assert_eq!((credits.books().most, credits.out()), (2, 1));
    // What is offered is there.
    let offers = [credits.offer().unwrap(), credits.offer().unwrap()];
    assert_eq!(credits.books().most, 3);
    drop(offers);
}

#[test]
fn x11_what_moves_between_pools_is_in_their_sum_all_the_time() {
    let (here, there) = (Arc::new(Credits::new(1)), Arc::new(Credits::new(1)));
    let sum = Arc::<AtomicUsize>::default();
    here.draw().unwrap().keep();
    for credits in [&here, &there] {
        credits.join(Arc::clone(&sum));
    }
    there.offer().unwrap().keep();
    here.give_back();
    assert_eq!((here.out_of_all(), there.out_of_all()), (1, 1));
    there.give_back();
    assert_eq!(here.out_of_all(), 0);
}

#[test]
fn x9_whatever_way_a_credit_comes_back_it_is_told() {
    let credits = Arc::new(Credits::new(1));
    let freed = Arc::<AtomicUsize>::default();
    let told = Arc::clone(&freed);
    credits.on_freed(Box::new(move || {
        told.fetch_add(1, Ordering::Relaxed);
    }));
    let woken = Arc::new(Woken::default());
    let Ok(first) = wait(&credits, &woken) else { panic!("there is room") };
    let Err(second) = wait(&credits, &woken) else { panic!("there is none") };
    drop(first);
    // It went to the second.
    assert_eq!(freed.load(Ordering::Relaxed), 0);
    drop(second);
    assert_eq!(freed.load(Ordering::Relaxed), 1);
}
