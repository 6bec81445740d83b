use proc_macro2::{Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{Type, TypePath, Visibility};

use super::checked::{Checked, Contract};

/// The generated module: the items that a user's code can name.
pub(crate) struct Interface {
    pub(crate) vis: Visibility,
    /// The `#[allow(..)]` attributes of the enum.
    pub(crate) allows: Vec<TokenStream>,
    /// The enum's name.
    pub(crate) name: Ident,
    pub(crate) module: Ident,
    /// The path of the runtime.
    pub(crate) root: TokenStream,
    /// The keywords of the macro, with their spans.
    pub(crate) keywords: Vec<Ident>,
    /// The names of states in attributes, with their spans.
    pub(crate) states: Vec<Ident>,
    pub(crate) message: Option<Type>,
    /// The type of the job or the seed that starts the machine.
    pub(crate) seed: Option<Type>,
    /// The type of the jobs that the machine runs, or that its connections answer.
    pub(crate) job: Option<Type>,
    /// Whether connections of the machine answer jobs.
    pub(crate) answers: bool,
    /// Whether some state connects the other socket.
    pub(crate) connects: bool,
    /// The type of the pool's settings.
    pub(crate) settings: Option<Type>,
    /// Whether connections at rest can move to another process.
    pub(crate) moves: bool,
    /// The type of the replies to the jobs.
    pub(crate) reply: Option<Type>,
    pub(crate) error: Option<Type>,
    pub(crate) handlers: Vec<Handler>,
    /// The decoders, by the state that reads with each.
    pub(crate) decoders: Vec<(Ident, Type)>,
    /// The types of pools and decoders.
    pub(crate) checked: Vec<Checked>,
    /// In a machine that is not sound, an expression that rustc refuses with a finding: the size of
    /// the type `Unknown`, which replaces the types that are `_` here.
    pub(crate) unknown_size: Option<TokenStream>,
}

/// A method of the handler trait, and the verdicts that it returns.
pub(crate) struct Handler {
    pub(crate) name: Ident,
    /// The name of the state.
    pub(crate) state: Ident,
    /// The name of the enum of verdicts.
    pub(crate) after: Ident,
    /// The span of the list of its verdicts.
    pub(crate) to: Span,
    pub(crate) docs: String,
    pub(crate) fields: Vec<(Ident, Type)>,
    /// The parameter for the received value.
    pub(crate) received: Option<Received>,
    /// The methods for the waits beside the main one, which return the same verdicts.
    pub(crate) beside: Vec<HandlerBeside>,
    /// Whether the methods return the machine's error.
    pub(crate) fails: bool,
    /// The name of the `cx` parameter.
    pub(crate) cx: Ident,
    pub(crate) verdicts: Vec<Verdict>,
    pub(crate) body: Body,
}

/// A method for a wait beside the main wait of a state.
pub(crate) struct HandlerBeside {
    pub(crate) name: Ident,
    pub(crate) docs: String,
    pub(crate) received: Option<Received>,
    /// Whether the method may return no verdict: at a tick in a state that waits for a reply.
    pub(crate) may_wait_on: bool,
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
    Job(Box<Type>),
    /// The connection that a `connect` has made.
    Connected,
    /// The numbers of bytes that a `relay` has passed on.
    Moved,
    /// The session of a `tls`.
    Tls,
    /// The reply of this service.
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
    /// The machine is not sound: the body never runs, and the user need not write one.
    Stub,
}

pub(crate) struct Verdict {
    pub(crate) name: Ident,
    pub(crate) docs: String,
    pub(crate) data: Vec<(Ident, Type)>,
    /// The payload beside the fields of the state.
    pub(crate) payload: Option<Payload>,
}

/// A value that a verdict carries beside the fields of its state; `_` if its type could not be
/// read.
#[derive(Clone)]
pub(crate) enum Payload {
    /// A job for this service.
    Job(Box<Type>),
    /// The seed of this machine.
    Seed(Box<Type>),
    /// The reply, of this type.
    Reply(Box<Type>),
    /// The target that is connected to.
    Target,
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

    /// The type of the settings, beside the enum.
    pub(crate) fn settings_type(&self) -> TokenStream {
        self.settings.as_ref().map_or_else(|| quote!(()), |settings| self.beside(settings))
    }

    /// The types of the messages and the settings in the type of `cx`, beside the enum.
    pub(crate) fn cx_types(&self) -> TokenStream {
        let message = self.message_type();
        let settings = self.settings.iter().map(|settings| self.beside(settings));
        quote!(#message #(, #settings)*)
    }

    /// A type of the user's, beside the enum.
    pub(crate) fn beside(&self, ty: &Type) -> TokenStream {
        let module = &self.module;
        match ty {
            Type::Infer(_) => quote!(#module::Unknown),
            known => known.to_token_stream(),
        }
    }

    /// The alias of a type in the module, if it is checked against this contract.
    pub(crate) fn alias(&self, contract: Contract, ty: &Type) -> Option<&Ident> {
        let checked = self.checked.iter().find(|checked| checked.is(contract, ty))?;
        Some(&checked.alias)
    }

    /// A type that is checked against this contract, as code beside the enum names it.
    pub(crate) fn checked(&self, contract: Contract, ty: &Type) -> Type {
        let Some(alias) = self.alias(contract, ty) else { return ty.clone() };
        let mut name = Checked::beside(alias);
        name.set_span(Span::mixed_site().located_at(ty.span()));
        Type::Path(TypePath { attrs: Vec::new(), qself: None, path: name.into() })
    }

    /// Whether the module has an item of this name beside the checked types.
    pub(crate) fn has_item(&self, name: &Ident) -> bool {
        let of_all = ["Handler", "Partial", "Unknown"];
        of_all.iter().any(|item| name == item)
            || self.handlers.iter().any(|handler| handler.after == *name)
    }

    /// Whether the machine runs jobs, and has no connection.
    pub(crate) fn is_job(&self) -> bool {
        self.reply.is_some() && !self.answers
    }

    /// The runtime's type of the handlers' `cx` parameter.
    pub(crate) fn cx(&self) -> TokenStream {
        if self.is_job() { quote!(JobCx) } else { quote!(Cx) }
    }

    /// The runtime's type for the room of the other socket.
    pub(crate) fn other(&self) -> TokenStream {
        if self.connects { quote!(Other) } else { quote!(NoOther) }
    }

    /// The runtime's type for a connection or a job.
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
    /// The name of the field in the verdict.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Job(_) => "job",
            Self::Seed(_) => "seed",
            Self::Reply(_) => "reply",
            Self::Target => "to",
        }
    }
}
