use crate::Machine;
use crate::side::Job;

/// A pool that takes jobs, by the type that names it in `#[call(..)]`.
///
/// A machine with `job = J, reply = R` is one. For a pool of plain workers it is a type of its own:
///
/// ```
/// use fsm_runtime::Service;
///
/// /// Looks up names of hosts.
/// struct Lookup;
///
/// impl Service for Lookup {
///     type Job = String;
///     type Reply = std::io::Result<Vec<std::net::IpAddr>>;
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` takes no jobs",
    label = "`{Self}` must implement `Service`, or be a machine with `job = .., reply = ..`"
)]
pub trait Service: 'static {
    /// What it is given.
    type Job: Send + 'static;
    /// What it answers.
    type Reply: Send + 'static;
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
pub trait JobMachine: Service + Machine<Seed = <Self as Service>::Job, Side = Job> {}

/// What has become of a call. Generated code asks with `Cx::reply`.
#[doc(hidden)]
#[allow(missing_debug_implementations)]
pub enum Called<S: Service> {
    /// It waits, for room or for the reply.
    Waits,
    Reply(S::Reply),
    /// There was no room; the job comes back.
    Full(S::Job),
    /// The pool is closed, or the job has failed without a reply.
    Gone,
}

/// What has become of a hand-off. Generated code asks with `Cx::handed`.
#[doc(hidden)]
#[allow(missing_debug_implementations)]
pub enum Handed<M: Machine> {
    /// It waits for room, or leaves when this turn ends.
    Waits,
    /// There was no room; the seed comes back.
    Full(M::Seed),
    /// The pool is closed.
    Gone,
}
