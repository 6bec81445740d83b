//! A machine that waits for several things at once, expanded by hand.
//!
//! ```text
//! #[state_machine(start = Room, message = Arc<str>, eof => Gone)]
//! pub enum Chat {
//!     #[read(until = b"\n", max = 64, limit => TooLong, begun = 10s => Gone, idle = 60s => Gone)]
//!     #[message]
//!     #[tick(20s)]
//!     #[to(Room | Gone)]
//!     #[rest(drain => Bye)]
//!     Room,
//!     #[discard(until = b"\n", within = 10s => Gone)]
//!     #[to(Room)]
//!     TooLong,
//!     #[run]
//!     #[to(Hush)]
//!     Bye,
//!     #[shutdown(within = 5s => Gone)]
//!     #[to(Last)]
//!     Hush,
//!     #[read(some, max = 1KiB, within = 5s => Gone)]
//!     #[to(Last)]
//!     Last,
//!     #[end]
//!     Gone,
//! }
//! ```

use std::sync::Arc;
use std::time::Duration;

use fsm_runtime::{
    Cx, Deadlines, Drive, Edge, Input, Machine, Miss, Shape, Spec, State, Step, Timer, Trigger,
    Wait, WaitSet,
};

#[path = "../shared/chat.rs"]
mod behaviour;

pub enum Chat {
    Room,
    TooLong,
    Bye,
    Hush,
    Last,
    Gone,
}

pub mod chat {
    use super::*;

    pub trait Handler {
        fn room(&mut self, bytes: &[u8], cx: &mut Cx<'_, Arc<str>>) -> AfterRoom;
        fn room_message(&mut self, message: Arc<str>, cx: &mut Cx<'_, Arc<str>>) -> AfterRoom;
        fn room_tick(&mut self, cx: &mut Cx<'_, Arc<str>>) -> AfterRoom;
        fn too_long(&mut self, cx: &mut Cx<'_, Arc<str>>) -> AfterTooLong {
            let _ = cx;
            AfterTooLong::Room
        }
        fn bye(&mut self, cx: &mut Cx<'_, Arc<str>>) -> AfterBye;
        fn hush(&mut self, cx: &mut Cx<'_, Arc<str>>) -> AfterHush {
            let _ = cx;
            AfterHush::Last
        }
        fn last(&mut self, bytes: &[u8], cx: &mut Cx<'_, Arc<str>>) -> AfterLast;
    }

    pub enum AfterRoom {
        Room,
        Gone,
    }
    pub enum AfterTooLong {
        Room,
    }
    pub enum AfterBye {
        Hush,
    }
    pub enum AfterHush {
        Last,
    }
    pub enum AfterLast {
        Last,
    }
}

use chat::{AfterBye, AfterHush, AfterLast, AfterRoom, AfterTooLong};

impl Machine for Chat {
    const SPEC: &'static Spec = &Spec::new(
        "Chat",
        &[
            State::new(
                "Room",
                &[
                    Wait::Read { shape: Shape::Until, text: "until = b\"\\n\"", max: 64 },
                    Wait::Message,
                    Wait::Tick { every: Duration::from_secs(20) },
                ],
            )
            .with_edges(&[
                Edge { on: Trigger::Verdict, target: 0 },
                Edge { on: Trigger::Verdict, target: 5 },
                Edge { on: Trigger::Idle(Duration::from_secs(60)), target: 5 },
                Edge { on: Trigger::Begun(Duration::from_secs(10)), target: 5 },
                Edge { on: Trigger::Eof, target: 5 },
                Edge { on: Trigger::Limit, target: 1 },
                Edge { on: Trigger::Drain, target: 2 },
            ])
            .at_rest(),
            State::new(
                "TooLong",
                &[Wait::Discard { shape: Shape::Until, text: "until = b\"\\n\"" }],
            )
            .with_edges(&[
                Edge { on: Trigger::Verdict, target: 0 },
                Edge { on: Trigger::Within(Duration::from_secs(10)), target: 5 },
                Edge { on: Trigger::Eof, target: 5 },
            ]),
            State::new("Bye", &[Wait::Run { blocking: false }])
                .with_edges(&[Edge { on: Trigger::Verdict, target: 3 }]),
            State::new("Hush", &[Wait::Shutdown]).with_edges(&[
                Edge { on: Trigger::Verdict, target: 4 },
                Edge { on: Trigger::Within(Duration::from_secs(5)), target: 5 },
            ]),
            State::new("Last", &[Wait::Read { shape: Shape::Some, text: "some", max: 1024 }])
                .with_edges(&[
                    Edge { on: Trigger::Verdict, target: 4 },
                    Edge { on: Trigger::Within(Duration::from_secs(5)), target: 5 },
                    Edge { on: Trigger::Eof, target: 5 },
                ]),
            State::new("Gone", &[Wait::End]),
        ],
    )
    .with_messages();

    type Message = Arc<str>;
    type Partial = ();
    type Seed = ();
    type Settings = ();
    type Kind = fsm_runtime::Connection;
    type Other = fsm_runtime::NoOther;
    type Deadlines = Deadlines<3>;

    fn start((): ()) -> Self {
        Self::Room
    }

    fn state(&self) -> usize {
        match self {
            Self::Room => 0,
            Self::TooLong => 1,
            Self::Bye => 2,
            Self::Hush => 3,
            Self::Last => 4,
            Self::Gone => 5,
        }
    }

    fn timer(&self, timer: usize, (): &()) -> Timer {
        match timer {
            0 => match self {
                Self::Room => Timer::idle(60_000),
                Self::TooLong => Timer::within(10_000),
                Self::Hush | Self::Last => Timer::within(5_000),
                _ => Timer::NEVER,
            },
            1 => match self {
                Self::Room => Timer::begun(10_000),
                _ => Timer::NEVER,
            },
            _ => match self {
                Self::Room => Timer::tick(20_000),
                _ => Timer::NEVER,
            },
        }
    }
}

impl<H: chat::Handler> Drive<H> for Chat {
    fn resume(
        &mut self,
        handler: &mut H,
        input: &mut Input<'_, ()>,
        cx: &mut Cx<'_, Arc<str>>,
    ) -> Step {
        match self {
            Self::Room => {
                let message = 'message: {
                    if let Some(message) = cx.message_after_input() {
                        break 'message message;
                    }
                    let taken = match input.until(b"\n", 64) {
                        Ok(taken) => taken,
                        Err(Miss::More) => match cx.message_instead() {
                            Some(message) => break 'message message,
                            None => return Step::Waiting(WaitSet::READ | WaitSet::MESSAGE),
                        },
                        Err(Miss::Limit) => {
                            *self = Self::TooLong;
                            return Step::Moved;
                        }
                        Err(Miss::Eof) => {
                            *self = Self::Gone;
                            return Step::Moved;
                        }
                    };
                    cx.input_taken();
                    return match chat::Handler::room(handler, taken, cx) {
                        AfterRoom::Room => Step::Stayed,
                        AfterRoom::Gone => {
                            *self = Self::Gone;
                            Step::Moved
                        }
                    };
                };
                match chat::Handler::room_message(handler, message, cx) {
                    AfterRoom::Room => Step::Continued,
                    AfterRoom::Gone => {
                        *self = Self::Gone;
                        Step::Moved
                    }
                }
            }
            Self::TooLong => {
                match input.discard_until(b"\n") {
                    Ok(()) => {}
                    Err(Miss::Eof) => {
                        *self = Self::Gone;
                        return Step::Moved;
                    }
                    Err(_) => return Step::Waiting(WaitSet::READ),
                }
                match chat::Handler::too_long(handler, cx) {
                    AfterTooLong::Room => {
                        *self = Self::Room;
                        Step::Moved
                    }
                }
            }
            Self::Bye => match chat::Handler::bye(handler, cx) {
                AfterBye::Hush => {
                    *self = Self::Hush;
                    Step::Moved
                }
            },
            Self::Hush => {
                if cx.queued() > 0 {
                    return Step::Waiting(WaitSet::writable(1));
                }
                if !cx.is_shut() {
                    return Step::Waiting(WaitSet::SHUTDOWN);
                }
                match chat::Handler::hush(handler, cx) {
                    AfterHush::Last => {
                        *self = Self::Last;
                        Step::Moved
                    }
                }
            }
            Self::Last => {
                let taken = match input.some(1024) {
                    Ok(taken) => taken,
                    Err(Miss::Eof) => {
                        *self = Self::Gone;
                        return Step::Moved;
                    }
                    Err(_) => return Step::Waiting(WaitSet::READ),
                };
                match chat::Handler::last(handler, taken, cx) {
                    AfterLast::Last => Step::Stayed,
                }
            }
            Self::Gone => Step::Done,
        }
    }

    fn expire(&mut self, timer: usize, handler: &mut H, cx: &mut Cx<'_, Arc<str>>) -> Step {
        if let (2, Self::Room) = (timer, &*self) {
            return match chat::Handler::room_tick(handler, cx) {
                AfterRoom::Room => Step::Stayed,
                AfterRoom::Gone => {
                    *self = Self::Gone;
                    Step::Moved
                }
            };
        }
        *self = Self::Gone;
        Step::Moved
    }

    fn drain(&mut self) -> bool {
        match self {
            Self::Room => {
                *self = Self::Bye;
                true
            }
            _ => false,
        }
    }
}
