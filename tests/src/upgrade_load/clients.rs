use std::collections::BTreeMap;

use super::stage::Times;

/// Clients of one kind at work.
pub(super) trait Clients {
    /// Whether all have had an answer.
    fn are_ready(&self) -> bool;

    /// Waits until they have ended, after the stage is over.
    fn finish(self: Box<Self>) -> Tally;
}

/// The answers and failures that clients of one kind have seen.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) name: String,
    /// The times of the answers of each connection; empty if the clients do not tell them.
    pub(super) times: Vec<Times>,
    /// The number of answers.
    pub(super) answers: u64,
    /// The value that each key has at the end: no command is lost or done twice.
    pub(super) counted: BTreeMap<String, u64>,
    pub(super) faults: Vec<String>,
}
