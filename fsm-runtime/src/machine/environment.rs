use std::sync::Arc;

use crate::call::mailboxes::Mailboxes;
#[cfg(feature = "transitions")]
use crate::machine::history::History;
use crate::outgoing::connections::Outgoing;
#[cfg(feature = "transitions")]
use crate::scheduler::task::WorkerContext;
use crate::{Key, Machine};

/// The data that all handlers of a pool share: the mailboxes of its connections or jobs, its settings, and the jobs
/// that its connections answer.
pub(crate) struct Environment<Msg, Settings> {
    pub(crate) mailboxes: Mailboxes<Msg>,
    pub(crate) settings: Arc<Settings>,
    /// The connections that the pool opens; `None` in a pool that opens none.
    pub(crate) outgoing: Option<Arc<Outgoing>>,
    /// The last transitions of each connection or job; `None` in a pool that keeps none.
    #[cfg(feature = "transitions")]
    pub(crate) history: Option<Arc<History>>,
}

impl<Msg, Settings> Environment<Msg, Settings> {
    /// That of a pool which keeps no history.
    pub(crate) fn new(
        mailboxes: Mailboxes<Msg>,
        settings: Arc<Settings>,
        outgoing: Option<Arc<Outgoing>>,
    ) -> Self {
        Self {
            mailboxes,
            settings,
            outgoing,
            #[cfg(feature = "transitions")]
            history: None,
        }
    }

    /// Notes that a connection sends its last words and takes no job any more.
    pub(crate) fn leaves(&self, key: Key) {
        if let Some(jobs) = self.outgoing.as_ref().and_then(|outgoing| outgoing.jobs.as_ref()) {
            jobs.leaves(key);
        }
    }

    /// Notes that a connection takes no job any more, if it did.
    pub(crate) fn takes_no_job(&self, key: Key) {
        if let Some(jobs) = self.outgoing.as_ref().and_then(|outgoing| outgoing.jobs.as_ref()) {
            jobs.withdraw(key);
        }
    }

    /// Notes the edge that was just taken in the history, if the pool has one.
    #[cfg(feature = "transitions")]
    #[inline]
    pub(crate) fn note_transition(&self, key: Key, context: &WorkerContext) {
        if context.edges.are_noted() {
            self.note(key, context);
        }
    }

    #[cfg(feature = "transitions")]
    #[cold]
    fn note(&self, key: Key, context: &WorkerContext) {
        if let (Some(edge), Some(history)) = (context.edges.take_last(), &self.history) {
            history.note(key, edge, context.now);
        }
    }

    /// Forgets the history of a connection or job that has ended.
    pub(crate) fn forget(&self, key: Key) {
        #[cfg(feature = "transitions")]
        if let Some(history) = &self.history {
            history.forget(key);
        }
        #[cfg(not(feature = "transitions"))]
        let _ = (self, key);
    }
}

/// The [`Environment`] of a pool of `M`.
pub(crate) type EnvironmentOf<M> = Environment<<M as Machine>::Message, <M as Machine>::Settings>;

impl<Msg, Settings: Default> Default for Environment<Msg, Settings> {
    fn default() -> Self {
        Self::new(Mailboxes::default(), Arc::default(), None)
    }
}

impl<Msg, Settings> Clone for Environment<Msg, Settings> {
    fn clone(&self) -> Self {
        Self {
            mailboxes: self.mailboxes.clone(),
            settings: Arc::clone(&self.settings),
            outgoing: self.outgoing.clone(),
            #[cfg(feature = "transitions")]
            history: self.history.clone(),
        }
    }
}
