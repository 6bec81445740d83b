use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::server::progress::{SharedProgress, UpgradeStep};

/// How often it looks whether a process that was started has ended.
const LOOK: Duration = Duration::from_millis(50);

/// The state that the threads of an upgrade share with those that ask for one.
#[derive(Debug, Default)]
pub(super) struct Control {
    state: Mutex<ControlState>,
    changed: Condvar,
    pub(super) progress: SharedProgress,
}

#[derive(Debug, Default)]
struct ControlState {
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
pub(super) struct UpgradeTurn(Arc<Control>);

impl Drop for UpgradeTurn {
    fn drop(&mut self) {
        self.0.lock().busy = false;
        let mut progress = self.0.progress.lock();
        if progress.step != UpgradeStep::HandedOver {
            progress.step = UpgradeStep::Waits;
        }
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
    pub(super) fn begin(self: &Arc<Self>) -> Result<UpgradeTurn, &'static str> {
        let mut state = self.lock();
        if state.busy {
            return Err("another upgrade is under way");
        }
        if state.program.is_none() {
            return Err("the old process drains, or has handed over already");
        }
        state.busy = true;
        self.progress.lock().step = UpgradeStep::Prepares;
        Ok(UpgradeTurn(Arc::clone(self)))
    }

    /// Notes that a new process serves in place of this one.
    pub(super) fn hand_over(&self) {
        self.progress.lock().step = UpgradeStep::HandedOver;
        self.lock().handed_over = true;
    }

    /// Whether a new process serves in place of this one.
    pub(super) fn has_handed_over(&self) -> bool {
        self.lock().handed_over
    }

    /// Reports what became of the upgrade to a process.
    pub(super) fn report(&self, process: u32, outcome: Result<(), String>) {
        let mut progress = self.progress.lock();
        match &outcome {
            Ok(()) => {
                progress.succeeded += 1;
                progress.last = Some(format!("process {process} has taken over"));
            }
            Err(why) => {
                progress.failed += 1;
                progress.last = Some(format!("process {process} has not taken over: {why}"));
            }
        }
        drop(progress);
        self.lock().outcome = Some((process, outcome));
        self.changed.notify_all();
    }

    /// Starts the program, and waits for the outcome.
    pub(super) fn upgrade(&self) -> Result<(), String> {
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

    fn start(&self, command: &mut Command) -> Result<(), String> {
        let program = command.get_program().to_owned();
        let mut child = command
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", Path::new(&program).display()))?;
        crate::log::info!(process = child.id(), program = ?program, "started a process to take over");
        let result = self.wait_for(&mut child);
        // It is waited for as long as this process lives, so that it leaves no zombie.
        let waiting = thread::Builder::new().name("upgrade-child".to_owned());
        if let Err(error) = waiting.spawn(move || child.wait()) {
            crate::log::warn!(%error, "cannot wait for the end of a process");
        }
        result
    }

    /// Waits for the outcome of a process that was started, and kills it if it says nothing.
    fn wait_for(&self, child: &mut Child) -> Result<(), String> {
        let since = Instant::now();
        let mut state = self.lock();
        loop {
            match &state.outcome {
                // Another number is that of a process which a script has started, or that of a stranger.
                Some((_, Ok(()))) => return Ok(()),
                Some((of, Err(why))) if *of == child.id() => return Err(why.clone()),
                _ => {}
            }
            // While one talks, that is bounded elsewhere.
            if !state.busy {
                match child.try_wait() {
                    Ok(None) => {}
                    Ok(Some(status)) => {
                        return Err(format!("the new process has ended with {status}"));
                    }
                    Err(error) => return Err(format!("cannot wait for the new process: {error}")),
                }
                if since.elapsed() >= state.patience {
                    return Err(match child.kill() {
                        Ok(()) => "the new process is silent, and was killed".to_owned(),
                        Err(error) => format!("the new process is silent; cannot kill it: {error}"),
                    });
                }
            }
            let waited = self.changed.wait_timeout(state, LOOK);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, ControlState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
