// cargo run --release --bin echo_expanded, then: nc 127.0.0.1 7007
//! Sends back whatever comes: the smallest machine.

use fsm_runtime::prelude::*;

// What `#[state_machine]` makes of the enum in `echo.rs`, compared by a test.
/// # States
///
/// | state | waits for | within | goes to |
/// |---|---|---|---|
/// | [`Talk`](Echo::Talk) (start) (rest) | `read(some, max = 16KiB)` | 1min idle | [`Talk`](Echo::Talk); [`Gone`](Echo::Gone) on idle, eof |
/// | [`Gone`](Echo::Gone) | `end` |  |  |
#[cfg_attr (doc , doc = :: fsm_runtime :: __picture ! ("stateDiagram-v2\n    [*] --> Talk\n    Talk --> Talk\n    Talk --> Gone: idle 1min, eof\n    Gone --> [*]"))]
enum Echo {
    /// Sends back whatever comes.
    Talk,
    /// The client has left, or said nothing for a minute.
    Gone,
}
#[allow(unexpected_cfgs)]
const _: () = {
    #[cfg(rust_analyzer)]
    const fn names(machine: Echo) {
        let _ = [
            ::fsm_runtime::__words::start,
            ::fsm_runtime::__words::eof,
            ::fsm_runtime::__words::read,
            ::fsm_runtime::__words::some,
            ::fsm_runtime::__words::max,
            ::fsm_runtime::__words::idle,
            ::fsm_runtime::__words::to,
            ::fsm_runtime::__words::rest,
            ::fsm_runtime::__words::end,
        ];
        match machine {
            Echo::Talk { .. } => {}
            Echo::Gone { .. } => {}
            Echo::Talk { .. } => {}
            Echo::Gone { .. } => {}
            _ => {}
        }
    }
};
/// What the machine [`Echo`] asks of its handler.
#[allow(
    clippy::all,
    clippy::nursery,
    clippy::pedantic,
    clippy::restriction,
    missing_copy_implementations,
    missing_debug_implementations,
    variant_size_differences,
    elided_lifetimes_in_paths,
    deprecated,
    private_interfaces,
    unused_qualifications,
    unnameable_types,
    unreachable_pub,
    unused_variables
)]
mod echo {
    #[allow(unused_imports)]
    use super::*;
    /// Handles a connection of the machine `Echo`: one method for each state, called when what the state waits for has come.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` does not handle the machine `Echo`",
        label = "`echo::Handler` is not implemented for `{Self}`"
    )]
    pub(super) trait Handler {
        /// Sends back whatever comes.
        ///
        /// Called with what has come, at most 16KiB. `Gone` follows when that has not come for 1min.
        ///
        /// Verdicts: [`Talk`](AfterTalk::Talk).
        fn talk(&mut self, bytes: &[u8], cx: &mut ::fsm_runtime::Cx<'_>) -> AfterTalk;
    }
    /// What may follow the state `Talk`.
    pub(super) enum AfterTalk {
        /// Stay in `Talk`: Sends back whatever comes.
        Talk,
    }
}
#[allow(
    clippy::all,
    clippy::nursery,
    clippy::pedantic,
    clippy::restriction,
    missing_copy_implementations,
    missing_debug_implementations,
    variant_size_differences,
    elided_lifetimes_in_paths,
    deprecated,
    private_interfaces,
    unused_qualifications,
    unnameable_types,
    unreachable_pub,
    unused_variables
)]
const _: () = {
    use echo::{AfterTalk as __AfterTalk, Handler as __Handler};
    #[automatically_derived]
    impl ::fsm_runtime::Machine for Echo {
        const SPEC: &'static ::fsm_runtime::Spec = &::fsm_runtime::Spec {
            name: "Echo",
            docs: "",
            start: 0,
            messages: false,
            starts: ::fsm_runtime::Starts::Connection,
            states: &[
                ::fsm_runtime::State {
                    name: "Talk",
                    docs: "Sends back whatever comes.",
                    wait: ::fsm_runtime::Wait::Read {
                        shape: ::fsm_runtime::Shape::Some,
                        text: "some",
                        max: 16384,
                    },
                    edges: &[
                        ::fsm_runtime::Edge { on: ::fsm_runtime::On::Verdict, target: 0 },
                        ::fsm_runtime::Edge {
                            on: ::fsm_runtime::On::Idle(::core::time::Duration::from_millis(60000)),
                            target: 1,
                        },
                        ::fsm_runtime::Edge { on: ::fsm_runtime::On::Eof, target: 1 },
                    ],
                    rest: true,
                    fields: &[],
                },
                ::fsm_runtime::State {
                    name: "Gone",
                    docs: "The client has left, or said nothing for a minute.",
                    wait: ::fsm_runtime::Wait::End,
                    edges: &[],
                    rest: false,
                    fields: &[],
                },
            ],
        };
        type Message = ::fsm_runtime::NoMessage;
        type Partial = ();
        type Seed = ();
        type Side = ::fsm_runtime::Connection;
        type Times = ::fsm_runtime::OneTime;
        #[inline]
        fn start((): ()) -> Self {
            Self::Talk
        }
        #[inline]
        fn state(&self) -> usize {
            match self {
                Self::Talk => 0,
                Self::Gone => 1,
            }
        }
        #[inline]
        fn timing(&self) -> ::fsm_runtime::Timing {
            match self {
                Self::Talk => {
                    ::fsm_runtime::Timing { within: ::fsm_runtime::Timing::NEVER, idle: 60000 }
                }
                Self::Gone => ::fsm_runtime::Timing {
                    within: ::fsm_runtime::Timing::NEVER,
                    idle: ::fsm_runtime::Timing::NEVER,
                },
            }
        }
    }
    #[automatically_derived]
    impl<__H: __Handler> ::fsm_runtime::Drive<__H> for Echo {
        #[inline]
        fn resume(
            &mut self,
            handler: &mut __H,
            input: &mut ::fsm_runtime::Input<'_, ()>,
            cx: &mut ::fsm_runtime::Cx<'_, ::fsm_runtime::NoMessage>,
        ) -> ::fsm_runtime::Step {
            match self {
                Self::Talk => {
                    let taken = match input.some(16384) {
                        ::core::result::Result::Ok(taken) => taken,
                        ::core::result::Result::Err(::fsm_runtime::Miss::Eof) => {
                            *self = Self::Gone;
                            return ::fsm_runtime::Step::Moved;
                        }
                        ::core::result::Result::Err(_) => return ::fsm_runtime::Step::Read,
                    };
                    match __Handler::talk(handler, taken, cx) {
                        __AfterTalk::Talk => ::fsm_runtime::Step::Stayed,
                    }
                }
                Self::Gone => ::fsm_runtime::Step::End,
            }
        }
        fn lapse(
            &mut self,
            lapse: ::fsm_runtime::Lapse,
            handler: &mut __H,
            cx: &mut ::fsm_runtime::Cx<'_, ::fsm_runtime::NoMessage>,
        ) -> ::fsm_runtime::Step {
            match lapse {
                ::fsm_runtime::Lapse::Within => ::fsm_runtime::Step::Stayed,
                ::fsm_runtime::Lapse::Idle => match self {
                    Self::Talk => {
                        *self = Self::Gone;
                        ::fsm_runtime::Step::Moved
                    }
                    _ => ::fsm_runtime::Step::Stayed,
                },
            }
        }
    }
};

struct Client;

impl echo::Handler for Client {
    fn talk(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> echo::AfterTalk {
        cx.write(bytes);
        echo::AfterTalk::Talk
    }
}

fn main() -> Result<(), PoolError> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:7007".to_owned());
    Pool::builder::<Echo>("echo").listen(address).handler(|_peer| Client).run()
}
