use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use crate::core::Thread;
use crate::heartbeat::Heartbeat;
use crate::link::Ready;
use crate::seats::Blocks;
use crate::{Ended, Key, Spec};

/// What a port runs turns of: a connection or a job.
pub(crate) trait Task: Sized {
    /// What the turns of one thread share.
    type Env;
    const SPEC: &'static Spec;

    /// Runs the machine until it waits for something that has not come, or has had its share.
    fn turn(&mut self, key: Key, ready: Ready, env: &mut Self::Env) -> After;

    /// When it must have a turn at the latest.
    fn due(&self) -> u64;

    /// The index of its state.
    fn state(&self) -> usize;

    /// Before it is closed in the middle of something: the peer must not take what it got for all.
    fn cut_off(&self);

    /// It has come to its end. Nothing of the user's that runs here panics any further.
    fn over(self, key: Key, why: Ended, env: &mut Self::Env);

    /// A handler has panicked: what must not be used again is dropped.
    fn recover(&mut self, env: &mut Self::Env);

    /// What was dropped then is made again, once those know of the panic who wait for the turn. It may
    /// take long.
    fn restore(_: &mut Self::Env) {}

    fn desk(env: &mut Self::Env) -> &mut Desk;
}

/// What a turn comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// It waits for an event.
    Wait,
    /// It has more to do, but had its share.
    Again,
    /// It is over.
    Gone(Ended),
}

/// Where a thread works: what its turns share, whatever they are of.
pub(crate) struct Desk {
    pub(crate) seats: Arc<dyn Blocks>,
    pub(crate) thread: Thread,
    /// The number of its turn.
    pub(crate) turn: u64,
    pub(crate) heartbeat: Arc<Heartbeat>,
    /// The pools that the machine calls and hands over to, by the number of the route.
    pub(crate) routes: Arc<[Entry]>,
    /// Milliseconds since the first pool of the process started, and the same as the clock says it.
    pub(crate) now: u64,
    pub(crate) instant: Instant,
    pub(crate) draining: bool,
}

impl Desk {
    pub(crate) fn new(
        seats: Arc<dyn Blocks>,
        thread: Thread,
        heartbeat: Arc<Heartbeat>,
        routes: Arc<[Entry]>,
    ) -> Self {
        let instant = Instant::now();
        Self { seats, thread, turn: 0, heartbeat, routes, now: 0, instant, draining: false }
    }
}

/// The entry to another pool: an `Arc` of `Jobs` or of `Arrivals`.
pub(crate) type Entry = Box<dyn Any + Send + Sync>;

/// What the user's code returns; `None` if it panics.
pub(crate) fn caught<T>(code: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(code)).map_err(drop_panic).ok()
}

/// Drops what a panic came with. That may panic as well; what this comes with is left alone.
#[cold]
pub(crate) fn drop_panic(panic: Box<dyn Any + Send>) {
    if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        std::mem::forget(another);
    }
}
