use crate::{Machine, Service};

/// Whether a machine serves a [`Connection`] or runs a [`Job`]. The kind selects the methods of
/// [`Cx`](crate::Cx): only that of a connection has a peer.
///
/// ```
/// use fsm_runtime::{Cx, Kind};
///
/// /// A function for handlers of both kinds.
/// fn seconds<K: Kind>(cx: &Cx<'_, String, (), K>, since: std::time::Instant) -> u64 {
///     cx.now().saturating_duration_since(since).as_secs()
/// }
/// ```
pub trait Kind: sealed::Sealed + 'static {}

/// The [`Kind`] of a machine that serves a connection, whose handlers can write to a peer.
#[derive(Debug)]
pub enum Connection {}

/// The [`Kind`] of a machine that runs a job, whose handlers have no peer.
#[derive(Debug)]
pub enum Job {}

impl Kind for Connection {}
impl Kind for Job {}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Connection {}
    impl Sealed for super::Job {}
}

/// A machine that runs jobs: a job starts it, and the verdict that leads to its end carries the
/// reply.
///
/// The macro implements it for a machine with `job = J, reply = R`.
///
/// ```
/// use fsm_runtime::JobMachine;
/// use fsm_runtime::prelude::*;
///
/// #[state_machine(start = Count, job = String, reply = usize)]
/// enum Length {
///     #[run]
///     #[to(Done)]
///     Count { text: String },
///     #[end]
///     Done,
/// }
///
/// fn replies_with<M: JobMachine<Reply = R>, R>() {}
///
/// replies_with::<Length, usize>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` runs no jobs",
    label = "a machine with `job = .., reply = ..` does; complete one of connections with `.handler(..)`"
)]
pub trait JobMachine: Service + Machine<Seed = <Self as Service>::Job, Kind = Job> {
    /// Whether a job that is over, with this reply or without one, has failed.
    #[doc(hidden)]
    #[inline]
    fn has_failed(_reply: Option<&Self::Reply>) -> bool {
        false
    }
}

/// A machine that serves connections: one whose [`Kind`] is [`Connection`].
///
/// Every such machine implements it.
///
/// ```
/// use fsm_runtime::ConnectionMachine;
/// use fsm_runtime::prelude::*;
///
/// /// A pool of `count` connections at most, whatever they speak.
/// fn small<M, H>(name: &str, count: usize, handler: fn(Peer) -> H) -> Pool
/// where
///     M: ConnectionMachine + Drive<H>,
///     H: Send + 'static,
/// {
///     Pool::builder::<M>(name).max_connections(count).handler(handler)
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` runs jobs, and has no connections",
    label = "complete a pool of jobs with `.worker(|| ..)`"
)]
pub trait ConnectionMachine: Machine<Kind = Connection> {}

#[diagnostic::do_not_recommend]
impl<M: Machine<Kind = Connection>> ConnectionMachine for M {}

/// A machine that anybody may connect to: it serves connections, and needs no seed to start.
///
/// Every such machine implements it.
///
/// ```
/// use fsm_runtime::{Builder, OpenMachine};
///
/// /// Listens where a service manager says, and otherwise on this machine alone.
/// fn open<M: OpenMachine>(builder: Builder<M>, passed: bool) -> Builder<M> {
///     builder.listen(if passed { "fd:front" } else { "127.0.0.1:7007" })
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "nobody can connect to `{Self}`, because a job or the seed of another pool starts it",
    label = "leave out the addresses of this pool; complete a pool of jobs with `.worker(|| ..)`"
)]
pub trait OpenMachine: Machine<Seed = (), Kind = Connection> {}

#[diagnostic::do_not_recommend]
impl<M: Machine<Seed = (), Kind = Connection>> OpenMachine for M {}
