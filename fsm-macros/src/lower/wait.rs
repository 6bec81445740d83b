use proc_macro2::{Ident, Literal, TokenStream, TokenTree};
use quote::ToTokens;

use super::{Lowering, beside, partial};
use crate::ast::{self, Event, Expr, ShapeKind, WaitKind};
use crate::model::{
    self, Bound, Contract, Discard, DiscardEnd, OtherRead, Read, ServerName, Time, Transition,
};
use crate::spelling;

impl Lowering<'_> {
    pub(super) fn wait(&self, index: usize) -> Option<model::Wait> {
        let state = &self.machine.states[index];
        let wait = state.wait()?;
        let fields = state.field_names();
        Some(match &wait.kind {
            WaitKind::Read { .. } => {
                model::Wait::Read(self.read(index, wait, &|event| self.on(index, event))?.into())
            }
            WaitKind::Flush => model::Wait::Flush,
            WaitKind::Writable { below } => {
                model::Wait::Writable { below: self.named(state, wait, below.as_ref()?) }
            }
            WaitKind::Run { blocking } => model::Wait::Run { blocking: *blocking },
            WaitKind::Sleep(pause) => model::Wait::Sleep(Time::new(pause.as_ref()?, &fields)),
            WaitKind::Message if !wait.kind.can(Event::Eof, self.machine.kind()) => {
                model::Wait::Message { eof: None }
            }
            WaitKind::Message => model::Wait::Message { eof: Some(self.on(index, Event::Eof)?) },
            WaitKind::Job if !wait.kind.can(Event::Eof, self.machine.kind()) => {
                model::Wait::Job { eof: None }
            }
            WaitKind::Job => model::Wait::Job { eof: Some(self.on(index, Event::Eof)?) },
            WaitKind::Call(pool) => {
                let route = self.route(index, pool.as_ref()?, Contract::Service)?;
                model::Wait::Call(route.into())
            }
            WaitKind::Discard { shape } => {
                model::Wait::Discard(self.discard(index, shape.as_ref()?, &fields)?.into())
            }
            WaitKind::Shutdown => model::Wait::Shutdown,
            WaitKind::Connect => {
                model::Wait::Connect { refused: self.on(index, Event::Refused)?.into() }
            }
            WaitKind::Tls { name } => model::Wait::Tls {
                name: name.as_ref().map(|name| ServerName {
                    text: format!("name = {}", spelling::tokens(name)),
                    value: Expr::new(name, &fields),
                }),
                error: self.on(index, Event::Error)?.into(),
            },
            WaitKind::Relay(relay) => {
                let max = self.named(state, wait, relay.max.as_ref()?);
                model::Wait::Relay(self.relay(index, relay, max, &fields)?.into())
            }
            WaitKind::HandOff(_) | WaitKind::Tick(_) | WaitKind::End => return None,
        })
    }

    fn relay(
        &self,
        index: usize,
        relay: &ast::Relay,
        max: TokenStream,
        fields: &[Ident],
    ) -> Option<model::Relay> {
        let way = relay.way.as_ref().map(ToString::to_string);
        let exact = relay.exact.as_ref();
        Some(model::Relay {
            text: relay.text(),
            way: match way.as_deref() {
                None => "Both",
                Some("out") => "Out",
                Some(_) => "Back",
            },
            exact: exact.map(|exact| Expr::new(&u64_length(exact), fields)),
            max,
            eof: self.on(index, Event::Eof),
            gone: self.on(index, Event::Gone)?,
        })
    }

    fn discard(&self, index: usize, shape: &ast::Shape, fields: &[Ident]) -> Option<Discard> {
        let end = match &shape.kind {
            ShapeKind::Exact(length) => DiscardEnd::After(Expr::new(&u64_literal(length), fields)),
            ShapeKind::ExactOf(length) => DiscardEnd::After(Expr::new(length, fields)),
            ShapeKind::Until(delimiter) => DiscardEnd::Delimiter(delimiter.clone()),
            _ => return None,
        };
        Some(Discard { text: shape.text.clone(), end, eof: self.on(index, Event::Eof)? })
    }

    /// The read of the other socket beside the main wait of a state.
    pub(super) fn other_read(&self, index: usize, wait: &ast::Wait) -> Option<OtherRead> {
        let state = &self.machine.states[index];
        let edge = |event| self.graph.on_other(index, event);
        let on = |event| Some(self.transition(index, edge(event)?));
        let read = self.read(index, wait, &on)?;
        Some(OtherRead {
            handler: beside(state, wait)?,
            read,
            idle: edge(Event::Idle).and_then(|edge| self.deadline_of(index, edge)),
        })
    }

    /// A read whose events lead where `on` says.
    fn read(
        &self,
        index: usize,
        wait: &ast::Wait,
        on: &dyn Fn(Event) -> Option<Transition>,
    ) -> Option<Read> {
        let WaitKind::Read { shape: Some(written), max, other } = &wait.kind else { return None };
        let state = &self.machine.states[index];
        let fields = &state.field_names()[..];
        let max = max.as_ref().map(|(_, max)| Bound {
            value: self.named(state, wait, max),
            of: max.of.as_ref().map(|of| Expr::new(of, fields)),
        });
        let shape = match &written.kind {
            ShapeKind::Exact(length) => model::Shape::Exact(length.clone()),
            ShapeKind::Peek(length) => model::Shape::Peek(length.clone()),
            ShapeKind::ExactOf(length) => model::Shape::ExactOf {
                length: Expr::new(length, fields),
                max: max?,
                limit: on(Event::Limit)?,
            },
            ShapeKind::Until(delimiter) => model::Shape::Until {
                delimiter: delimiter.clone(),
                max: max?,
                limit: on(Event::Limit)?,
            },
            ShapeKind::Some => model::Shape::Some { max: max? },
            ShapeKind::Datagram => model::Shape::Datagram { max: max? },
            ShapeKind::Upto(length) => {
                model::Shape::Upto { length: Expr::new(length, fields), max: max? }
            }
            ShapeKind::Frame(decoder) => model::Shape::Frame {
                decoder: self.interface.checked(Contract::Frame, decoder).into(),
                max: match max {
                    Some(max) => max,
                    None => {
                        Bound { value: self.bound(state, wait)?.0.into_token_stream(), of: None }
                    }
                },
                limit: on(Event::Limit),
                refused: on(Event::Refused),
            },
            ShapeKind::Unknown => return None,
        };
        let (text, eof) = (written.text.clone(), on(Event::Eof));
        if eof.is_none() && !matches!(shape, model::Shape::Datagram { .. }) {
            return None;
        }
        Some(Read { text, shape, eof, other: *other, partial: partial(self.machine, state, wait) })
    }
}

/// A length that is a literal, as the type of lengths.
fn u64_literal(length: &Literal) -> TokenStream {
    let mut suffixed: Literal = format!("{length}u64").parse().unwrap_or_else(|_| length.clone());
    suffixed.set_span(length.span());
    TokenTree::from(suffixed).into()
}

/// The number of bytes of a relay, where a literal has the type of lengths.
fn u64_length(length: &TokenStream) -> TokenStream {
    let mut tokens = length.clone().into_iter();
    match (tokens.next(), tokens.next()) {
        (Some(TokenTree::Literal(literal)), None) => u64_literal(&literal),
        _ => length.clone(),
    }
}
