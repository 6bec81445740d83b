use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

#[derive(Default)]
struct CountWakes(AtomicUsize);

impl Wake for CountWakes {
    fn wake(&self, _: Key) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn offer(semaphore: &Arc<Semaphore>, wakes: &Arc<CountWakes>) -> Result<Permit, QueuedPermit> {
    let wakes: Arc<dyn Wake> = Arc::<CountWakes>::clone(wakes);
    semaphore.offer_or_queue(|| wakes, Key::new(0, 0)).unwrap()
}

fn assert_balanced(semaphore: &Semaphore) {
    let Accounting { offered, taken, refused, abandoned, waiting, .. } = semaphore.accounting();
    assert_eq!(offered, taken + refused + abandoned + waiting);
}

#[test]
fn x7_a_released_permit_goes_to_the_longest_waiter() {
    let (semaphore, woken) = (Arc::new(Semaphore::new(1)), Arc::new(CountWakes::default()));
    let Ok(first) = offer(&semaphore, &woken) else { panic!("a permit is free") };
    let Err(mut second) = offer(&semaphore, &woken) else { panic!("no permit is free") };
    let Err(mut third) = offer(&semaphore, &woken) else { panic!("no permit is free") };
    assert!(second.poll().is_none() && third.poll().is_none());
    drop(first);
    assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    // A later caller does not get the released permit.
    assert_eq!(semaphore.try_offer().err(), Some(NoPermit::Full));
    assert!(third.poll().is_none());
    let second = second.poll().unwrap().unwrap();
    drop(second);
    assert!(third.poll().unwrap().is_ok());
    assert_eq!(semaphore.out(), 0);
    assert_balanced(&semaphore);
}

#[test]
fn x7_an_abandoned_request_delays_no_other() {
    let (semaphore, woken) = (Arc::new(Semaphore::new(1)), Arc::new(CountWakes::default()));
    let Ok(first) = offer(&semaphore, &woken) else { panic!("a permit is free") };
    let Err(second) = offer(&semaphore, &woken) else { panic!("no permit is free") };
    let Err(granted) = offer(&semaphore, &woken) else { panic!("no permit is free") };
    let Err(mut last) = offer(&semaphore, &woken) else { panic!("no permit is free") };
    drop(second);
    drop(first);
    // This request had a permit and never took it.
    drop(granted);
    assert!(last.poll().unwrap().is_ok());
    let accounting = semaphore.accounting();
    assert_eq!((accounting.taken, accounting.abandoned, accounting.waiting), (2, 2, 0));
    assert_balanced(&semaphore);
}

#[test]
fn x7_close_wakes_all_waiters() {
    let (semaphore, woken) = (Arc::new(Semaphore::new(0)), Arc::new(CountWakes::default()));
    let Err(mut first) = offer(&semaphore, &woken) else { panic!("no permit is free") };
    semaphore.close();
    assert_eq!(first.poll().unwrap().err(), Some(NoPermit::Closed));
    assert_eq!(semaphore.try_acquire().err(), Some(NoPermit::Closed));
    assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    drop(first);
    assert_balanced(&semaphore);
}

/// All histories of six steps, with limits of zero to two permits.
#[test]
fn x7_the_accounting_balances_in_every_short_history() {
    const STEPS: u32 = 6;
    const CHOICES: u32 = 6;
    for limit in 0..3 {
        for history in 0..CHOICES.pow(STEPS) {
            let (semaphore, woken) =
                (Arc::new(Semaphore::new(limit)), Arc::new(CountWakes::default()));
            let (mut held, mut waiting) = (Vec::new(), VecDeque::new());
            let mut rest = history;
            for _ in 0..STEPS {
                match rest % CHOICES {
                    0 => held.extend(semaphore.try_offer()),
                    1 => {
                        let wakes: Arc<dyn Wake> = Arc::<CountWakes>::clone(&woken);
                        match semaphore.offer_or_queue(|| wakes, Key::new(0, 0)) {
                            Ok(Ok(permit)) => held.push(permit),
                            Ok(Err(queued)) => waiting.push_back(queued),
                            Err(_) => {}
                        }
                    }
                    2 => drop(held.pop()),
                    3 => drop(waiting.pop_front()),
                    4 => {
                        for queued in &mut waiting {
                            held.extend(queued.poll().and_then(Result::ok));
                        }
                    }
                    _ => semaphore.close(),
                }
                rest /= CHOICES;
                assert_balanced(&semaphore);
                assert!(semaphore.out() <= limit);
            }
            drop((held, waiting));
            assert_balanced(&semaphore);
            assert_eq!(semaphore.out(), 0);
        }
    }
}

#[test]
fn abandoned_requests_do_not_accumulate() {
    let (semaphore, woken) = (Arc::new(Semaphore::new(0)), Arc::new(CountWakes::default()));
    for _ in 0..10_000 {
        drop(offer(&semaphore, &woken).err());
    }
    assert!(semaphore.state().waiters.len() < 200);
    assert_balanced(&semaphore);
}

#[test]
fn x7_additional_permits_go_to_waiters() {
    let (semaphore, woken) = (Arc::new(Semaphore::new(0)), Arc::new(CountWakes::default()));
    let mut waiting: Vec<_> = (0..3).filter_map(|_| offer(&semaphore, &woken).err()).collect();
    semaphore.set_limit(2);
    assert_eq!(woken.0.load(Ordering::Relaxed), 2);
    let polled: Vec<_> = waiting.iter_mut().map(QueuedPermit::poll).collect();
    assert!(matches!(polled[..], [Some(Ok(_)), Some(Ok(_)), None]));
    assert_balanced(&semaphore);
}

#[test]
fn the_peak_counts_forgotten_and_offered_permits() {
    let semaphore = Arc::new(Semaphore::new(3));
    // An acceptor takes a permit before it knows whether a client waits, and drops it if none does.
    drop(semaphore.try_acquire().unwrap());
    assert_eq!(semaphore.accounting().peak, 0);
    for _ in 0..2 {
        semaphore.try_acquire().unwrap().forget();
    }
    semaphore.release_and_notify();
    assert_eq!((semaphore.accounting().peak, semaphore.out()), (2, 1));
    // An offer counts at once.
    let offers = [semaphore.try_offer().unwrap(), semaphore.try_offer().unwrap()];
    assert_eq!(semaphore.accounting().peak, 3);
    drop(offers);
}

#[test]
fn x11_a_connection_that_moves_is_in_the_sum_of_its_pools_all_the_time() {
    let (here, there) = (Arc::new(Semaphore::new(1)), Arc::new(Semaphore::new(1)));
    let group_out = Arc::<AtomicUsize>::default();
    here.try_acquire().unwrap().forget();
    for semaphore in [&here, &there] {
        semaphore.share_count(Arc::clone(&group_out));
    }
    there.try_offer().unwrap().forget();
    here.release_and_notify();
    assert_eq!((here.group_out(), there.group_out()), (1, 1));
    there.release_and_notify();
    assert_eq!(here.group_out(), 0);
}

#[test]
fn x9_on_release_is_called_however_a_permit_comes_back() {
    let semaphore = Arc::new(Semaphore::new(1));
    let calls = Arc::<AtomicUsize>::default();
    let counter = Arc::clone(&calls);
    semaphore.on_release(Box::new(move || {
        counter.fetch_add(1, Ordering::Relaxed);
    }));
    let woken = Arc::new(CountWakes::default());
    let Ok(first) = offer(&semaphore, &woken) else { panic!("a permit is free") };
    let Err(second) = offer(&semaphore, &woken) else { panic!("no permit is free") };
    drop(first);
    // The permit went to the second caller.
    assert_eq!(calls.load(Ordering::Relaxed), 0);
    drop(second);
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}
