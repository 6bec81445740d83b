use proc_macro2::TokenStream;
use syn::Type;
use syn::spanned::Spanned;

use super::arithmetic::Overflow;
use crate::ast::Expr;
use crate::model::{self, Bound, Read, Transition};

/// Binds `taken` to the input that the state waits for, or does what `waiting` says.
pub(crate) fn read(
    machine: &model::Machine,
    state: &model::State,
    read: &Read,
    waiting: &TokenStream,
) -> TokenStream {
    let misses = Misses { machine, state, eof: &read.eof, waiting };
    let (before, taken, misses) = match &read.shape {
        model::Shape::Exact(length) => {
            (None, generated!(input.exact::<#length>()), misses.without_limit())
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
    eof: &'a Transition,
    /// The code for incomplete input.
    waiting: &'a TokenStream,
}

impl Misses<'_> {
    /// The block that makes `transition` and returns.
    fn moved(&self, transition: &Transition) -> TokenStream {
        let transition = transition.expand(self.machine, self.state);
        generated!({
            #transition
            return __Step::Moved;
        })
    }

    fn without_limit(&self) -> TokenStream {
        let (eof, waiting) = (self.moved(self.eof), self.waiting);
        generated! {
            __Err(__Miss::Eof) => #eof
            __Err(_) => #waiting
        }
    }

    fn with_limit(&self, limit: &Transition) -> TokenStream {
        let (eof, waiting) = (self.moved(self.eof), self.waiting);
        // One arm does for both in most machines.
        if limit.leads_as(self.eof) {
            return generated! {
                __Err(__Miss::More) => #waiting
                __Err(_) => #eof
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
        let (eof, waiting) = (self.moved(self.eof), self.waiting);
        let limit = if let Some(limit) = limit {
            self.moved(limit)
        } else {
            generated!(::core::unreachable!("a frame is larger than its `MAX`"),)
        };
        let root = self.machine.interface.root_at(decoder.span());
        let refused = if let Some(refused) = refused {
            let refused = refused.expand_error(self.machine, self.state, decoder);
            generated_at!(decoder => {
                #refused
                return #root::Step::Moved;
            })
        } else {
            generated_at!(decoder => #root::NeverRefuses::never(error),)
        };
        let name = &self.state.name;
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
