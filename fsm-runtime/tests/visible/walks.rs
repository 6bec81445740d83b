//! Walks over many slots, beside other work.

use super::*;

/// Sleeps for an hour, or echoes.
#[state_machine(start = Begin, job = u64, reply = u64)]
enum Parked {
    #[run]
    #[to(Asleep | Done)]
    Begin { job: u64 },
    #[sleep(1h)]
    #[to(Done)]
    Asleep { job: u64 },
    #[end]
    Done,
}

struct Worker;

impl parked::Handler for Worker {
    fn begin(&mut self, job: &mut u64, _: &mut JobCx<'_>) -> parked::AfterBegin {
        match *job {
            0 => parked::AfterBegin::Asleep { job: 0 },
            job => parked::AfterBegin::Done { reply: job },
        }
    }

    fn asleep(&mut self, job: &mut u64, _: &mut JobCx<'_>) -> parked::AfterAsleep {
        parked::AfterAsleep::Done { reply: *job }
    }
}

#[test]
fn v2_fifteen_thousand_slots_are_walked_while_others_have_their_turns() {
    const PARKED: usize = 15_000;
    for threads in [1, 2] {
        let builder = Pool::builder::<Parked>("parked").max_jobs(20_000).threads(threads);
        let handle = builder.handle();
        let running = builder.worker(|| Worker).start().unwrap();
        let jobs: Vec<_> = (0..PARKED).map(|_| handle.submit(0).unwrap()).collect();
        until(|| handle.snapshot(WITHIN), |pool| pool.count("Asleep") == PARKED);
        let (stop, stopped) = mpsc::channel::<()>();
        let others = handle.clone();
        let echo = std::thread::spawn(move || {
            let (mut echoed, mut slowest) = (0_u64, Duration::ZERO);
            while stopped.try_recv() == Err(mpsc::TryRecvError::Empty) {
                let asked = Instant::now();
                assert_eq!(others.submit(7).unwrap().wait(), Some(7));
                echoed += 1;
                slowest = slowest.max(asked.elapsed());
            }
            (echoed, slowest)
        });
        let mut longest = Duration::ZERO;
        for _ in 0..200 {
            let asked = Instant::now();
            let pool = handle.snapshot_of(&Filter::new().limit(100), WITHIN);
            longest = longest.max(asked.elapsed());
            assert_eq!((pool.count("Asleep"), pool.tasks.len()), (PARKED, 100));
            assert!(pool.tasks.is_sorted_by_key(|task| std::cmp::Reverse(task.age.unwrap().time)));
        }
        drop(stop);
        let (echoed, slowest) = echo.join().unwrap();
        println!("{threads} threads: snapshot {longest:?} at most, {echoed} echoes, {slowest:?}");
        assert!(echoed > 200, "{echoed} echoes while 200 snapshots were taken");
        assert!(longest < Duration::from_secs(1), "{longest:?}");
        drop(running);
        drop(jobs);
    }
}
