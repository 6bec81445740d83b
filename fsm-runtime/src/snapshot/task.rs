use std::sync::Arc;
use std::time::Duration;

use super::thread::ThreadSnapshot;
use crate::{Edge, Key, Peer, State};

/// A connection or job of a pool: where it is, and why it waits. `Display` says it in a sentence, such as
///
/// ```text
/// Counting 3.2 s: its job is in Read on count/2 for at least 2.9 s, blocks; 6.8 s left
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TaskSnapshot {
    /// The name of its pool.
    pub pool: Arc<str>,
    /// Its key; `None` for a job that has had no turn yet.
    pub key: Option<Key>,
    /// The peer of a connection; `None` for a job, and for a peer that has left or that a thread serves now.
    pub peer: Option<Peer>,
    /// The state of its machine.
    pub state: &'static State,
    /// For how long it has been there; `None` where no deadline tells.
    pub age: Option<Age>,
    /// The time until its next deadline: one of its state, or the pool's send timeout. A tick is none.
    pub left: Option<Duration>,
    /// The bytes that were read and not used, between two turns.
    pub unread: usize,
    /// The bytes of output that the peer has not taken.
    pub unsent: usize,
    /// The messages in its mailbox.
    pub messages: usize,
    /// The replies to jobs that will come as messages ([`Cx::submit`](crate::Cx::submit)).
    pub awaited: usize,
    /// Its activity.
    pub activity: Activity,
    /// The text that the pool's [`Builder::show`](crate::Builder::show) has for a connection between two turns, in
    /// at most 128 bytes: a text of the user's, perhaps of the peer's, which the reader must escape.
    pub label: Option<String>,
    /// Its last transitions, the oldest first, if the snapshot was taken of its key ([`Filter::key`]) and the pool
    /// keeps some (`Builder::history`, with the feature `transitions`).
    ///
    /// [`Filter::key`]: crate::Filter::key
    pub history: Vec<TransitionSnapshot>,
}

/// A transition that a connection or job has made.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct TransitionSnapshot {
    /// The state that it has left, or stayed in.
    pub from: &'static State,
    /// The edge that it took.
    pub edge: &'static Edge,
    /// The time since then, in whole milliseconds.
    pub ago: Duration,
}

/// The age of a connection or job, with the event from which it counts.
///
/// It is no number that somebody counts, but follows from a deadline that is there anyway: the time of the
/// deadline less its length. If the length is an expression over the fields of the state, it is that of now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Age {
    /// The time since then, in whole milliseconds.
    pub time: Duration,
    /// The event.
    pub since: Since,
}

/// The event from which an [`Age`] counts: the first of these for which there is a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Since {
    /// It has entered its state from another one (`within`, `sleep`).
    Entered,
    /// The wait of its state has completed last (`idle`).
    Progress,
    /// The first byte of its incomplete message has come (`begun`).
    FirstByte,
    /// One side of its relay has ended, or a byte has moved since (`eof = 30s`).
    HalfClosed,
    /// It has entered its group of states (`within(Group)`).
    Group,
}

/// The activity of a connection or job.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Activity {
    /// It waits for what its state waits for: [`State::waits`].
    Waits,
    /// It has something to do, and waits for a thread.
    Queued,
    /// A thread runs it.
    Runs,
    /// Its machine is done. Its last output leaves, or the peer has not ended its stream yet.
    Closes,
    /// It waits for room in another pool: for its job, or for itself.
    WaitsForRoom {
        /// The name of the other pool; `None` if that has ended.
        pool: Option<Arc<str>>,
        /// Its place among those who wait for room there; `None` if it has just got room.
        position: Option<Position>,
    },
    /// It waits for the reply to a job that it has given to another pool.
    WaitsForJob {
        /// The name of the other pool; `None` if that has ended.
        pool: Option<Arc<str>>,
        /// Where its job is.
        job: JobPlace,
    },
}

/// A place in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Position {
    /// The place, from 1.
    pub number: usize,
    /// The length of the queue.
    pub of: usize,
}

/// Where a job is that another pool has taken.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum JobPlace {
    /// It is this one, which does not run now.
    Task(Box<TaskSnapshot>),
    /// It waits for a connection of that pool that is free to answer it.
    Queued(Position),
    /// The connection with this key answers it.
    Answered(Key),
    /// It is one of the jobs that threads of the pool have taken: it is run by one of these threads or, in a port
    /// with one thread, waits for that one. Which of them it is nobody notes, because that would cost each job
    /// something. With one thread and one job there is no doubt.
    Taken {
        /// The threads of the pool that run handlers.
        threads: Vec<ThreadSnapshot>,
        /// The number of jobs that it may be.
        jobs: usize,
    },
    /// It has just ended, or nothing is known.
    Unknown,
}
