use proc_macro2::{Ident, Literal, TokenStream, TokenTree};
use syn::Type;

use super::{Route, Transition};
use crate::ast::Expr;

pub(crate) enum Wait {
    Read(Box<Read>),
    Flush,
    Writable {
        below: TokenStream,
    },
    Run {
        blocking: bool,
    },
    Sleep(Time),
    Message {
        /// `None` for a job, which has no peer.
        eof: Option<Transition>,
    },
    /// A job, which the connection answers.
    Job {
        /// `None` where no stream can end.
        eof: Option<Transition>,
    },
    /// A connection, which becomes the other socket.
    Connect {
        refused: Box<Transition>,
    },
    Relay(Box<Relay>),
    /// A TLS handshake.
    Tls {
        name: Option<ServerName>,
        error: Box<Transition>,
    },
    Call(Box<Route>),
    Discard(Box<Discard>),
    Shutdown,
}

/// The name of the server that a connection begins TLS with.
pub(crate) struct ServerName {
    /// The text of the attribute, such as `name = host`.
    pub(crate) text: String,
    pub(crate) value: Expr,
}

/// Bytes that are passed on between the two sockets.
pub(crate) struct Relay {
    /// The text of the attribute without its bound.
    pub(crate) text: String,
    /// The variant of `Way`.
    pub(crate) way: &'static str,
    pub(crate) exact: Option<Expr>,
    pub(crate) max: TokenStream,
    /// The transition when the stream ends before the number of bytes.
    pub(crate) eof: Option<Transition>,
    pub(crate) gone: Transition,
}

/// Input that is thrown away.
pub(crate) struct Discard {
    /// The text of the attribute.
    pub(crate) text: String,
    pub(crate) end: DiscardEnd,
    pub(crate) eof: Transition,
}

/// The end of the input that is thrown away.
pub(crate) enum DiscardEnd {
    After(Expr),
    Delimiter(TokenStream),
}

pub(crate) enum Time {
    Fixed(u64),
    Of {
        time: Expr,
        max: u64,
    },
    /// The constant of this name, in milliseconds.
    Constant(Ident),
}

pub(crate) struct Read {
    /// The text of the attribute.
    pub(crate) text: String,
    pub(crate) shape: Shape,
    /// `None` if it reads no stream.
    pub(crate) eof: Option<Transition>,
    /// It reads the other socket.
    pub(crate) other: bool,
    /// The variant of `Partial` for its decoder.
    pub(crate) partial: Ident,
}

pub(crate) enum Shape {
    Exact(Literal),
    Peek(Literal),
    ExactOf {
        length: Expr,
        max: Bound,
        limit: Transition,
    },
    Until {
        delimiter: TokenStream,
        max: Bound,
        limit: Transition,
    },
    Some {
        max: Bound,
    },
    Upto {
        length: Expr,
        max: Bound,
    },
    Datagram {
        max: Bound,
    },
    Frame {
        decoder: Box<Type>,
        max: Bound,
        /// `None` if no frame is larger than `max`.
        limit: Option<Transition>,
        /// `None` if the decoder refuses nothing.
        refused: Option<Transition>,
    },
}

/// A bound in bytes.
pub(crate) struct Bound {
    /// A literal, or the name of a constant.
    pub(crate) value: TokenStream,
    /// The expression that `value` bounds.
    pub(crate) of: Option<Expr>,
}

impl Wait {
    /// Whether it uses up input.
    pub(crate) fn takes_input(&self) -> bool {
        matches!(self, Self::Read(_) | Self::Discard(_))
    }

    /// The user's type that defines the received value: a decoder, or a service.
    pub(crate) fn given_by(&self) -> Option<&Type> {
        match self {
            Self::Read(read) => read.decoder(),
            Self::Call(route) => Some(&route.ty),
            _ => None,
        }
    }
}

impl Read {
    /// The decoder of the frames that it reads.
    pub(crate) fn decoder(&self) -> Option<&Type> {
        match &self.shape {
            Shape::Frame { decoder, .. } => Some(decoder),
            _ => None,
        }
    }
}

impl Shape {
    /// The bound in bytes.
    pub(crate) fn max(&self) -> TokenStream {
        match self {
            Self::Exact(length) | Self::Peek(length) => TokenTree::from(length.clone()).into(),
            Self::ExactOf { max, .. }
            | Self::Until { max, .. }
            | Self::Some { max }
            | Self::Upto { max, .. }
            | Self::Datagram { max }
            | Self::Frame { max, .. } => max.value.clone(),
        }
    }
}
