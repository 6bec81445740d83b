use std::io::{Read, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// The output and the exit status of a program.
#[derive(Debug)]
pub struct RunOutput {
    /// Its exit status.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
    /// Its run time.
    pub took: Duration,
}

/// Runs a program, which must end within the time limit.
pub fn run(command: &mut Command, within: Duration) -> RunOutput {
    run_with_input(command, within, |_| Ok(()))
}

/// Runs a program with the input that `input` writes; it must end within the time limit.
pub fn run_with_input(
    command: &mut Command,
    within: Duration,
    input: impl FnOnce(&mut dyn Write) -> std::io::Result<()> + Send + 'static,
) -> RunOutput {
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?} should start: {error}"));
    let mut stdin = child.stdin.take().expect("it is piped");
    let writer = thread::spawn(move || input(&mut stdin));
    let stdout = read(child.stdout.take().expect("it is piped"));
    let stderr = read(child.stderr.take().expect("it is piped"));
    let end = start + within;
    let outputs = (receive(&stdout, end), receive(&stderr, end));
    let (Some(stdout), Some(stderr)) = outputs else {
        let _ = child.kill();
        let _ = child.wait();
        panic!("{command:?} did not end within {within:?}; it printed {outputs:?}");
    };
    let status = child.wait().expect("it can be waited for");
    if let Err(error) = writer.join().expect("the writer should not panic") {
        panic!("{command:?} did not take its input: {error}; it printed {stdout} {stderr}");
    }
    RunOutput { status, stdout, stderr, took: start.elapsed() }
}

fn read(mut pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}

fn receive(output: &Receiver<String>, end: Instant) -> Option<String> {
    output.recv_timeout(end.saturating_duration_since(Instant::now())).ok()
}
