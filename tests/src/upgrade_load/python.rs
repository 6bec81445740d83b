use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::clients::{Clients, Tally};
use super::stage::{Stage, Times};
use crate::{TIMEOUT, Upgradable, client, run, skip};

const REQUIREMENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/redis/requirements.txt");
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/redis/upgrade_load.py");
/// How often it looks at the stage.
const LOOK: Duration = Duration::from_millis(1);

/// Threads of redis-py in one process.
pub(super) struct PythonClients {
    process: Child,
    ready: Arc<AtomicBool>,
    /// The counts that it prints at the end.
    result: Receiver<String>,
}

impl PythonClients {
    pub(super) fn start(
        python: &Path,
        threads: usize,
        pause: Duration,
        kv: &Upgradable,
        stage: &Arc<Stage>,
    ) -> Self {
        let mut command = Command::new(python);
        command.args([SCRIPT, &kv.address().port().to_string(), &threads.to_string()]);
        command.arg(pause.as_secs_f64().to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("Python starts");
        let mut stdout = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut stdin = process.stdin.take().expect("it is piped");
        let (stage, ready) = (Arc::clone(stage), Arc::new(AtomicBool::new(false)));
        let (sender, result) = channel();
        thread::spawn({
            let ready = Arc::clone(&ready);
            move || {
                let mut line = String::new();
                let _ = stdout.read_line(&mut line);
                ready.store(true, Ordering::Relaxed);
                while !stage.has_upgrades() {
                    thread::sleep(LOOK);
                }
                let _ = stdin.write_all(b"upgrades\n");
                while !stage.is_over() {
                    thread::sleep(LOOK);
                }
                drop(stdin);
                line.clear();
                let _ = stdout.read_line(&mut line);
                let _ = sender.send(line);
            }
        });
        Self { process, ready, result }
    }
}

impl Clients for PythonClients {
    fn are_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    fn finish(mut self: Box<Self>) -> Tally {
        let mut tally = Tally { name: "redis-py".to_owned(), ..Tally::default() };
        let said = self.result.recv_timeout(TIMEOUT * 2).unwrap_or_default();
        let _ = self.process.kill();
        let _ = self.process.wait();
        let Ok(said) = serde_json::from_str::<Value>(&said) else {
            tally.faults.push(format!("redis-py has ended with {said:?}"));
            return tally;
        };
        let faults = said["faults"].as_array().into_iter().flatten();
        tally.faults.extend(faults.map(|fault| format!("redis-py: {fault}")));
        tally.answers = said["published"].as_u64().unwrap_or_default();
        for (key, count) in said["counted"].as_object().into_iter().flatten() {
            let count = count.as_u64().unwrap_or_default();
            tally.answers += count;
            tally.counted.insert(key.clone(), count);
        }
        let durations = |of: &Value| {
            let seconds = of.as_array().into_iter().flatten().filter_map(Value::as_f64);
            seconds.map(Duration::from_secs_f64).collect()
        };
        let times = said["times"].as_array().into_iter().flatten();
        let times = times.map(|of| Times { quiet: durations(&of[0]), upgrades: durations(&of[1]) });
        tally.times.extend(times);
        tally
    }
}

/// The path of a Python with redis-py, in a virtual environment in `folder`. `None` without a Python or the
/// network, as [`client`] says.
pub fn redis_py(folder: &Path) -> Option<PathBuf> {
    let python = client("python3")?;
    let dir = folder.join("redis-py");
    let (program, installed) = (dir.join("bin/python"), dir.join("requirements.txt"));
    let wanted = fs::read(REQUIREMENTS).expect("the requirements should be there");
    if fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        return Some(program);
    }
    let path = dir.to_string_lossy();
    let steps = [
        (&python, &["-m", "venv", "--clear", &path][..]),
        (&program, &["-m", "pip", "install", "--quiet", "--requirement", REQUIREMENTS][..]),
    ];
    for (program, arguments) in steps {
        let ran = run(Command::new(program).args(arguments), Duration::from_secs(180));
        if !ran.status.success() {
            let said = format!("{}{}", ran.stdout, ran.stderr);
            skip(&format!(
                "redis-py cannot be installed: `{} {}` says `{}`; this needs the network, and \
                 `apt-get install -y python3-venv`",
                program.display(),
                arguments.join(" "),
                said.trim_end().lines().last().unwrap_or_default(),
            ));
            return None;
        }
    }
    fs::write(installed, wanted).expect("the folder can be written to");
    Some(program)
}
