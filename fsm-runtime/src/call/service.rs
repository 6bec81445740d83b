use std::any::Any;

/// Names a pool that takes jobs: the type in `#[call(Service, ..)]`.
///
/// A machine with `job = J, reply = R` implements it. A pool of plain functions
/// ([`Pool::workers`](crate::Pool::workers)) needs a type of its own:
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
    /// The job that a caller sends.
    type Job: Send + 'static;
    /// The reply that the caller gets.
    type Reply: Send + 'static;
}

/// The progress of a call, which generated code gets from `Cx::reply`.
#[doc(hidden)]
#[allow(missing_debug_implementations)]
pub enum Called<S: Service> {
    /// The job waits for a permit, or the caller for the reply.
    Waiting,
    Reply(S::Reply),
    /// The other pool is full; the job comes back.
    Full(S::Job),
    /// The other pool is closed, or the job failed without a reply.
    Gone,
}

/// The progress of a hand-off, which generated code gets from `Cx::handed`.
#[doc(hidden)]
#[allow(missing_debug_implementations)]
pub enum Handed<Seed> {
    /// The connection is in the queue for a permit.
    Waiting,
    /// The connection has a permit and leaves when its turn ends.
    Leaving,
    /// The other pool is full; the seed comes back.
    Full(Seed),
    /// The other pool is closed.
    Gone,
}

/// The entry to another pool: an `Arc` of `JobSink` or of `HandOffTarget`.
pub(crate) type PoolEntry = Box<dyn Any + Send + Sync>;
