use super::*;

/// What a job is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Task {
    /// Says 1.
    Count,
    /// Waits at the door, then says 1.
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

struct Worker(Arc<Door>);

impl tasks::Handler for Worker {
    fn work(&mut self, task: &mut Task, _: &mut JobCx<'_>) -> tasks::AfterWork {
        assert_ne!(*task, Task::Panic, "as asked");
        if *task == Task::Wait {
            self.0.pass();
        }
        tasks::AfterWork::Done { reply: 1 }
    }
}

/// A pool takes jobs as soon as one of its threads runs, which is while others start.
fn submit_early(handle: &Handle<Tasks>, task: Task) -> JobHandle<u32> {
    let start = Instant::now();
    loop {
        match handle.submit(task) {
            Ok(ticket) => return ticket,
            Err(_) => assert!(start.elapsed() < LONG, "the pool takes no jobs"),
        }
        thread::yield_now();
    }
}

#[test]
fn x8_a_thread_that_has_lost_its_handler_leaves_the_jobs_to_others_until_it_has_one() {
    let (tries, fails) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
    let builder = Pool::builder::<Tasks>("tasks").threads(4).max_running(4).max_jobs(64);
    let handle = builder.handle();
    let door = Arc::<Door>::default();
    let make = {
        let (tries, fails, door) = (Arc::clone(&tries), Arc::clone(&fails), Arc::clone(&door));
        move || {
            tries.fetch_add(1, Ordering::SeqCst);
            if fails.load(Ordering::SeqCst) {
                return Err("the database is down");
            }
            Ok(Worker(Arc::clone(&door)))
        }
    };
    let running = builder.try_worker(make).start().unwrap();
    assert_eq!(tries.load(Ordering::SeqCst), 4);
    fails.store(true, Ordering::SeqCst);
    // Three of four threads have none.
    for _ in 0..3 {
        assert_eq!(handle.submit(Task::Panic).unwrap().wait(), None);
    }
    let tickets = [(); 40].map(|()| handle.submit(Task::Count).unwrap());
    let done: u32 = tickets.map(JobHandle::wait).into_iter().flatten().sum();
    assert_eq!(done, 40);
    // They try on, and then all four can be at the door at once.
    fails.store(false, Ordering::SeqCst);
    let tickets = [(); 4].map(|()| handle.submit(Task::Wait).unwrap());
    door.wait_for(4);
    for _ in &tickets {
        door.open();
    }
    assert_eq!(tickets.map(JobHandle::wait), [Some(1); 4]);
    assert_eq!(running.drain().unwrap().panicked, 3);
}

#[test]
fn x11_a_drain_does_not_wait_for_a_handler_that_cannot_be_made() {
    let fails = Arc::<AtomicBool>::default();
    let builder = Pool::builder::<Tasks>("tasks").drain_within(LONG * 2);
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
    // The only thread has none from here on, and a job waits for it.
    assert_eq!(handle.submit(Task::Panic).unwrap().wait(), None);
    let waits = handle.submit(Task::Count).unwrap();
    let (sender, drained) = mpsc::channel();
    thread::spawn(move || sender.send(running.drain()).unwrap());
    let stats = drained.recv_timeout(LONG).expect("the drain ends").unwrap();
    assert_eq!((waits.wait(), stats.open), (None, 0));
}

#[test]
fn x8_a_start_that_fails_half_way_ends_the_jobs_that_were_given_to_it() {
    let (first, second) = (Arc::<Door>::default(), Arc::<Door>::default());
    let builder =
        Pool::builder::<Tasks>("tasks").threads(2).max_running(1).watchdog(false).max_jobs(3);
    let handle = builder.handle();
    let make = {
        let (first, second, tries) = (Arc::clone(&first), Arc::clone(&second), AtomicUsize::new(0));
        move || {
            if tries.fetch_add(1, Ordering::SeqCst) == 1 {
                second.pass();
                return Err("no database");
            }
            Ok(Worker(Arc::clone(&first)))
        }
    };
    let submits = thread::spawn(move || {
        // One runs, and two wait for the thread when the other one fails.
        let tickets = [Task::Wait, Task::Count, Task::Count];
        let [runs, waits @ ..] = tickets.map(|task| submit_early(&handle, task));
        first.wait_for(1);
        let late = {
            let handle = handle.clone();
            thread::spawn(move || handle.submit_within(Task::Count, LONG).map(drop))
        };
        until(|| handle.stats().waiting == 1);
        second.open();
        // It learns that the pool has closed: then the jobs that have not begun are lost.
        assert_eq!(late.join().unwrap(), Err(TrySendError::Gone(Task::Count)));
        first.open();
        assert_eq!(runs.wait_for(LONG).unwrap(), Some(1));
        for ticket in waits {
            assert_eq!(ticket.wait_for(LONG).unwrap(), None);
        }
        handle
    });
    let error = builder.try_worker(make).start().unwrap_err();
    assert_eq!(error.to_string(), "the pool `tasks` cannot make a handler: no database");
    let stats = submits.join().unwrap().stats();
    assert_eq!((stats.offered, stats.taken, stats.refused, stats.waiting), (4, 3, 1, 0));
    assert_eq!((stats.done, stats.closed, stats.open), (1, 2, 0));
}

/// Sleeps, and says for how long its thread's handler has been there; or holds its thread up.
#[state_machine(start = Begin, job = bool, reply = Duration)]
enum Naps {
    #[run]
    #[to(Nap | Done)]
    Begin { naps: bool },
    #[sleep(100ms)]
    #[to(Done)]
    Nap { since: Instant },
    #[end]
    Done,
}

struct Sleeper {
    door: Arc<Door>,
    made: Instant,
}

impl naps::Handler for Sleeper {
    fn begin(&mut self, naps: &mut bool, _: &mut JobCx<'_>) -> naps::AfterBegin {
        if *naps {
            return naps::AfterBegin::Nap { since: self.made };
        }
        self.door.pass();
        naps::AfterBegin::Done { reply: Duration::ZERO }
    }

    fn nap(&mut self, since: &mut Instant, _: &mut JobCx<'_>) -> naps::AfterNap {
        naps::AfterNap::Done { reply: since.elapsed() }
    }
}

#[test]
fn x6_a_sleep_lasts_its_time_on_a_thread_that_started_late() {
    let (door, late) = (Arc::<Door>::default(), Arc::<Door>::default());
    let builder = Pool::builder::<Naps>("naps").threads(2).max_running(2).max_jobs(3);
    let handle = builder.handle();
    let make = {
        let (door, late, tries) = (Arc::clone(&door), Arc::clone(&late), AtomicUsize::new(0));
        move || {
            if tries.fetch_add(1, Ordering::SeqCst) == 1 {
                late.pass();
            }
            Sleeper { door: Arc::clone(&door), made: Instant::now() }
        }
    };
    let submits = thread::spawn(move || {
        let start = Instant::now();
        let held = loop {
            match handle.submit(false) {
                Ok(ticket) => break ticket,
                Err(_) => assert!(start.elapsed() < LONG, "the pool takes no jobs"),
            }
        };
        door.wait_for(1);
        // Both wait when the first thread polls next. It takes the one, and the late thread begins with
        // the other, before it polls itself.
        let again = handle.submit(false).unwrap();
        let nap = handle.submit(true).unwrap();
        door.open();
        door.wait_for(2);
        // Counted from the pool's start, all of the nap is over then. Only time does this.
        thread::sleep(Duration::from_millis(130));
        late.open();
        let slept = nap.wait().unwrap();
        door.open();
        assert!(held.wait().is_some() && again.wait().is_some());
        slept
    });
    let running = builder.worker(make).start().unwrap();
    // The port counts in whole milliseconds.
    let slept = submits.join().unwrap();
    assert!(slept >= Duration::from_millis(99), "it slept {slept:?}");
    drop(running);
}

/// Panics when it is dropped.
#[derive(Debug)]
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(thread::panicking(), "the bomb goes off");
    }
}

/// Makes bombs.
#[state_machine(start = Make, job = (), reply = Bomb)]
enum Bombs {
    #[run(blocking)]
    #[to(Done)]
    Make { job: () },
    #[end]
    Done,
}

struct Maker {
    door: Arc<Door>,
    _bomb: Option<Bomb>,
}

impl bombs::Handler for Maker {
    fn make(&mut self, (): &mut (), _: &mut JobCx<'_>) -> bombs::AfterMake {
        self.door.pass();
        bombs::AfterMake::Done { reply: Bomb }
    }
}

#[test]
fn x8_a_late_reply_that_panics_in_its_drop_is_no_failure_of_the_handler() {
    let (door, tries) = (Arc::<Door>::default(), Arc::<AtomicUsize>::default());
    let builder = Pool::builder::<Bombs>("bombs");
    let handle = builder.handle();
    let make = {
        let (door, tries) = (Arc::clone(&door), Arc::clone(&tries));
        move || {
            tries.fetch_add(1, Ordering::SeqCst);
            Maker { door: Arc::clone(&door), _bomb: None }
        }
    };
    let running = builder.worker(make).start().unwrap();
    for count in 1..=2 {
        // Nobody waits for it when it is made.
        drop(handle.submit(()).unwrap());
        door.open();
        until(|| handle.stats().ended() == count);
    }
    let stats = running.drain().unwrap();
    assert_eq!((stats.done, stats.panicked), (2, 0));
    assert_eq!(tries.load(Ordering::SeqCst), 1);
}

#[test]
fn x8_a_handler_that_panics_in_its_drop_is_no_failure_of_the_pool() {
    let make = || Maker { door: Arc::default(), _bomb: Some(Bomb) };
    let running = Pool::builder::<Bombs>("bombs").worker(make).start().unwrap();
    assert_eq!(running.drain().unwrap().panicked, 0);
}

/// Has a bomb, and may be sent others.
#[state_machine(start = Hold, job = Bomb, reply = (), message = Bomb)]
enum Holds {
    #[run(blocking)]
    #[to(More)]
    Hold { bomb: Bomb },
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
    door: Arc<Door>,
    keys: mpsc::Sender<Key>,
}

impl holds::Handler for Holder {
    fn hold(&mut self, _: &mut Bomb, cx: &mut JobCx<'_, Bomb>) -> holds::AfterHold {
        self.keys.send(cx.key()).unwrap();
        self.door.pass();
        assert_eq!(Arc::strong_count(&self.door), 0, "as planned");
        holds::AfterHold::More
    }

    fn more(&mut self, bomb: Bomb, _: &mut JobCx<'_, Bomb>) -> holds::AfterMore {
        std::mem::forget(bomb);
        holds::AfterMore::Done { reply: () }
    }

    fn late(&mut self, _: &mut JobCx<'_, Bomb>) -> holds::AfterLate {
        holds::AfterLate::Done { reply: () }
    }
}

#[test]
fn x8_a_job_whose_message_and_data_panic_in_their_drops_ends_once() {
    for threads in 1..=2 {
        let door = Arc::<Door>::default();
        let (keys, came) = mpsc::channel();
        let builder =
            Pool::builder::<Holds>("holds").threads(threads).max_running(threads).max_jobs(4);
        let handle = builder.handle();
        let make = {
            let door = Arc::clone(&door);
            move || Holder { door: Arc::clone(&door), keys: keys.clone() }
        };
        let running = builder.worker(make).start().unwrap();
        for _ in 0..3 {
            let ticket = handle.submit(Bomb).map_err(drop).unwrap();
            handle.post(came.recv().unwrap(), Bomb).map_err(drop).unwrap();
            door.open();
            assert_eq!(ticket.wait(), None);
        }
        let stats = running.drain().unwrap();
        assert_eq!((stats.accepted, stats.panicked, stats.ended(), stats.open), (3, 3, 3, 0));
    }
}
