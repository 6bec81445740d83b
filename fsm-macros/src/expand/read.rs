use proc_macro2::{Literal, TokenStream};
use quote::format_ident;
use syn::Type;
use syn::spanned::Spanned;

use super::arithmetic::Overflow;
use crate::ast::Expr;
use crate::model::{self, Bound, Read, Transition};

/// Binds `taken` to the input that the state waits for, or does what `waiting` says. A move is made by `way_out`.
pub(crate) fn read(
    machine: &model::Machine,
    state: &model::State,
    read: &Read,
    waiting: &TokenStream,
    way_out: &WayOut,
) -> TokenStream {
    let misses = Misses { machine, state, read, waiting, way_out };
    let (before, taken, misses) = match &read.shape {
        model::Shape::Exact(length) => {
            (None, generated!(input.exact::<#length>()), misses.without_limit())
        }
        model::Shape::Peek(length) => {
            (None, generated!(input.peek::<#length>()), misses.without_limit())
        }
        model::Shape::ExactOf { length, max, limit } => {
            (None, exact_len(length, &max.expand()), misses.with_limit(limit))
        }
        model::Shape::Until { delimiter, max, limit } => {
            let max = max.expand();
            (None, generated!(input.until(#delimiter, #max)), misses.with_limit(limit))
        }
        model::Shape::Some { max } => {
            let max = max.expand();
            (None, generated!(input.some(#max)), misses.without_limit())
        }
        model::Shape::Datagram { max } => {
            let max = max.expand();
            (None, generated!(input.datagram(#max)), misses.incomplete())
        }
        model::Shape::Upto { length, max } => {
            let (max, length) = (max.expand(), length.bound());
            (Some(length), generated!(input.upto(length, #max)), misses.without_limit())
        }
        model::Shape::Frame { decoder, max, limit, refused } => {
            return misses.frame(decoder, &max.expand(), limit.as_ref(), refused.as_ref());
        }
    };
    generated! {
        #before
        let taken = match #taken {
            __Ok(taken) => taken,
            #misses
        };
    }
}

/// The match arms of a state whose input is not there.
struct Misses<'a> {
    machine: &'a model::Machine,
    state: &'a model::State,
    read: &'a Read,
    /// The code for incomplete input.
    waiting: &'a TokenStream,
    way_out: &'a WayOut,
}

/// The code around a transition for an event of a read.
pub(crate) struct WayOut {
    /// Comes before it.
    pub(crate) leave: Option<TokenStream>,
    /// The variant of `Step` that it is.
    pub(crate) step: &'static str,
}

impl WayOut {
    /// That of a main wait.
    pub(crate) const MAIN: Self = Self { leave: None, step: "Moved" };
}

impl Misses<'_> {
    /// The block that makes `transition` and returns.
    fn moved(&self, transition: &Transition) -> TokenStream {
        let transition = transition.expand(self.machine, self.state);
        let (leave, step) = (&self.way_out.leave, format_ident!("{}", self.way_out.step));
        generated!({
            #leave
            #transition
            return __Step::#step;
        })
    }

    /// The block for two events that lead to the same state: `miss` says which of them it is.
    fn either(&self, limit: &Transition, eof: &Transition) -> TokenStream {
        let moves = eof.moves(self.machine, self.state);
        let (leave, step) = (&self.way_out.leave, format_ident!("{}", self.way_out.step));
        let limit = Literal::usize_unsuffixed(limit.edge);
        let eof = Literal::usize_unsuffixed(eof.edge);
        generated!({
            #leave
            cx.edge(if let __Miss::Limit = miss { #limit } else { #eof });
            #moves
            return __Step::#step;
        })
    }

    /// The block for the end of the stream.
    fn eof(&self) -> Option<TokenStream> {
        self.read.eof.as_ref().map(|eof| self.moved(eof))
    }

    /// The arm of a read that either completes or waits.
    fn incomplete(&self) -> TokenStream {
        let waiting = self.waiting;
        generated!(__Err(_) => #waiting)
    }

    fn without_limit(&self) -> TokenStream {
        let (eof, waiting) = (self.eof(), self.waiting);
        generated! {
            __Err(__Miss::Eof) => #eof
            __Err(_) => #waiting
        }
    }

    fn with_limit(&self, limit: &Transition) -> TokenStream {
        let (eof, waiting) = (self.eof(), self.waiting);
        // One arm does for both in most machines.
        if let Some(eof) = self.read.eof.as_ref().filter(|eof| limit.leads_as(eof)) {
            let either = self.either(limit, eof);
            return generated! {
                __Err(__Miss::More) => #waiting
                __Err(miss) => #either
            };
        }
        let limit = self.moved(limit);
        generated! {
            __Err(__Miss::More) => #waiting
            __Err(__Miss::Limit) => #limit
            __Err(__Miss::Eof) => #eof
        }
    }

    /// Binds `taken` to the next frame, or returns. All tokens have the span of the decoder, because
    /// rustc may refuse its item or error at any of them.
    fn frame(
        &self,
        decoder: &Type,
        max: &TokenStream,
        limit: Option<&Transition>,
        refused: Option<&Transition>,
    ) -> TokenStream {
        let (eof, waiting) = (self.eof(), self.waiting);
        let limit = if let Some(limit) = limit {
            self.moved(limit)
        } else {
            generated!(::core::unreachable!("a frame is larger than its `MAX`"),)
        };
        let root = self.machine.interface.root_at(decoder.span());
        let refused = if let Some(refused) = refused {
            let refused = refused.expand_error(self.machine, self.state, decoder);
            let (leave, step) = (&self.way_out.leave, format_ident!("{}", self.way_out.step));
            generated_at!(decoder => {
                #leave
                #refused
                return #root::Step::#step;
            })
        } else {
            generated_at!(decoder => #root::NeverRefuses::never(error),)
        };
        let name = &self.read.partial;
        let partial = generated!(__Partial::#name);
        generated_at! { decoder =>
            let taken = match input.frame::<#decoder>(
                #max,
                |partial| match partial {
                    #partial(decoder) => ::core::option::Option::Some(decoder),
                    _ => ::core::option::Option::None,
                },
                #partial,
            ) {
                ::core::result::Result::Ok(taken) => taken,
                ::core::result::Result::Err(#root::NoFrame::Miss(#root::Miss::More)) => #waiting
                ::core::result::Result::Err(#root::NoFrame::Miss(#root::Miss::Limit)) => #limit
                ::core::result::Result::Err(#root::NoFrame::Miss(#root::Miss::Eof)) => #eof
                ::core::result::Result::Err(#root::NoFrame::Error(error)) => #refused
            };
        }
    }
}

/// The bytes of a length that its fields give; one that does not fit its type is over any limit.
fn exact_len(length: &Expr, max: &TokenStream) -> TokenStream {
    let fields = length.scope(&generated!(cx.settings()));
    let value = length.length(Overflow::Fails);
    let taken = generated!({
        #fields
        input.exact_len(#value, #max)
    });
    if length.has_arithmetic() { generated!((|| #taken)()) } else { taken }
}

impl Bound {
    /// The bound as an expression: at least 1, so that a read makes progress.
    fn expand(&self) -> TokenStream {
        let (bound, Some(of)) = (&self.value, &self.of) else { return self.value.clone() };
        let scope = of.scope(&generated!(cx.settings()));
        let value = of.length(Overflow::Saturates);
        generated!({
            #scope
            __rt::__arithmetic::size(#value, #bound)
        })
    }
}

impl Expr {
    /// Binds `length`.
    pub(super) fn bound(&self) -> TokenStream {
        let fields = self.scope(&generated!(cx.settings()));
        let value = self.length(Overflow::Saturates);
        generated! {
            let length = {
                #fields
                #value
            };
        }
    }
}
