//! The contract between machines and the runtime: the traits that generated code implements, and
//! the types that it and handlers use.

use crate::{
    Answers, Cx, DeadlineSet, Input, Key, Kind, OtherSlot, PackedFields, Route, Spec, Timer,
};

pub(crate) mod answers;
pub mod arithmetic;
pub(crate) mod checked;
pub(crate) mod context;
pub(crate) mod deadlines;
pub(crate) mod environment;
pub(crate) mod from_error;
#[cfg(feature = "transitions")]
pub(crate) mod history;
pub(crate) mod input;
pub mod keywords;
pub(crate) mod kind;
pub(crate) mod label;
pub(crate) mod length;
pub(crate) mod limits;
pub(crate) mod other;
pub(crate) mod route;
pub(crate) mod runner;
pub(crate) mod shed;
pub(crate) mod size_budget;
pub(crate) mod survey;
pub(crate) mod timer;
pub(crate) mod visible;
pub(crate) mod wait_set;

pub use self::wait_set::WaitSet;

/// A protocol: an enum of states, with its graph as data.
///
/// Write an enum with `#[state_machine(..)]`, which implements this trait.
///
/// ```
/// use fsm_runtime::{Timer, prelude::*};
///
/// #[state_machine(start = Talk, eof => Gone)]
/// enum Echo {
///     #[read(some, max = 16KiB, idle = 60s => Gone)]
///     #[to(Talk)]
///     #[rest]
///     Talk,
///     #[end]
///     Gone,
/// }
///
/// let machine = Echo::start(());
/// assert_eq!(Echo::SPEC.states[machine.state()].name, "Talk");
/// assert_eq!(machine.timer(0, &()), Timer::idle(60_000));
/// assert_eq!(Echo::Gone.timer(0, &()), Timer::NEVER);
/// assert!(Echo::routes().is_empty());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no machine",
    label = "a machine is an enum with `#[state_machine(..)]`"
)]
pub trait Machine: Sized + Send + 'static {
    /// The graph as data: the states with their docs, waits and edges.
    const SPEC: &'static Spec;

    /// The messages that may be posted to a connection of this machine: the `message` of
    /// `#[state_machine]`, or [`NoMessage`].
    type Message: Send + 'static;

    /// The state of a decoder that has found an incomplete frame.
    type Partial: Default + Send + 'static;

    /// The value that the start state is entered with: the `seed` or the `job` of
    /// `#[state_machine]`, or `()`.
    type Seed: Send + 'static;

    /// The settings of a pool, which its operator chooses: the `settings` of `#[state_machine]`, or
    /// `()`. A pool without [`Builder::settings`](crate::Builder::settings) has the default ones.
    type Settings: Default + Send + Sync + 'static;

    /// [`Connection`](crate::Connection) or [`Job`](crate::Job).
    type Kind: Kind;

    /// The deadlines of a state: [`Deadlines<N>`](crate::Deadlines), where `N` is the largest
    /// number of timers that a state has.
    type Deadlines: DeadlineSet;

    /// The room for the other socket of a connection: [`Other`](crate::Other) in a machine with a `#[connect]`
    /// state, otherwise [`NoOther`](crate::NoOther).
    type Other: OtherSlot;

    /// The machine in its start state.
    fn start(seed: Self::Seed) -> Self;

    /// The index of the current state in [`Spec::states`].
    fn state(&self) -> usize;

    /// The timer of the current state with this index; [`Timer::NEVER`] if the state has fewer
    /// timers.
    fn timer(&self, index: usize, settings: &Self::Settings) -> Timer;

    /// The service whose jobs connections of the machine answer; `None` for a machine without a `#[job]`
    /// state.
    fn answers() -> Option<Answers> {
        None
    }

    /// The name of the server that the current state begins TLS with: the `name` of a `#[tls]` state, otherwise
    /// `None`.
    fn server_name(&self, _settings: &Self::Settings) -> Option<String> {
        None
    }

    /// The calls and hand-offs to other pools, in the order of the states.
    fn routes() -> Vec<Route> {
        Vec::new()
    }
}

/// The code of a machine joined to the handler `H`. `#[state_machine]` implements it for every type
/// that implements the machine's handler trait.
///
/// A driver calls [`resume`](Drive::resume) when an event that the machine waits for may have
/// occurred, and [`expire`](Drive::expire) when one of its timers has expired. The returned
/// [`Step`] tells the driver what the machine needs next. Each call runs at most one handler.
///
/// ```
/// use fsm_runtime::{Cx, Drive, Input, Step};
///
/// /// Runs handlers until the machine needs more than `bytes`. Returns the unread bytes.
/// fn feed<'a, M: Drive<H>, H>(
///     machine: &mut M,
///     handler: &mut H,
///     bytes: &'a [u8],
///     cx: &mut Cx<'_, M::Message, M::Settings, M::Kind>,
/// ) -> &'a [u8] {
///     let mut input = Input::new(bytes);
///     loop {
///         match machine.resume(handler, &mut input, cx) {
///             Step::Stayed | Step::Continued => {}
///             Step::Moved | Step::Diverted => input.restart(),
///             _ => return input.unread(),
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{H}` does not handle the machine `{Self}`",
    label = "`{H}` must implement the handler trait of `{Self}`",
    note = "the trait is `Handler` in the module that `#[state_machine]` makes beside the enum"
)]
pub trait Drive<H>: Machine {
    /// Completes one wait of the current state if its event has occurred, and takes the edge of the
    /// verdict or the event. A state that waits for input and for messages takes them in turns.
    fn resume(
        &mut self,
        handler: &mut H,
        input: &mut Input<'_, Self::Partial>,
        cx: &mut Cx<'_, Self::Message, Self::Settings, Self::Kind>,
    ) -> Step;

    /// The same as [`resume`](Drive::resume) for the read of the other socket that stands beside the state's
    /// wait, with the input of that socket.
    fn resume_other(
        &mut self,
        handler: &mut H,
        input: &mut Input<'_, Self::Partial>,
        cx: &mut Cx<'_, Self::Message, Self::Settings, Self::Kind>,
    ) -> Step {
        let _ = (handler, input, cx);
        Step::Waiting(WaitSet::READ_OTHER)
    }

    /// Takes the edge of the timer with this index, which has expired, or calls the handler of its
    /// tick.
    fn expire(
        &mut self,
        timer: usize,
        handler: &mut H,
        cx: &mut Cx<'_, Self::Message, Self::Settings, Self::Kind>,
    ) -> Step;

    /// Writes down the fields of the current state and the data of the handler, for a move to another process.
    /// Returns whether the state is one from which connections move.
    fn pack(&self, handler: &H, fields: &mut PackedFields, data: &mut Vec<u8>) -> bool {
        let _ = (handler, fields, data);
        false
    }

    /// The machine in the state of this name, with fields that another process has written down. Returns `None` if
    /// connections do not move to this state or the fields do not fit it.
    fn unpack(state: &str, fields: &PackedFields) -> Option<Self> {
        let _ = (state, fields);
        None
    }

    /// Gives a new handler the data that another process has written down.
    fn unpack_handler(handler: &mut H, data: &[u8]) -> Option<()> {
        let _ = (handler, data);
        None
    }

    /// Tells the handler the key that its connection has after a move.
    fn moved(handler: &mut H, key: Key) {
        let _ = (handler, key);
    }

    /// Takes the `drain` edge of the current state, in which nothing is in progress. Returns whether
    /// the state has one.
    fn drain(&mut self) -> bool {
        false
    }
}

/// The result of one step of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The state's wait has completed and a handler ran; the machine is in the same state, with its
    /// data in place.
    Stayed,
    /// A handler ran for a message or a tick beside the state's wait, which goes on: what counts from
    /// its completion goes on, too. The machine is in the same state.
    Continued,
    /// The read of the other socket beside the state's wait has completed and a handler ran; the wait goes on.
    /// The machine is in the same state.
    OtherRead,
    /// The machine is in another state, or entered the same one anew.
    Moved,
    /// The same as [`Moved`](Step::Moved), but no read has led there: timers that count from the last read
    /// go on.
    Diverted,
    /// No event that the state waits for has occurred; each of these may wake it.
    Waiting(WaitSet),
    /// The connection has a permit of another pool and leaves its own pool.
    Leaving,
    /// The machine is in an end state.
    Done,
}

/// The message type of a machine that takes no messages. It has no values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoMessage {}
