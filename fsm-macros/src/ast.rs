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
    pub(crate) carry: Option<Ident>,
    pub(crate) error: Option<Ident>,
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
    Read { shape: Option<Shape>, max: Option<(Ident, Size)> },
    Flush,
    Drain { below: Option<Size> },
    Run,
    Sleep(Option<Pause>),
    Message,
    End,
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
}

impl Event {
    pub(crate) const ALL: [Self; 5] =
        [Self::Within, Self::Idle, Self::Eof, Self::Limit, Self::Error];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Within => "within",
            Self::Idle => "idle",
            Self::Eof => "eof",
            Self::Limit => "limit",
            Self::Error => "error",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.name() == name)
    }

    pub(crate) fn is_deadline(self) -> bool {
        matches!(self, Self::Within | Self::Idle)
    }
}

impl Edges {
    pub(crate) fn answer(&self, event: Event) -> Option<&Answer> {
        self.answers.iter().find(|answer| answer.event == event)
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

    pub(crate) fn is_group(&self, name: &Ident) -> bool {
        self.args.groups.iter().any(|group| group.name.unraw() == name.unraw())
    }
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

    pub(crate) fn field(&self, name: &Ident) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == *name)
    }
}

impl Kind {
    /// Whether `event` can come to a state that waits so, in a machine whose handlers `fail` or
    /// not.
    pub(crate) fn can(&self, event: Event, fail: bool) -> bool {
        match event {
            Event::Within | Event::Idle => {
                matches!(self, Self::Read { .. } | Self::Flush | Self::Drain { .. } | Self::Message)
            }
            Event::Eof => matches!(self, Self::Read { .. } | Self::Message),
            Event::Limit => {
                matches!(self.cut(), Some(Cut::ExactOf(_) | Cut::Until(_) | Cut::Frame(_)))
            }
            Event::Error => self.decodes() || (fail && !matches!(self, Self::End)),
        }
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
