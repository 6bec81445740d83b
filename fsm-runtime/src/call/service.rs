use std::any::Any;

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

/// What has become of a call. Generated code asks with `Cx::reply`.
#[doc(hidden)]
#[allow(missing_debug_implementations)]
pub enum Called<S: Service> {
    /// It waits, for room or for the reply.
    Waiting,
    Reply(S::Reply),
    /// There was no room; the job comes back.
    Full(S::Job),
    /// The pool is closed, or the job has failed without a reply.
    Gone,
}

/// What has become of a hand-off. Generated code asks with `Cx::handed`.
#[doc(hidden)]
#[allow(missing_debug_implementations)]
pub enum Handed<Seed> {
    /// The connection is in the queue for a permit.
    Waiting,
    /// It has a permit and leaves when its turn is over.
    Leaving,
    /// The other pool is full; the seed comes back.
    Full(Seed),
    /// The other pool is closed.
    Gone,
}

/// The entry to another pool: an `Arc` of `JobSink` or of `HandOffTarget`.
pub(crate) type PoolEntry = Box<dyn Any + Send + Sync>;
