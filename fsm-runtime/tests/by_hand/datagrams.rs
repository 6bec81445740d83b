//! A machine that reads datagrams, expanded by hand.
//!
//! ```text
//! #[state_machine(start = Hello)]
//! pub enum Greeter {
//!     #[read(datagram, max = 64, idle = 5s => Gone)]
//!     #[to(Name | Gone)]
//!     Hello,
//!     #[read(datagram, max = 16, within = 5s => Gone)]
//!     #[to(Gone)]
//!     Name { greeting: Vec<u8> },
//!     #[end]
//!     Gone,
//! }
//! ```

use std::time::Duration;

use fsm_runtime::sim::Session;
use fsm_runtime::{
    Connection, Cx, Deadlines, Drive, Edge, Input, Machine, NoMessage, NoOther, Shape, Spec, State,
    Step, Timer, Trigger, Wait, WaitSet,
};

pub enum Greeter {
    Hello,
    Name { greeting: Vec<u8> },
    Gone,
}

pub trait Handler {
    fn hello(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> AfterHello;
    fn name(&mut self, greeting: &mut Vec<u8>, bytes: &[u8], cx: &mut Cx<'_>) -> AfterName;
}

pub enum AfterHello {
    Name { greeting: Vec<u8> },
    Gone,
}

pub enum AfterName {
    Gone,
}

impl Machine for Greeter {
    const SPEC: &'static Spec = &Spec::new(
        "Greeter",
        &[
            State::new(
                "Hello",
                &[Wait::Read { shape: Shape::Datagram, text: "datagram", max: 64 }],
            )
            .with_edges(&[
                Edge { on: Trigger::Verdict, target: 1 },
                Edge { on: Trigger::Verdict, target: 2 },
                Edge { on: Trigger::Idle(Duration::from_millis(5000)), target: 2 },
            ]),
            State::new("Name", &[Wait::Read { shape: Shape::Datagram, text: "datagram", max: 16 }])
                .with_edges(&[
                    Edge { on: Trigger::Verdict, target: 2 },
                    Edge { on: Trigger::Within(Duration::from_millis(5000)), target: 2 },
                ])
                .with_fields(&["greeting"]),
            State::new("Gone", &[Wait::End]),
        ],
    );
    type Message = NoMessage;
    type Partial = ();
    type Seed = ();
    type Settings = ();
    type Kind = Connection;
    type Other = NoOther;
    type Deadlines = Deadlines<1>;

    fn start((): ()) -> Self {
        Self::Hello
    }

    fn state(&self) -> usize {
        match self {
            Self::Hello => 0,
            Self::Name { .. } => 1,
            Self::Gone => 2,
        }
    }

    fn timer(&self, _: usize, (): &()) -> Timer {
        match self {
            Self::Hello => Timer::idle(5000),
            Self::Name { .. } => Timer::within(5000),
            Self::Gone => Timer::NEVER,
        }
    }
}

impl<H: Handler> Drive<H> for Greeter {
    fn resume(&mut self, handler: &mut H, input: &mut Input<'_, ()>, cx: &mut Cx<'_>) -> Step {
        match self {
            Self::Hello => {
                let Ok(taken) = input.datagram(64) else {
                    return Step::Waiting(WaitSet::READ);
                };
                *self = match handler.hello(taken, cx) {
                    AfterHello::Name { greeting } => Self::Name { greeting },
                    AfterHello::Gone => Self::Gone,
                };
                Step::Moved
            }
            Self::Name { greeting } => {
                let Ok(taken) = input.datagram(16) else {
                    return Step::Waiting(WaitSet::READ);
                };
                let AfterName::Gone = handler.name(greeting, taken, cx);
                *self = Self::Gone;
                Step::Moved
            }
            Self::Gone => Step::Done,
        }
    }

    fn expire(&mut self, _: usize, _: &mut H, _: &mut Cx<'_>) -> Step {
        match self {
            Self::Hello | Self::Name { .. } => {
                *self = Self::Gone;
                Step::Moved
            }
            Self::Gone => Step::Stayed,
        }
    }
}

struct Polite;

impl Handler for Polite {
    fn hello(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> AfterHello {
        if bytes == b"bye" {
            cx.write(b"farewell");
            return AfterHello::Gone;
        }
        cx.write(b"your ");
        cx.write(b"name?");
        AfterHello::Name { greeting: bytes.to_vec() }
    }

    fn name(&mut self, greeting: &mut Vec<u8>, bytes: &[u8], cx: &mut Cx<'_>) -> AfterName {
        cx.write(greeting);
        cx.write(b" ");
        cx.write(bytes);
        AfterName::Gone
    }
}

#[test]
fn d1_a_datagram_is_read_whole_and_the_output_of_a_turn_is_one() {
    let mut peer = Session::<Greeter, _>::new(Polite);
    peer.send(b"hello");
    assert_eq!(peer.receive(), b"your name?");
    // Larger than the state reads, and than any state does.
    peer.send(&[b'x'; 17]);
    peer.send(&[b'x'; 65]);
    assert_eq!((peer.receive().len(), peer.state()), (0, Some("Name")));
    peer.send(b"Ann");
    assert_eq!((&peer.receive()[..], peer.state()), (&b"hello Ann"[..], None));
}

#[test]
fn d1_a_session_has_deadlines() {
    let mut peer = Session::<Greeter, _>::new(Polite);
    peer.send(b"hello");
    peer.advance(Duration::from_secs(5));
    assert_eq!(peer.state(), None);
}
