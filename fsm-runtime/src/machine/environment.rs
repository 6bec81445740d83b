use std::sync::Arc;

use crate::call::mailboxes::Mailboxes;
use crate::outgoing::connections::Outgoing;
use crate::{Key, Machine};

/// What all handlers of a pool share: the mailboxes of its connections or jobs, its settings, and the jobs
/// that its connections answer.
pub(crate) struct Environment<Msg, Settings> {
    pub(crate) mailboxes: Mailboxes<Msg>,
    pub(crate) settings: Arc<Settings>,
    /// The connections that the pool opens; `None` in a pool that opens none.
    pub(crate) outgoing: Option<Arc<Outgoing>>,
}

impl<Msg, Settings> Environment<Msg, Settings> {
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
}

/// The [`Environment`] of a pool of `M`.
pub(crate) type EnvironmentOf<M> = Environment<<M as Machine>::Message, <M as Machine>::Settings>;

impl<Msg, Settings: Default> Default for Environment<Msg, Settings> {
    fn default() -> Self {
        Self { mailboxes: Mailboxes::default(), settings: Arc::default(), outgoing: None }
    }
}

impl<Msg, Settings> Clone for Environment<Msg, Settings> {
    fn clone(&self) -> Self {
        let (mailboxes, outgoing) = (self.mailboxes.clone(), self.outgoing.clone());
        Self { mailboxes, settings: Arc::clone(&self.settings), outgoing }
    }
}
