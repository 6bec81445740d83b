use crate::{Cx, Input, Kind, Lapse, Route, Spec, Times, Timing};

pub(crate) mod context;
pub(crate) mod deadlines;
pub(crate) mod frame;
pub(crate) mod input;
pub mod keywords;
pub(crate) mod kind;
pub(crate) mod limits;
pub(crate) mod route;
pub(crate) mod runner;
pub(crate) mod size_budget;

/// A protocol: an enum of states, with its graph as data.
///
/// Implemented by `#[state_machine]`; write an enum, not this.
///
/// ```
/// use fsm_runtime::prelude::*;
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
/// assert_eq!(Echo::SPEC.states[Echo::start(()).state()].name, "Talk");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no machine",
    label = "a machine is an enum with `#[state_machine(..)]`"
)]
pub trait Machine: Sized + Send + 'static {
    /// The graph as data: states, their docs, what they wait for, their edges.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # #[state_machine(start = Talk, eof => Gone)]
    /// # enum Echo {
    /// #     #[read(some, max = 16KiB, idle = 60s => Gone)] #[to(Talk)] #[rest] Talk,
    /// #     #[end] Gone,
    /// # }
    /// let names: Vec<_> = Echo::SPEC.states.iter().map(|state| state.name).collect();
    /// assert_eq!(names, ["Talk", "Gone"]);
    /// ```
    const SPEC: &'static Spec;

    /// What may be posted to a connection of this machine: the `message` of `#[state_machine]`,
    /// or [`NoMessage`].
    type Message: Send + 'static;

    /// What a decoder of this machine remembers of a frame that is not whole yet.
    type Partial: Default + Send + 'static;

    /// What its start state is entered with: the `seed` or the `job` of `#[state_machine]`, or `()`.
    type Seed: Send + 'static;

    /// Whether it has a connection, or a job.
    type Kind: Kind;

    /// What its deadlines take: [`OneTime`](crate::OneTime), unless some state has two.
    type Times: Times;

    /// The machine in its start state.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # #[state_machine(start = Talk, eof => Gone)]
    /// # enum Echo {
    /// #     #[read(some, max = 16KiB, idle = 60s => Gone)] #[to(Talk)] #[rest] Talk,
    /// #     #[end] Gone,
    /// # }
    /// assert!(matches!(Echo::start(()), Echo::Talk));
    /// ```
    fn start(seed: Self::Seed) -> Self;

    /// The index of the current state in [`Spec::states`].
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # #[state_machine(start = Talk, eof => Gone)]
    /// # enum Echo {
    /// #     #[read(some, max = 16KiB, idle = 60s => Gone)] #[to(Talk)] #[rest] Talk,
    /// #     #[end] Gone,
    /// # }
    /// assert_eq!(Echo::SPEC.states[Echo::Gone.state()].name, "Gone");
    /// ```
    fn state(&self) -> usize;

    /// How long the current state may last.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # use fsm_runtime::Timing;
    /// # #[state_machine(start = Talk, eof => Gone)]
    /// # enum Echo {
    /// #     #[read(some, max = 16KiB, idle = 60s => Gone)] #[to(Talk)] #[rest] Talk,
    /// #     #[end] Gone,
    /// # }
    /// assert_eq!(Echo::Talk.timing(), Timing { within: Timing::NEVER, idle: 60_000 });
    /// ```
    fn timing(&self) -> Timing;

    /// Where its states lead out of its pool, in the order of the states.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # #[state_machine(start = Talk, eof => Gone)]
    /// # enum Echo {
    /// #     #[read(some, max = 16KiB, idle = 60s => Gone)] #[to(Talk)] #[rest] Talk,
    /// #     #[end] Gone,
    /// # }
    /// assert!(Echo::routes().is_empty());
    /// ```
    fn routes() -> Vec<Route> {
        Vec::new()
    }
}

/// The code of a machine joined to the handler `H`. Generated for every type that implements the
/// machine's handler trait.
///
/// A driver calls [`resume`](Drive::resume) whenever something may have come for the machine, and
/// [`lapse`](Drive::lapse) when a time of [`Machine::timing`] has passed. It sees to it that the
/// machine gets what the returned [`Step`] asks for. Each call runs at most one handler.
///
/// ```
/// use fsm_runtime::{Drive, Machine};
///
/// fn name<M: Drive<H>, H>(_handler: &H) -> &'static str {
///     M::SPEC.name
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{H}` does not handle the machine `{Self}`",
    label = "`{H}` must implement the handler trait of `{Self}`",
    note = "the trait is `Handler` in the module that `#[state_machine]` makes beside the enum"
)]
pub trait Drive<H>: Machine {
    /// Completes what the current state waits for, if that has come, and moves on.
    ///
    /// ```
    /// use fsm_runtime::{Cx, Drive, Input, Step};
    ///
    /// /// Runs handlers until the machine wants more than `bytes`; returns what they left.
    /// fn feed<'a, M: Drive<H>, H>(
    ///     machine: &mut M,
    ///     handler: &mut H,
    ///     bytes: &'a [u8],
    ///     cx: &mut Cx<'_, M::Message, M::Side>,
    /// ) -> &'a [u8] {
    ///     let mut input = Input::new(bytes);
    ///     loop {
    ///         match machine.resume(handler, &mut input, cx) {
    ///             Step::Stayed => {}
    ///             Step::Moved => input.restart(),
    ///             _ => return input.rest(),
    ///         }
    ///     }
    /// }
    /// ```
    fn resume(
        &mut self,
        handler: &mut H,
        input: &mut Input<'_, Self::Partial>,
        cx: &mut Cx<'_, Self::Message, Self::Kind>,
    ) -> Step;

    /// Takes the edge of a time that has passed.
    ///
    /// ```
    /// use fsm_runtime::{Cx, Drive, Lapse};
    ///
    /// /// Takes the edge of the deadline that passes first.
    /// fn too_late<M: Drive<H>, H>(
    ///     machine: &mut M,
    ///     handler: &mut H,
    ///     cx: &mut Cx<'_, M::Message, M::Side>,
    /// ) {
    ///     let timing = machine.timing();
    ///     let lapse = if timing.within <= timing.idle { Lapse::Within } else { Lapse::Idle };
    ///     machine.lapse(lapse, handler, cx);
    /// }
    /// ```
    fn lapse(
        &mut self,
        lapse: Lapse,
        handler: &mut H,
        cx: &mut Cx<'_, Self::Message, Self::Kind>,
    ) -> Step;
}

/// What a machine did, or what it waits for.
///
/// ```
/// assert_ne!(fsm_runtime::Step::Stayed, fsm_runtime::Step::Moved);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A handler ran; the machine is in the same state, with its data in place.
    Stayed,
    /// The machine is in another state, or entered the same one anew.
    Moved,
    /// It waits for input.
    Read,
    /// It waits until less output than this is queued; 1 is a flush.
    Writable(usize),
    /// It waits for time to pass.
    Sleep,
    /// It waits for a message.
    Message,
    /// It waits for the reply of another pool, or for room there.
    Call,
    /// It waits for room in another pool, and then leaves.
    HandOff,
    /// It is done.
    End,
}

/// The message type of a machine that takes none: there is no value of it.
///
/// ```
/// assert_eq!(std::mem::size_of::<Option<fsm_runtime::NoMessage>>(), 0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoMessage {}
