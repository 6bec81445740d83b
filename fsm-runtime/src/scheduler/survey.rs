//! A snapshot as the ports of a pool see it: the question, and the answer of each port.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use crate::call::mailboxes::CallState;
use crate::call::reply::Caller;
use crate::scheduler::observe::Observe;
use crate::scheduler::resting::ShedRequest;
use crate::snapshot::Age;
use crate::{Key, Peer};

/// The connections or jobs that an answer describes.
#[derive(Debug)]
pub(crate) struct Question {
    /// Those in the state with this index.
    pub(crate) state: Option<usize>,
    /// Those of this age or more.
    pub(crate) older: Option<Duration>,
    /// The one with this key.
    pub(crate) key: Option<Key>,
    /// Those whose label has this text in it.
    pub(crate) label: Option<String>,
    /// The jobs of these calls.
    pub(crate) callers: Option<HashSet<Caller>>,
    /// So many at most, the oldest ones.
    pub(crate) limit: usize,
    /// Nobody waits for the answer any more.
    pub(crate) abandoned: AtomicBool,
}

/// The answer of a port.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The number of the port.
    pub(crate) port: usize,
    /// By the index of the state.
    pub(crate) counts: Vec<Count>,
    /// In no order.
    pub(crate) found: Vec<Found>,
}

/// The connections or jobs in one state.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count {
    pub(crate) count: usize,
    pub(crate) oldest: Option<Duration>,
}

/// A connection or job.
#[derive(Debug)]
pub(crate) struct Found {
    /// `None` for a job that has had no turn yet.
    pub(crate) key: Option<Key>,
    pub(crate) state: usize,
    pub(crate) age: Option<Age>,
    pub(crate) left: Option<Duration>,
    pub(crate) peer: Option<Peer>,
    pub(crate) unread: usize,
    pub(crate) unsent: usize,
    pub(crate) messages: usize,
    pub(crate) awaited: usize,
    pub(crate) doing: Doing,
    pub(crate) call: CallState,
    /// The call that a job replies to.
    pub(crate) caller: Option<Caller>,
    pub(crate) label: Option<String>,
    /// The oldest first; none unless it was asked for by its key.
    pub(crate) history: Vec<PastTransition>,
}

/// A transition of a connection or job.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PastTransition {
    /// The number of the edge in the machine.
    pub(crate) edge: usize,
    pub(crate) ago: Duration,
}

/// The activity of a connection or job, as far as its own port knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    Waits,
    /// It waits for a thread.
    Queued,
    Runs,
    Closes,
}

/// The rank of a connection or job: the older, the larger. Those of unknown age come after the others, the
/// one that was opened first before the next ones.
pub(crate) type Rank = (Option<Duration>, std::cmp::Reverse<u32>);

impl Question {
    pub(crate) fn new(state: Option<usize>, older: Option<Duration>, limit: usize) -> Self {
        let (key, label, callers) = (None, None, None);
        let abandoned = AtomicBool::new(false);
        Self { state, older, key, label, callers, limit, abandoned }
    }

    pub(crate) fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
    }
}

impl Found {
    pub(crate) fn rank(&self) -> Rank {
        // A job without a key is younger than all others.
        let generation = self.key.map_or(u32::MAX, Key::generation);
        (self.age.map(|age| age.time), std::cmp::Reverse(generation))
    }
}

/// A port that answers questions.
pub(crate) trait Respond: Send + Sync + fmt::Debug {
    /// Asks the port. The sender is dropped without an answer if there will be none.
    fn ask(&self, question: Arc<Question>, answers: Sender<Answer>);

    /// The port, unless its threads have ended.
    fn port(&self) -> Option<Arc<dyn Observe>>;

    /// The number of its connections or jobs.
    fn load(&self) -> usize;

    /// Ends a connection in its next turn, if the port finds it before `until`. The sender is dropped without an
    /// answer if not.
    fn end(&self, key: Key, until: Instant, answers: Sender<EndAnswer>);

    /// Ends the connection that is longest at rest, if one has rested long enough.
    fn shed(&self, request: ShedRequest);

    /// Gives a turn to all its connections, in which those at rest leave for another process. `odd_time` is whether
    /// this is the first, third or another odd walk of that kind.
    #[cfg(all(feature = "pool", unix))]
    fn move_out(&self, odd_time: bool);

    /// Gives a turn to all its connections.
    #[cfg(all(feature = "pool", unix))]
    fn give_turns(&self);

    /// Counts its connections that stand still. The sender is dropped without an answer if there is none until then.
    #[cfg(all(feature = "pool", unix))]
    fn count_still(&self, until: Instant, answers: Sender<usize>);
}

/// The fate of a connection that is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndAnswer {
    /// It ends in its next turn.
    Ends,
    /// A thread runs it.
    Runs,
    /// It is a job.
    Job,
    /// None has this key.
    Gone,
}
