use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// What the threads of an upgrade share with those that ask for one.
#[derive(Debug, Default)]
pub(super) struct Control {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The program and its arguments, while the pools run and accept.
    program: Option<(PathBuf, Vec<OsString>)>,
    /// The time in which a process that was started must say something.
    patience: Duration,
    /// Somebody waits for the outcome of a process that was started.
    starting: bool,
    /// A new process talks to this one.
    busy: bool,
    /// A new process has committed.
    handed_over: bool,
    /// The last outcome: of which process, and what became of it.
    outcome: Option<(u32, Result<(), String>)>,
}

/// The right to talk to a new process. There is one at a time.
#[derive(Debug)]
pub(super) struct Turn(Arc<Control>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.lock().busy = false;
    }
}

impl Control {
    /// Allows upgrades from now on.
    pub(super) fn open(&self, program: Option<PathBuf>, patience: Duration) {
        let mut arguments = env::args_os();
        let name = arguments.next().map(PathBuf::from);
        let program = program.or(name).or_else(|| env::current_exe().ok());
        let mut state = self.lock();
        state.program = program.map(|program| (program, arguments.collect()));
        state.patience = patience;
    }

    /// Allows no more upgrades, because the pools drain or have ended.
    pub(super) fn close(&self) {
        self.lock().program = None;
        self.changed.notify_all();
    }

    /// Begins to talk to a new process. Returns a sentence if that cannot be.
    pub(super) fn begin(self: &Arc<Self>) -> Result<Turn, &'static str> {
        let mut state = self.lock();
        if state.busy {
            return Err("another upgrade is under way");
        }
        if state.program.is_none() {
            return Err("the old process drains, or has handed over already");
        }
        state.busy = true;
        Ok(Turn(Arc::clone(self)))
    }

    /// Notes that a new process serves in place of this one.
    pub(super) fn hand_over(&self) {
        self.lock().handed_over = true;
    }

    /// Whether a new process serves in place of this one.
    pub(super) fn has_handed_over(&self) -> bool {
        self.lock().handed_over
    }

    /// Reports what became of the upgrade to a process.
    pub(super) fn report(&self, process: u32, outcome: Result<(), String>) {
        self.lock().outcome = Some((process, outcome));
        self.changed.notify_all();
    }

    /// Starts the program, and waits for the outcome.
    pub(super) fn upgrade(self: &Arc<Self>) -> Result<(), String> {
        let mut command = {
            let mut state = self.lock();
            let Some((program, arguments)) = &state.program else {
                return Err("the pools do not run, or drain".to_owned());
            };
            let mut command = Command::new(program);
            command.args(arguments).stdin(Stdio::null());
            if state.starting || state.busy {
                return Err("an upgrade is under way".to_owned());
            }
            state.starting = true;
            state.outcome = None;
            command
        };
        let result = self.start(&mut command);
        self.lock().starting = false;
        result
    }

    fn start(self: &Arc<Self>, command: &mut Command) -> Result<(), String> {
        let program = command.get_program().to_owned();
        let failed =
            |error| format!("cannot start {}: {error}", std::path::Path::new(&program).display());
        let mut child = command.spawn().map_err(failed)?;
        let process = child.id();
        crate::log::info!(process, program = ?program, "started a process to take over");
        let control = Arc::clone(self);
        let waiting = thread::Builder::new().name("upgrade-child".to_owned()).spawn(move || {
            // It is waited for as long as this process lives, so that it leaves no zombie.
            let why = match child.wait() {
                Ok(status) => format!("the new process has ended with {status}"),
                Err(error) => format!("cannot wait for the new process: {error}"),
            };
            control.ended(process, why);
        });
        waiting.map_err(|error| format!("cannot start a thread: {error}"))?;
        let since = Instant::now();
        let mut state = self.lock();
        loop {
            if let Some((of, outcome)) = &state.outcome {
                if *of == process {
                    return outcome.clone();
                }
            }
            // While it talks, that is bounded elsewhere.
            let left = state.patience.saturating_sub(since.elapsed());
            if left.is_zero() && !state.busy {
                return Err("the new process is silent".to_owned());
            }
            let wait = left.max(Duration::from_millis(100));
            let waited = self.changed.wait_timeout(state, wait);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Reports the end of a process, unless its outcome is known.
    fn ended(&self, process: u32, why: String) {
        let mut state = self.lock();
        if state.outcome.as_ref().is_none_or(|(of, _)| *of != process) {
            state.outcome = Some((process, Err(why)));
        }
        drop(state);
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
