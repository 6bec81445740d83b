//! A [`model`](crate::model) to Rust.
//!
//! Cannot fail. Generated code is spanned `mixed_site`, so that no local of ours meets a field or
//! an expression of the user's.

/// Quotes code whose locals nobody else sees.
macro_rules! generated {
    ($($tokens:tt)*) => {
        ::quote::quote_spanned!(::proc_macro2::Span::mixed_site()=> $($tokens)*)
    };
}

/// The same, shown to the user at the tokens `place` if rustc has something to say about it.
macro_rules! generated_at {
    ($place:expr => $($tokens:tt)*) => {{
        let place = ::syn::spanned::Spanned::span(&$place);
        ::quote::quote_spanned!(::proc_macro2::Span::mixed_site().located_at(place)=> $($tokens)*)
    }};
}

mod drive;
mod lints;
mod machine;
mod module;
mod moves;
mod read;
mod scope;
#[cfg(test)]
mod snapshot;
mod spec;

use proc_macro2::TokenStream;

pub(crate) use self::lints::lints;
pub(crate) use self::module::module;
use crate::model::Machine;

/// The impls and the module beside the user's enum.
pub(crate) fn expand(machine: &Machine) -> TokenStream {
    let mut tokens = module(&machine.interface);
    tokens.extend(machine::machine(machine));
    tokens.extend(drive::drive(machine));
    tokens
}
