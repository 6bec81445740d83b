use std::marker::PhantomData;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use super::channel::{Broken, ProcessAnswer};
use super::ending::Ending;
use super::idle_watch::{IdleWatch, IdleWorker};
use super::process::{Done, PythonProcess};
use super::settings::Settings;
use crate::lifecycle::pool_state::Phase;
use crate::server::wire::{Raised, Wire};

/// The first and the longest pause before a process is started in place of one that has failed.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));
/// The time between two looks at the phase of the pool in such a pause.
const LOOK: Duration = Duration::from_millis(50);
/// A buffer that was larger than this is not kept.
const KEPT: usize = 64 * 1024;

/// The worker of a thread of the pool: a process, and the settings to start another one.
pub(super) struct PythonWorker<J, R> {
    settings: Arc<Settings<J>>,
    ending: Ending,
    watch: Weak<IdleWatch>,
    /// This worker, for the watch.
    me: Weak<dyn IdleWorker>,
    process: Option<PythonProcess>,
    /// Processes that were started.
    started: u64,
    /// A process that was told to end.
    leaving: Option<PythonProcess>,
    /// Jobs that the process has answered.
    answered: u64,
    /// Processes that have failed since the last answer.
    failures: u32,
    request: Vec<u8>,
    types: PhantomData<fn(J) -> R>,
}

impl<J: Wire, R: Wire> PythonWorker<J, R> {
    /// A worker without a process.
    pub(super) fn new(
        settings: Arc<Settings<J>>,
        ending: Ending,
        watch: Weak<IdleWatch>,
        me: Weak<dyn IdleWorker>,
    ) -> Self {
        Self {
            settings,
            ending,
            watch,
            me,
            process: None,
            started: 0,
            leaving: None,
            answered: 0,
            failures: 0,
            request: Vec::new(),
            types: PhantomData,
        }
    }

    /// Starts the first process, and waits until it is ready.
    pub(super) fn start(&mut self) -> Result<(), String> {
        let mut process = PythonProcess::start(&self.settings)?;
        process.wait_ready(&self.settings, &self.ending)?;
        self.enter(process);
        Ok(())
    }

    /// Takes a process that was started, and has it watched while it is idle.
    fn enter(&mut self, process: PythonProcess) {
        self.started += 1;
        if let Some(watch) = self.watch.upgrade() {
            let watched = process
                .socket()
                .and_then(|socket| watch.add(socket, Weak::clone(&self.me), self.started));
            if let Err(error) = watched {
                let pool = &self.settings.pool;
                crate::log::warn!(pool, %error, "the end of an idle process is seen with its next job");
            }
        }
        self.process = Some(process);
    }

    /// Puts another process in the place of this one, which has closed its socket while it had no job.
    pub(super) fn replace(&mut self, process: u64) {
        if process == self.started && self.process.is_some() {
            self.lost(&Broken::Closed);
        }
    }

    /// Has a job done. `None` if it has no answer, because the process has failed.
    pub(super) fn run(&mut self, job: &J) -> Option<Result<R, Raised>> {
        self.request.clear();
        self.request.resize(PythonProcess::HEAD, 0);
        let encoded = job.encode(&mut self.request);
        let length = u32::try_from(self.request.len() - PythonProcess::HEAD);
        if let Err(error) = encoded.and_then(|()| Ok(length?)) {
            return Some(Err(Raised::wire(&*error)));
        }
        let reply = self.exchange(job);
        if self.request.capacity() > KEPT {
            self.request = Vec::new();
        }
        reply
    }

    fn exchange(&mut self, job: &J) -> Option<Result<R, Raised>> {
        loop {
            self.make_ready()?;
            let Self { process: Some(process), settings, ending, request, .. } = self else {
                return None;
            };
            match process.run(request, settings.left_for(job), settings, ending) {
                Ok((done, answer)) => {
                    let reply = Self::decode(&done, process.body(answer));
                    process.trim();
                    self.answered(answer);
                    return Some(reply);
                }
                Err(broken) => {
                    let is_unsent = matches!(broken, Broken::Unsent);
                    self.lost(&broken);
                    // The process had ended before; another one gets the job.
                    if !is_unsent {
                        return None;
                    }
                }
            }
        }
    }

    fn decode(done: &Done, body: &[u8]) -> Result<R, Raised> {
        match done {
            Done::Result => R::decode(body).map_err(|error| Raised::wire(&*error)),
            Done::Raised => Err(Raised::parse(body).unwrap_or_else(|| {
                Raised::wire(&*Box::from("the process did not say what was raised"))
            })),
        }
    }

    /// Has a process that is ready, or returns `None` because the pool ends.
    fn make_ready(&mut self) -> Option<()> {
        loop {
            if self.process.is_none() {
                self.pause()?;
                self.start_another();
            }
            if let Some(process) = &mut self.process {
                match process.wait_ready(&self.settings, &self.ending) {
                    Ok(()) => return Some(()),
                    Err(error) => self.failed(&error),
                }
            }
        }
    }

    /// Starts a process, which gets ready while this thread does something else.
    fn start_another(&mut self) {
        self.answered = 0;
        match PythonProcess::start(&self.settings) {
            Ok(process) => self.enter(process),
            Err(error) => self.failed(&error),
        }
    }

    /// Waits before another process is started. Returns `None` if the pool was closed, or drains and has no working
    /// process.
    fn pause(&self) -> Option<()> {
        let (first, longest) = PAUSES;
        let pause = match self.failures {
            0 | 1 => Duration::ZERO,
            failures => first.saturating_mul(1 << (failures - 2).min(16)).min(longest),
        };
        let began = Instant::now();
        loop {
            match self.ending.phase() {
                Phase::Run => {}
                Phase::Drain if self.failures <= 1 => {}
                Phase::Drain | Phase::Close => return None,
            }
            let left = pause.saturating_sub(began.elapsed());
            if left.is_zero() {
                return Some(());
            }
            thread::sleep(left.min(LOOK));
        }
    }

    /// Counts an answer, and puts a fresh process in the place of one that has done enough.
    fn answered(&mut self, answer: ProcessAnswer) {
        self.failures = 0;
        self.answered += 1;
        let enough = self.settings.recycle_after.is_some_and(|most| self.answered >= most);
        if !enough && !PythonProcess::is_last(answer) {
            if self.leaving.as_ref().is_some_and(PythonProcess::has_ended) {
                self.leaving = None;
            }
            return;
        }
        if let Some(mut process) = self.process.take() {
            process.leave();
            if let Some(before) = self.leaving.replace(process) {
                before.end(self.settings.stop_within);
            }
        }
        self.start_another();
    }

    /// Drops a process that did not answer. The next one starts while the caller hears of it.
    fn lost(&mut self, broken: &Broken) {
        let why = self.process.as_mut().map(|process| process.describe(broken)).unwrap_or_default();
        self.failed(&why);
        if self.failures == 1 && !self.ending.is_closed() {
            self.start_another();
        }
    }

    /// Drops a process that has failed.
    fn failed(&mut self, why: &str) {
        self.failures = self.failures.saturating_add(1);
        let process = self.process.take().map(|process| process.id());
        crate::log::warn!(pool = self.settings.pool, process, why, "a worker process has failed");
    }
}

impl<J, R> PythonWorker<J, R> {
    /// Ends its processes. It gets no other ones.
    pub(super) fn end(&mut self) {
        for process in [self.process.take(), self.leaving.take()].into_iter().flatten() {
            process.end(self.settings.stop_within);
        }
    }
}
