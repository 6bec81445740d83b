//! Machines with every wait, every kind of edge, and names that could collide with those of
//! generated code, under every lint that a user may deny: no lint fires on generated code.
#![deny(
    warnings,
    future_incompatible,
    keyword_idents,
    let_underscore,
    nonstandard_style,
    refining_impl_trait,
    rust_2018_idioms,
    rust_2021_compatibility,
    rust_2024_compatibility,
    unused,
    absolute_paths_not_starting_with_crate,
    ambiguous_negative_literals,
    closure_returning_async_block,
    deprecated_in_future,
    deref_into_dyn_supertrait,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    ffi_unwind_calls,
    if_let_rescope,
    impl_trait_overcaptures,
    impl_trait_redundant_captures,
    let_underscore_drop,
    macro_use_extern_crate,
    meta_variable_misuse,
    missing_copy_implementations,
    missing_debug_implementations,
    missing_docs,
    missing_unsafe_on_extern,
    non_ascii_idents,
    redundant_imports,
    redundant_lifetimes,
    single_use_lifetimes,
    tail_expr_drop_order,
    trivial_casts,
    trivial_numeric_casts,
    unit_bindings,
    unnameable_types,
    unreachable_pub,
    unsafe_attr_outside_unsafe,
    unsafe_code,
    unsafe_op_in_unsafe_fn,
    unstable_features,
    unused_crate_dependencies,
    unused_extern_crates,
    unused_import_braces,
    unused_lifetimes,
    unused_macro_rules,
    unused_qualifications,
    unused_results,
    variant_size_differences,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::restriction
)]
#![allow(
    clippy::blanket_clippy_restriction_lints,
    clippy::arbitrary_source_item_ordering,
    clippy::implicit_return,
    clippy::pattern_type_mismatch,
    clippy::pub_without_shorthand,
    clippy::single_char_lifetime_names,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::unused_trait_names,
    reason = "what these want, users write otherwise; their opposites are denied too"
)]

pub mod pools;

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::time::Duration;

use fsm_runtime::{Decoded, Frame, state_machine};

/// The longest line.
pub const LINE: usize = 64;
/// The end of a line.
const END: &[u8] = b"\r\n";

/// The error type.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::exhaustive_structs, clippy::allow_attributes, reason = "it stays as it is")]
pub struct Fault;

impl fmt::Display for Fault {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("fault")
    }
}

impl From<Infallible> for Fault {
    #[inline]
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// A decoder.
#[derive(Debug, Default)]
pub struct Short<T>(T);

impl<T: Default + Send + 'static> Frame for Short<T> {
    type Item<'a> = &'a [u8];
    type Error = Infallible;

    #[inline]
    fn decode<'a>(&mut self, input: &'a [u8]) -> Result<Decoded<&'a [u8]>, Infallible> {
        Ok(input.first_chunk::<1>().map_or(Decoded::More(1), |byte| Decoded::Frame(byte, 1)))
    }
}

/// A blanket trait whose methods have the names of states.
pub trait Meddling: Sized {
    /// Has the name of a handler's method.
    #[inline]
    fn line(&mut self) {}
    /// Has the name of a handler's method.
    #[inline]
    fn into(self) {}
}

#[expect(clippy::missing_trait_methods, reason = "there is nothing to do")]
impl<T> Meddling for T {}

/// All waits.
#[state_machine(
    start = Line,
    eof => Closed,
    limit => Closed,
    within = 5min => Closed,
    error = Fault,
    error => Refused,
    refused => Refused,
    message = HashMap<String, Fault>,
    module = steps,
    Often = Line | Rarely,
    Rarely = Into | None | Type,
)]
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a protocol has the states that it has")]
pub enum Shapes {
    /// A line.
    #[read(until = END, max = LINE, idle = 1h => Closed)]
    #[to(Often | Exactly | Sleepy | Waits)]
    #[rest]
    Line,
    /// An exact length.
    #[read(exact = bytes + u64::from(*cx) - (bytes - 1), max = 2 * LINE, eof => Kept)]
    #[to(Exactly | Kept | Into | Moved)]
    Exactly {
        /// Like a parameter.
        bytes: u64,
        /// Like a parameter.
        cx: u8,
        /// Like a local.
        handler: String,
        /// Like a local.
        error: Option<Box<Self>>,
    },
    /// Keeps the field.
    #[flush]
    #[to(Moved)]
    Kept {
        /// Kept.
        #[carry]
        handler: String,
    },
    /// One field is new.
    #[run]
    #[to(Rarely | Closed)]
    Moved {
        /// Kept.
        #[carry]
        handler: String,
        /// New.
        taken: u8,
    },
    /// Named as a method of a trait.
    #[read(frame = Short<HashMap<u8, u8>>, max = 64KiB)]
    #[to(Into | Line)]
    Into,
    /// Named as a variant.
    #[read(frame = Short<u8>, max = 64KiB, within = never)]
    #[to(Line | Slow)]
    None,
    /// Named as a keyword.
    #[read(exact = 0x10)]
    #[to(Line)]
    Type,
    /// Sleeps for a while.
    #[sleep(pause, max = 5min)]
    #[to(Dozing)]
    Sleepy {
        /// The time.
        pause: Duration,
        /// Named as a keyword.
        r#type: u8,
    },
    /// Sleeps again.
    #[sleep(0.5s)]
    #[to(Dozing | Line)]
    Dozing {
        /// Kept.
        #[carry]
        r#type: u8,
    },
    /// Writes much.
    #[writable(below = 64KiB, idle = 30s => Slow, within = 1d => Closed)]
    #[to(Slow | Closed)]
    Slow,
    /// Waits for a message.
    #[message(within = never)]
    #[to(Waits | Slow)]
    #[rest]
    Waits {},
    /// Reports the error.
    #[run(error => Closed)]
    #[to(Closed)]
    Refused {
        /// The error.
        #[error]
        error: Fault,
    },
    /// The end.
    #[end]
    Closed,
}

#[cfg(test)]
mod tests;
