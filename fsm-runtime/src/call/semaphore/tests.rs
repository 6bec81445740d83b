use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(&self, _: Key) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn wait(semaphore: &Arc<Semaphore>, wakes: &Arc<Woken>) -> Result<Permit, QueuedPermit> {
    let wakes: Arc<dyn Wake> = Arc::<Woken>::clone(wakes);
    semaphore.offer_or_queue(|| wakes, Key::new(0, 0)).unwrap()
}

fn balances(semaphore: &Semaphore) {
    let Accounting { offered, taken, refused, abandoned, waiting, .. } = semaphore.accounting();
    assert_eq!(offered, taken + refused + abandoned + waiting);
}

#[test]
fn x7_who_waits_longest_gets_what_becomes_free() {
    let (semaphore, woken) = (Arc::new(Semaphore::new(1)), Arc::new(Woken::default()));
    let Ok(first) = wait(&semaphore, &woken) else { panic!("there is room") };
    let Err(mut second) = wait(&semaphore, &woken) else { panic!("there is none") };
    let Err(mut third) = wait(&semaphore, &woken) else { panic!("there is none") };
    assert!(second.poll().is_none() && third.poll().is_none());
    drop(first);
    assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    // Nobody comes in between.
    assert_eq!(semaphore.try_offer().err(), Some(NoPermit::Full));
    assert!(third.poll().is_none());
    let second = second.poll().unwrap().unwrap();
    drop(second);
    assert!(third.poll().unwrap().is_ok());
    assert_eq!(semaphore.out(), 0);
    balances(&semaphore);
}

#[test]
fn x7_who_leaves_the_queue_holds_nobody_up() {
    let (semaphore, woken) = (Arc::new(Semaphore::new(1)), Arc::new(Woken::default()));
    let Ok(first) = wait(&semaphore, &woken) else { panic!("there is room") };
    let Err(second) = wait(&semaphore, &woken) else { panic!("there is none") };
    let Err(granted) = wait(&semaphore, &woken) else { panic!("there is none") };
    let Err(mut last) = wait(&semaphore, &woken) else { panic!("there is none") };
    drop(second);
    drop(first);
    // It had the credit, and never took it.
    drop(granted);
    assert!(last.poll().unwrap().is_ok());
    let accounting = semaphore.accounting();
    assert_eq!((accounting.taken, accounting.abandoned, accounting.waiting), (2, 2, 0));
    balances(&semaphore);
}

#[test]
fn x7_close_tells_all_that_wait() {
    let (semaphore, woken) = (Arc::new(Semaphore::new(0)), Arc::new(Woken::default()));
    let Err(mut first) = wait(&semaphore, &woken) else { panic!("there is none") };
    semaphore.close();
    assert_eq!(first.poll().unwrap().err(), Some(NoPermit::Closed));
    assert_eq!(semaphore.try_acquire().err(), Some(NoPermit::Closed));
    assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    drop(first);
    balances(&semaphore);
}

/// All histories of a few steps with a few parties, on a limit of none to two.
#[test]
fn x7_books_balance_in_every_short_history() {
    const STEPS: u32 = 6;
    const CHOICES: u32 = 6;
    for limit in 0..3 {
        for history in 0..CHOICES.pow(STEPS) {
            let (semaphore, woken) = (Arc::new(Semaphore::new(limit)), Arc::new(Woken::default()));
            let (mut held, mut waiting) = (Vec::new(), VecDeque::new());
            let mut rest = history;
            for _ in 0..STEPS {
                match rest % CHOICES {
                    0 => held.extend(semaphore.try_offer()),
                    1 => {
                        let wakes: Arc<dyn Wake> = Arc::<Woken>::clone(&woken);
                        match semaphore.offer_or_queue(|| wakes, Key::new(0, 0)) {
                            Ok(Ok(permit)) => held.push(permit),
                            Ok(Err(driver)) => waiting.push_back(driver),
                            Err(_) => {}
                        }
                    }
                    2 => drop(held.pop()),
                    3 => drop(waiting.pop_front()),
                    4 => {
                        for driver in &mut waiting {
                            held.extend(driver.poll().and_then(Result::ok));
                        }
                    }
                    _ => semaphore.close(),
                }
                rest /= CHOICES;
                balances(&semaphore);
                assert!(semaphore.out() <= limit);
            }
            drop((held, waiting));
            balances(&semaphore);
            assert_eq!(semaphore.out(), 0);
        }
    }
}

#[test]
fn those_who_have_left_do_not_pile_up() {
    let (semaphore, woken) = (Arc::new(Semaphore::new(0)), Arc::new(Woken::default()));
    for _ in 0..10_000 {
        drop(wait(&semaphore, &woken).err());
    }
    assert!(semaphore.state().waiters.len() < 200);
    balances(&semaphore);
}

#[test]
fn x7_those_who_wait_get_what_there_is_more_of() {
    let (semaphore, woken) = (Arc::new(Semaphore::new(0)), Arc::new(Woken::default()));
    let mut waiting: Vec<_> = (0..3).filter_map(|_| wait(&semaphore, &woken).err()).collect();
    semaphore.set_limit(2);
    assert_eq!(woken.0.load(Ordering::Relaxed), 2);
    let got: Vec<_> = waiting.iter_mut().map(QueuedPermit::poll).collect();
    assert!(matches!(got[..], [Some(Ok(_)), Some(Ok(_)), None]));
    balances(&semaphore);
}

#[test]
fn the_most_is_of_what_was_kept_or_offered() {
    let semaphore = Arc::new(Semaphore::new(3));
    // An acceptor takes one only to see whether anybody has come.
    drop(semaphore.try_acquire().unwrap());
    assert_eq!(semaphore.accounting().peak, 0);
    for _ in 0..2 {
        semaphore.try_acquire().unwrap().keep();
    }
    semaphore.release_and_notify();
    assert_eq!((semaphore.accounting().peak, semaphore.out()), (2, 1));
    // What is offered is there.
    let offers = [semaphore.try_offer().unwrap(), semaphore.try_offer().unwrap()];
    assert_eq!(semaphore.accounting().peak, 3);
    drop(offers);
}

#[test]
fn x11_what_moves_between_pools_is_in_their_sum_all_the_time() {
    let (here, there) = (Arc::new(Semaphore::new(1)), Arc::new(Semaphore::new(1)));
    let sum = Arc::<AtomicUsize>::default();
    here.try_acquire().unwrap().keep();
    for semaphore in [&here, &there] {
        semaphore.join(Arc::clone(&sum));
    }
    there.try_offer().unwrap().keep();
    here.release_and_notify();
    assert_eq!((here.out_of_all(), there.out_of_all()), (1, 1));
    there.release_and_notify();
    assert_eq!(here.out_of_all(), 0);
}

#[test]
fn x9_whatever_way_a_credit_comes_back_it_is_told() {
    let semaphore = Arc::new(Semaphore::new(1));
    let freed = Arc::<AtomicUsize>::default();
    let enqueue = Arc::clone(&freed);
    semaphore.on_release(Box::new(move || {
        enqueue.fetch_add(1, Ordering::Relaxed);
    }));
    let woken = Arc::new(Woken::default());
    let Ok(first) = wait(&semaphore, &woken) else { panic!("there is room") };
    let Err(second) = wait(&semaphore, &woken) else { panic!("there is none") };
    drop(first);
    // It went to the second.
    assert_eq!(freed.load(Ordering::Relaxed), 0);
    drop(second);
    assert_eq!(freed.load(Ordering::Relaxed), 1);
}
