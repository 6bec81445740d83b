//! After a kill at any moment, each document in `docserver` is complete or absent, and all
//! acknowledged changes are there.
//!
//! With `FSM_KILLS=20` the test kills it 20 times, each time within a thousand uploads.

use std::collections::BTreeMap;
use std::env;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use fsm_tests::{
    Connection, Docserver, Listed, Random, TIMEOUT, TempDir, all_in_ci, get, list, put, sha256,
};

const CLIENTS: usize = 6;
/// The number of names of each client, which no other client uses.
const NAMES: u64 = 12;
const MAX_SIZE: u64 = 1_000_000;

#[test]
fn after_a_kill_acknowledged_documents_are_there_and_others_complete_or_absent() {
    let kills = env::var("FSM_KILLS").ok().map(|kills| kills.parse().expect("a number of kills"));
    let (rounds, uploads) = kills.map_or((3, all_in_ci(150, 40)), |kills| (kills, 1_000));
    let mut data = TempDir::new("kill");
    let mut known = Known::default();
    let mut random = Random::new(std::process::id().into());
    let mut sum = Found::default();
    for round in 0..rounds {
        let seed = random.number();
        let kill_after = 1 + usize::try_from(random.below(uploads)).expect("it fits");
        let pause = Duration::from_micros(random.below(8_000));
        let run = Run { known: Mutex::new(known), acknowledged: AtomicUsize::new(0) };
        data = run.until_killed(data, seed, kill_after, pause);
        let acknowledged = run.acknowledged.into_inner();
        known = run.known.into_inner().unwrap_or_else(PoisonError::into_inner);
        let unsure = known.states.values().filter(|state| state.pending.is_some()).count();
        let docs = Docserver::over(data, &[]);
        let found = known.check(&docs);
        println!(
            "round {round}: killed after {acknowledged} of {uploads}, {unsure} unacknowledged, of which \
             {} were done; {} documents; {}",
            found.done, found.documents, found.recovery
        );
        sum.done += found.done;
        sum.documents += found.documents;
        sum.unsure += unsure;
        sum.acknowledged += acknowledged;
        data = docs.stop();
    }
    println!(
        "{rounds} kills, {} acknowledged, {} documents looked at, {} of {} unacknowledged were done",
        sum.acknowledged, sum.documents, sum.done, sum.unsure
    );
}

/// The clients' knowledge of the documents.
#[derive(Default)]
struct Known {
    states: BTreeMap<String, State>,
    /// The number of the next version of any document.
    next: u64,
}

/// The knowledge about a name.
#[derive(Clone, Default)]
struct State {
    /// The last acknowledged version; `None` if there is no document.
    now: Option<Version>,
    /// The request sent since, without an answer yet.
    pending: Option<Pending>,
    /// The version before, which a search must not find any more.
    before: Option<Version>,
}

/// The version after a request; `None` after a deletion.
#[derive(Clone, Copy)]
struct Pending(Option<Version>);

/// The contents of a document; no two versions are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Version {
    number: u64,
    len: u64,
}

/// A server until its kill.
struct Run {
    known: Mutex<Known>,
    acknowledged: AtomicUsize,
}

#[derive(Default)]
struct Found {
    documents: usize,
    /// Requests that were not acknowledged, but done.
    done: usize,
    unsure: usize,
    acknowledged: usize,
    recovery: String,
}

impl Version {
    fn is_text(self) -> bool {
        self.number.is_multiple_of(2)
    }

    /// A word that only this version contains.
    fn word(self) -> String {
        format!("v{}z", self.number)
    }

    /// Whether the text contains the word.
    fn has_word(self) -> bool {
        self.is_text() && self.len >= self.word().len() as u64
    }

    fn bytes(self) -> Vec<u8> {
        let len = usize::try_from(self.len).expect("it fits");
        let mut random = Random::new(self.number);
        let mut bytes = Vec::with_capacity(len + 32);
        if self.is_text() {
            bytes.extend(self.word().bytes());
            while bytes.len() < len {
                bytes.extend(format!(" w{:x}", random.below(5_000)).bytes());
            }
        } else {
            bytes.push(0xff);
            while bytes.len() < len {
                bytes.extend(random.number().to_le_bytes());
            }
        }
        bytes.truncate(len);
        bytes
    }
}

impl Run {
    /// Lets clients file and delete documents until the server is killed.
    fn until_killed(&self, data: TempDir, seed: u64, after: usize, pause: Duration) -> TempDir {
        let mut docs = Docserver::over(data, &[]);
        // Connect all clients before any of them begins.
        let connections: Vec<_> = (0..CLIENTS).map(|_| docs.connect()).collect();
        let (killed, running) = (AtomicU64::new(0), AtomicUsize::new(CLIENTS));
        thread::scope(|scope| {
            for (client, connection) in connections.into_iter().enumerate() {
                let (killed, running) = (&killed, &running);
                let random = Random::new(seed.wrapping_add(client as u64));
                scope.spawn(move || {
                    self.client(client, connection, random, killed);
                    running.fetch_sub(1, Ordering::SeqCst);
                });
            }
            while self.acknowledged.load(Ordering::SeqCst) < after {
                assert!(running.load(Ordering::SeqCst) > 0, "all clients have given up");
                thread::sleep(Duration::from_micros(200));
            }
            thread::sleep(pause);
            killed.store(1, Ordering::SeqCst);
            docs.server().signal("KILL");
        });
        let status = docs.server_mut().wait(TIMEOUT);
        assert!(status.code().is_none(), "it was killed, and ended with {status}");
        docs.into_data()
    }

    fn client(
        &self,
        client: usize,
        mut connection: Connection,
        mut random: Random,
        killed: &AtomicU64,
    ) {
        loop {
            let name = format!("c{client}n{:02}x.txt", random.below(NAMES));
            let (request, version) = self.ask(&name, &mut random);
            let answer = connection.try_send(&request).and_then(|()| connection.try_answer());
            let Ok(Some(answer)) = answer else {
                // A connection may fail only after the kill. Read `killed` after the answer, so
                // that the order is certain.
                assert_eq!(killed.load(Ordering::SeqCst), 1, "{name}: {answer:?}");
                return;
            };
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            let state = known.states.get_mut(&name).expect("it was asked for");
            let right = match (version, state.now) {
                (Some(_), None) => 201,
                (Some(_), Some(_)) => 200,
                (None, Some(_)) => 204,
                (None, None) => 404,
            };
            assert_eq!(answer.status, right, "{name}: {answer:?}");
            if let Some(version) = version {
                assert_eq!(answer.json()["sha256"], sha256(&version.bytes()), "{name}");
            }
            state.acknowledge();
            drop(known);
            self.acknowledged.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Chooses the next request, and notes it before it is sent.
    fn ask(&self, name: &str, random: &mut Random) -> (Vec<u8>, Option<Version>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let number = known.next;
        known.next += 1;
        let version = (random.below(8) > 0).then(|| {
            // Sizes of all magnitudes, and every fourth one uniform.
            let bound = if random.below(4) == 0 { 20 } else { 1 + random.below(20) };
            Version { number, len: 1 + random.below(MAX_SIZE.min(1 << bound)) }
        });
        known.states.entry(name.to_owned()).or_default().pending = Some(Pending(version));
        drop(known);
        let request = match version {
            Some(version) => put(name, &version.bytes()),
            None => format!("DELETE /docs/{name} HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes(),
        };
        (request, version)
    }
}

impl State {
    fn acknowledge(&mut self) {
        if let Some(Pending(done)) = self.pending.take() {
            self.before = std::mem::replace(&mut self.now, done);
        }
    }
}

impl Known {
    /// Checks the documents after a kill; the result is the new knowledge.
    fn check(&mut self, docs: &Docserver) -> Found {
        let log = docs.server().log();
        assert!(!log.contains("lost, because"), "{log}");
        let recovery = log.lines().find_map(|line| line.split_once(": removed "));
        let recovery =
            recovery.map_or("nothing to remove".into(), |(_, what)| format!("removed {what}"));
        assert_eq!(docs.temporary(), 0, "temporary files are left");

        let mut connection = docs.connect();
        let mut listed = BTreeMap::new();
        for document in list(&mut connection) {
            let old = listed.insert(document.name.clone(), document);
            assert!(old.is_none(), "{old:?} is there twice");
        }
        assert_eq!(docs.filed(), listed.len(), "each document has one file");
        let mut found = Found { documents: listed.len(), recovery, ..Found::default() };
        for (name, state) in &mut self.states {
            let document = listed.remove(name);
            let is = |version: Option<Version>| match (version, &document) {
                (Some(version), Some(Listed { len, sha256, .. })) => {
                    *len == version.len && *sha256 == fsm_tests::sha256(&version.bytes())
                }
                (None, None) => true,
                _ => false,
            };
            // Versions that are gone: replaced ones, and those of requests that were not done.
            let mut gone = vec![state.before.take()];
            match state.pending {
                Some(Pending(then)) if is(then) => {
                    found.done += 1;
                    gone.push(state.now);
                    state.acknowledge();
                }
                pending => {
                    assert!(is(state.now), "{name} should be {:?}: {document:?}", state.now);
                    gone.push(pending.and_then(|Pending(then)| then));
                    state.pending = None;
                }
            }
            let answer = connection.ask(get(&format!("/docs/{name}")));
            match state.now {
                Some(version) => {
                    let bytes = answer.expect(200).body;
                    assert!(bytes == version.bytes(), "{name} has {} other bytes", bytes.len());
                }
                None => drop(answer.expect(404)),
            }
            let there: &[&str] = if state.now.is_some() { &[name] } else { &[] };
            assert_eq!(search(&mut connection, &name[..name.len() - 4]), there, "{name}");
            for version in gone.into_iter().flatten().filter(|gone| Some(*gone) != state.now) {
                assert!(search(&mut connection, &version.word()).is_empty(), "{name} {version:?}");
            }
            if let Some(version) = state.now.filter(|version| version.has_word()) {
                assert_eq!(search(&mut connection, &version.word()), [name.as_str()]);
            }
        }
        assert!(listed.is_empty(), "nobody has sent {listed:?}");
        found
    }
}

/// The names of the documents that contain a word.
fn search(connection: &mut Connection, word: &str) -> Vec<String> {
    let hits = connection.ask(get(&format!("/search?q={word}"))).expect(200).json();
    let hits = hits["hits"].as_array().expect("a list").iter();
    hits.map(|hit| hit["name"].as_str().expect("a text").to_owned()).collect()
}
