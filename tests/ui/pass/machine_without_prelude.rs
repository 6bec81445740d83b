//! A machine names all that it uses by its path.

#![no_implicit_prelude]

use ::fsm_runtime::prelude::*;
use ::fsm_runtime::sim::Session;
use ::fsm_runtime::{Decoded, Frame};
use ::std::assert_eq;
use ::std::option::Option::Some;
use ::std::string::String;
use ::std::time::Duration;

/// Takes words, and has them counted.
#[state_machine(
    start = Word, message = u8, settings = Limits, error = Fault, size <= 64,
    eof => Gone, limit => Gone, gone => Gone, error => Sorry, Talk = Word | Rest, within(Talk) = 1min => Gone
)]
pub enum Front {
    #[read(until = b"\n", max = settings.line <= 80, begun = 5s => Gone)]
    #[message]
    #[tick(settings.beat <= 10s)]
    #[to(Counting | Rest | Letter)]
    #[rest(drain => Bye)]
    Word,
    #[read(exact = left * 2 - 1 <= 4KiB)]
    #[to(Word | Nap)]
    Rest { left: u64 },
    #[read(frame = Letters, max = 64, refused => Sorry, within = 5s => Gone)]
    #[to(Word)]
    Letter,
    #[sleep(*pause <= 1min)]
    #[to(Word)]
    Nap { pause: Duration },
    #[call(Count, within = 5s => Gone, full => Busy)]
    #[to(Word)]
    Counting,
    #[run]
    #[to(Bye)]
    Busy {
        #[job]
        word: String,
    },
    #[run(error => Gone)]
    #[to(Bye)]
    Sorry {
        #[error]
        why: Why,
    },
    #[flush(within = 5s => Gone)]
    #[to(Gone)]
    Bye,
    #[end]
    Gone,
}

pub struct Limits {
    line: usize,
    beat: Duration,
}

impl ::std::default::Default for Limits {
    fn default() -> Self {
        Self { line: 40, beat: Duration::from_secs(2) }
    }
}

pub struct Fault;

impl ::std::fmt::Display for Fault {
    fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
        f.write_str("no word")
    }
}

pub enum Why {
    Fault,
    Letter,
}

impl ::std::convert::From<Fault> for Why {
    fn from(_: Fault) -> Self {
        Self::Fault
    }
}

impl ::std::convert::From<::std::fmt::Error> for Why {
    fn from(_: ::std::fmt::Error) -> Self {
        Self::Letter
    }
}

/// A letter.
#[derive(::std::default::Default)]
pub struct Letters;

impl Frame for Letters {
    type Item<'a> = u8;
    type Error = ::std::fmt::Error;

    fn decode<'a>(&mut self, input: &'a [u8]) -> ::std::result::Result<Decoded<u8>, Self::Error> {
        match input {
            [] => ::std::result::Result::Ok(Decoded::More(1)),
            [letter, ..] if letter.is_ascii_alphabetic() => {
                ::std::result::Result::Ok(Decoded::Frame(*letter, 1))
            }
            _ => ::std::result::Result::Err(::std::fmt::Error),
        }
    }
}

/// Counts the letters of a word.
#[state_machine(start = Counted, job = String, reply = usize)]
pub enum Count {
    #[run]
    #[to(Done)]
    Counted { word: String },
    #[end]
    Done,
}

/// Passes a connection on.
#[state_machine(start = Choose, seed = String, eof => Gone)]
pub enum Forward {
    #[run]
    #[to(Dial)]
    Choose { target: String },
    #[connect(within = 5s => Gone, refused => Lost)]
    #[to(Ask)]
    Dial { left: u64 },
    #[read(other, exact = 1, within = 5s => Gone)]
    #[to(Body | Tunnel)]
    Ask {
        #[carry]
        left: u64,
    },
    #[relay(out, exact = left, max = 64KiB, idle = 1h => Gone, gone => Gone)]
    #[to(Tunnel)]
    Body {
        #[carry]
        left: u64,
    },
    #[relay(max = 64KiB, idle = 1h => Gone, eof = 30s => Gone, gone => Gone)]
    #[to(Away)]
    Tunnel,
    #[handoff(Forward, within = 5s => Gone, gone => Gone)]
    Away,
    #[run]
    #[to(Gone)]
    Lost {
        #[error]
        error: ::std::io::Error,
    },
    #[end]
    Gone,
}

/// Gives jobs to a server.
#[state_machine(start = Free, job = u8, reply = u8, eof => Cut)]
pub enum Ask {
    #[job(idle = 50s => Gone, eof => Gone)]
    #[to(Answer)]
    #[rest]
    Free,
    #[read(exact = 1, within = 5s => Cut)]
    #[to(Free)]
    Answer,
    #[run]
    #[to(Gone)]
    Cut,
    #[end]
    Gone,
}

struct Client;

type Context<'a> = Cx<'a, u8, Limits>;
type Verdict<T> = ::std::result::Result<T, Fault>;

impl front::Handler for Client {
    fn word(&mut self, word: &[u8], _: &mut Context<'_>) -> Verdict<front::AfterWord> {
        match word {
            b"" => ::std::result::Result::Err(Fault),
            b"letter" => ::std::result::Result::Ok(front::AfterWord::Letter),
            word => {
                let job = String::from_utf8_lossy(word).into_owned();
                ::std::result::Result::Ok(front::AfterWord::Counting { job })
            }
        }
    }

    fn word_message(&mut self, left: u8, _: &mut Context<'_>) -> Verdict<front::AfterWord> {
        ::std::result::Result::Ok(front::AfterWord::Rest { left: left as u64 })
    }

    fn word_tick(&mut self, cx: &mut Context<'_>) -> Verdict<front::AfterWord> {
        cx.write(b"tick\n");
        ::std::result::Result::Ok(front::AfterWord::Rest { left: 1 })
    }

    fn rest(&mut self, _: &mut u64, bytes: &[u8], cx: &mut Context<'_>) -> Verdict<front::AfterRest> {
        cx.write(bytes);
        ::std::result::Result::Ok(front::AfterRest::Nap { pause: Duration::from_secs(1) })
    }

    fn letter(&mut self, letter: u8, cx: &mut Context<'_>) -> Verdict<front::AfterLetter> {
        cx.write(&[letter]);
        ::std::result::Result::Ok(front::AfterLetter::Word)
    }

    fn nap(&mut self, _: &mut Duration, _: &mut Context<'_>) -> Verdict<front::AfterNap> {
        ::std::result::Result::Ok(front::AfterNap::Word)
    }

    fn counting(&mut self, count: usize, cx: &mut Context<'_>) -> Verdict<front::AfterCounting> {
        ::std::writeln!(cx, "{count}");
        ::std::result::Result::Ok(front::AfterCounting::Word)
    }

    fn busy(&mut self, _: &mut String, _: &mut Context<'_>) -> Verdict<front::AfterBusy> {
        ::std::result::Result::Ok(front::AfterBusy::Bye)
    }

    fn sorry(&mut self, why: &mut Why, cx: &mut Context<'_>) -> Verdict<front::AfterSorry> {
        cx.write(match why {
            Why::Fault => b"no word\n",
            Why::Letter => b"no letter\n",
        });
        ::std::result::Result::Ok(front::AfterSorry::Bye)
    }
}

fn main() {
    let mut client = Session::<Front, _>::new(Client);
    client.send(b"three\n");
    assert_eq!(client.job::<Count>().as_deref(), Some("three"));
    client.reply::<Count>(5);
    client.post(1).ok();
    client.send(b"x");
    client.advance(Duration::from_secs(1));
    client.send(b"letter\n7");
    assert_eq!(client.receive(), b"5\nxno letter\n");
    assert_eq!(client.state(), ::std::option::Option::None);
}
