use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::Key;
use crate::outgoing::jobs::ConnectionJobs;

/// The connections that a pool has opened: what its connector, its connections and those who give it jobs
/// know of each other.
///
/// The connector runs on the thread that polls the pool's first port. Others leave a report here, and
/// interrupt its poll.
pub(crate) struct Outgoing {
    /// The jobs that the connections answer; `None` in a pool without any.
    pub(crate) jobs: Option<Arc<dyn ConnectionJobs>>,
    state: Mutex<OpenedState>,
    /// There may be something for the connector to do.
    changed: AtomicBool,
    interrupt: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

#[derive(Default)]
struct OpenedState {
    open: HashMap<Key, Opened>,
    /// The number of connections that were opened and have had no turn yet.
    about_to_join: usize,
    reports: Vec<Report>,
}

struct Opened {
    target: usize,
    /// The time of its first turn.
    since: u64,
    /// It has answered a job.
    answered: bool,
    /// The reason for which its TLS or its layer failed.
    error: Option<String>,
}

/// An event of a connection, for the connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    /// A connection to the target with this number has answered its first job.
    Answered { target: usize },
    /// A connection has ended, so many milliseconds after its first turn, and with this error if its TLS or its
    /// layer failed.
    Ended {
        target: usize,
        answered: bool,
        /// In a pool with jobs: it was free at last.
        was_free: bool,
        lasted: u64,
        error: Option<String>,
    },
}

impl Outgoing {
    pub(crate) fn new(jobs: Option<Arc<dyn ConnectionJobs>>) -> Self {
        let (state, changed) = (Mutex::default(), AtomicBool::new(true));
        Self { jobs, state, changed, interrupt: OnceLock::new() }
    }

    /// Sets the function that makes the connector look, when the pool starts.
    pub(crate) fn attach(&self, interrupt: Box<dyn Fn() + Send + Sync>) {
        // A pool starts once.
        let _ = self.interrupt.set(interrupt);
    }

    /// Makes the connector look whether connections are missing.
    pub(crate) fn changed(&self) {
        if !self.changed.swap(true, Ordering::SeqCst) {
            if let Some(interrupt) = self.interrupt.get() {
                interrupt();
            }
        }
    }

    /// Takes the note that something has changed.
    pub(crate) fn take_changed(&self) -> bool {
        self.changed.load(Ordering::SeqCst) && self.changed.swap(false, Ordering::SeqCst)
    }

    /// Takes the reports since the last call.
    pub(crate) fn take_reports(&self) -> Vec<Report> {
        std::mem::take(&mut self.state().reports)
    }

    /// Notes that a connection was opened, before its first turn.
    pub(crate) fn placed(&self) {
        self.state().about_to_join += 1;
    }

    /// Notes that a connection to the target with this number has ended before its first turn.
    pub(crate) fn lost(&self, target: usize) {
        let mut state = self.state();
        state.about_to_join = state.about_to_join.saturating_sub(1);
        state.reports.push(Report::Ended {
            target,
            answered: false,
            was_free: false,
            lasted: 0,
            error: None,
        });
        drop(state);
        self.changed();
    }

    /// Notes the first turn of a connection: one to the target with this number, or one that the pool has not
    /// opened, such as an adopted one, which answers jobs as well.
    pub(crate) fn joined(&self, key: Key, target: Option<usize>, now: u64) {
        if let Some(target) = target {
            let mut state = self.state();
            state.about_to_join = state.about_to_join.saturating_sub(1);
            let opened = Opened { target, since: now, answered: false, error: None };
            state.open.insert(key, opened);
        }
        if let Some(jobs) = &self.jobs {
            jobs.joined(key);
        }
        if target.is_none() {
            self.changed();
        }
    }

    /// The number of the target that a connection was opened to; `None` for one that the pool has not opened.
    pub(crate) fn target_of(&self, key: Key) -> Option<usize> {
        self.state().open.get(&key).map(|opened| opened.target)
    }

    /// Notes that a connection has answered a job after it has heard from its target.
    pub(crate) fn answered(&self, key: Key) {
        let mut state = self.state();
        let OpenedState { open, reports, .. } = &mut *state;
        let Some(opened) = open.get_mut(&key).filter(|opened| !opened.answered) else { return };
        opened.answered = true;
        reports.push(Report::Answered { target: opened.target });
        drop(state);
        self.changed();
    }

    /// Notes why the TLS or the layer of a connection has failed, before its end.
    pub(crate) fn layer_failed(&self, key: Key, error: &io::Error) {
        if let Some(opened) = self.state().open.get_mut(&key) {
            opened.error = Some(error.to_string());
        }
    }

    /// Notes the end of a connection, after its permit was released.
    pub(crate) fn ended(&self, key: Key, now: u64) {
        let was_free = self.jobs.as_ref().is_some_and(|jobs| jobs.ended(key));
        let mut state = self.state();
        if let Some(Opened { target, since, answered, error }) = state.open.remove(&key) {
            let lasted = now.saturating_sub(since);
            state.reports.push(Report::Ended { target, answered, was_free, lasted, error });
        }
        drop(state);
        self.changed();
    }

    /// The number of connections that were opened and have not ended.
    pub(crate) fn open_count(&self) -> usize {
        let state = self.state();
        state.open.len() + state.about_to_join
    }

    /// The number of those that have had no turn yet.
    pub(crate) fn about_to_join(&self) -> usize {
        self.state().about_to_join
    }

    /// Fails the jobs that wait or come, because the pool is closed.
    pub(crate) fn close(&self) {
        if let Some(jobs) = &self.jobs {
            jobs.close();
        }
    }

    fn state(&self) -> MutexGuard<'_, OpenedState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("open", &self.state().open.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c3_a_reply_is_reported_once_and_an_end_tells_whether_there_was_one() {
        let outgoing = Outgoing::new(None);
        assert!(outgoing.take_changed() && !outgoing.take_changed());
        let [first, second] = [1, 2].map(|slot| Key::of(0, slot, 7));
        outgoing.joined(first, Some(0), 10);
        outgoing.joined(second, Some(1), 20);
        assert!(!outgoing.take_changed(), "nothing is missing");
        outgoing.answered(first);
        outgoing.answered(first);
        outgoing.ended(first, 110);
        outgoing.layer_failed(second, &io::Error::other("wrong name"));
        outgoing.ended(second, 25);
        outgoing.ended(second, 26);
        assert!(outgoing.take_changed());
        assert_eq!(
            outgoing.take_reports(),
            [
                Report::Answered { target: 0 },
                Report::Ended {
                    target: 0,
                    answered: true,
                    was_free: false,
                    lasted: 100,
                    error: None,
                },
                Report::Ended {
                    target: 1,
                    answered: false,
                    was_free: false,
                    lasted: 5,
                    error: Some("wrong name".to_owned()),
                },
            ]
        );
        assert_eq!(outgoing.take_reports(), []);
    }
}
