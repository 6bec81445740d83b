//! A machine with states that wait for both sockets, expanded by hand.
//!
//! ```text
//! #[state_machine(start = Hello)]
//! pub enum Talk {
//!     #[run]
//!     #[to(Dial)]
//!     Hello,
//!     #[connect(within = 5s => Gone, refused => Gone)]
//!     #[to(Open)]
//!     Dial,
//!     /// Hears both sides.
//!     #[read(until = b"\n", max = 16, limit => Gone, idle = 60s => Gone, eof => Gone)]
//!     #[read(other, exact = 2, idle = 30s => Gone, eof => Gone)]
//!     #[to(Open | Body)]
//!     Open,
//!     /// Passes a body on, and hears an early answer.
//!     #[relay(out, exact = 10, max = 1KiB, idle = 60s => Gone, eof => Gone, gone => Gone)]
//!     #[read(other, exact = 2, eof => Gone)]
//!     #[to(Body | Open)]
//!     Body,
//!     #[end]
//!     Gone,
//! }
//! ```

use std::time::Duration;

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;
use fsm_runtime::{
    Connecting, Deadlines, Drive, Edge, Input, Machine, Miss, Other, Relaying, Shape, Spec, State,
    Step, Timer, Trigger, Wait, WaitSet, Way,
};

pub enum Talk {
    Hello,
    Dial,
    Open,
    Body,
    Gone,
}

pub mod talk {
    use super::*;

    pub trait Handler {
        fn hello(&mut self, cx: &mut Cx<'_>) -> AfterHello;
        fn dial(&mut self, connected: Connected, cx: &mut Cx<'_>) -> AfterDial;
        fn open(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> AfterOpen;
        fn open_other(&mut self, bytes: &[u8; 2], cx: &mut Cx<'_>) -> AfterOpen;
        fn body(&mut self, moved: Moved, cx: &mut Cx<'_>) -> AfterBody;
        fn body_other(&mut self, bytes: &[u8; 2], cx: &mut Cx<'_>) -> AfterBody;
    }

    pub enum AfterHello {
        Dial { to: Target },
    }
    pub enum AfterDial {
        Open,
    }
    pub enum AfterOpen {
        Open,
        Body,
    }
    pub enum AfterBody {
        Body,
        Open,
    }
}

use talk::{AfterBody, AfterDial, AfterHello, AfterOpen};

const OTHER_EOF: Trigger = Trigger::Other(&Trigger::Eof);
const OTHER_IDLE: Trigger = Trigger::Other(&Trigger::Idle(Duration::from_secs(30)));
const READ_OTHER: Wait = Wait::ReadOther { shape: Shape::Exact, text: "exact = 2", max: 2 };

impl Machine for Talk {
    const SPEC: &'static Spec = &Spec::new(
        "Talk",
        &[
            State::new("Hello", &[Wait::Run { blocking: false }])
                .with_edges(&[Edge { on: Trigger::Verdict, target: 1 }]),
            State::new("Dial", &[Wait::Connect]).with_edges(&[
                Edge { on: Trigger::Verdict, target: 2 },
                Edge { on: Trigger::Within(Duration::from_secs(5)), target: 4 },
                Edge { on: Trigger::Refused, target: 4 },
            ]),
            State::new(
                "Open",
                &[
                    Wait::Read { shape: Shape::Until, text: "until = b\"\\n\"", max: 16 },
                    READ_OTHER,
                ],
            )
            .with_edges(&[
                Edge { on: Trigger::Verdict, target: 2 },
                Edge { on: Trigger::Verdict, target: 3 },
                Edge { on: Trigger::Idle(Duration::from_secs(60)), target: 4 },
                Edge { on: Trigger::Eof, target: 4 },
                Edge { on: Trigger::Limit, target: 4 },
                Edge { on: OTHER_IDLE, target: 4 },
                Edge { on: OTHER_EOF, target: 4 },
            ]),
            State::new("Body", &[Wait::Relay { text: "out, exact = 10", max: 1024 }, READ_OTHER])
                .with_edges(&[
                    Edge { on: Trigger::Verdict, target: 3 },
                    Edge { on: Trigger::Verdict, target: 2 },
                    Edge { on: Trigger::Idle(Duration::from_secs(60)), target: 4 },
                    Edge { on: Trigger::Eof, target: 4 },
                    Edge { on: Trigger::Gone, target: 4 },
                    Edge { on: OTHER_EOF, target: 4 },
                ]),
            State::new("Gone", &[Wait::End]),
        ],
    );

    type Message = NoMessage;
    type Partial = ();
    type Seed = ();
    type Settings = ();
    type Kind = fsm_runtime::Connection;
    type Other = Other;
    type Deadlines = Deadlines<2>;

    fn start((): ()) -> Self {
        Self::Hello
    }

    fn state(&self) -> usize {
        match self {
            Self::Hello => 0,
            Self::Dial => 1,
            Self::Open => 2,
            Self::Body => 3,
            Self::Gone => 4,
        }
    }

    fn timer(&self, timer: usize, (): &()) -> Timer {
        match (timer, self) {
            (0, Self::Dial) => Timer::within(5_000),
            (0, Self::Open | Self::Body) => Timer::idle(60_000),
            (1, Self::Open) => Timer::other_idle(30_000),
            _ => Timer::NEVER,
        }
    }
}

impl<H: talk::Handler> Drive<H> for Talk {
    fn resume(&mut self, handler: &mut H, input: &mut Input<'_, ()>, cx: &mut Cx<'_>) -> Step {
        match self {
            Self::Hello => match handler.hello(cx) {
                AfterHello::Dial { to } => {
                    *self = Self::Dial;
                    cx.connect(to);
                    Step::Moved
                }
            },
            Self::Dial => {
                let taken = match cx.connected() {
                    Connecting::Connected(taken) => taken,
                    Connecting::Failed(_) => {
                        *self = Self::Gone;
                        return Step::Moved;
                    }
                    Connecting::Waiting => return Step::Waiting(WaitSet::CONNECT),
                };
                match handler.dial(taken, cx) {
                    AfterDial::Open => {
                        *self = Self::Open;
                        Step::Moved
                    }
                }
            }
            Self::Open => {
                let taken = match input.until(b"\n", 16) {
                    Ok(taken) => taken,
                    Err(Miss::More) => return Step::Waiting(WaitSet::READ),
                    Err(_) => {
                        *self = Self::Gone;
                        return Step::Moved;
                    }
                };
                match handler.open(taken, cx) {
                    AfterOpen::Open => Step::Stayed,
                    AfterOpen::Body => {
                        *self = Self::Body;
                        Step::Moved
                    }
                }
            }
            Self::Body => {
                let taken = match cx.relayed(Way::Out, Some(10), 1024) {
                    Relaying::Done(taken) => taken,
                    Relaying::Eof | Relaying::Gone => {
                        *self = Self::Gone;
                        return Step::Moved;
                    }
                    Relaying::Waiting => return Step::Waiting(WaitSet::RELAY),
                };
                match handler.body(taken, cx) {
                    AfterBody::Body => Step::Stayed,
                    AfterBody::Open => {
                        *self = Self::Open;
                        Step::Moved
                    }
                }
            }
            Self::Gone => Step::Done,
        }
    }

    fn resume_other(
        &mut self,
        handler: &mut H,
        input: &mut Input<'_, ()>,
        cx: &mut Cx<'_>,
    ) -> Step {
        match self {
            Self::Open => {
                let taken = match input.exact::<2>() {
                    Ok(taken) => taken,
                    Err(Miss::Eof) => {
                        *self = Self::Gone;
                        return Step::Moved;
                    }
                    Err(_) => return Step::Waiting(WaitSet::READ_OTHER),
                };
                match handler.open_other(taken, cx) {
                    AfterOpen::Open => Step::OtherRead,
                    AfterOpen::Body => {
                        *self = Self::Body;
                        Step::Moved
                    }
                }
            }
            Self::Body => {
                let taken = match input.exact::<2>() {
                    Ok(taken) => taken,
                    Err(Miss::Eof) => {
                        cx.leave_other();
                        *self = Self::Gone;
                        return Step::Moved;
                    }
                    Err(_) => return Step::Waiting(WaitSet::READ_OTHER),
                };
                match handler.body_other(taken, cx) {
                    AfterBody::Body => Step::OtherRead,
                    AfterBody::Open => {
                        cx.leave_other();
                        *self = Self::Open;
                        Step::Moved
                    }
                }
            }
            _ => Step::Waiting(WaitSet::READ_OTHER),
        }
    }

    fn expire(&mut self, _: usize, _: &mut H, cx: &mut Cx<'_>) -> Step {
        match self {
            Self::Dial | Self::Body => {
                cx.leave_other();
                *self = Self::Gone;
                Step::Moved
            }
            Self::Open => {
                *self = Self::Gone;
                Step::Moved
            }
            _ => Step::Stayed,
        }
    }
}

struct Ear;

impl talk::Handler for Ear {
    fn hello(&mut self, _: &mut Cx<'_>) -> AfterHello {
        AfterHello::Dial { to: "10.0.0.1:7".parse().unwrap() }
    }

    fn dial(&mut self, _: Connected, _: &mut Cx<'_>) -> AfterDial {
        AfterDial::Open
    }

    fn open(&mut self, line: &[u8], cx: &mut Cx<'_>) -> AfterOpen {
        cx.other().write(line);
        if line == b"body" { AfterOpen::Body } else { AfterOpen::Open }
    }

    fn open_other(&mut self, bytes: &[u8; 2], cx: &mut Cx<'_>) -> AfterOpen {
        cx.write(bytes);
        AfterOpen::Open
    }

    fn body(&mut self, moved: Moved, cx: &mut Cx<'_>) -> AfterBody {
        write!(cx, "<{}>", moved.out);
        AfterBody::Open
    }

    fn body_other(&mut self, bytes: &[u8; 2], cx: &mut Cx<'_>) -> AfterBody {
        write!(cx, "[{}]", cx.moved().out);
        if bytes == b"ok" { AfterBody::Body } else { AfterBody::Open }
    }
}

fn talk() -> Session<Talk, Ear> {
    let mut peer = Session::<Talk, _>::new(Ear);
    peer.accept();
    peer
}

#[test]
fn s2_a_state_reads_both_sockets() {
    let mut peer = talk();
    peer.send(b"one\ntw");
    assert_eq!(peer.other().receive(), b"one");
    peer.other().send(b"abc");
    assert_eq!(peer.receive(), b"ab");
    peer.send(b"o\n");
    assert_eq!(peer.other().receive(), b"two");
    peer.other().send(b"d");
    assert_eq!(peer.receive(), b"cd");
    assert_eq!(peer.state(), Some("Open"));
    peer.other().end();
    assert_eq!(peer.ended(), Some(Ended::Done));
}

#[test]
fn s2_an_early_answer_is_heard_while_a_body_goes_out() {
    let mut peer = talk();
    peer.send(b"body\n1234");
    assert_eq!(peer.other().receive(), b"body1234");
    peer.other().send(b"ok");
    assert_eq!(peer.receive(), b"[4]");
    peer.send(b"56");
    assert_eq!(peer.other().receive(), b"56");
    peer.other().send(b"no");
    assert_eq!(peer.receive(), b"[6]");
    assert_eq!(peer.state(), Some("Open"));
    // The rest of the body is input again.
    peer.send(b"7890\n");
    assert_eq!(peer.other().receive(), b"7890");
}

#[test]
fn s2_each_idle_counts_from_its_own_read() {
    let mut peer = talk();
    for _ in 0..3 {
        peer.advance(Duration::from_secs(20));
        peer.other().send(b"ab");
    }
    // The client has said nothing for a minute.
    assert_eq!(peer.ended(), Some(Ended::Done));
    let mut peer = talk();
    peer.advance(Duration::from_secs(29));
    peer.send(b"one\n");
    assert_eq!(peer.state(), Some("Open"));
    peer.advance(Duration::from_secs(1));
    assert_eq!(peer.ended(), Some(Ended::Done));
}
