use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::UpgradeLoad;
use super::clients::{Clients, Tally};
use super::stage::{Stage, Times};
use crate::{TIMEOUT, Upgradable, client};

/// The stack of a client's thread.
const STACK: usize = 128 * 1024;

/// `redis-cli` processes that read commands from a pipe, each on a connection that it keeps.
pub(super) struct CliClients {
    processes: Vec<Child>,
    threads: Vec<JoinHandle<CliClient>>,
    ready: Arc<AtomicUsize>,
}

struct CliClient {
    name: String,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    counted: u64,
    times: Times,
    fault: Option<String>,
}

impl CliClients {
    /// Without the program there are none, as [`client`] says.
    pub(super) fn start(load: &UpgradeLoad, kv: &Upgradable, stage: &Arc<Stage>) -> Self {
        let ready = Arc::new(AtomicUsize::new(0));
        let mut all = Self { processes: Vec::new(), threads: Vec::new(), ready };
        let Some(program) = client("redis-cli") else { return all };
        let port = kv.address().port().to_string();
        for number in 0..load.cli {
            let mut command = Command::new(&program);
            command.args(["-p", &port]);
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut process = command.spawn().expect("redis-cli starts");
            let stdin = process.stdin.take().expect("it is piped");
            let stdout = BufReader::new(process.stdout.take().expect("it is piped"));
            let name = format!("cli:{number}");
            let times = Times::default();
            let client = CliClient { name, stdin, stdout, counted: 0, times, fault: None };
            let (stage, ready) = (Arc::clone(stage), Arc::clone(&all.ready));
            let pause = load.pause;
            let thread = thread::Builder::new().stack_size(STACK);
            let thread = thread.spawn(move || client.run(&stage, pause, &ready));
            all.threads.push(thread.expect("a thread starts"));
            all.processes.push(process);
        }
        all
    }
}

impl Clients for CliClients {
    fn are_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed) == self.threads.len()
    }

    fn finish(mut self: Box<Self>) -> Tally {
        let until = Instant::now() + TIMEOUT;
        while self.threads.iter().any(|it| !it.is_finished()) && Instant::now() < until {
            thread::sleep(Duration::from_millis(5));
        }
        let mut tally = Tally { name: "redis-cli".to_owned(), ..Tally::default() };
        for (mut process, thread) in self.processes.drain(..).zip(self.threads.drain(..)) {
            // One that hangs ends here, and its thread with it.
            let _ = process.kill();
            let _ = process.wait();
            let client = thread.join().expect("the thread of a client does not panic");
            let mut said = String::new();
            let stderr = process.stderr.as_mut().expect("it is piped");
            let _ = stderr.read_to_string(&mut said);
            if !said.is_empty() {
                tally.faults.push(format!("{} said: {said}", client.name));
            }
            tally.faults.extend(client.fault);
            tally.answers += client.counted;
            tally.times.push(client.times);
            tally.counted.insert(client.name, client.counted);
        }
        tally
    }
}

impl CliClient {
    fn run(mut self, stage: &Stage, pause: Duration, ready: &AtomicUsize) -> Self {
        let name = self.name.clone();
        self.ask(&format!("CLIENT SETNAME {name}"), "OK");
        while !stage.is_over() && self.fault.is_none() {
            let since = Instant::now();
            self.counted += 1;
            self.ask(&format!("INCR {name}"), &self.counted.to_string());
            stage.note(since.elapsed(), &mut self.times);
            if self.counted == 1 {
                ready.fetch_add(1, Ordering::Relaxed);
            }
            thread::sleep(pause);
        }
        // It would connect anew in silence, and a new connection has no name.
        self.ask("CLIENT GETNAME", &name);
        self
    }

    fn ask(&mut self, command: &str, answer: &str) {
        if self.fault.is_some() {
            return;
        }
        let mut got = String::new();
        let asked = writeln!(self.stdin, "{command}");
        let asked = asked.and_then(|()| self.stdout.read_line(&mut got));
        if asked.is_err() || got.trim_end() != answer {
            self.fault = Some(format!("`{command}`: {asked:?}, {got:?} in place of {answer:?}"));
        }
    }
}
