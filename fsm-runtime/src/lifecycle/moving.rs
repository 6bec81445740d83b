//! How connections of a pool move to another process and come from one.

use std::fmt;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak, mpsc};
use std::time::Instant;

use crate::lifecycle::pool_state::{Phase, PoolState};
use crate::moves::departure::{MoveSink, Refused, TakesIn};
use crate::moves::packed_connection::PackedConnection;
use crate::moves::stays::Stays;

/// Connections at rest leave.
const LEAVE: u8 = 1;
/// Connections at rest take messages and nothing else.
const STAND_STILL: u8 = 2;

/// The state of a pool for connections that move.
#[derive(Default)]
pub(crate) struct Moving {
    /// The request to connections at rest. It is read in each turn of a machine with `moves`, and only there.
    asked: AtomicU8,
    sink: Mutex<Option<MoveSink>>,
    /// Whether it was an odd number of times that connections were asked to leave. A connection that comes back from an
    /// earlier time may be late, and is told by this from one that has been refused this time.
    odd_time: AtomicBool,
    /// Set when the pool starts, if its connections can move.
    takes_in: OnceLock<Result<Weak<dyn TakesIn>, Stays>>,
}

impl Moving {
    /// Whether something is asked of connections at rest.
    #[inline]
    pub(crate) fn asks(&self) -> bool {
        self.asked.load(Ordering::SeqCst) != 0
    }

    /// Whether connections at rest leave.
    pub(crate) fn leaves(&self) -> bool {
        self.asked.load(Ordering::SeqCst) & LEAVE != 0
    }

    /// Whether connections at rest take messages and nothing else.
    pub(crate) fn stands_still(&self) -> bool {
        self.asked.load(Ordering::SeqCst) & STAND_STILL != 0
    }

    /// The sink that takes the connections that leave; `None` if they stay since a moment ago.
    pub(crate) fn sink(&self) -> Option<MoveSink> {
        self.sink.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether it was an odd number of times that connections were asked to leave.
    pub(crate) fn is_odd_time(&self) -> bool {
        self.odd_time.load(Ordering::SeqCst)
    }

    /// Lets connections of another process in, or says why none can come or go.
    pub(crate) fn open(&self, target: Result<Weak<dyn TakesIn>, Stays>) {
        // A pool starts once.
        let _ = self.takes_in.set(target);
    }

    fn set(&self, sink: Option<MoveSink>) {
        let leaves = sink.is_some();
        let mut current = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
        if leaves {
            self.odd_time.fetch_xor(true, Ordering::SeqCst);
        }
        let before = std::mem::replace(&mut *current, sink);
        drop(current);
        drop(before);
        self.ask(LEAVE, leaves);
    }

    fn ask(&self, what: u8, is_asked: bool) {
        if is_asked {
            self.asked.fetch_or(what, Ordering::SeqCst);
        } else {
            self.asked.fetch_and(!what, Ordering::SeqCst);
        }
    }

    fn target(&self) -> Result<Arc<dyn TakesIn>, Stays> {
        let target = self.takes_in.get().ok_or(Stays::Pool)?;
        target.as_ref().map_err(|why| *why)?.upgrade().ok_or(Stays::Pool)
    }
}

impl fmt::Debug for Moving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Moving").field("leaves", &self.leaves()).finish_non_exhaustive()
    }
}

/// The side of a pool that a live upgrade uses.
impl PoolState {
    /// The names of the states from which connections of the pool can move, or why none can.
    pub(crate) fn states_that_move(&self) -> Result<Vec<&'static str>, Stays> {
        let spec = self.facts.spec;
        if !spec.moves {
            return Err(Stays::Machine);
        }
        self.moving.target()?;
        Ok(spec.states.iter().filter(|state| state.rest).map(|state| state.name).collect())
    }

    /// Gives each connection that is at rest, or comes to rest from now on, to `sink`, until
    /// [`stay`](PoolState::stay) is called. The pool serves the others as before; it may drain meanwhile.
    ///
    /// Connections that an earlier sink has dropped are asked again. Returns why none can move, and does nothing then.
    pub(crate) fn move_out(&self, sink: MoveSink) -> Result<(), Stays> {
        self.states_that_move()?;
        self.moving.set(Some(sink));
        // Those that come to rest after this see that they leave; the ports look for the others.
        for port in self.facts.ports() {
            port.move_out(self.moving.is_odd_time());
        }
        Ok(())
    }

    /// Lets all connections stay that are still here. Those that the sink has got are the sink's.
    pub(crate) fn stay(&self) {
        self.moving.set(None);
    }

    /// Lets connections that are at rest, or come to rest from now on, take the messages that others post to them, and
    /// nothing else, until [`go_on`](PoolState::go_on) is called. Those from another process only join the pool.
    pub(crate) fn stand_still(&self) {
        self.moving.ask(STAND_STILL, true);
    }

    /// Ends what [`stand_still`](PoolState::stand_still) began. Connections take the input and messages that have
    /// come meanwhile.
    pub(crate) fn go_on(&self) {
        self.moving.ask(STAND_STILL, false);
        for port in self.facts.ports() {
            port.give_turns();
        }
    }

    /// How many connections stand still, with no message that waits for them. It counts none on a port that has not
    /// answered by then.
    pub(crate) fn count_still(&self, until: Instant) -> usize {
        let (answers, answered) = mpsc::channel();
        for port in self.facts.ports() {
            port.count_still(until, answers.clone());
        }
        drop(answers);
        let left = || until.saturating_duration_since(Instant::now());
        std::iter::from_fn(|| answered.recv_timeout(left()).ok()).sum()
    }

    /// Takes in a connection of another process, which goes on in the state where it was. `packed.pool` must be
    /// this pool's name.
    pub(crate) fn take_in(
        &self,
        packed: PackedConnection,
        socket: OwnedFd,
    ) -> Result<(), Box<Refused>> {
        let target = self.moving.target();
        let target = target.and_then(|target| match self.phase() {
            Phase::Run => Ok(target),
            Phase::Drain | Phase::Close => Err(Stays::Pool),
        });
        match target {
            Ok(target) => target.take_in(packed, socket),
            Err(why) => Err(Box::new(Refused { packed, socket, why })),
        }
    }
}
