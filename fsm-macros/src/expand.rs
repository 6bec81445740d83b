//! A [`model`](crate::model) to Rust.
//!
//! Cannot fail. Generated code is spanned `mixed_site`, so that no local of ours meets a field or an
//! expression of the user's.

/// Quotes code whose locals nobody else sees.
macro_rules! generated {
    ($($tokens:tt)*) => {
        ::quote::quote_spanned!(::proc_macro2::Span::mixed_site()=> $($tokens)*)
    };
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
