use super::*;

/// The action of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Task {
    /// Replies 1.
    Count,
    /// Waits at the semaphore, then replies 1.
    Wait,
    Panic,
}

#[state_machine(start = Work, job = Task, reply = u32)]
enum Tasks {
    #[run(blocking)]
    #[to(Done)]
    Work { task: Task },
    #[end]
    Done,
}

struct Worker(Arc<Semaphore>);

impl tasks::Handler for Worker {
    fn work(&mut self, task: &mut Task, _: &mut JobCx<'_>) -> tasks::AfterWork {
        assert_ne!(*task, Task::Panic, "requested");
        if *task == Task::Wait {
            self.0.acquire();
        }
        tasks::AfterWork::Done { reply: 1 }
    }
}

/// Submits a job while the pool starts: it takes jobs as soon as one of its threads runs.
fn submit_early(handle: &Handle<Tasks>, task: Task) -> JobHandle<u32> {
    let start = Instant::now();
    loop {
        match handle.submit(task) {
            Ok(job) => return job,
            Err(_) => assert!(start.elapsed() < TIMEOUT, "the pool takes no jobs"),
        }
        thread::yield_now();
    }
}

#[test]
fn x8_a_thread_that_has_lost_its_handler_leaves_the_jobs_to_others_until_it_has_one() {
    let (tries, fails) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
    let builder = Pool::builder::<Tasks>("tasks").threads(4).max_running(4).max_jobs(64);
    let handle = builder.handle();
    let semaphore = Arc::<Semaphore>::default();
    let make = {
        let (tries, fails, semaphore) =
            (Arc::clone(&tries), Arc::clone(&fails), Arc::clone(&semaphore));
        move || {
            tries.fetch_add(1, Ordering::SeqCst);
            if fails.load(Ordering::SeqCst) {
                return Err("the database is down");
            }
            Ok(Worker(Arc::clone(&semaphore)))
        }
    };
    let running = builder.try_worker(make).start().unwrap();
    assert_eq!(tries.load(Ordering::SeqCst), 4);
    fails.store(true, Ordering::SeqCst);
    // Now three of the four threads have no handler.
    for _ in 0..3 {
        assert_eq!(handle.submit(Task::Panic).unwrap().wait(), None);
    }
    let jobs = [(); 40].map(|()| handle.submit(Task::Count).unwrap());
    let done: u32 = jobs.map(JobHandle::wait).into_iter().flatten().sum();
    assert_eq!(done, 40);
    // The threads keep trying, and then all four can reach the semaphore together.
    fails.store(false, Ordering::SeqCst);
    let jobs = [(); 4].map(|()| handle.submit(Task::Wait).unwrap());
    semaphore.wait_for_arrivals(4);
    for _ in &jobs {
        semaphore.release();
    }
    assert_eq!(jobs.map(JobHandle::wait), [Some(1); 4]);
    assert_eq!(running.drain().unwrap().panicked, 3);
}

#[test]
fn x11_a_drain_does_not_wait_for_a_handler_that_cannot_be_made() {
    let fails = Arc::<AtomicBool>::default();
    let builder = Pool::builder::<Tasks>("tasks").drain_within(TIMEOUT * 2);
    let handle = builder.handle();
    let make = {
        let fails = Arc::clone(&fails);
        move || {
            if fails.load(Ordering::SeqCst) {
                return Err("the database is down");
            }
            Ok(Worker(Arc::default()))
        }
    };
    let running = builder.try_worker(make).start().unwrap();
    fails.store(true, Ordering::SeqCst);
    // The only thread has no handler from here on, and a job waits for it.
    assert_eq!(handle.submit(Task::Panic).unwrap().wait(), None);
    let waits = handle.submit(Task::Count).unwrap();
    let (sender, drained) = mpsc::channel();
    thread::spawn(move || sender.send(running.drain()).unwrap());
    let stats = drained.recv_timeout(TIMEOUT).expect("the drain ends").unwrap();
    assert_eq!((waits.wait(), stats.open), (None, 0));
}

#[test]
fn x8_a_start_that_fails_half_way_ends_the_jobs_it_took() {
    let (first, second) = (Arc::<Semaphore>::default(), Arc::<Semaphore>::default());
    let builder =
        Pool::builder::<Tasks>("tasks").threads(2).max_running(1).watchdog(false).max_jobs(3);
    let handle = builder.handle();
    let make = {
        let (first, second, tries) = (Arc::clone(&first), Arc::clone(&second), AtomicUsize::new(0));
        move || {
            if tries.fetch_add(1, Ordering::SeqCst) == 1 {
                second.acquire();
                return Err("no database");
            }
            Ok(Worker(Arc::clone(&first)))
        }
    };
    let submits = thread::spawn(move || {
        // One job runs, and two wait for the thread, when the other thread fails.
        let jobs = [Task::Wait, Task::Count, Task::Count];
        let [runs, waits @ ..] = jobs.map(|task| submit_early(&handle, task));
        first.wait_for_arrivals(1);
        let late = {
            let handle = handle.clone();
            thread::spawn(move || handle.submit_within(Task::Count, TIMEOUT).map(drop))
        };
        wait_until(|| handle.stats().waiting == 1);
        second.release();
        // Its caller learns that the pool has closed; the jobs that have not begun are lost.
        assert_eq!(late.join().unwrap(), Err(TrySendError::Gone(Task::Count)));
        first.release();
        assert_eq!(runs.wait_for(TIMEOUT).unwrap(), Some(1));
        for job in waits {
            assert_eq!(job.wait_for(TIMEOUT).unwrap(), None);
        }
        handle
    });
    let error = builder.try_worker(make).start().unwrap_err();
    assert_eq!(error.to_string(), "the pool `tasks` cannot make a handler: no database");
    let stats = submits.join().unwrap().stats();
    assert_eq!((stats.offered, stats.taken, stats.refused, stats.waiting), (4, 3, 1, 0));
    assert_eq!((stats.done, stats.closed, stats.open), (1, 2, 0));
}

/// Sleeps, and replies with the age of its thread's handler; or holds its thread up.
#[state_machine(start = Begin, job = bool, reply = Duration)]
enum Sleeps {
    #[run]
    #[to(Sleep | Done)]
    Begin { sleeps: bool },
    #[sleep(100ms)]
    #[to(Done)]
    Sleep { since: Instant },
    #[end]
    Done,
}

struct Sleeper {
    semaphore: Arc<Semaphore>,
    made: Instant,
}

impl sleeps::Handler for Sleeper {
    fn begin(&mut self, sleeps: &mut bool, _: &mut JobCx<'_>) -> sleeps::AfterBegin {
        if *sleeps {
            return sleeps::AfterBegin::Sleep { since: self.made };
        }
        self.semaphore.acquire();
        sleeps::AfterBegin::Done { reply: Duration::ZERO }
    }

    fn sleep(&mut self, since: &mut Instant, _: &mut JobCx<'_>) -> sleeps::AfterSleep {
        sleeps::AfterSleep::Done { reply: since.elapsed() }
    }
}

#[test]
fn x6_a_sleep_lasts_its_time_on_a_thread_that_started_late() {
    let (semaphore, late) = (Arc::<Semaphore>::default(), Arc::<Semaphore>::default());
    let builder = Pool::builder::<Sleeps>("sleeps").threads(2).max_running(2).max_jobs(3);
    let handle = builder.handle();
    let make = {
        let (semaphore, late, tries) =
            (Arc::clone(&semaphore), Arc::clone(&late), AtomicUsize::new(0));
        move || {
            if tries.fetch_add(1, Ordering::SeqCst) == 1 {
                late.acquire();
            }
            Sleeper { semaphore: Arc::clone(&semaphore), made: Instant::now() }
        }
    };
    let submits = thread::spawn(move || {
        let start = Instant::now();
        let held = loop {
            match handle.submit(false) {
                Ok(job) => break job,
                Err(_) => assert!(start.elapsed() < TIMEOUT, "the pool takes no jobs"),
            }
        };
        semaphore.wait_for_arrivals(1);
        // Both jobs wait when the first thread polls next. It takes one, and the late thread begins
        // with the other before its first poll.
        let again = handle.submit(false).unwrap();
        let sleep = handle.submit(true).unwrap();
        semaphore.release();
        semaphore.wait_for_arrivals(2);
        // Sleep until the job's sleep would be over if counted from the pool's start; no event
        // marks that.
        thread::sleep(Duration::from_millis(130));
        late.release();
        let slept = sleep.wait().unwrap();
        semaphore.release();
        assert!(held.wait().is_some() && again.wait().is_some());
        slept
    });
    let running = builder.worker(make).start().unwrap();
    // The port rounds to milliseconds.
    let slept = submits.join().unwrap();
    assert!(slept >= Duration::from_millis(99), "it slept {slept:?}");
    drop(running);
}

/// Panics when dropped.
#[derive(Debug)]
struct PanicOnDrop;

impl Drop for PanicOnDrop {
    fn drop(&mut self) {
        assert!(thread::panicking(), "dropped");
    }
}

/// Replies with values that panic when dropped.
#[state_machine(start = Make, job = (), reply = PanicOnDrop)]
enum Makes {
    #[run(blocking)]
    #[to(Done)]
    Make { job: () },
    #[end]
    Done,
}

struct Maker {
    semaphore: Arc<Semaphore>,
    _value: Option<PanicOnDrop>,
}

impl makes::Handler for Maker {
    fn make(&mut self, (): &mut (), _: &mut JobCx<'_>) -> makes::AfterMake {
        self.semaphore.acquire();
        makes::AfterMake::Done { reply: PanicOnDrop }
    }
}

#[test]
fn x8_a_late_reply_that_panics_in_its_drop_is_no_failure_of_the_handler() {
    let (semaphore, tries) = (Arc::<Semaphore>::default(), Arc::<AtomicUsize>::default());
    let builder = Pool::builder::<Makes>("makes");
    let handle = builder.handle();
    let make = {
        let (semaphore, tries) = (Arc::clone(&semaphore), Arc::clone(&tries));
        move || {
            tries.fetch_add(1, Ordering::SeqCst);
            Maker { semaphore: Arc::clone(&semaphore), _value: None }
        }
    };
    let running = builder.worker(make).start().unwrap();
    for count in 1..=2 {
        // No caller waits for the reply any more.
        drop(handle.submit(()).unwrap());
        semaphore.release();
        wait_until(|| handle.stats().ended() == count);
    }
    let stats = running.drain().unwrap();
    assert_eq!((stats.done, stats.panicked), (2, 0));
    assert_eq!(tries.load(Ordering::SeqCst), 1);
}

#[test]
fn x8_a_handler_that_panics_in_its_drop_is_no_failure_of_the_pool() {
    let make = || Maker { semaphore: Arc::default(), _value: Some(PanicOnDrop) };
    let running = Pool::builder::<Makes>("makes").worker(make).start().unwrap();
    assert_eq!(running.drain().unwrap().panicked, 0);
}

/// Holds a value that panics when dropped, and receives others.
#[state_machine(start = Hold, job = PanicOnDrop, reply = (), message = PanicOnDrop)]
enum Holds {
    #[run(blocking)]
    #[to(More)]
    Hold { value: PanicOnDrop },
    #[message(within = 20s => Late)]
    #[to(Done)]
    More,
    #[run]
    #[to(Done)]
    Late,
    #[end]
    Done,
}

struct Holder {
    semaphore: Arc<Semaphore>,
    keys: mpsc::Sender<Key>,
}

impl holds::Handler for Holder {
    fn hold(&mut self, _: &mut PanicOnDrop, cx: &mut JobCx<'_, PanicOnDrop>) -> holds::AfterHold {
        self.keys.send(cx.key()).unwrap();
        self.semaphore.acquire();
        assert_eq!(Arc::strong_count(&self.semaphore), 0, "as planned");
        holds::AfterHold::More
    }

    fn more(&mut self, value: PanicOnDrop, _: &mut JobCx<'_, PanicOnDrop>) -> holds::AfterMore {
        std::mem::forget(value);
        holds::AfterMore::Done { reply: () }
    }

    fn late(&mut self, _: &mut JobCx<'_, PanicOnDrop>) -> holds::AfterLate {
        holds::AfterLate::Done { reply: () }
    }
}

#[test]
fn x8_a_job_whose_message_and_data_panic_in_their_drops_ends_once() {
    for threads in 1..=2 {
        let semaphore = Arc::<Semaphore>::default();
        let (keys, came) = mpsc::channel();
        let builder =
            Pool::builder::<Holds>("holds").threads(threads).max_running(threads).max_jobs(4);
        let handle = builder.handle();
        let make = {
            let semaphore = Arc::clone(&semaphore);
            move || Holder { semaphore: Arc::clone(&semaphore), keys: keys.clone() }
        };
        let running = builder.worker(make).start().unwrap();
        for _ in 0..3 {
            let job = handle.submit(PanicOnDrop).map_err(drop).unwrap();
            handle.post(came.recv().unwrap(), PanicOnDrop).map_err(drop).unwrap();
            semaphore.release();
            assert_eq!(job.wait(), None);
        }
        let stats = running.drain().unwrap();
        assert_eq!((stats.accepted, stats.panicked, stats.ended(), stats.open), (3, 3, 3, 0));
    }
}
