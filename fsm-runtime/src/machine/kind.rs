use crate::{Machine, Service};

/// What a machine has: a [`Connection`] or a [`Job`]. It says what its [`Cx`](crate::Cx) can do.
///
/// ```
/// use fsm_runtime::{Cx, Side};
///
/// /// For handlers of both.
/// fn seconds<On: Side>(cx: &Cx<'_, String, On>, since: std::time::Instant) -> u64 {
///     cx.now().saturating_duration_since(since).as_secs()
/// }
/// ```
pub trait Kind: sealed::Sealed + 'static {}

/// The machine has a connection: it can write to a peer.
///
/// ```
/// use fsm_runtime::{Connection, Cx, NoMessage};
///
/// /// As plain `Cx<'_>`.
/// fn greet(cx: &mut Cx<'_, NoMessage, Connection>) {
///     cx.write(b"hello\n");
/// }
/// ```
#[derive(Debug)]
pub enum Connection {}

/// The machine has a job, and no connection.
///
/// ```
/// use fsm_runtime::{Cx, Job, NoMessage};
///
/// /// As [`JobCx<'_>`](fsm_runtime::JobCx).
/// fn complain(cx: &mut Cx<'_, NoMessage, Job>) {
///     cx.warn("the disk is slow");
/// }
/// ```
#[derive(Debug)]
pub enum Job {}

impl Kind for Connection {}
impl Kind for Job {}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Connection {}
    impl Sealed for super::Job {}
}

/// A machine that runs jobs: it is started by a job, and its end carries the reply.
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
pub trait JobMachine: Service + Machine<Seed = <Self as Service>::Job, Kind = Job> {}
