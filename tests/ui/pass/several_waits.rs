//! Several waits on a state, times from settings, and a farewell.

use std::time::Duration;

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

/// What an operator chooses.
pub struct Limits {
    idle: Duration,
    line: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { idle: Duration::from_secs(60), line: 64 }
    }
}

const BEAT: Duration = Duration::from_secs(5);

/// Hears and speaks.
#[state_machine(
    start = Line, message = u8, settings = Limits, eof => Gone, gone => Gone,
    error = String, Request = Line | Asking, within(Request) = 1h => Gone,
)]
pub enum Talk {
    /// Waits for a line, a message, or a beat.
    #[read(until = b"\n", max = settings.line <= 80 => TooLong, begun = 9s => Gone, idle = settings.idle <= 10min => Gone, error => Failed)]
    #[message]
    #[tick(BEAT)]
    #[to(Line | Asking)]
    #[rest(keep, drain => Bye)]
    Line,
    /// Asks and beats.
    #[call(Index, within = 30s => Line, eof => Gone)]
    #[tick(BEAT * 2 <= 1min)]
    #[to(Line | Skip)]
    Asking,
    /// Skips what the answer says.
    #[discard(exact = *left, within = 5s => Gone)]
    #[to(Line)]
    Skip { left: u8 },
    /// Skips a line.
    #[discard(until = b"\n", within = 5s => Gone)]
    #[to(Line)]
    TooLong,
    /// Says why.
    #[run]
    #[to(Line)]
    Failed {
        #[error]
        why: String,
    },
    /// Says goodbye.
    #[shutdown(within = 5s => Gone)]
    #[to(Gone)]
    Bye,
    #[end]
    Gone,
}

pub struct Index;

impl Service for Index {
    type Job = String;
    type Reply = u8;
}

struct Client;

type Context<'a> = Cx<'a, u8, Limits>;

impl talk::Handler for Client {
    fn line(&mut self, line: &[u8], cx: &mut Context<'_>) -> Result<talk::AfterLine, String> {
        match line {
            b"" => Err("empty".to_owned()),
            b"ask" => Ok(talk::AfterLine::Asking { job: String::new() }),
            _ => {
                cx.write(line);
                Ok(talk::AfterLine::Line)
            }
        }
    }

    fn line_message(&mut self, news: u8, cx: &mut Context<'_>) -> Result<talk::AfterLine, String> {
        write!(cx, "{news}");
        Ok(talk::AfterLine::Line)
    }

    fn line_tick(&mut self, cx: &mut Context<'_>) -> Result<talk::AfterLine, String> {
        cx.write(b".");
        Ok(talk::AfterLine::Line)
    }

    fn asking(&mut self, left: u8, _: &mut Context<'_>) -> talk::AfterAsking {
        if left == 0 { talk::AfterAsking::Line } else { talk::AfterAsking::Skip { left } }
    }

    fn asking_tick(&mut self, cx: &mut Context<'_>) -> Option<talk::AfterAsking> {
        cx.write(b"?");
        None
    }

    fn failed(&mut self, why: &mut String, cx: &mut Context<'_>) -> talk::AfterFailed {
        cx.write(why.as_bytes());
        talk::AfterFailed::Line
    }
}

fn main() {
    let mut peer = Session::<Talk, _>::new(Client);
    peer.send(b"one\n\n");
    peer.post(7).unwrap();
    peer.advance(BEAT);
    assert_eq!(&peer.receive()[..], b"oneempty7.");
    peer.send(b"ask\nxyz");
    peer.advance(BEAT * 2);
    assert!(peer.job::<Index>().is_some());
    peer.reply::<Index>(2);
    peer.send(b"\n");
    assert_eq!(&peer.receive()[..], b"?z");
    peer.drain();
    assert_eq!(peer.state(), None);
}
