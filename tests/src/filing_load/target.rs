//! A server under load.

use std::collections::BTreeMap;
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use super::clients::{Clients, Results};
use super::report::{JobCounts, Latencies, Report, stat};
use super::slice::Slice;
use super::{Documents, FilingLoad, Setting, small};
use crate::{Connection, Docserver, Listed, TIMEOUT, get, list, put, sha256};

/// The stack size of a client's thread.
const STACK: usize = 256 * 1024;

/// A server in one setting, with its clients.
pub(super) struct Target {
    setting: Setting,
    docs: Docserver,
    clients: Clients,
}

impl Target {
    /// Starts a server, and files the small documents.
    pub(super) fn new(load: &FilingLoad, setting: Setting) -> Self {
        let queue = load.queue.to_string();
        let delay = format!("{}ms", load.delay.as_millis());
        // Each GET is a job of the catalog pool.
        let mut options = vec!["--index-queue", &queue, "--hot-bytes", "0"];
        if setting.is_slow {
            options.extend(["--index-delay", &delay]);
        }
        if setting.is_single {
            options.push("--single-pool");
        }
        let docs = Docserver::new(&options);
        let mut results = Results::default();
        let mut connection = docs.connect();
        let small = small();
        for number in 0..FilingLoad::SMALL {
            let (bytes, digest) = small.document(number);
            let name = format!("small-{number:03}");
            connection.ask(put(&name, &bytes)).expect(201);
            results.digests.insert(name, digest);
        }
        let clients = Clients::new(docs.server().address(), results);
        Self { setting, docs, clients }
    }

    /// Runs the load for a slice of time.
    pub(super) fn run(&self, load: &FilingLoad, documents: &Documents, time: Duration) {
        let cpu = self.docs.server().cpu();
        let start = Instant::now();
        let slice = Slice::new(load, documents, time);
        let mut memory = 0;
        thread::scope(|scope| {
            let (clients, slice) = (&self.clients, &slice);
            let filing: Vec<_> = (0..load.clients)
                .map(|client| spawn(scope, move || clients.file(slice, client)))
                .collect();
            for reader in 0..load.readers {
                spawn(scope, move || clients.read(slice, reader));
            }
            while filing.iter().any(|client| !client.is_finished()) {
                memory = memory.max(self.docs.server().anonymous());
                thread::sleep(Duration::from_millis(20));
            }
        });
        let took = start.elapsed();
        let cpu = self.docs.server().cpu().saturating_sub(cpu);
        let mut results = self.clients.results();
        results.took += took;
        results.cpu += cpu;
        results.memory = results.memory.max(memory);
    }

    /// Checks the documents on the server, and ends it.
    pub(super) fn finish(mut self) -> Report {
        let mut results = std::mem::take(&mut *self.clients.results());
        let mut connection = self.docs.connect();
        check_list(&mut connection, &mut results);
        check_bytes(&mut connection, &mut results);
        let files = (self.docs.filed(), self.docs.temporary());
        if files != (results.digests.len(), 0) {
            let documents = results.digests.len();
            let failure = format!("{documents} documents have {files:?} files and temporary ones");
            results.failures.push(failure);
        }
        drop(connection);
        self.docs.server().signal("TERM");
        let status = self.docs.server_mut().wait(TIMEOUT);
        let log = self.docs.server().log();
        if !status.success() || log.contains(" ERROR ") || log.contains("panicked at") {
            results.failures.push(format!("the server ended with {status} and this log:\n{log}"));
        }
        Report {
            setting: self.setting,
            filed: results.filed,
            took: results.took,
            puts: Latencies::new(results.puts),
            gets: Latencies::new(results.gets),
            failures: results.failures,
            peak: stat(&log, "index", "peak"),
            index: JobCounts::read(&log, "index"),
            catalog: JobCounts::read(&log, "catalog"),
            memory: results.memory,
            cpu: results.cpu,
        }
    }
}

/// Starts a client's thread.
fn spawn<'scope>(
    scope: &'scope Scope<'scope, '_>,
    run: impl FnOnce() + Send + 'scope,
) -> ScopedJoinHandle<'scope, ()> {
    let builder = thread::Builder::new().stack_size(STACK);
    builder.spawn_scoped(scope, run).expect("a thread should start")
}

/// Checks that the server lists each acknowledged document once, with its digest, and no other.
fn check_list(connection: &mut Connection, results: &mut Results) {
    let failures = &mut results.failures;
    let mut found = BTreeMap::new();
    for Listed { name, len, sha256 } in list(connection) {
        if found.insert(name.clone(), (len, sha256)).is_some() {
            failures.push(format!("{name} is listed twice"));
        }
    }
    for (name, digest) in &results.digests {
        match found.remove(name) {
            Some((_, found)) if found == *digest => {}
            other => failures.push(format!("{name} should be {digest}, and is {other:?}")),
        }
    }
    for (name, found) in found {
        failures.push(format!("{name} was not acknowledged, but is listed: {found:?}"));
    }
}

/// Checks the bytes of a sample of documents, because the list shows only their digests when filed.
fn check_bytes(connection: &mut Connection, results: &mut Results) {
    for (name, digest) in results.digests.iter().step_by(23) {
        let answer = connection.ask(get(&format!("/docs/{name}")));
        if answer.status != 200 || sha256(&answer.body) != *digest {
            results.failures.push(format!("{name} has other bytes"));
        }
    }
}
