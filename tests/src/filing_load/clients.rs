//! The clients of a load.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::FilingLoad;
use super::slice::Slice;
use crate::{Answer, Connection, get, put};

/// The time after which the load is steady.
const WARM_UP: Duration = Duration::from_secs(2);

/// The data that all clients of a server share.
pub(super) struct Clients {
    address: SocketAddr,
    /// The number of the next document.
    next: AtomicU64,
    results: Mutex<Results>,
}

/// The results of all clients.
#[derive(Default)]
pub(super) struct Results {
    /// The digests of acknowledged documents, by name.
    pub(super) digests: BTreeMap<String, String>,
    /// The number of documents filed under load.
    pub(super) filed: u64,
    pub(super) failures: Vec<String>,
    pub(super) puts: Vec<Duration>,
    pub(super) gets: Vec<Duration>,
    pub(super) took: Duration,
    pub(super) cpu: Duration,
    pub(super) memory: u64,
}

impl Clients {
    pub(super) fn new(address: SocketAddr, results: Results) -> Self {
        Self { address, next: AtomicU64::new(0), results: Mutex::new(results) }
    }

    pub(super) fn results(&self) -> MutexGuard<'_, Results> {
        self.results.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a client that files documents.
    pub(super) fn file(&self, slice: &Slice<'_>, client: usize) {
        let mut connection = Connection::new(self.address);
        while let Some(due) = slice.next() {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let is_text = number * 61 % 100 < slice.load.texts;
            let series = if is_text { &slice.documents.text } else { &slice.documents.binary };
            let (bytes, digest) = series.document(number);
            let name = format!("client{client:03}-document{number:07}");
            let request = put(&name, &bytes);
            drop(bytes);
            // Count from the due time, also if the PUT starts late because the one before was slow.
            let answer = connection.try_send(&request).and_then(|()| connection.try_answer());
            let took = due.elapsed();
            let mut results = self.results();
            match answer {
                Ok(Some(answer)) if is_filed(&answer, &name, &digest) => {
                    results.filed += 1;
                    results.puts.push(took);
                    let old = results.digests.insert(name, digest);
                    assert!(old.is_none(), "two documents have the same name");
                }
                other => {
                    results.failures.push(format!("PUT {name}: {other:?} after {took:.1?}"));
                    drop(results);
                    connection = Connection::new(self.address);
                }
            }
        }
    }

    /// Runs a client that reads small documents.
    pub(super) fn read(&self, slice: &Slice<'_>, reader: usize) {
        let mut connection = Connection::new(self.address);
        let pause = Duration::from_secs_f64(slice.load.readers as f64 / slice.load.gets);
        // Spread the readers evenly over a pause.
        let first = pause * u32::try_from(reader).unwrap_or(0)
            / u32::try_from(slice.load.readers).unwrap_or(1);
        let (mut due, mut number) = (slice.start + first, reader as u64 * 13);
        if !slice.has_schedule() {
            // Skip the beginning, in which all clients send at once, and never again.
            due += WARM_UP.min(slice.time / 2);
        }
        let mut times = Vec::new();
        let end = slice.start + slice.time;
        while due < end {
            // Count from the due time if the answer before came late, because a user would have
            // waited since then.
            let now = Instant::now();
            let start = if now < due {
                thread::sleep(due - now);
                Instant::now()
            } else {
                due
            };
            number = (number + 7) % FilingLoad::SMALL;
            connection.send(get(&format!("/docs/small-{number:03}")));
            let answer = connection.answer();
            times.push(start.elapsed());
            assert!(
                answer.status == 200 && answer.body == slice.documents.small.document(number).0,
                "small-{number:03}: {answer:?}"
            );
            due += pause;
        }
        self.results().gets.extend(times);
    }
}

fn is_filed(answer: &Answer, name: &str, digest: &str) -> bool {
    if answer.status != 201 {
        return false;
    }
    let json = answer.json();
    json["name"] == name && json["sha256"] == digest && json["replaced"] == false
}
