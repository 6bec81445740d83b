use proc_macro2::TokenStream;
use quote::{ToTokens, quote_spanned};
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
            let (module, name, max) = (&machine.interface.module, &state.name, &max.value);
            let partial = generated!(#module::Partial::#name);
            let error = error.expand_error(machine, state);
            let limit = moved(limit);
            let frame = generated! {
                input.frame::<#decoder>(
                    #max,
                    |partial| match partial {
                        #partial(decoder) => ::core::option::Option::Some(decoder),
                        _ => ::core::option::Option::None,
                    },
                    #partial,
                )
            };
            let misses = generated! {
                #err(#root::NoFrame::Miss(#miss::More)) => return #root::Step::Read,
                #err(#root::NoFrame::Miss(#miss::Limit)) => #limit
                #err(#root::NoFrame::Miss(#miss::Eof)) => #eof
                #err(#root::NoFrame::Error(error)) => {
                    #error
                    return #root::Step::Moved;
                }
            };
            (None, frame, misses)
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

impl Expr {
    /// Binds `length`.
    fn length(&self, root: &TokenStream) -> TokenStream {
        let value = self.borrowed();
        let span = self.value.to_token_stream().span();
        let length = quote_spanned!(span=> #root::Length::length);
        generated!(let length = #length(#value);)
    }
}
