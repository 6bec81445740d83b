use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use super::UpgradeLoad;
use super::clients::{Clients, Tally};
use super::stage::Stage;
use crate::{TIMEOUT, Upgradable, client, run};

/// `redis-benchmark`, which counts one key up as fast as the server takes it, run after run.
pub(super) struct Benchmark {
    ready: Arc<AtomicBool>,
    thread: JoinHandle<Tally>,
}

impl Benchmark {
    pub(super) fn start(
        load: &UpgradeLoad,
        pipeline: usize,
        kv: &Upgradable,
        stage: &Arc<Stage>,
    ) -> Self {
        let (stage, ready) = (Arc::clone(stage), Arc::new(AtomicBool::new(false)));
        let (connections, requests) = (load.benchmark.to_string(), load.requests);
        let port = kv.address().port().to_string();
        let thread = thread::spawn({
            let ready = Arc::clone(&ready);
            move || {
                let name = format!("redis-benchmark -P {pipeline}");
                let key = format!("benchmark:{pipeline}");
                let mut tally = Tally { name, ..Tally::default() };
                let Some(program) = client("redis-benchmark") else { return tally };
                ready.store(true, Ordering::Relaxed);
                while !stage.is_over() && tally.faults.is_empty() {
                    let mut command = Command::new(&program);
                    command.args(["-p", &port, "-c", &connections, "-q"]);
                    command.args(["-n", &requests.to_string(), "-P", &pipeline.to_string()]);
                    let ran = run(command.args(["INCR", &key]), TIMEOUT * 10);
                    let is_well = ran.status.success() && ran.stderr.is_empty();
                    if !is_well || ran.stdout.contains("rror") {
                        tally.faults.push(format!("{} ended: {ran:?}", tally.name));
                    }
                    tally.answers += requests as u64;
                }
                tally.counted = BTreeMap::from([(key, tally.answers)]);
                tally
            }
        });
        Self { ready, thread }
    }
}

impl Clients for Benchmark {
    fn are_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed) || self.thread.is_finished()
    }

    fn finish(self: Box<Self>) -> Tally {
        self.thread.join().expect("the thread of redis-benchmark does not panic")
    }
}
