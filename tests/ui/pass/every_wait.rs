//! Every wait there is.

use std::time::Duration;

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;
use fsm_runtime::{Decoded, Frame};

/// Every wait, each left by its handler.
#[state_machine(start = Exact, eof => Gone, limit => Gone, within = 60s => Gone, message = u32)]
enum Tour {
    #[read(exact = 2)]
    #[to(Length)]
    #[rest]
    Exact,
    #[read(exact = 1)]
    #[to(Counted)]
    Length,
    #[read(exact = *length, max = 64)]
    #[to(Until)]
    Counted { length: u8 },
    #[read(until = b"\r\n", max = 64)]
    #[to(Some)]
    Until,
    #[read(some, max = 4)]
    #[to(Upto)]
    Some,
    #[read(upto = left, max = 64)]
    #[to(Upto | Frame)]
    Upto { left: u64 },
    #[read(frame = Letter, max = 64, refused => Gone)]
    #[to(Nap)]
    Frame,
    #[sleep(1s)]
    #[to(Doze)]
    Nap,
    #[sleep(*pause * 2, max = 5min)]
    #[to(Message)]
    Doze { pause: Duration },
    #[message]
    #[to(Writable)]
    Message,
    #[writable(below = 8)]
    #[to(Writable | Flush)]
    Writable,
    #[flush]
    #[to(Run)]
    Flush,
    #[run]
    #[to(Gone)]
    Run,
    #[end]
    Gone,
}

/// One letter.
#[derive(Default)]
struct Letter;

impl Frame for Letter {
    type Item<'a> = char;
    type Error = std::fmt::Error;

    fn decode<'a>(&mut self, input: &'a [u8]) -> Result<Decoded<char>, Self::Error> {
        match input {
            [] => Ok(Decoded::More(1)),
            [letter, ..] if letter.is_ascii_alphabetic() => {
                Ok(Decoded::Frame(char::from(*letter), 1))
            }
            _ => Err(std::fmt::Error),
        }
    }
}

#[derive(Default)]
struct Client {
    drained: bool,
}

impl tour::Handler for Client {
    fn exact(&mut self, bytes: &[u8; 2], cx: &mut Cx<'_, u32>) -> tour::AfterExact {
        cx.write(bytes);
        tour::AfterExact::Length
    }

    fn length(&mut self, [length]: &[u8; 1], _: &mut Cx<'_, u32>) -> tour::AfterLength {
        tour::AfterLength::Counted { length: *length }
    }

    fn counted(&mut self, _: &mut u8, bytes: &[u8], cx: &mut Cx<'_, u32>) -> tour::AfterCounted {
        cx.write(bytes);
        tour::AfterCounted::Until
    }

    fn until(&mut self, bytes: &[u8], cx: &mut Cx<'_, u32>) -> tour::AfterUntil {
        cx.write(bytes);
        tour::AfterUntil::Some
    }

    fn some(&mut self, bytes: &[u8], cx: &mut Cx<'_, u32>) -> tour::AfterSome {
        cx.write(bytes);
        tour::AfterSome::Upto { left: 6 }
    }

    fn upto(&mut self, left: &mut u64, bytes: &[u8], cx: &mut Cx<'_, u32>) -> tour::AfterUpto {
        cx.write(bytes);
        *left -= bytes.len() as u64;
        if *left == 0 { tour::AfterUpto::Frame } else { tour::AfterUpto::Upto }
    }

    fn frame(&mut self, letter: char, cx: &mut Cx<'_, u32>) -> tour::AfterFrame {
        cx.write(letter.to_string().as_bytes());
        tour::AfterFrame::Nap
    }

    fn nap(&mut self, _: &mut Cx<'_, u32>) -> tour::AfterNap {
        tour::AfterNap::Doze { pause: Duration::from_secs(2) }
    }

    fn doze(&mut self, _: &mut Duration, _: &mut Cx<'_, u32>) -> tour::AfterDoze {
        tour::AfterDoze::Message
    }

    fn message(&mut self, message: u32, cx: &mut Cx<'_, u32>) -> tour::AfterMessage {
        cx.write(message.to_string().as_bytes());
        tour::AfterMessage::Writable
    }

    fn writable(&mut self, _: &mut Cx<'_, u32>) -> tour::AfterWritable {
        if std::mem::replace(&mut self.drained, true) {
            tour::AfterWritable::Flush
        } else {
            tour::AfterWritable::Writable
        }
    }

    fn run(&mut self, cx: &mut Cx<'_, u32>) -> tour::AfterRun {
        cx.write(b"!");
        tour::AfterRun::Gone
    }
}

fn main() {
    let mut session = Session::<Tour, _>::new(Client::default());
    session.send(b"ab\x03cdeline\r\nsome");
    assert_eq!(session.state(), Some("Upto"));
    session.send(b"bodies");
    session.send(b"x");
    assert_eq!(session.state(), Some("Nap"));
    session.advance(Duration::from_secs(1));
    assert_eq!(session.state(), Some("Doze"));
    session.advance(Duration::from_secs(4));
    assert_eq!(session.state(), Some("Message"));
    session.post(7).expect("it waits for one");
    assert_eq!(session.state(), None);
    assert_eq!(session.receive(), b"abcdelinesomebodiesx7!");
}
