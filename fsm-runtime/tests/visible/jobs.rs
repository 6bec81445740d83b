//! Connections that wait for jobs, and the jobs.

use fsm_runtime::{Activity, JobPlace};

use super::*;

/// Counts the lines of a file, which blocks.
#[state_machine(start = Read, job = u64, reply = u64)]
enum Count {
    #[run(blocking)]
    #[to(Nap | Done)]
    Read { job: u64 },
    #[sleep(30s)]
    #[to(Done)]
    Nap,
    #[end]
    Done,
}

struct Counter(Arc<Latch>);

impl count::Handler for Counter {
    fn read(&mut self, job: &mut u64, _: &mut JobCx<'_>) -> count::AfterRead {
        match job {
            0 => return count::AfterRead::Nap,
            1 => self.0.wait(),
            _ => {}
        }
        count::AfterRead::Done { reply: *job }
    }

    fn nap(&mut self, _: &mut JobCx<'_>) -> count::AfterNap {
        count::AfterNap::Done { reply: 0 }
    }
}

#[state_machine(start = Line, eof => Gone, limit => Gone, gone => Gone)]
enum Front {
    #[read(until = b"\n", max = 80, idle = 60s => Gone)]
    #[to(Counting)]
    #[rest]
    Line,
    #[call(Count, within = 10s => Gone)]
    #[to(Line)]
    Counting,
    #[end]
    Gone,
}

struct Asker;

impl front::Handler for Asker {
    fn line(&mut self, line: &[u8], _: &mut Cx<'_>) -> front::AfterLine {
        let job = String::from_utf8_lossy(line).parse().unwrap();
        front::AfterLine::Counting { job }
    }

    fn counting(&mut self, _: u64, cx: &mut Cx<'_>) -> front::AfterCounting {
        cx.write(b"ok\n");
        front::AfterCounting::Line
    }
}

struct Pools {
    running: Running,
    latch: Arc<Latch>,
    entered: mpsc::Receiver<()>,
}

impl Pools {
    fn start(threads: usize, max_jobs: usize) -> Self {
        let (latch, entered) = Latch::new();
        let front = Pool::builder::<Front>("front").listen("127.0.0.1:0").handler(|_| Asker);
        let count = Pool::builder::<Count>("count").threads(threads).max_jobs(max_jobs);
        let at = Arc::clone(&latch);
        let count = count.worker(move || Counter(Arc::clone(&at)));
        let pipeline = Pipeline::new().pool(front).pool(count);
        Self { running: pipeline.start().unwrap(), latch, entered }
    }

    /// The pool of the connections.
    fn front(&self) -> PoolSnapshot {
        self.running.observer().snapshot(Duration::from_secs(1)).pools.swap_remove(0)
    }

    /// The sentence about the connection of this peer, without its ages and times.
    fn sentence(pool: &PoolSnapshot, peer: &Peer) -> String {
        let peer = fsm_runtime::Peer::Tcp(peer.address());
        let text = pool.tasks.iter().find(|task| task.peer == Some(peer)).unwrap().to_string();
        let mut words: Vec<&str> = Vec::new();
        for word in text.split(' ') {
            let unit = ["ms", "s", "ms:", "s:", "ms,", "s,"].contains(&word);
            match (unit, words.last_mut()) {
                (true, Some(number)) if number.parse::<f64>().is_ok() => *number = "T",
                _ => words.push(word),
            }
        }
        words.join(" ")
    }

    fn end(self, clients: Vec<Peer>) {
        self.latch.open();
        drop(clients);
        drop(self.running);
    }
}

fn counting(count: usize) -> impl Fn(&PoolSnapshot) -> bool {
    move |pool| pool.count("Counting") == count
}

#[test]
fn v4_a_connection_says_on_which_thread_its_job_blocks() {
    let pools = Pools::start(3, 10);
    let mut clients = Peer::many(&pools.running, 1);
    clients[0].send(b"1\n");
    pools.entered.recv().unwrap();
    let pool = until(|| pools.front(), counting(1));
    let Activity::WaitsForJob { pool: Some(name), job } = &pool.tasks[0].activity else {
        panic!("{:?}", pool.tasks)
    };
    assert_eq!(&**name, "count");
    let JobPlace::Taken { threads, jobs: 1 } = job else { panic!("{job:?}") };
    assert_eq!(threads.len(), 1);
    let thread = threads[0].name.clone();
    assert_eq!(
        Pools::sentence(&pool, &clients[0]),
        format!("Counting T its job is in Read on {thread} for at least T blocks; T left")
    );
    pools.end(clients);
}

#[test]
fn v4_it_says_so_too_if_the_only_thread_of_the_other_pool_is_stuck() {
    let pools = Pools::start(1, 10);
    let mut clients = Peer::many(&pools.running, 2);
    clients[0].send(b"1\n");
    pools.entered.recv().unwrap();
    let pool = until(|| pools.front(), counting(1));
    let stuck = "Counting T its job is in Read on count/0 for at least T blocks; T left";
    assert_eq!(Pools::sentence(&pool, &clients[0]), stuck);
    // Which of two jobs the thread runs is not known.
    clients[1].send(b"2\n");
    let pool = until(|| pools.front(), counting(2));
    let one = "Counting T its job is one of 2 that count works on, the oldest in Read on count/0 for at \
               least T blocks; T left";
    assert_eq!([0, 1].map(|client| Pools::sentence(&pool, &clients[client])), [one; 2]);
    pools.end(clients);
}

#[test]
fn v4_a_job_that_waits_itself_is_found_by_its_caller() {
    for threads in [1, 2] {
        let pools = Pools::start(threads, 10);
        let mut clients = Peer::many(&pools.running, 2);
        for client in &mut clients {
            client.send(b"0\n");
        }
        let found = "Counting T its job is in Nap of count for T waits for sleep(30s); T left";
        let take = || pools.front();
        let pool = until(take, |pool| {
            pool.count("Counting") == 2
                && pool.tasks.iter().all(|task| task.to_string().contains("Nap"))
        });
        assert_eq!([0, 1].map(|client| Pools::sentence(&pool, &clients[client])), [found; 2]);
        pools.end(clients);
    }
}

#[test]
fn v4_those_that_wait_for_room_know_their_place() {
    let pools = Pools::start(2, 1);
    let mut clients = Peer::many(&pools.running, 4);
    clients[0].send(b"1\n");
    pools.entered.recv().unwrap();
    for (client, waiting) in clients.iter_mut().skip(1).zip(2..) {
        client.send(b"2\n");
        until(|| pools.front(), counting(waiting));
    }
    let pool = pools.front();
    for (client, place) in clients[1..].iter().zip(["1st", "2nd", "3rd"]) {
        let sentence = format!("Counting T {place} of 3 that wait for room in count; T left");
        assert_eq!(Pools::sentence(&pool, client), sentence);
    }
    let count = pools.running.observer().snapshot(WITHIN);
    let room = count.pool("count").unwrap().room;
    assert_eq!((room.taken, room.limit, room.waiting), (1, 1, 3));
    pools.end(clients);
}
