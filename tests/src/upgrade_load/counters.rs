use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::UpgradeLoad;
use super::clients::{Clients, Tally};
use super::stage::{Stage, Times};
use crate::{TIMEOUT, Upgradable};

/// The time after which the second piece of a command follows the first one.
const BETWEEN_PIECES: Duration = Duration::from_millis(1);

/// Raw connections that each count a key up. All run on one thread, to leave the processors to the server.
pub(super) struct Counters {
    ready: Arc<AtomicBool>,
    thread: JoinHandle<Tally>,
}

/// The connections, and when each is to send something next.
struct Loop {
    poll: Poll,
    counters: Vec<Counter>,
    due: BinaryHeap<Reverse<(Instant, usize)>>,
    pause: Duration,
    stage: Arc<Stage>,
    faults: Vec<String>,
}

struct Counter {
    stream: TcpStream,
    key: String,
    /// The last answer.
    counted: u64,
    /// The answers that are to come.
    awaited: u64,
    pipelines: u64,
    asked: Instant,
    /// The second piece of a pipeline.
    rest: Vec<u8>,
    input: Vec<u8>,
    times: Times,
    is_lost: bool,
}

impl Counters {
    pub(super) fn start(load: &UpgradeLoad, kv: &Upgradable, stage: &Arc<Stage>) -> Self {
        let poll = Poll::new().expect("a poll");
        let counters = (0..load.counters)
            .map(|number| {
                let stream = std::net::TcpStream::connect(kv.address()).expect("kv accepts");
                stream.set_nodelay(true).expect("an option of a socket");
                stream.set_nonblocking(true).expect("an option of a socket");
                let mut stream = TcpStream::from_std(stream);
                let registered =
                    poll.registry().register(&mut stream, Token(number), Interest::READABLE);
                registered.expect("the poll takes it");
                Counter::new(stream, format!("counter:{number}"))
            })
            .collect();
        let (stage, ready) = (Arc::clone(stage), Arc::new(AtomicBool::new(false)));
        let pause = load.pause;
        let (due, faults) = (BinaryHeap::new(), Vec::new());
        let all = Loop { poll, counters, due, pause, stage, faults };
        let thread = thread::spawn({
            let ready = Arc::clone(&ready);
            move || all.run(&ready)
        });
        Self { ready, thread }
    }
}

impl Clients for Counters {
    fn are_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    fn finish(self: Box<Self>) -> Tally {
        self.thread.join().expect("the thread of the counters does not panic")
    }
}

impl Loop {
    fn run(mut self, ready: &AtomicBool) -> Tally {
        self.spread();
        let mut events = Events::with_capacity(self.counters.len());
        let mut over = None;
        while !self.is_done(&mut over) {
            self.send_what_is_due();
            let next = self
                .due
                .peek()
                .map_or(TIMEOUT, |Reverse((at, _))| at.saturating_duration_since(Instant::now()));
            let within = next.min(Duration::from_millis(10));
            match self.poll.poll(&mut events, Some(within)) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                polled => polled.expect("the poll works"),
            }
            for event in &events {
                self.hear(event.token().0);
            }
            if self.counters.iter().all(|it| it.counted > 0) {
                ready.store(true, Ordering::Relaxed);
            }
        }
        self.tally()
    }

    /// The clients begin evenly over a pause.
    fn spread(&mut self) {
        let (now, count) = (Instant::now(), u32::try_from(self.counters.len()).expect("few"));
        for number in 0..count {
            self.due.push(Reverse((now + self.pause * number / count, number as usize)));
        }
    }

    fn is_done(&mut self, over: &mut Option<Instant>) -> bool {
        if !self.stage.is_over() {
            return false;
        }
        let since = *over.get_or_insert_with(Instant::now);
        let waits = |it: &&Counter| it.awaited > 0 && !it.is_lost;
        if since.elapsed() > TIMEOUT {
            let late = self.counters.iter().filter(waits);
            self.faults.extend(late.map(|it| format!("{}: no answer", it.key)));
            return true;
        }
        !self.counters.iter().any(|it| waits(&it))
    }

    fn send_what_is_due(&mut self) {
        let now = Instant::now();
        while let Some(&Reverse((at, number))) = self.due.peek() {
            if at > now {
                return;
            }
            self.due.pop();
            let counter = &mut self.counters[number];
            if counter.rest.is_empty() && self.stage.is_over() {
                continue;
            }
            match counter.send() {
                Ok(true) => self.due.push(Reverse((now + BETWEEN_PIECES, number))),
                Ok(false) => {}
                Err(error) => counter.lose(&mut self.faults, &error),
            }
        }
    }

    fn hear(&mut self, number: usize) {
        let counter = &mut self.counters[number];
        if counter.is_lost {
            return;
        }
        match counter.hear() {
            Ok(true) => {
                self.stage.note(counter.asked.elapsed(), &mut counter.times);
                self.due.push(Reverse((Instant::now() + self.pause, number)));
            }
            Ok(false) => {}
            Err(error) => counter.lose(&mut self.faults, &error),
        }
    }

    fn tally(self) -> Tally {
        let mut tally = Tally { name: "raw".to_owned(), faults: self.faults, ..Tally::default() };
        for counter in self.counters {
            tally.answers += counter.counted;
            tally.counted.insert(counter.key, counter.counted);
            tally.times.push(counter.times);
        }
        tally
    }
}

impl Counter {
    fn new(stream: TcpStream, key: String) -> Self {
        Self {
            stream,
            key,
            counted: 0,
            awaited: 0,
            pipelines: 0,
            asked: Instant::now(),
            rest: Vec::new(),
            input: Vec::new(),
            times: Times::default(),
            is_lost: false,
        }
    }

    /// Sends a pipeline, or the rest of one. Returns whether a rest is to follow.
    fn send(&mut self) -> io::Result<bool> {
        if !self.rest.is_empty() {
            self.stream.write_all(&std::mem::take(&mut self.rest))?;
            return Ok(false);
        }
        self.pipelines += 1;
        let count = 1 + self.pipelines % 3;
        self.awaited = count;
        self.asked = Instant::now();
        let command = format!("INCR {}\r\n", self.key);
        let mut commands: Vec<u8> = (0..count).flat_map(|_| command.bytes()).collect();
        if self.pipelines.is_multiple_of(4) {
            self.rest = commands.split_off(commands.len() / 2 + 3);
        }
        // The socket has room, because all before has been answered.
        self.stream.write_all(&commands)?;
        Ok(!self.rest.is_empty())
    }

    /// Reads and checks what has arrived. Returns whether it was the last answer to a pipeline.
    fn hear(&mut self) -> io::Result<bool> {
        let mut bytes = [0; 256];
        loop {
            match self.stream.read(&mut bytes) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => self.input.extend_from_slice(&bytes[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let awaited = self.awaited;
        while let Some(end) = self.input.iter().position(|&byte| byte == b'\n') {
            let line: Vec<_> = self.input.drain(..=end).collect();
            let expected = format!(":{}\r\n", self.counted + 1);
            if line != expected.as_bytes() || self.awaited == 0 {
                let got = line.escape_ascii();
                let why = format!("`{got}` in place of `{}`", expected.escape_default());
                return Err(io::Error::new(ErrorKind::InvalidData, why));
            }
            self.counted += 1;
            self.awaited -= 1;
        }
        Ok(awaited > 0 && self.awaited == 0)
    }

    fn lose(&mut self, faults: &mut Vec<String>, error: &io::Error) {
        faults.push(format!("{} after {}: {error}", self.key, self.counted));
        self.is_lost = true;
    }
}
