use proc_macro2::{Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Type, Visibility};

/// The module beside the enum: what a user's code can name.
pub(crate) struct Interface {
    pub(crate) vis: Visibility,
    /// What the author allows.
    pub(crate) allows: Vec<TokenStream>,
    /// The enum's name.
    pub(crate) name: Ident,
    pub(crate) module: Ident,
    /// The path of the runtime.
    pub(crate) root: TokenStream,
    /// The words of ours, where they are written.
    pub(crate) keywords: Vec<Ident>,
    /// The names of states, where they are written in attributes.
    pub(crate) states: Vec<Ident>,
    pub(crate) message: Option<Type>,
    /// What it is started with, if that is something: the job or the seed.
    pub(crate) seed: Option<Type>,
    /// What a machine that runs jobs replies.
    pub(crate) reply: Option<Type>,
    pub(crate) error: Option<Type>,
    pub(crate) handlers: Vec<Handler>,
    /// The decoders, by the state that reads with each.
    pub(crate) decoders: Vec<(Ident, Type)>,
    /// An expression that rustc refuses with a finding, in a machine that is not sound. It stands
    /// for the types that are not known, which are `_` here.
    pub(crate) unknown_size: Option<TokenStream>,
}

/// A method of the handler trait, and the verdicts that it returns.
pub(crate) struct Handler {
    pub(crate) name: Ident,
    /// The name of the state.
    pub(crate) state: Ident,
    /// The name of the enum of verdicts.
    pub(crate) after: Ident,
    /// Where its verdicts are named.
    pub(crate) to: Span,
    pub(crate) docs: String,
    pub(crate) fields: Vec<(Ident, Type)>,
    /// What has come, and its type in the module.
    pub(crate) received: Option<Received>,
    /// The name of the `cx` parameter.
    pub(crate) cx: Ident,
    pub(crate) verdicts: Vec<Verdict>,
    pub(crate) body: Body,
}

pub(crate) struct Received {
    pub(crate) name: Ident,
    pub(crate) kind: ReceivedKind,
}

pub(crate) enum ReceivedKind {
    Array(Literal),
    Bytes,
    Frame(Box<Type>),
    Message(Box<Type>),
    /// Of this service.
    Reply(Box<Type>),
    /// It could not be read.
    Unknown,
}

/// The default body of a handler.
pub(crate) enum Body {
    /// There is nothing to decide: this is the only verdict.
    Only(Ident),
    /// The user writes it.
    Required,
    /// The machine is not sound: never runs, and nobody needs to write it.
    Stub,
}

pub(crate) struct Verdict {
    pub(crate) name: Ident,
    pub(crate) docs: String,
    pub(crate) data: Vec<(Ident, Type)>,
    /// What it carries beside the fields of its state.
    pub(crate) payload: Option<Payload>,
}

/// What a verdict gives with the way to a state; `_` where the type could not be read.
#[derive(Clone)]
pub(crate) enum Payload {
    /// A job for this service.
    Job(Box<Type>),
    /// The seed of this machine.
    Seed(Box<Type>),
    /// The reply, of this type.
    Reply(Box<Type>),
}

impl Interface {
    /// The path of the runtime, shown at `span`.
    pub(crate) fn root_at(&self, span: Span) -> TokenStream {
        let at = |mut token: TokenTree| {
            token.set_span(span);
            token
        };
        self.root.clone().into_iter().map(at).collect()
    }

    /// The type of messages, beside the enum.
    pub(crate) fn message_type(&self) -> TokenStream {
        let root = &self.root;
        let message = self.message.as_ref();
        message.map_or_else(|| quote!(#root::NoMessage), |message| self.beside(message))
    }

    /// A type of the user's, beside the enum.
    pub(crate) fn beside(&self, ty: &Type) -> TokenStream {
        let module = &self.module;
        match ty {
            Type::Infer(_) => quote!(#module::Unknown),
            known => known.to_token_stream(),
        }
    }

    /// Whether the machine runs jobs.
    pub(crate) fn is_job(&self) -> bool {
        self.reply.is_some()
    }

    /// The runtime's name for what handlers can do in it.
    pub(crate) fn cx(&self) -> TokenStream {
        if self.is_job() { quote!(JobCx) } else { quote!(Cx) }
    }

    /// The runtime's name for what it has.
    pub(crate) fn side(&self) -> TokenStream {
        if self.is_job() { quote!(Job) } else { quote!(Connection) }
    }

    /// The variant of `Starts`.
    pub(crate) fn starts(&self) -> &'static str {
        match (&self.seed, self.is_job()) {
            (_, true) => "Job",
            (Some(_), false) => "Seed",
            (None, false) => "Connection",
        }
    }
}

impl Payload {
    /// What the verdict calls it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Job(_) => "job",
            Self::Seed(_) => "seed",
            Self::Reply(_) => "reply",
        }
    }
}
