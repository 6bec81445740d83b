//! A load on `kv` while processes of it follow each other: clients of three kinds, each of which checks every
//! answer, and `redis-benchmark`.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::{TIMEOUT, Upgradable, eventually};

mod benchmark;
mod cli;
mod clients;
mod counters;
mod memory;
mod python;
mod report;
mod stage;

pub use memory::Peak;
pub use python::redis_py;
pub use report::{Part, UpgradeReport, Upgraded};

use benchmark::Benchmark;
use cli::CliClients;
use clients::Clients;
use counters::Counters;
use memory::Sampler;
use python::PythonClients;
use stage::Stage;

/// A load.
#[derive(Clone, Debug)]
pub struct UpgradeLoad {
    /// The number of raw connections that count with `INCR` in pipelines, some of which arrive in two pieces.
    pub counters: usize,
    /// The number of `redis-cli` processes that read their commands from a pipe.
    pub cli: usize,
    /// The number of threads of redis-py, and the Python that has it. They share a pool of connections, and every
    /// fourth of them has a subscriber, too.
    pub python: Option<(usize, PathBuf)>,
    /// The connections of `redis-benchmark`, once with a command at a time and once with 16; 0 for none.
    pub benchmark: usize,
    /// The requests of a run of `redis-benchmark`, which runs again and again; a multiple of 16.
    pub requests: usize,
    /// The time of a client between an answer and its next command.
    pub pause: Duration,
    /// The connections that do nothing from the beginning to the end, and then have the same name.
    pub at_rest: usize,
    /// The keys that there are beside those of the clients, with values of 64 bytes.
    pub keys: usize,
    /// The number of upgrades.
    pub upgrades: usize,
    /// The time between two upgrades.
    pub apart: Duration,
}

impl UpgradeLoad {
    /// Runs the load on a server that nobody upgrades for as long as the upgrades take together, and then with
    /// the upgrades.
    pub fn run(&self) -> UpgradeReport {
        let mut kv = Upgradable::start("kv", |command| {
            command.args(["--max-connections", "19000"]);
        });
        self.fill(&kv);
        let mut at_rest: Vec<_> = (0..self.at_rest).map(|_| kv.connect()).collect();
        for (number, client) in at_rest.iter_mut().enumerate() {
            client.expect(&["CLIENT", "SETNAME", &format!("rest-{number}")], "+OK\r\n");
        }
        let stage = Arc::new(Stage::default());
        let clients = self.clients(&kv, &stage);
        stage.quiet();
        thread::sleep(self.apart * u32::try_from(self.upgrades).expect("few upgrades"));
        stage.upgrades();
        let upgrades = (0..self.upgrades)
            .map(|_| {
                thread::sleep(self.apart);
                upgrade(&mut kv)
            })
            .collect();
        stage.over();
        let mut report = UpgradeReport { upgrades, ..UpgradeReport::default() };
        let mut asking = kv.connect();
        for clients in clients {
            report.add(clients.finish(), &mut asking);
        }
        for (number, client) in at_rest.iter_mut().enumerate() {
            let name = format!("rest-{number}");
            let reply = format!("${}\r\n{name}\r\n", name.len());
            let got = client.try_command(&["CLIENT", "GETNAME"]);
            if !matches!(&got, Ok(got) if *got == reply.as_bytes()) {
                report.faults.push(format!("connection {number} at rest: {got:?}"));
            }
        }
        drop((at_rest, asking));
        kv.stop();
        report
    }

    fn clients(&self, kv: &Upgradable, stage: &Arc<Stage>) -> Vec<Box<dyn Clients>> {
        let mut all: Vec<Box<dyn Clients>> = Vec::new();
        if self.counters > 0 {
            all.push(Box::new(Counters::start(self, kv, stage)));
        }
        if self.cli > 0 {
            all.push(Box::new(CliClients::start(self, kv, stage)));
        }
        if let Some((threads, program)) = &self.python {
            all.push(Box::new(PythonClients::start(program, *threads, self.pause, kv, stage)));
        }
        if self.benchmark > 0 {
            for pipeline in [1, 16] {
                all.push(Box::new(Benchmark::start(self, pipeline, kv, stage)));
            }
        }
        eventually("all clients are there", || all.iter().all(|clients| clients.are_ready()));
        all
    }

    fn fill(&self, kv: &Upgradable) {
        const TOGETHER: usize = 1_000;
        let mut client = kv.connect();
        for first in (0..self.keys).step_by(TOGETHER) {
            let keys = first..self.keys.min(first + TOGETHER);
            let sets = keys.clone().map(|key| format!("SET filled:{key} {key:064}\r\n"));
            client.send(sets.collect::<String>());
            for _ in keys {
                assert_eq!(client.reply(), b"+OK\r\n");
            }
        }
    }
}

/// Lets a new process take over, and measures that.
fn upgrade(kv: &mut Upgradable) -> Upgraded {
    let since = Instant::now();
    let old = kv.process;
    let new = kv.begin();
    let memory = Sampler::start(old, new);
    let connections = kv.taken_over(new);
    let took = since.elapsed();
    // The memory of both counts until the old one has given its own back.
    let rollup = format!("/proc/{old}/smaps_rollup");
    let until = Instant::now() + TIMEOUT;
    while std::fs::read(&rollup).is_ok_and(|it| !it.is_empty()) && Instant::now() < until {
        thread::sleep(Duration::from_millis(5));
    }
    Upgraded { took, connections, memory: memory.peak() }
}
