use proc_macro2::TokenStream;
use syn::Type;
use syn::spanned::Spanned;

use crate::ast::Expr;
use crate::model::{self, Read, Take, Transition};

/// Binds `bytes` or `frame`, or returns.
pub(crate) fn read(machine: &model::Machine, state: &model::State, read: &Read) -> TokenStream {
    let moved = |transition: &Transition| {
        let transition = transition.expand(machine, state);
        generated!({
            #transition
            return __Step::Moved;
        })
    };
    let eof = moved(&read.eof);
    let unlimited = |eof: &TokenStream| {
        generated! {
            __Err(__Miss::Eof) => #eof
            __Err(_) => return __Step::Waiting(__WaitSet::READ),
        }
    };
    let limited = |limit: &Transition, eof: &TokenStream| {
        // Most machines give up on both in one way.
        if limit.leads_as(&read.eof) {
            return generated! {
                __Err(__Miss::More) => return __Step::Waiting(__WaitSet::READ),
                __Err(_) => #eof
            };
        }
        let limit = moved(limit);
        generated! {
            __Err(__Miss::More) => return __Step::Waiting(__WaitSet::READ),
            __Err(__Miss::Limit) => #limit
            __Err(__Miss::Eof) => #eof
        }
    };
    let (before, taken, misses) = match &read.take {
        Take::Exact(length) => (None, generated!(input.exact::<#length>()), unlimited(&eof)),
        Take::ExactOf { length, max, limit } => {
            let (max, length) = (&max.value, length.length());
            (Some(length), generated!(input.exact_len(length, #max)), limited(limit, &eof))
        }
        Take::Until { delimiter, max, limit } => {
            let max = &max.value;
            (None, generated!(input.until(#delimiter, #max)), limited(limit, &eof))
        }
        Take::Some { max } => {
            let max = &max.value;
            (None, generated!(input.some(#max)), unlimited(&eof))
        }
        Take::Upto { length, max } => {
            let (max, length) = (&max.value, length.length());
            (Some(length), generated!(input.upto(length, #max)), unlimited(&eof))
        }
        Take::Frame { decoder, max, limit, error } => {
            let error = error.expand_error(machine, state, decoder);
            return frame(machine, state, (decoder, &max.value), [eof, moved(limit), error]);
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

/// All of it is shown at the decoder: its item and error are everywhere in here.
fn frame(
    machine: &model::Machine,
    state: &model::State,
    (decoder, max): (&Type, &TokenStream),
    [eof, limit, error]: [TokenStream; 3],
) -> TokenStream {
    let interface = &machine.interface;
    let name = &state.name;
    let root = interface.root_at(decoder.span());
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
            ::core::result::Result::Err(#root::NoFrame::Miss(#root::Miss::More)) => {
                return #root::Step::Waiting(#root::WaitSet::READ);
            }
            ::core::result::Result::Err(#root::NoFrame::Miss(#root::Miss::Limit)) => #limit
            ::core::result::Result::Err(#root::NoFrame::Miss(#root::Miss::Eof)) => #eof
            ::core::result::Result::Err(#root::NoFrame::Error(error)) => {
                #error
                return #root::Step::Moved;
            }
        };
    }
}

impl Expr {
    /// Binds `length`.
    fn length(&self) -> TokenStream {
        let (fields, value) = (self.fields(), &self.value);
        generated! {
            let length = {
                #fields
                __rt::Length::length(#value)
            };
        }
    }
}
