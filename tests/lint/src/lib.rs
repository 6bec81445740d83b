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
    message = HashMap<String, self::Fault>,
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
mod tests {
    #![allow(clippy::restriction, missing_docs, unnameable_types, reason = "these are tests")]

    use fsm_runtime::sim::Session;
    use fsm_runtime::{Cx, Machine};

    use super::*;

    #[expect(clippy::zero_sized_map_values, reason = "a type of some length")]
    type News<'a> = Cx<'a, HashMap<String, Fault>>;

    struct Client;

    impl steps::Handler for Client {
        fn line(&mut self, bytes: &[u8], _: &mut News<'_>) -> Result<steps::AfterLine, Fault> {
            Ok(match bytes {
                b"into" => steps::AfterLine::Into,
                b"none" => steps::AfterLine::None,
                b"type" => steps::AfterLine::Type,
                b"exactly" => steps::AfterLine::Exactly {
                    bytes: 7,
                    cx: 2,
                    handler: "h".to_owned(),
                    error: Some(Box::new(Shapes::Line)),
                },
                b"sleepy" => {
                    steps::AfterLine::Sleepy { pause: Duration::from_millis(20), r#type: 3 }
                }
                b"waits" => steps::AfterLine::Waits,
                b"" => return Err(Fault),
                _ => steps::AfterLine::Line,
            })
        }

        fn exactly(
            &mut self,
            bytes: &mut u64,
            _: &mut u8,
            handler: &mut String,
            _: &mut Option<Box<Shapes>>,
            bytes_: &[u8],
            cx: &mut News<'_>,
        ) -> Result<steps::AfterExactly, Fault> {
            write!(cx, "{handler}{}", bytes_.len());
            *bytes += 1;
            Ok(match bytes_[0] {
                b'i' => steps::AfterExactly::Into,
                b'k' => steps::AfterExactly::Kept,
                b'm' => steps::AfterExactly::Moved { taken: 1 },
                _ => steps::AfterExactly::Exactly,
            })
        }

        fn kept(&mut self, _: &mut String, _: &mut News<'_>) -> Result<steps::AfterKept, Fault> {
            Ok(steps::AfterKept::Moved { taken: 2 })
        }

        fn moved(
            &mut self,
            handler: &mut String,
            taken: &mut u8,
            cx: &mut News<'_>,
        ) -> Result<steps::AfterMoved, Fault> {
            write!(cx, "{handler}{taken}");
            Ok(match taken {
                0 => steps::AfterMoved::Into,
                1 => steps::AfterMoved::None,
                2 => steps::AfterMoved::Closed,
                _ => steps::AfterMoved::Type,
            })
        }

        fn into(&mut self, frame: &[u8], _: &mut News<'_>) -> Result<steps::AfterInto, Fault> {
            Ok(if frame == b"x" { steps::AfterInto::Line } else { steps::AfterInto::Into })
        }

        fn none(&mut self, frame: &[u8], _: &mut News<'_>) -> Result<steps::AfterNone, Fault> {
            Ok(if frame == b"x" { steps::AfterNone::Line } else { steps::AfterNone::Slow })
        }

        fn r#type(
            &mut self,
            bytes: &[u8; 16],
            _: &mut News<'_>,
        ) -> Result<steps::AfterType, Fault> {
            let [_, ..] = bytes;
            Ok(steps::AfterType::Line)
        }

        fn dozing(
            &mut self,
            r#type: &mut u8,
            cx: &mut News<'_>,
        ) -> Result<steps::AfterDozing, Fault> {
            let count = *r#type;
            write!(cx, "{count}");
            *r#type -= 1;
            Ok(if *r#type == 0 { steps::AfterDozing::Line } else { steps::AfterDozing::Dozing })
        }

        fn slow(&mut self, cx: &mut News<'_>) -> Result<steps::AfterSlow, Fault> {
            cx.write(&[0; 1000]);
            Ok(if cx.queued() > 3000 { steps::AfterSlow::Closed } else { steps::AfterSlow::Slow })
        }

        fn waits(
            &mut self,
            message: HashMap<String, Fault>,
            _: &mut News<'_>,
        ) -> Result<steps::AfterWaits, Fault> {
            Ok(if message.is_empty() { steps::AfterWaits::Slow } else { steps::AfterWaits::Waits })
        }

        fn refused(
            &mut self,
            error: &mut Fault,
            cx: &mut News<'_>,
        ) -> Result<steps::AfterRefused, Fault> {
            write!(cx, "{error}");
            Ok(steps::AfterRefused::Closed)
        }
    }

    fn session() -> Session<Shapes, Client> {
        Session::new(Client)
    }

    /// Machines with the visibilities of their enums.
    mod outer {
        /// A type with the name of one in the module.
        #[derive(Debug)]
        pub(super) struct Handler;

        pub(super) mod inner {
            use fsm_runtime::state_machine;

            #[state_machine(start = Go)]
            pub(super) enum Upper {
                #[run]
                #[to(Keep)]
                Go,
                #[run]
                #[to(Gone)]
                Keep { data: super::Handler, more: More },
                #[end]
                Gone,
            }

            pub(super) struct More;
        }

        pub(super) struct Client;

        impl inner::upper::Handler for Client {
            fn go(&mut self, _: &mut fsm_runtime::Cx<'_>) -> inner::upper::AfterGo {
                inner::upper::AfterGo::Keep { data: Handler, more: inner::More }
            }

            fn keep(
                &mut self,
                Handler: &mut Handler,
                _: &mut inner::More,
                _: &mut fsm_runtime::Cx<'_>,
            ) -> inner::upper::AfterKeep {
                inner::upper::AfterKeep::Gone
            }
        }

        pub(super) fn steps() -> usize {
            use fsm_runtime::{Machine, sim::Session};
            let peer = Session::<inner::Upper, _>::new(Client);
            assert_eq!(peer.state(), None);
            inner::Upper::SPEC.states.len()
        }
    }

    #[test]
    fn every_shape_runs() {
        let mut peer = session();
        peer.send(b"hello\r\nexactly\r\nxyzi...");
        assert_eq!(peer.state(), Some("Into"));
        peer.send(b"xexactly\r\nzzzz");
        assert_eq!(peer.state(), Some("Exactly"));
        peer.send(b"zzmmm");
        assert_eq!(peer.state(), Some("None"));
        peer.send(b"xtype\r\n0123456789abcdefsleepy\r\n");
        assert_eq!(peer.state(), Some("Sleepy"));
        drop(peer.receive());
        peer.advance(Duration::from_millis(20));
        assert_eq!(peer.state(), Some("Dozing"));
        peer.advance(Duration::from_millis(500));
        peer.advance(Duration::from_millis(500));
        assert_eq!(peer.state(), Some("Dozing"));
        peer.advance(Duration::from_millis(500));
        assert_eq!(peer.state(), Some("Line"));
        assert_eq!(peer.receive(), b"321");
        peer.send(b"\r\n");
        assert_eq!(peer.receive(), b"fault");
        assert_eq!(peer.state(), None);
        assert_eq!(outer::steps(), 3);
    }

    #[test]
    fn a_machine_may_be_local() {
        #[state_machine(start = Talk, eof => Gone)]
        enum Echo {
            /// Sends back all input.
            #[read(some, max = 16KiB, idle = 60s => Gone)]
            #[to(Talk)]
            #[rest]
            Talk,
            #[end]
            Gone,
        }

        struct Client;

        impl echo::Handler for Client {
            fn talk(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> echo::AfterTalk {
                cx.write(bytes);
                echo::AfterTalk::Talk
            }
        }

        let mut peer = Session::<Echo, _>::new(Client);
        peer.send(b"abc");
        assert_eq!(peer.receive(), b"abc");
        assert_eq!(Echo::SPEC.states[0].docs, "Sends back all input.");
    }
}
