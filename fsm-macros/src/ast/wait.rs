use proc_macro2::{Ident, Literal, TokenStream, TokenTree};
use syn::Type;

use super::edges::{Edges, Event};
use super::time::Time;

/// An attribute such as `#[read(..)]`: the wait of a state, and its edges.
pub(crate) struct Wait {
    /// The attribute's name.
    pub(crate) name: Ident,
    pub(crate) kind: WaitKind,
    pub(crate) edges: Edges,
}

pub(crate) enum WaitKind {
    Read {
        shape: Option<Shape>,
        max: Option<(Ident, Size)>,
        /// It reads the other socket.
        other: bool,
    },
    /// A connection, which becomes the other socket.
    Connect,
    /// Bytes that are passed on between the two sockets.
    Relay(Box<Relay>),
    /// A TLS handshake.
    Tls {
        /// The name of the server, whose client the connection is.
        name: Option<TokenStream>,
    },
    Flush,
    Writable {
        below: Option<Size>,
    },
    Run {
        /// Its handler may block.
        blocking: bool,
    },
    Sleep(Option<Time>),
    Message,
    /// A job, which the connection answers.
    Job,
    /// The time after which its handler is called again and again, beside another wait.
    Tick(Option<Time>),
    /// Input that is thrown away.
    Discard {
        shape: Option<Shape>,
    },
    /// The end of the stream to the peer.
    Shutdown,
    /// The service that answers.
    Call(Option<Pool>),
    /// The machine that takes the connection.
    HandOff(Option<Pool>),
    End,
}

/// `#[relay(..)]`
#[derive(Default)]
pub(crate) struct Relay {
    /// `out` or `back`, if it goes one way.
    pub(crate) way: Option<Ident>,
    /// The number of bytes.
    pub(crate) exact: Option<TokenStream>,
    /// The most bytes that wait on one side.
    pub(crate) max: Option<Size>,
}

impl Relay {
    /// Whether it goes both ways.
    pub(crate) fn is_both(&self) -> bool {
        self.way.is_none() && self.exact.is_none()
    }

    /// Whether it goes to the other socket alone, so that the state may read that one.
    pub(crate) fn goes_out(&self) -> bool {
        self.way.as_ref().is_some_and(|way| way == "out")
    }

    /// Whether it ends after a number of bytes, and the stream may end before.
    pub(crate) fn is_counted(&self) -> bool {
        self.exact.is_some()
    }

    /// The text of the attribute without its bound.
    pub(crate) fn text(&self) -> String {
        let way = self.way.iter().map(ToString::to_string);
        let exact = self.exact.iter().map(|exact| format!("exact = {exact}"));
        way.chain(exact).collect::<Vec<_>>().join(", ")
    }
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
    pub(crate) kind: ShapeKind,
    /// The text of the attribute, such as `exact = 8`.
    pub(crate) text: String,
}

pub(crate) enum ShapeKind {
    Exact(Literal),
    ExactOf(TokenStream),
    /// An expression of type `&[u8]`.
    Until(TokenStream),
    Some,
    Upto(TokenStream),
    Frame(Box<Type>),
    /// A number of bytes that stay unread.
    Peek(Literal),
    Datagram,
    /// It could not be read.
    Unknown,
}

/// A number of bytes.
#[derive(Clone)]
pub(crate) struct Size {
    /// A constant expression of type `usize`.
    pub(crate) value: TokenStream,
    /// As the author wrote it.
    pub(crate) text: String,
    /// The expression that `value` bounds, over the state's fields and the settings.
    pub(crate) of: Option<TokenStream>,
}

impl Size {
    pub(crate) fn is_literal(&self) -> bool {
        let mut tokens = self.value.clone().into_iter();
        matches!((tokens.next(), tokens.next()), (Some(TokenTree::Literal(_)), None))
    }
}

impl Wait {
    /// The word for it in the name of its handler, where it stands beside the main wait.
    pub(crate) fn suffix(&self) -> Ident {
        match self.kind {
            WaitKind::Read { other: true, .. } => Ident::new("other", self.name.span()),
            _ => self.name.clone(),
        }
    }

    /// The times in the attribute.
    pub(crate) fn times(&self) -> impl Iterator<Item = &Time> {
        let own = match &self.kind {
            WaitKind::Sleep(pause) | WaitKind::Tick(pause) => pause.as_ref(),
            _ => None,
        };
        own.into_iter().chain(self.edges.events.iter().filter_map(|edge| edge.time.as_ref()))
    }

    /// The expressions in the attribute, over the state's fields and the settings.
    pub(crate) fn expressions(&self) -> impl Iterator<Item = &TokenStream> {
        let times = self.times().filter_map(|time| match time {
            Time::Of { time, .. } => Some(time),
            Time::Fixed(_) | Time::Constant(_) => None,
        });
        let (shape, max) = match &self.kind {
            WaitKind::Read { shape, max, .. } => {
                (shape.as_ref(), max.as_ref().and_then(|(_, max)| max.of.as_ref()))
            }
            WaitKind::Discard { shape } => (shape.as_ref(), None),
            _ => (None, None),
        };
        let length = shape.and_then(|shape| match &shape.kind {
            ShapeKind::ExactOf(length) | ShapeKind::Upto(length) => Some(length),
            _ => None,
        });
        let exact = match &self.kind {
            WaitKind::Relay(relay) => relay.exact.as_ref(),
            _ => None,
        };
        times.chain(length).chain(max).chain(exact)
    }
}

/// The properties of a machine that decide which events can happen.
#[derive(Clone, Copy)]
pub(crate) struct MachineKind {
    /// Its handlers may fail.
    pub(crate) fails: bool,
    /// It has a job, and no connection.
    pub(crate) job: bool,
    /// It reads datagrams, and no stream.
    pub(crate) datagrams: bool,
}

impl WaitKind {
    /// Whether `event` can happen in a state with this wait, in a machine of kind `machine`.
    pub(crate) fn can(&self, event: Event, machine: MachineKind) -> bool {
        match event {
            Event::Within => {
                self.can(Event::Idle, machine)
                    || self.leads_out()
                    || matches!(
                        self,
                        Self::Discard { .. } | Self::Shutdown | Self::Connect | Self::Tls { .. }
                    )
            }
            Event::Idle => {
                matches!(
                    self,
                    Self::Read { .. }
                        | Self::Flush
                        | Self::Writable { .. }
                        | Self::Message
                        | Self::Job
                        | Self::Relay(_)
                )
            }
            Event::Begun => {
                matches!(
                    self.shape_kind(),
                    Some(
                        ShapeKind::Exact(_)
                            | ShapeKind::ExactOf(_)
                            | ShapeKind::Until(_)
                            | ShapeKind::Frame(_)
                            | ShapeKind::Peek(_)
                    )
                )
            }
            Event::Eof => {
                !machine.job
                    && !machine.datagrams
                    && (self.takes_input()
                        || matches!(self, Self::Message | Self::Job | Self::Call(_))
                        || self.relay().is_some_and(Relay::is_counted))
            }
            Event::HalfClosed => self.relay().is_some_and(Relay::is_both),
            Event::Limit => {
                matches!(
                    self.shape_kind(),
                    Some(ShapeKind::ExactOf(_) | ShapeKind::Until(_) | ShapeKind::Frame(_))
                )
            }
            Event::Refused => self.decodes() || matches!(self, Self::Connect),
            Event::Error => {
                matches!(self, Self::Tls { .. })
                    || (machine.fails && !matches!(self, Self::End | Self::HandOff(_)))
            }
            Event::Full => self.leads_out(),
            Event::Gone => self.leads_out() || self.relay().is_some(),
            Event::Drain => !machine.job && self.rests(),
            Event::Budget => !matches!(self, Self::End),
        }
    }

    /// Whether `event`, which can happen, must have an edge; in place of `within` another deadline will do.
    /// Without an edge for `refused` rustc says whether the decoder can refuse its input, and without one
    /// for `error` the handler cannot fail.
    pub(crate) fn must(&self, event: Event) -> bool {
        match event {
            Event::Eof => !matches!(self, Self::Call(_)),
            Event::Limit => !self.is_bounded_by_frame(),
            Event::Refused => matches!(self, Self::Connect),
            Event::Error => matches!(self, Self::Tls { .. }),
            event => matches!(event, Event::Within | Event::Gone | Event::HalfClosed),
        }
    }

    /// Whether a default of the machine answers `event` here. A caller that the end of the peer's stream
    /// shall interrupt says so itself.
    pub(crate) fn takes_default(&self, event: Event) -> bool {
        match event {
            Event::Eof => !matches!(self, Self::Call(_)),
            Event::Limit => !self.is_bounded_by_frame(),
            _ => true,
        }
    }

    /// Whether it takes its bound from the declaration of its frames, which none is larger than.
    pub(crate) fn is_bounded_by_frame(&self) -> bool {
        self.decodes() && matches!(self, Self::Read { max: None, .. })
    }

    /// Whether a state may have this wait beside the `main` one.
    pub(crate) fn stands_beside(&self, main: &Self) -> bool {
        match self {
            Self::Message => matches!(main, Self::Read { other: false, .. }),
            Self::Read { other: true, .. } => {
                matches!(main, Self::Read { other: false, .. })
                    || main.relay().is_some_and(Relay::goes_out)
            }
            Self::Tick(_) => {
                matches!(main, Self::Read { other: false, .. } | Self::Message | Self::Call(_))
            }
            _ => false,
        }
    }

    /// Whether its handler learns nothing but that the wait is over, so that there is nothing to decide
    /// if it has one verdict.
    pub(crate) fn tells_nothing(&self) -> bool {
        matches!(self, Self::Flush | Self::Sleep(_) | Self::Discard { .. } | Self::Shutdown)
    }

    /// Whether it uses up input.
    pub(crate) fn takes_input(&self) -> bool {
        matches!(self, Self::Read { .. } | Self::Discard { .. })
    }

    /// Whether nothing need be in progress in a state with this wait.
    pub(crate) fn rests(&self) -> bool {
        matches!(self, Self::Read { other: false, .. } | Self::Message | Self::Job | Self::Sleep(_))
    }

    /// Whether it leaves the input unread.
    pub(crate) fn peeks(&self) -> bool {
        matches!(self.shape_kind(), Some(ShapeKind::Peek(_)))
    }

    pub(crate) fn reads_other(&self) -> bool {
        matches!(self, Self::Read { other: true, .. })
    }

    pub(crate) fn relay(&self) -> Option<&Relay> {
        match self {
            Self::Relay(relay) => Some(relay),
            _ => None,
        }
    }

    /// Whether it waits for another pool.
    pub(crate) fn leads_out(&self) -> bool {
        matches!(self, Self::Call(_) | Self::HandOff(_))
    }

    /// Whether it needs a connection, which a job does not have.
    pub(crate) fn needs_connection(&self) -> bool {
        self.takes_input()
            || matches!(
                self,
                Self::Flush
                    | Self::Writable { .. }
                    | Self::HandOff(_)
                    | Self::Shutdown
                    | Self::Connect
                    | Self::Relay(_)
                    | Self::Tls { .. }
            )
    }

    /// Whether it reads datagrams.
    pub(crate) fn reads_datagrams(&self) -> bool {
        matches!(self.shape_kind(), Some(ShapeKind::Datagram))
    }

    pub(crate) fn decodes(&self) -> bool {
        matches!(self.shape_kind(), Some(ShapeKind::Frame(_)))
    }

    /// The decoder of frames that bounds what is read.
    pub(crate) fn bounding_frame(&self) -> Option<&Type> {
        match self.shape_kind()? {
            ShapeKind::Frame(decoder) if self.is_bounded_by_frame() => Some(decoder),
            _ => None,
        }
    }

    fn shape_kind(&self) -> Option<&ShapeKind> {
        match self {
            Self::Read { shape: Some(shape), .. } => Some(&shape.kind),
            _ => None,
        }
    }
}
