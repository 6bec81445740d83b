//! Echo, the smallest machine: a server that sends back all input.
//!
//! Start it with `cargo run --release --bin echo_expanded`, then type lines into `nc 127.0.0.1 7007`.

#![allow(unused_imports, unused_qualifications)]

use clap::Parser;
use fsm_examples::Serving;
use fsm_runtime::prelude::*;

// The expansion of the enum in `echo.rs` by `#[state_machine]`, compared by a test.
/// # States
///
/// | state | waits for | within | goes to |
/// |---|---|---|---|
/// | [`Talk`](Echo::Talk) (start) (rest) | `read(some, max = 16KiB)` | 1min idle | [`Talk`](Echo::Talk); [`Gone`](Echo::Gone) on idle, eof |
/// | [`Gone`](Echo::Gone) | `end` |  |  |
#[cfg_attr (doc, doc = ::fsm_runtime::__picture ! ("stateDiagram-v2\n    [*] --> Talk\n    Talk --> Talk\n    Talk --> Gone: idle 1min, eof\n    Gone --> [*]"))]
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
        use ::fsm_runtime::__keywords;
        let _ = [
            __keywords::start,
            __keywords::eof,
            __keywords::read,
            __keywords::some,
            __keywords::max,
            __keywords::idle,
            __keywords::to,
            __keywords::rest,
            __keywords::end,
        ];
        match machine {
            Echo::Talk { .. } | Echo::Gone { .. } | Echo::Talk { .. } | Echo::Gone { .. } | _ => {}
        }
    }
};
/// The handler trait and the verdicts of the machine [`Echo`].
#[allow(clippy::all, clippy::nursery, clippy::pedantic, clippy::restriction)]
mod echo {
    use super::*;
    /// Handles a connection of the machine `Echo`: one method for each state, called when its wait completes.
    pub(super) trait Handler {
        /// Sends back whatever comes.
        ///
        /// Called with the bytes that are there, at most 16KiB. `Gone` follows when the wait does not complete for 1min.
        ///
        /// Verdicts: [`Talk`](AfterTalk::Talk).
        fn talk(&mut self, bytes: &[u8], cx: &mut ::fsm_runtime::Cx<'_>) -> AfterTalk;
    }
    /// The verdicts of the state `Talk`.
    pub(super) enum AfterTalk {
        /// Stay in `Talk`: Sends back whatever comes.
        Talk,
    }
}
#[allow(clippy::all, clippy::nursery, clippy::pedantic, clippy::restriction)]
const _: () = {
    use __rt::{Miss as __Miss, Step as __Step, WaitSet as __WaitSet};
    use ::core::result::Result::{Err as __Err, Ok as __Ok};
    use ::fsm_runtime as __rt;
    use echo::{AfterTalk as __AfterTalk, Handler as __Handler};
    #[automatically_derived]
    impl __rt::Machine for Echo {
        const SPEC: &'static __rt::Spec = {
            use __rt::{Edge, Shape, Spec, Starts, State, Trigger, Wait};
            use ::core::time::Duration;
            &Spec::new(
                "Echo",
                &[
                    State::new(
                        "Talk",
                        &[Wait::Read { shape: Shape::Some, text: "some", max: 16384 }],
                    )
                    .with_docs("Sends back whatever comes.")
                    .with_edges(&[
                        Edge { on: Trigger::Verdict, target: 0 },
                        Edge { on: Trigger::Idle(Duration::from_millis(60000)), target: 1 },
                        Edge { on: Trigger::Eof, target: 1 },
                    ])
                    .at_rest(),
                    State::new("Gone", &[Wait::End])
                        .with_docs("The client has left, or said nothing for a minute."),
                ],
            )
        };
        type Message = __rt::NoMessage;
        type Partial = ();
        type Seed = ();
        type Settings = ();
        type Kind = __rt::Connection;
        type Other = __rt::NoOther;
        type Deadlines = __rt::Deadlines<1>;
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
        fn timer(&self, timer: usize, settings: &()) -> __rt::Timer {
            match self {
                Self::Talk => __rt::Timer::idle(60000),
                _ => __rt::Timer::NEVER,
            }
        }
    }
    #[automatically_derived]
    impl<__H: __Handler> __rt::Drive<__H> for Echo {
        #[inline]
        fn resume(
            &mut self,
            handler: &mut __H,
            input: &mut __rt::Input<'_, ()>,
            cx: &mut __rt::Cx<'_, ::fsm_runtime::NoMessage>,
        ) -> __Step {
            match self {
                Self::Talk => {
                    let taken = match input.some(16384) {
                        __Ok(taken) => taken,
                        __Err(__Miss::Eof) => {
                            cx.edge(2);
                            *self = Self::Gone;
                            return __Step::Moved;
                        }
                        __Err(_) => return __Step::Waiting(__WaitSet::READ),
                    };
                    match __Handler::talk(handler, taken, cx) {
                        __AfterTalk::Talk => {
                            cx.edge(0);
                            __Step::Stayed
                        }
                    }
                }
                Self::Gone => __Step::Done,
            }
        }
        fn expire(
            &mut self,
            timer: usize,
            handler: &mut __H,
            cx: &mut __rt::Cx<'_, ::fsm_runtime::NoMessage>,
        ) -> __Step {
            match self {
                Self::Talk => {
                    *self = Self::Gone;
                    __Step::Moved
                }
                _ => __Step::Stayed,
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

/// Sends back all input
#[derive(Parser)]
#[command(name = "echo", version, after_help = "Try: nc 127.0.0.1 7007")]
struct Options {
    #[command(flatten)]
    serving: Serving<7007>,
}

fn main() -> Result<(), PoolError> {
    let Options { serving } = Options::parse();
    let _log = serving.start_log()?;
    serving.pool(Pool::builder::<Echo>("echo")).handler(|_peer| Client).run()
}
