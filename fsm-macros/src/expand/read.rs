use proc_macro2::TokenStream;
use syn::Type;
use syn::spanned::Spanned;

use crate::model::{Expr, Machine, Move, Read, State, Take};

/// Binds `bytes` or `frame`, or returns.
pub(crate) fn read(machine: &Machine, state: &State, read: &Read) -> TokenStream {
    let root = &machine.interface.root;
    let moved = |go: &Move| {
        let go = go.expand(machine, state);
        generated!({
            #go
            return #root::Step::Moved;
        })
    };
    let eof = moved(&read.eof);
    let ok = generated!(::core::result::Result::Ok);
    let err = generated!(::core::result::Result::Err);
    let miss = generated!(#root::Miss);
    let unlimited = generated! {
        #err(#miss::Eof) => #eof
        #err(_) => return #root::Step::Read,
    };
    let limited = |limit: &Move| {
        let limit = moved(limit);
        generated! {
            #err(#miss::More) => return #root::Step::Read,
            #err(#miss::Limit) => #limit
            #err(#miss::Eof) => #eof
        }
    };
    let (before, taken, misses) = match &read.take {
        Take::Exact(length) => (None, generated!(input.exact::<#length>()), unlimited),
        Take::ExactOf { length, max, limit } => {
            let (max, length) = (&max.value, length.length(root));
            (Some(length), generated!(input.exact_len(length, #max)), limited(limit))
        }
        Take::Until { delimiter, max, limit } => {
            let max = &max.value;
            (None, generated!(input.until(#delimiter, #max)), limited(limit))
        }
        Take::Some { max } => {
            let max = &max.value;
            (None, generated!(input.some(#max)), unlimited)
        }
        Take::Upto { length, max } => {
            let (max, length) = (&max.value, length.length(root));
            (Some(length), generated!(input.upto(length, #max)), unlimited)
        }
        Take::Frame { decoder, max, limit, error } => {
            let error = error.expand_error(machine, state, decoder);
            return frame(machine, state, (decoder, &max.value), [eof, moved(limit), error]);
        }
    };
    generated! {
        #before
        let taken = match #taken {
            #ok(taken) => taken,
            #misses
        };
    }
}

/// All of it is shown at the decoder: its item and error are everywhere in here.
fn frame(
    machine: &Machine,
    state: &State,
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
                return #root::Step::Read;
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
    fn length(&self, root: &TokenStream) -> TokenStream {
        let (fields, value) = (self.fields(), &self.value);
        generated! {
            let length = {
                #fields
                #root::Length::length(#value)
            };
        }
    }
}
