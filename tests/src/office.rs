//! The load of an office: many clients file documents while others read small ones.

#![expect(clippy::cast_precision_loss, reason = "counts and sizes are shown rounded")]

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::{Answer, Connection, Docs, Random, Ream, SOON, get, sha256};

/// The bytes of a document that is read.
const SMALL_SIZE: usize = 1_000;
/// How long it takes until the load is as it stays.
const SETTLE: Duration = Duration::from_secs(2);
/// The stack of a client.
const STACK: usize = 256 * 1024;

/// A load.
#[derive(Clone, Debug)]
pub struct Office {
    /// How long each setting is under load.
    pub time: Duration,
    /// The settings take turns: each has the machine for so long.
    pub slice: Duration,
    /// Clients that file documents, one after another.
    pub clients: usize,
    /// The bytes of a document.
    pub size: usize,
    /// How many of a hundred documents are texts, whose words go into the index.
    pub texts: u64,
    /// Documents a second that all clients begin together; as many as the server takes if `None`.
    pub rate: Option<f64>,
    /// Clients that read small documents.
    pub readers: usize,
    /// Documents a second that they read together.
    pub gets: f64,
    /// The documents that may wait to be filed.
    pub queue: usize,
    /// What a slow index takes longer for a document.
    pub delay: Duration,
}

/// How the server works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// What others know it by.
    pub name: &'static str,
    /// The index is made slow.
    pub is_slow: bool,
    /// One pool does everything.
    pub is_single: bool,
}

impl Setting {
    /// Fast and slow, with several pools and with one.
    pub const ALL: [Self; 4] = [
        Self { name: "pools, fast", is_slow: false, is_single: false },
        Self { name: "pools, slow", is_slow: true, is_single: false },
        Self { name: "one pool, fast", is_slow: false, is_single: true },
        Self { name: "one pool, slow", is_slow: true, is_single: true },
    ];
}

/// What came of a load in one setting.
#[derive(Clone, Debug)]
pub struct Report {
    /// Which.
    pub setting: Setting,
    /// Documents filed, each of which is there once, with the right digest.
    pub filed: u64,
    /// How long that took.
    pub took: Duration,
    /// What did not come out as it should.
    pub failures: Vec<String>,
    /// How long it took to file a document.
    pub puts: Times,
    /// How long it took to read a small one.
    pub gets: Times,
    /// The most jobs that the index pool had at a time.
    pub most: u64,
    /// What became of the jobs of the index pool, and of the catalog's.
    pub index: Books,
    /// See `index`.
    pub catalog: Books,
    /// The most anonymous memory of the server that was seen, in bytes.
    pub memory: u64,
    /// Its processor time while under load.
    pub cpu: Duration,
}

/// What a pool says of its jobs in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Books {
    /// Jobs that it was offered.
    pub offered: u64,
    /// Those that it took.
    pub taken: u64,
    /// Those that are left: refused, abandoned, or waiting.
    pub others: u64,
}

/// How long something took, many times.
#[derive(Clone, Debug, Default)]
pub struct Times(Vec<Duration>);

impl Times {
    /// The time within which so many of a thousand were done.
    pub fn per_mille(&self, part: usize) -> Duration {
        let rank = (self.0.len() * part).div_ceil(1_000).max(1) - 1;
        self.0.get(rank).copied().unwrap_or_default()
    }

    /// How many times.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The longest.
    pub fn longest(&self) -> Duration {
        self.0.last().copied().unwrap_or_default()
    }
}

impl Office {
    /// How many documents are read. They are filed before the load begins, and not counted.
    pub const SMALL: u64 = 20;

    /// Puts a server in each setting under load, in turns, and checks what it has filed.
    pub fn run(&self, settings: &[Setting]) -> Vec<Report> {
        let paper = Paper::new(self.size);
        let desks: Vec<_> = settings.iter().map(|&setting| Desk::new(self, setting)).collect();
        let mut left = self.time;
        while !left.is_zero() {
            let slice = left.min(self.slice);
            for desk in &desks {
                desk.work(self, &paper, slice);
            }
            left -= slice;
        }
        desks.into_iter().map(Desk::close).collect()
    }
}

/// What is filed, and what is read.
struct Paper {
    text: Ream,
    binary: Ream,
    small: Ream,
}

impl Paper {
    fn new(size: usize) -> Self {
        Self { text: Ream::new(size, true), binary: Ream::new(size, false), small: small() }
    }
}

fn small() -> Ream {
    Ream::new(SMALL_SIZE, false)
}

/// A server, and what it was given.
struct Desk {
    setting: Setting,
    docs: Docs,
    room: Room,
}

/// What its clients share.
struct Room {
    address: SocketAddr,
    /// The number of the next document.
    next: AtomicU64,
    books: Mutex<Filed>,
}

/// What clients know.
#[derive(Default)]
struct Filed {
    /// The digests of what was acknowledged, by name.
    digests: BTreeMap<String, String>,
    /// Documents that were filed under load.
    count: u64,
    failures: Vec<String>,
    puts: Vec<Duration>,
    gets: Vec<Duration>,
    took: Duration,
    cpu: Duration,
    memory: u64,
}

/// A turn of one setting.
struct Slice<'a> {
    office: &'a Office,
    paper: &'a Paper,
    start: Instant,
    /// When documents are due, if not whenever a client is free.
    due: Option<Vec<Duration>>,
    /// Documents that were begun.
    begun: AtomicUsize,
    time: Duration,
}

impl Desk {
    fn new(office: &Office, setting: Setting) -> Self {
        let queue = office.queue.to_string();
        let delay = format!("{}ms", office.delay.as_millis());
        let mut options = vec!["--index-queue", &queue];
        if setting.is_slow {
            options.extend(["--index-delay", &delay]);
        }
        if setting.is_single {
            options.push("--single-pool");
        }
        let docs = Docs::new(&options);
        let mut filed = Filed::default();
        let mut connection = docs.connect();
        let small = small();
        for number in 0..Office::SMALL {
            let (bytes, digest) = small.document(number);
            let name = format!("small-{number:03}");
            connection.ask(crate::put(&name, &bytes)).expect(201);
            filed.digests.insert(name, digest);
        }
        let address = docs.server().address();
        let room = Room { address, next: AtomicU64::new(0), books: Mutex::new(filed) };
        Self { setting, docs, room }
    }

    fn work(&self, office: &Office, paper: &Paper, time: Duration) {
        let cpu = self.docs.server().cpu();
        let due = office.rate.map(|rate| schedule(rate, time));
        let start = Instant::now();
        let slice = Slice { office, paper, start, due, begun: AtomicUsize::new(0), time };
        let mut memory = 0;
        thread::scope(|scope| {
            let (room, slice) = (&self.room, &slice);
            let clients: Vec<_> = (0..office.clients)
                .map(|client| {
                    let builder = thread::Builder::new().stack_size(STACK);
                    builder.spawn_scoped(scope, move || room.file(slice, client)).expect("a thread")
                })
                .collect();
            for reader in 0..office.readers {
                let builder = thread::Builder::new().stack_size(STACK);
                builder.spawn_scoped(scope, move || room.read(slice, reader)).expect("a thread");
            }
            while clients.iter().any(|client| !client.is_finished()) {
                memory = memory.max(self.docs.server().anonymous());
                thread::sleep(Duration::from_millis(20));
            }
        });
        let took = start.elapsed();
        let cpu = self.docs.server().cpu().saturating_sub(cpu);
        let mut books = self.room.books();
        books.took += took;
        books.cpu += cpu;
        books.memory = books.memory.max(memory);
    }

    /// Checks that all is there that should be, once and whole, and ends the server.
    fn close(mut self) -> Report {
        let mut books = std::mem::take(&mut *self.room.books());
        let mut connection = self.docs.connect();
        let listed = list(&mut connection);
        let failures = &mut books.failures;
        let mut there = BTreeMap::new();
        for Listed { name, len, sha256 } in listed {
            if there.insert(name.clone(), (len, sha256)).is_some() {
                failures.push(format!("{name} is there twice"));
            }
        }
        for (name, digest) in &books.digests {
            match there.remove(name) {
                Some((_, found)) if found == *digest => {}
                other => failures.push(format!("{name} should be {digest}, and is {other:?}")),
            }
        }
        for (name, found) in there {
            failures.push(format!("{name} was not acknowledged, and is there: {found:?}"));
        }
        // The list says what was written; a sample of what is read.
        for (name, digest) in books.digests.iter().step_by(23) {
            let answer = connection.ask(get(&format!("/docs/{name}")));
            if answer.status != 200 || sha256(&answer.body) != *digest {
                failures.push(format!("{name} has other bytes"));
            }
        }
        let files = (self.docs.filed(), self.docs.temporary());
        if files != (books.digests.len(), 0) {
            let documents = books.digests.len();
            failures.push(format!("{documents} documents have {files:?} files and temporary ones"));
        }
        drop(connection);
        self.docs.server().signal("TERM");
        let status = self.docs.server_mut().wait(SOON);
        let log = self.docs.server().log();
        if !status.success() || log.contains(" ERROR ") || log.contains("panicked at") {
            failures.push(format!("the server ended with {status}, and said:\n{log}"));
        }
        books.puts.sort_unstable();
        books.gets.sort_unstable();
        Report {
            setting: self.setting,
            filed: books.count,
            took: books.took,
            puts: Times(books.puts),
            gets: Times(books.gets),
            failures: books.failures,
            most: stat(&log, "index", "most"),
            index: Books::read(&log, "index"),
            catalog: Books::read(&log, "catalog"),
            memory: books.memory,
            cpu: books.cpu,
        }
    }
}

impl Room {
    /// A client that files documents.
    fn file(&self, slice: &Slice<'_>, client: usize) {
        let mut connection = Connection::new(self.address);
        while let Some(due) = slice.next() {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let is_text = number * 61 % 100 < slice.office.texts;
            let ream = if is_text { &slice.paper.text } else { &slice.paper.binary };
            let (bytes, digest) = ream.document(number);
            let name = format!("client{client:03}-document{number:07}");
            let request = crate::put(&name, &bytes);
            drop(bytes);
            // What starts late because the one before it was slow was due then, too.
            let answer = connection.try_send(&request).and_then(|()| connection.try_answer());
            let took = due.elapsed();
            let mut books = self.books();
            match answer {
                Ok(Some(answer)) if is_filed(&answer, &name, &digest) => {
                    books.count += 1;
                    books.puts.push(took);
                    let old = books.digests.insert(name, digest);
                    assert!(old.is_none(), "a name came twice");
                }
                other => {
                    books.failures.push(format!("PUT {name}: {other:?} after {took:.1?}"));
                    drop(books);
                    connection = Connection::new(self.address);
                }
            }
        }
    }

    /// A client that reads small documents.
    fn read(&self, slice: &Slice<'_>, reader: usize) {
        let mut connection = Connection::new(self.address);
        let pause = Duration::from_secs_f64(slice.office.readers as f64 / slice.office.gets);
        // They do not all ask at once.
        let first = pause * u32::try_from(reader).unwrap_or(0)
            / u32::try_from(slice.office.readers).unwrap_or(1);
        let (mut due, mut number) = (slice.start + first, reader as u64 * 13);
        if slice.due.is_none() {
            // All clients send at once in the beginning, and not again.
            due += SETTLE.min(slice.time / 2);
        }
        let mut times = Vec::new();
        let end = slice.start + slice.time;
        while due < end {
            // A reader that is late because the last answer was is late for this one, too: whatever
            // waits in vain is counted.
            let now = Instant::now();
            let start = if now < due {
                thread::sleep(due - now);
                Instant::now()
            } else {
                due
            };
            number = (number + 7) % Office::SMALL;
            connection.send(get(&format!("/docs/small-{number:03}")));
            let answer = connection.answer();
            times.push(start.elapsed());
            assert!(
                answer.status == 200 && answer.body == slice.paper.small.document(number).0,
                "small-{number:03}: {answer:?}"
            );
            due += pause;
        }
        self.books().gets.extend(times);
    }

    fn books(&self) -> MutexGuard<'_, Filed> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slice<'_> {
    /// When the next document is due; `None` when the time is over.
    fn next(&self) -> Option<Instant> {
        match &self.due {
            Some(due) => {
                let number = self.begun.fetch_add(1, Ordering::Relaxed);
                Some(self.start + *due.get(number)?)
            }
            None => Some(Instant::now()).filter(|&now| now < self.start + self.time),
        }
    }
}

/// When documents are due: so many a second, at moments as random as those of people, which are the
/// same whenever this is called.
fn schedule(rate: f64, time: Duration) -> Vec<Duration> {
    let mut random = Random::new(1);
    let mut due = 0.0;
    let mut all = Vec::new();
    loop {
        due -= random.fraction().ln() / rate;
        if due >= time.as_secs_f64() {
            return all;
        }
        all.push(Duration::from_secs_f64(due));
    }
}

fn is_filed(answer: &Answer, name: &str, digest: &str) -> bool {
    if answer.status != 201 {
        return false;
    }
    let json = answer.json();
    json["name"] == name && json["sha256"] == digest && json["replaced"] == false
}

impl Books {
    fn read(log: &str, pool: &str) -> Self {
        let stat = |key| stat(log, pool, key);
        let others = stat("refused") + stat("abandoned") + stat("waiting");
        Self { offered: stat("offered"), taken: stat("taken"), others }
    }
}

/// A number that a pool has logged in the end.
fn stat(log: &str, pool: &str, key: &str) -> u64 {
    let ended = format!("ended pool=\"{pool}\"");
    let line = log.lines().find(|line| line.contains(&ended)).expect("a pool says how it ended");
    let (_, rest) =
        line.split_once(&format!(" {key}: ")).unwrap_or_else(|| panic!("{key}: {line}"));
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..digits].parse().expect("it is a number")
}

/// A document in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub len: u64,
    /// Its digest.
    pub sha256: String,
}

/// The list of all documents, page by page. Names must be such that a URL takes them as they are.
pub fn list(connection: &mut Connection) -> Vec<Listed> {
    let mut all = Vec::new();
    let mut after = String::new();
    loop {
        let page =
            connection.ask(get(&format!("/docs?limit=100&after={after}"))).expect(200).json();
        for doc in page["docs"].as_array().expect("a list") {
            let text = |key: &str| doc[key].as_str().expect("a text").to_owned();
            let len = doc["len"].as_u64().expect("a number");
            all.push(Listed { name: text("name"), len, sha256: text("sha256") });
        }
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => return all,
        }
    }
}

impl Report {
    /// The heads of the table.
    pub const HEADS: &str = "| setting | filed | per s | PUT p50 | PUT p99 | GETs | GET p50 | GET p99 | GET p99.9 | slowest GET | most in index | MiB | CPU s |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|";

    /// Documents filed a second.
    pub fn per_second(&self) -> f64 {
        self.filed as f64 / self.took.as_secs_f64()
    }
}

/// A line of the table.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
        let Self { setting, filed, puts, gets, most, .. } = self;
        write!(f, "| {} | {filed} | {:.1} ", setting.name, self.per_second())?;
        write!(f, "| {} | {} ", ms(puts.per_mille(500)), ms(puts.per_mille(990)))?;
        write!(f, "| {} | {} ", gets.len(), ms(gets.per_mille(500)))?;
        write!(f, "| {} | {} ", ms(gets.per_mille(990)), ms(gets.per_mille(999)))?;
        write!(f, "| {} | {most} ", ms(gets.longest()))?;
        write!(f, "| {:.0} | {:.1} |", self.memory as f64 / 1_048_576.0, self.cpu.as_secs_f64())
    }
}
