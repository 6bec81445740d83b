//! The expansion.

use super::*;

pub enum Demo {
    /// Waits for the next command line.
    Command,
    Body {
        name: String,
        left: u64,
    },
    Stored {
        name: String,
    },
    Napping,
    Refused {
        why: Refusal,
    },
    TooLong,
    Bye,
    Closed,
}

/// The methods that the machine [`Demo`] needs of its handler.
pub mod demo {
    #[allow(unused_imports)]
    use super::*;

    pub trait Handler {
        /// Waits for the next command line.
        fn command(
            &mut self,
            bytes: &[u8],
            cx: &mut ::fsm_runtime::Cx<'_>,
        ) -> ::core::result::Result<AfterCommand, Refusal>;

        fn body(
            &mut self,
            name: &mut String,
            left: &mut u64,
            bytes: &[u8],
            cx: &mut ::fsm_runtime::Cx<'_>,
        ) -> ::core::result::Result<AfterBody, Refusal>;

        fn stored(
            &mut self,
            name: &mut String,
            cx: &mut ::fsm_runtime::Cx<'_>,
        ) -> ::core::result::Result<AfterStored, Refusal>;

        fn napping(
            &mut self,
            cx: &mut ::fsm_runtime::Cx<'_>,
        ) -> ::core::result::Result<AfterNapping, Refusal> {
            let _ = cx;
            ::core::result::Result::Ok(AfterNapping::Command)
        }

        fn refused(
            &mut self,
            why: &mut Refusal,
            cx: &mut ::fsm_runtime::Cx<'_>,
        ) -> ::core::result::Result<AfterRefused, Refusal>;

        fn too_long(
            &mut self,
            cx: &mut ::fsm_runtime::Cx<'_>,
        ) -> ::core::result::Result<AfterTooLong, Refusal>;

        fn bye(
            &mut self,
            cx: &mut ::fsm_runtime::Cx<'_>,
        ) -> ::core::result::Result<AfterBye, Refusal> {
            let _ = cx;
            ::core::result::Result::Ok(AfterBye::Closed)
        }
    }

    pub enum AfterCommand {
        Command,
        Body { name: String, left: u64 },
        Bye,
        Napping,
    }

    pub enum AfterBody {
        Body,
        Stored,
    }

    pub enum AfterStored {
        Command,
    }

    pub enum AfterNapping {
        Command,
    }

    pub enum AfterRefused {
        Bye,
    }

    pub enum AfterTooLong {
        Bye,
    }

    pub enum AfterBye {
        Closed,
    }
}

impl ::fsm_runtime::Machine for Demo {
    const SPEC: &'static ::fsm_runtime::Spec = {
        use ::core::time::Duration;
        use ::fsm_runtime::{Edge, Shape, Spec, State, Trigger, Wait};
        const REFUSED: Edge = Edge { on: Trigger::Error, target: 4 };
        &Spec::new(
            "Demo",
            &[
                State::new(
                    "Command",
                    &[Wait::Read { shape: Shape::Until, text: "until = b\"\\r\\n\"", max: 64 }],
                )
                .with_docs("Waits for the next command line.")
                .with_edges(&[
                    Edge { on: Trigger::Verdict, target: 0 },
                    Edge { on: Trigger::Verdict, target: 1 },
                    Edge { on: Trigger::Verdict, target: 6 },
                    Edge { on: Trigger::Verdict, target: 3 },
                    Edge { on: Trigger::Idle(Duration::from_millis(300_000)), target: 7 },
                    Edge { on: Trigger::Eof, target: 7 },
                    Edge { on: Trigger::Limit, target: 5 },
                    REFUSED,
                ])
                .at_rest(),
                State::new(
                    "Body",
                    &[Wait::Read { shape: Shape::Upto, text: "upto = left", max: 16_384 }],
                )
                .with_edges(&[
                    Edge { on: Trigger::Verdict, target: 1 },
                    Edge { on: Trigger::Verdict, target: 2 },
                    Edge { on: Trigger::Within(Duration::from_millis(10_000)), target: 7 },
                    Edge { on: Trigger::Eof, target: 7 },
                    REFUSED,
                ])
                .with_fields(&["name", "left"]),
                State::new("Stored", &[Wait::Run { blocking: false }])
                    .with_edges(&[Edge { on: Trigger::Verdict, target: 0 }, REFUSED])
                    .with_fields(&["name"]),
                State::new("Napping", &[Wait::Sleep { at_most: Duration::from_millis(100) }])
                    .with_edges(&[Edge { on: Trigger::Verdict, target: 0 }, REFUSED]),
                State::new("Refused", &[Wait::Run { blocking: false }])
                    .with_edges(&[
                        Edge { on: Trigger::Verdict, target: 6 },
                        Edge { on: Trigger::Error, target: 7 },
                    ])
                    .with_fields(&["why"]),
                State::new("TooLong", &[Wait::Run { blocking: false }])
                    .with_edges(&[Edge { on: Trigger::Verdict, target: 6 }, REFUSED]),
                State::new("Bye", &[Wait::Flush]).with_edges(&[
                    Edge { on: Trigger::Verdict, target: 7 },
                    Edge { on: Trigger::Within(Duration::from_millis(5_000)), target: 7 },
                    REFUSED,
                ]),
                State::new("Closed", &[Wait::End]),
            ],
        )
    };

    type Message = ::fsm_runtime::NoMessage;
    type Partial = ();
    type Seed = ();
    type Settings = ();
    type Kind = ::fsm_runtime::Connection;
    type Other = ::fsm_runtime::NoOther;
    type Deadlines = ::fsm_runtime::Deadlines<1>;

    #[inline]
    fn start((): ()) -> Self {
        Self::Command
    }

    #[inline]
    fn state(&self) -> usize {
        match self {
            Self::Command => 0,
            Self::Body { .. } => 1,
            Self::Stored { .. } => 2,
            Self::Napping => 3,
            Self::Refused { .. } => 4,
            Self::TooLong => 5,
            Self::Bye => 6,
            Self::Closed => 7,
        }
    }

    #[inline]
    fn timer(&self, _: usize, (): &()) -> ::fsm_runtime::Timer {
        match self {
            Self::Command => ::fsm_runtime::Timer::idle(300_000),
            Self::Body { .. } => ::fsm_runtime::Timer::within(10_000),
            Self::Napping => ::fsm_runtime::Timer::within(100),
            Self::Bye => ::fsm_runtime::Timer::within(5_000),
            _ => ::fsm_runtime::Timer::NEVER,
        }
    }
}

impl<__H: demo::Handler> ::fsm_runtime::Drive<__H> for Demo {
    #[inline]
    fn resume(
        &mut self,
        handler: &mut __H,
        input: &mut ::fsm_runtime::Input<'_, Self::Partial>,
        cx: &mut ::fsm_runtime::Cx<'_, Self::Message>,
    ) -> ::fsm_runtime::Step {
        match self {
            Self::Command => {
                let bytes = match input.until(b"\r\n", 64) {
                    ::core::result::Result::Ok(bytes) => bytes,
                    ::core::result::Result::Err(::fsm_runtime::Miss::More) => {
                        return ::fsm_runtime::Step::Waiting(::fsm_runtime::WaitSet::READ);
                    }
                    ::core::result::Result::Err(::fsm_runtime::Miss::Limit) => {
                        cx.edge(6);
                        *self = Self::TooLong;
                        return ::fsm_runtime::Step::Moved;
                    }
                    ::core::result::Result::Err(::fsm_runtime::Miss::Eof) => {
                        cx.edge(5);
                        *self = Self::Closed;
                        return ::fsm_runtime::Step::Moved;
                    }
                };
                match handler.command(bytes, cx) {
                    ::core::result::Result::Ok(demo::AfterCommand::Command) => {
                        cx.edge(0);
                        ::fsm_runtime::Step::Stayed
                    }
                    ::core::result::Result::Ok(demo::AfterCommand::Body { name, left }) => {
                        cx.edge(1);
                        *self = Self::Body { name, left };
                        ::fsm_runtime::Step::Moved
                    }
                    ::core::result::Result::Ok(demo::AfterCommand::Bye) => {
                        cx.edge(2);
                        *self = Self::Bye;
                        ::fsm_runtime::Step::Moved
                    }
                    ::core::result::Result::Ok(demo::AfterCommand::Napping) => {
                        cx.edge(3);
                        *self = Self::Napping;
                        ::fsm_runtime::Step::Moved
                    }
                    ::core::result::Result::Err(error) => {
                        let error = ::core::convert::From::from(error);
                        cx.edge(7);
                        *self = Self::Refused { why: error };
                        ::fsm_runtime::Step::Moved
                    }
                }
            }
            Self::Body { name, left } => {
                let limit = {
                    let left = &*left;
                    ::fsm_runtime::Length::length(left)
                };
                let bytes = match input.upto(limit, 16_384) {
                    ::core::result::Result::Ok(bytes) => bytes,
                    ::core::result::Result::Err(::fsm_runtime::Miss::Eof) => {
                        cx.edge(11);
                        *self = Self::Closed;
                        return ::fsm_runtime::Step::Moved;
                    }
                    ::core::result::Result::Err(_) => {
                        return ::fsm_runtime::Step::Waiting(::fsm_runtime::WaitSet::READ);
                    }
                };
                match handler.body(name, left, bytes, cx) {
                    ::core::result::Result::Ok(demo::AfterBody::Body) => {
                        cx.edge(8);
                        ::fsm_runtime::Step::Stayed
                    }
                    ::core::result::Result::Ok(demo::AfterBody::Stored) => {
                        cx.edge(9);
                        if let Self::Body { name, .. } = ::core::mem::replace(self, Self::Closed) {
                            *self = Self::Stored { name };
                        }
                        ::fsm_runtime::Step::Moved
                    }
                    ::core::result::Result::Err(error) => {
                        let error = ::core::convert::From::from(error);
                        cx.edge(12);
                        *self = Self::Refused { why: error };
                        ::fsm_runtime::Step::Moved
                    }
                }
            }
            Self::Stored { name } => match handler.stored(name, cx) {
                ::core::result::Result::Ok(demo::AfterStored::Command) => {
                    cx.edge(13);
                    *self = Self::Command;
                    ::fsm_runtime::Step::Moved
                }
                ::core::result::Result::Err(error) => {
                    let error = ::core::convert::From::from(error);
                    cx.edge(14);
                    *self = Self::Refused { why: error };
                    ::fsm_runtime::Step::Moved
                }
            },
            Self::Napping => ::fsm_runtime::Step::Waiting(::fsm_runtime::WaitSet::TIMER),
            Self::Refused { why } => match handler.refused(why, cx) {
                ::core::result::Result::Ok(demo::AfterRefused::Bye) => {
                    cx.edge(17);
                    *self = Self::Bye;
                    ::fsm_runtime::Step::Moved
                }
                ::core::result::Result::Err(error) => {
                    cx.failed("Refused", &error);
                    cx.edge(18);
                    *self = Self::Closed;
                    ::fsm_runtime::Step::Moved
                }
            },
            Self::TooLong => match handler.too_long(cx) {
                ::core::result::Result::Ok(demo::AfterTooLong::Bye) => {
                    cx.edge(19);
                    *self = Self::Bye;
                    ::fsm_runtime::Step::Moved
                }
                ::core::result::Result::Err(error) => {
                    let error = ::core::convert::From::from(error);
                    cx.edge(20);
                    *self = Self::Refused { why: error };
                    ::fsm_runtime::Step::Moved
                }
            },
            Self::Bye => {
                if cx.queued() > 0 {
                    return ::fsm_runtime::Step::Waiting(::fsm_runtime::WaitSet::writable(1));
                }
                match handler.bye(cx) {
                    ::core::result::Result::Ok(demo::AfterBye::Closed) => {
                        cx.edge(21);
                        *self = Self::Closed;
                        ::fsm_runtime::Step::Moved
                    }
                    ::core::result::Result::Err(error) => {
                        let error = ::core::convert::From::from(error);
                        cx.edge(23);
                        *self = Self::Refused { why: error };
                        ::fsm_runtime::Step::Moved
                    }
                }
            }
            Self::Closed => ::fsm_runtime::Step::Done,
        }
    }

    fn expire(
        &mut self,
        _: usize,
        handler: &mut __H,
        cx: &mut ::fsm_runtime::Cx<'_, Self::Message>,
    ) -> ::fsm_runtime::Step {
        match self {
            this @ Self::Command => {
                *this = Self::Closed;
                ::fsm_runtime::Step::Moved
            }
            this @ Self::Body { .. } => {
                *this = Self::Closed;
                ::fsm_runtime::Step::Moved
            }
            this @ Self::Napping => match handler.napping(cx) {
                ::core::result::Result::Ok(demo::AfterNapping::Command) => {
                    cx.edge(15);
                    *this = Self::Command;
                    ::fsm_runtime::Step::Moved
                }
                ::core::result::Result::Err(error) => {
                    let error = ::core::convert::From::from(error);
                    cx.edge(16);
                    *this = Self::Refused { why: error };
                    ::fsm_runtime::Step::Moved
                }
            },
            this @ Self::Bye => {
                *this = Self::Closed;
                ::fsm_runtime::Step::Moved
            }
            _ => ::fsm_runtime::Step::Stayed,
        }
    }
}
