use proc_macro2::{Ident, Literal, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::{Type, Visibility};

/// A machine as its author wrote it: names are not looked up yet.
pub(crate) struct Machine {
    pub(crate) vis: Visibility,
    pub(crate) name: Ident,
    pub(crate) docs: String,
    /// `#[allow(..)]`, which is meant for what is generated too.
    pub(crate) allows: Vec<TokenStream>,
    pub(crate) args: Args,
    pub(crate) states: Vec<State>,
    /// The words of ours, where they are written.
    pub(crate) words: Vec<Ident>,
    /// rustc has refused some of the enum, so what is missing may have been there.
    pub(crate) damaged: bool,
    /// The enum has parameters.
    pub(crate) generic: bool,
}

/// What `#[state_machine(..)]` says.
pub(crate) struct Args {
    pub(crate) start: Option<Ident>,
    pub(crate) defaults: Edges,
    /// Types are `_` where they could not be read.
    pub(crate) error: Option<(Ident, Type)>,
    pub(crate) message: Option<(Ident, Type)>,
    pub(crate) job: Option<(Ident, Type)>,
    pub(crate) reply: Option<(Ident, Type)>,
    pub(crate) seed: Option<(Ident, Type)>,
    pub(crate) module: Option<Ident>,
    pub(crate) size: Option<Budget>,
    pub(crate) root: Option<TokenStream>,
    pub(crate) groups: Vec<Group>,
    /// Something in here could not be read.
    pub(crate) damaged: bool,
}

/// `size <= 64`
#[derive(Clone)]
pub(crate) struct Budget {
    pub(crate) key: Ident,
    pub(crate) size: Size,
}

pub(crate) struct Group {
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
    /// Something in its attributes could not be read, so what is missing may be there.
    pub(crate) damaged: bool,
}

pub(crate) struct Field {
    pub(crate) name: Ident,
    /// `_` if it could not be read.
    pub(crate) ty: Type,
    /// At most one of each, where it is written.
    pub(crate) marks: Vec<(Mark, Ident)>,
}

/// What fills a field, where it is no verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// The field of that name in the state before.
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

/// `#[read(..)]` and its like.
pub(crate) struct Wait {
    /// The attribute's name.
    pub(crate) name: Ident,
    pub(crate) kind: Kind,
    pub(crate) edges: Edges,
}

pub(crate) enum Kind {
    Read {
        shape: Option<Shape>,
        max: Option<(Ident, Size)>,
    },
    Flush,
    Writable {
        below: Option<Size>,
    },
    Run {
        /// Its handler may block.
        blocking: bool,
    },
    Sleep(Option<Pause>),
    Message,
    /// What answers.
    Call(Option<Pool>),
    /// The machine that takes the connection.
    HandOff(Option<Pool>),
    End,
}

/// The type that names a pool.
pub(crate) struct Pool {
    pub(crate) ty: Type,
    /// As the author wrote it.
    pub(crate) text: String,
}

pub(crate) struct Shape {
    /// `exact`, `until` and so on.
    pub(crate) key: Ident,
    pub(crate) cut: Cut,
    /// What the attribute says, such as `exact = 8`.
    pub(crate) text: String,
}

pub(crate) enum Cut {
    Exact(Literal),
    ExactOf(TokenStream),
    /// An expression of type `&[u8]`.
    Until(TokenStream),
    Some,
    Upto(TokenStream),
    Frame(Box<Type>),
    /// It could not be read.
    Unknown,
}

/// A number of bytes.
#[derive(Clone)]
pub(crate) struct Size {
    /// An expression of type `usize`.
    pub(crate) value: TokenStream,
    /// As the author wrote it.
    pub(crate) text: String,
}

impl Size {
    pub(crate) fn is_literal(&self) -> bool {
        let mut tokens = self.value.clone().into_iter();
        matches!((tokens.next(), tokens.next()), (Some(TokenTree::Literal(_)), None))
    }
}

/// How long a `sleep` is, in milliseconds.
#[derive(Clone)]
pub(crate) enum Pause {
    Fixed(u64),
    Of { time: TokenStream, max: u64 },
}

/// The edges that the runtime takes, as one attribute gives them.
#[derive(Default)]
pub(crate) struct Edges {
    pub(crate) answers: Vec<Answer>,
    /// `within = never`
    pub(crate) never: Option<Ident>,
}

/// `eof => Closed`
pub(crate) struct Answer {
    pub(crate) event: Event,
    pub(crate) key: Ident,
    /// For `within` and `idle`.
    pub(crate) millis: u64,
    pub(crate) target: Ident,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Within,
    Idle,
    Eof,
    Limit,
    Error,
    Full,
    Gone,
}

impl Event {
    pub(crate) const ALL: [Self; 7] =
        [Self::Within, Self::Idle, Self::Eof, Self::Limit, Self::Error, Self::Full, Self::Gone];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Within => "within",
            Self::Idle => "idle",
            Self::Eof => "eof",
            Self::Limit => "limit",
            Self::Error => "error",
            Self::Full => "full",
            Self::Gone => "gone",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.name() == name)
    }

    pub(crate) fn is_deadline(self) -> bool {
        matches!(self, Self::Within | Self::Idle)
    }
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

impl Edges {
    pub(crate) fn answer(&self, event: Event) -> Option<&Answer> {
        self.answers.iter().find(|answer| answer.event == event)
    }

    /// Whether `idle` is the only word about time.
    pub(crate) fn is_only_idle(&self) -> bool {
        self.never.is_none() && self.answer(Event::Within).is_none()
    }

    pub(crate) fn bounds_time(&self) -> bool {
        self.never.is_some() || self.answers.iter().any(|answer| answer.event.is_deadline())
    }
}

impl Machine {
    /// The names in attributes that stand for states or groups, where they are written.
    pub(crate) fn names(&self) -> impl Iterator<Item = &Ident> {
        fn targets(edges: &Edges) -> impl Iterator<Item = &Ident> {
            edges.answers.iter().map(|answer| &answer.target)
        }
        let of_states = self.states.iter().flat_map(|state| {
            let verdicts = state.to.iter().flat_map(|to| &to.targets);
            verdicts.chain(state.waits.iter().flat_map(|wait| targets(&wait.edges)))
        });
        let members = self.args.groups.iter().flat_map(|group| &group.members);
        self.args.start.iter().chain(targets(&self.args.defaults)).chain(members).chain(of_states)
    }

    /// What can happen in its states depends on it.
    pub(crate) fn nature(&self) -> Nature {
        Nature { fails: self.args.error.is_some(), job: self.args.is_job() }
    }

    pub(crate) fn is_group(&self, name: &Ident) -> bool {
        self.args.groups.iter().any(|group| group.name.unraw() == name.unraw())
    }
}

impl Args {
    /// Whether the machine runs jobs.
    pub(crate) fn is_job(&self) -> bool {
        self.job.is_some() || self.reply.is_some()
    }
}

/// What a machine has.
#[derive(Clone, Copy)]
pub(crate) struct Nature {
    /// Its handlers may fail.
    pub(crate) fails: bool,
    /// It has a job, and no connection.
    pub(crate) job: bool,
}

impl State {
    /// What it waits for, if it says so exactly once.
    pub(crate) fn wait(&self) -> Option<&Wait> {
        match &self.waits[..] {
            [wait] => Some(wait),
            _ => None,
        }
    }

    pub(crate) fn is_end(&self) -> bool {
        self.waits.iter().any(|wait| matches!(wait.kind, Kind::End))
    }

    /// Whether the connection leaves there: it has no handler.
    pub(crate) fn is_handoff(&self) -> bool {
        self.waits.iter().any(|wait| matches!(wait.kind, Kind::HandOff(_)))
    }

    /// What the verdict that leads here gives beside the fields, for another pool.
    pub(crate) fn gift(&self) -> Option<&'static str> {
        match self.wait()?.kind {
            Kind::Call(_) => Some("job"),
            Kind::HandOff(_) => Some("seed"),
            _ => None,
        }
    }

    pub(crate) fn field(&self, name: &Ident) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == *name)
    }
}

impl Kind {
    /// Whether `event` can come to a state that waits so, in such a machine.
    pub(crate) fn can(&self, event: Event, nature: Nature) -> bool {
        match event {
            Event::Within => self.can(Event::Idle, nature) || self.leads_out(),
            Event::Idle => {
                matches!(
                    self,
                    Self::Read { .. } | Self::Flush | Self::Writable { .. } | Self::Message
                )
            }
            Event::Eof => {
                matches!(self, Self::Read { .. } | Self::Message if !nature.job)
            }
            Event::Limit => {
                matches!(self.cut(), Some(Cut::ExactOf(_) | Cut::Until(_) | Cut::Frame(_)))
            }
            Event::Error => {
                self.decodes() || (nature.fails && !matches!(self, Self::End | Self::HandOff(_)))
            }
            Event::Full | Event::Gone => self.leads_out(),
        }
    }

    /// Whether it waits for another pool.
    pub(crate) fn leads_out(&self) -> bool {
        matches!(self, Self::Call(_) | Self::HandOff(_))
    }

    /// Whether it needs a connection, which a job has not.
    pub(crate) fn needs_connection(&self) -> bool {
        matches!(self, Self::Read { .. } | Self::Flush | Self::Writable { .. } | Self::HandOff(_))
    }

    pub(crate) fn decodes(&self) -> bool {
        matches!(self.cut(), Some(Cut::Frame(_)))
    }

    fn cut(&self) -> Option<&Cut> {
        match self {
            Self::Read { shape: Some(shape), .. } => Some(&shape.cut),
            _ => None,
        }
    }
}
