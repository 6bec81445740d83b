mod edges;
mod expr;
mod time;
mod wait;

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::{Type, Visibility};

pub(crate) use self::edges::{Edges, Event, EventEdge};
pub(crate) use self::expr::{Expr, is_known, parts, settings};
pub(crate) use self::time::Time;
pub(crate) use self::wait::{MachineKind, Pool, Relay, Shape, ShapeKind, Size, Wait, WaitKind};

/// A machine as its author wrote it: names are not looked up yet.
pub(crate) struct Machine {
    pub(crate) vis: Visibility,
    pub(crate) name: Ident,
    pub(crate) docs: String,
    /// The `#[allow(..)]` attributes of the enum, which the generated module repeats.
    pub(crate) allows: Vec<TokenStream>,
    pub(crate) args: Args,
    pub(crate) states: Vec<State>,
    /// The first state that reads datagrams.
    pub(crate) datagrams: Option<usize>,
    /// The keywords of the macro, with their spans.
    pub(crate) keywords: Vec<Ident>,
    /// rustc has refused a part of the enum, so a missing item may have been in that part.
    pub(crate) incomplete: bool,
    /// The enum has parameters.
    pub(crate) generic: bool,
    /// The states that have a `cfg`, whether or not they exist.
    pub(crate) conditional: Vec<Conditional>,
}

/// A name that exists under a condition.
#[derive(Clone)]
pub(crate) struct Conditional {
    pub(crate) name: Ident,
    /// The tokens in the parentheses of its `cfg`.
    pub(crate) condition: TokenStream,
}

/// The arguments of `#[state_machine(..)]`.
pub(crate) struct Args {
    pub(crate) start: Option<Ident>,
    pub(crate) defaults: Edges,
    /// A type that could not be read is `_`.
    pub(crate) error: Option<(Ident, Type)>,
    pub(crate) message: Option<(Ident, Type)>,
    pub(crate) job: Option<(Ident, Type)>,
    pub(crate) reply: Option<(Ident, Type)>,
    pub(crate) seed: Option<(Ident, Type)>,
    pub(crate) settings: Option<(Ident, Type)>,
    /// Connections at rest can move to another process.
    pub(crate) moves: Option<Ident>,
    pub(crate) module: Option<Ident>,
    pub(crate) size: Option<Budget>,
    pub(crate) root: Option<TokenStream>,
    pub(crate) groups: Vec<StateGroup>,
    pub(crate) budgets: Vec<GroupBudget>,
    /// Some argument could not be read.
    pub(crate) incomplete: bool,
}

/// `size <= 64`
#[derive(Clone)]
pub(crate) struct Budget {
    pub(crate) key: Ident,
    pub(crate) size: Size,
}

/// `within(Group) = 60s => State`
pub(crate) struct GroupBudget {
    pub(crate) group: Ident,
    pub(crate) edge: EventEdge,
}

pub(crate) struct StateGroup {
    pub(crate) name: Ident,
    pub(crate) members: Vec<Ident>,
}

pub(crate) struct State {
    pub(crate) name: Ident,
    pub(crate) docs: String,
    /// Whether the variant has braces.
    pub(crate) braced: bool,
    pub(crate) fields: Vec<Field>,
    pub(crate) waits: Vec<Wait>,
    pub(crate) to: Option<To>,
    pub(crate) rest: Option<Ident>,
    /// The edges in `#[rest(..)]`: `drain`.
    pub(crate) rest_edges: Edges,
    /// The word in `#[rest(keep)]`.
    pub(crate) keep: Option<Ident>,
    /// An attribute of another library says that the machine starts here.
    pub(crate) marked_as_start: bool,
    /// Some attribute could not be read, so a missing item may be in it.
    pub(crate) incomplete: bool,
}

pub(crate) struct Field {
    pub(crate) name: Ident,
    /// `_` if it could not be read.
    pub(crate) ty: Type,
    /// At most one of each kind, with its span.
    pub(crate) marks: Vec<(Mark, Ident)>,
}

/// The source of a field that no verdict fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// The field of the same name in the previous state.
    Carry,
    /// An error, on an `error` edge.
    Error,
    /// The job that comes back, on the `full` edge of a call.
    Job,
    /// The seed that comes back, on the `full` edge of a hand-off.
    Seed,
}

/// The type that stands for one that could not be read.
pub(crate) fn unknown() -> Type {
    syn::parse_quote!(_)
}

/// `#[to(..)]`
pub(crate) struct To {
    pub(crate) key: Ident,
    pub(crate) targets: Vec<Ident>,
}

impl Mark {
    pub(crate) const ALL: [Self; 4] = [Self::Carry, Self::Error, Self::Job, Self::Seed];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Carry => "carry",
            Self::Error => "error",
            Self::Job => "job",
            Self::Seed => "seed",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mark| mark.name() == name)
    }
}

impl Field {
    pub(crate) fn mark(&self, mark: Mark) -> Option<&Ident> {
        self.marks.iter().find(|(own, _)| *own == mark).map(|(_, place)| place)
    }

    pub(crate) fn carries(&self) -> bool {
        self.mark(Mark::Carry).is_some()
    }
}

impl Machine {
    /// The names of states and groups in attributes, with their spans.
    pub(crate) fn names(&self) -> impl Iterator<Item = &Ident> {
        fn targets(edges: &Edges) -> impl Iterator<Item = &Ident> {
            edges.events.iter().map(|edge| &edge.target)
        }
        let of_states = self.states.iter().flat_map(|state| {
            let verdicts = state.to.iter().flat_map(|to| &to.targets);
            let waits = state.waits.iter().flat_map(|wait| targets(&wait.edges));
            verdicts.chain(waits).chain(targets(&state.rest_edges))
        });
        let members = self.args.groups.iter().flat_map(|group| &group.members);
        let budgets = self.args.budgets.iter();
        let of_budgets = budgets.flat_map(|budget| [&budget.group, &budget.edge.target]);
        let of_machine = self.args.start.iter().chain(targets(&self.args.defaults));
        of_machine.chain(of_budgets).chain(members).chain(of_states)
    }

    /// The properties that decide which events can happen in its states.
    pub(crate) fn kind(&self) -> MachineKind {
        MachineKind {
            fails: self.args.error.is_some(),
            job: self.runs_jobs(),
            datagrams: self.datagrams().is_some(),
        }
    }

    /// The first state that reads datagrams.
    pub(crate) fn datagrams(&self) -> Option<&State> {
        self.states.get(self.datagrams?)
    }

    /// The budget of the group that a state is in, and its number.
    pub(crate) fn budget_of(&self, state: &State) -> Option<(usize, &GroupBudget)> {
        let holds = |budget: &GroupBudget| self.holds(&budget.group, &state.name, 0);
        self.args.budgets.iter().enumerate().find(|(_, budget)| holds(budget) && !state.is_end())
    }

    /// Whether `name` is this state, or a group that the state is in.
    pub(crate) fn holds(&self, name: &Ident, state: &Ident, depth: usize) -> bool {
        if name.unraw() == state.unraw() {
            return true;
        }
        // A group that contains itself is a finding.
        let mut groups = self.args.groups.iter().filter(|_| depth <= self.args.groups.len());
        let group = groups.find(|group| group.name.unraw() == name.unraw());
        let mut members = group.into_iter().flat_map(|group| &group.members);
        members.any(|member| self.holds(member, state, depth + 1))
    }

    pub(crate) fn is_group(&self, name: &Ident) -> bool {
        self.args.groups.iter().any(|group| group.name.unraw() == name.unraw())
    }
}

impl Args {
    /// The path of the runtime.
    pub(crate) fn root(&self) -> TokenStream {
        self.root.clone().unwrap_or_else(|| quote!(::fsm_runtime))
    }

    /// Whether the machine runs jobs, or its connections answer some.
    pub(crate) fn is_job(&self) -> bool {
        self.job.is_some() || self.reply.is_some()
    }
}

impl State {
    /// The main wait of the state, if its waits go together: one wait, with `read(other)` beside a `read` or
    /// a `relay(out)`, `message` beside a `read`, and `tick` beside a `read`, a `message` or a `call`.
    pub(crate) fn wait(&self) -> Option<&Wait> {
        if let [wait] = &self.waits[..] {
            return Some(wait).filter(|wait| !matches!(wait.kind, WaitKind::Tick(_)));
        }
        let main = self.main()?;
        let fits = |beside: &Wait| beside.kind.stands_beside(&main.kind);
        let mut beside = self.waits.iter().filter(|wait| !std::ptr::eq(*wait, main));
        let all_fit = beside.clone().all(fits);
        let ticks = beside.clone().filter(|wait| matches!(wait.kind, WaitKind::Tick(_))).count();
        let others = beside.clone().filter(|wait| wait.kind.reads_other()).count();
        let messages = beside.any(|wait| matches!(wait.kind, WaitKind::Message));
        let each_once = ticks <= 1 && others <= 1;
        let counted = ticks + others + usize::from(messages) == self.waits.len() - 1;
        (all_fit && each_once && counted).then_some(main)
    }

    /// The wait that others may stand beside: the first that is neither a `message` nor a `tick` nor a
    /// `read(other)`, or the first `read(other)`, or the first `message`.
    pub(crate) fn main(&self) -> Option<&Wait> {
        let is_message = |wait: &&Wait| matches!(wait.kind, WaitKind::Message);
        let is_tick = |wait: &&Wait| matches!(wait.kind, WaitKind::Tick(_));
        let reads_other = |wait: &&Wait| wait.kind.reads_other();
        let mut waits = self.waits.iter();
        let main = waits.find(|wait| !is_message(wait) && !is_tick(wait) && !reads_other(wait));
        let other = main.or_else(|| self.waits.iter().find(reads_other));
        other.or_else(|| self.waits.iter().find(is_message))
    }

    /// The waits beside the main one: a `read(other)`, a `message` and a `tick`, in this order.
    pub(crate) fn beside(&self) -> impl Iterator<Item = &Wait> {
        self.other_read().into_iter().chain(self.message()).chain(self.tick())
    }

    /// The read of the other socket beside the main wait.
    pub(crate) fn other_read(&self) -> Option<&Wait> {
        let main = self.wait()?;
        let mut others = self.waits.iter().filter(|wait| !std::ptr::eq(*wait, main));
        others.find(|wait| wait.kind.reads_other())
    }

    /// The `message` beside the main wait.
    pub(crate) fn message(&self) -> Option<&Wait> {
        let main = self.wait()?;
        let mut others = self.waits.iter().filter(|wait| !std::ptr::eq(*wait, main));
        others.find(|wait| matches!(wait.kind, WaitKind::Message))
    }

    /// The `tick` beside the main wait.
    pub(crate) fn tick(&self) -> Option<&Wait> {
        self.wait()?;
        self.waits.iter().find(|wait| matches!(wait.kind, WaitKind::Tick(_)))
    }

    pub(crate) fn is_end(&self) -> bool {
        self.waits.iter().any(|wait| matches!(wait.kind, WaitKind::End))
    }

    /// Whether the connection leaves in this state, which then has no handler.
    pub(crate) fn is_handoff(&self) -> bool {
        self.waits.iter().any(|wait| matches!(wait.kind, WaitKind::HandOff(_)))
    }

    /// The name of the payload that a verdict for this state carries: for another pool, or the target.
    pub(crate) fn payload_name(&self) -> Option<&'static str> {
        match self.wait()?.kind {
            WaitKind::Call(_) => Some("job"),
            WaitKind::HandOff(_) => Some("seed"),
            WaitKind::Connect => Some("to"),
            _ => None,
        }
    }

    /// Whether a job or the connection goes to another pool in this state.
    pub(crate) fn leads_out(&self) -> bool {
        self.wait().is_some_and(|wait| wait.kind.leads_out())
    }

    pub(crate) fn field_names(&self) -> Vec<Ident> {
        self.fields.iter().map(|field| field.name.clone()).collect()
    }

    pub(crate) fn field(&self, name: &Ident) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == *name)
    }
}
