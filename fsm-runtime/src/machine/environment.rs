use std::sync::Arc;

use crate::Machine;
use crate::call::mailboxes::Mailboxes;

/// What all handlers of a pool share: the mailboxes of its connections or jobs, and its settings.
pub(crate) struct Environment<Msg, Settings> {
    pub(crate) mailboxes: Mailboxes<Msg>,
    pub(crate) settings: Arc<Settings>,
}

/// The [`Environment`] of a pool of `M`.
pub(crate) type EnvironmentOf<M> = Environment<<M as Machine>::Message, <M as Machine>::Settings>;

impl<Msg, Settings: Default> Default for Environment<Msg, Settings> {
    fn default() -> Self {
        Self { mailboxes: Mailboxes::default(), settings: Arc::default() }
    }
}

impl<Msg, Settings> Clone for Environment<Msg, Settings> {
    fn clone(&self) -> Self {
        Self { mailboxes: self.mailboxes.clone(), settings: Arc::clone(&self.settings) }
    }
}
