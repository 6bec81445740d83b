//! A line protocol that shows each wait for a client, and its times, limits and edges.
//!
//! Start it with `cargo run --release --bin lines`, then connect with `nc 127.0.0.1 7008` and type
//! a command:
//!
//! | command | answer | shows |
//! |---|---|---|
//! | `ECHO text` | the text | `read(frame)` of declared lines, a `refused` edge |
//! | `PIN`, then 4 digits without a line end | whether they are digits | `read(exact)`, an `error` edge |
//! | `SUM n`, then n bytes | the sum of the bytes | `read(upto)` |
//! | `NET`, then a netstring such as `5:hello,` | its text | `read(frame)` of counted bytes |
//! | `SKIP n`, then n bytes | that it skipped them | `discard(exact)` |
//! | `COUNT n` | the numbers from 1 to n, one on each line | `writable` |
//! | `SLEEP` | `awake`, after a second | `sleep` |
//! | `CLOCK` | the seconds, one on each line, until the client sends a line | `tick` beside `read(until)` |
//! | `SHOUT text` | `* text`, to all connections | `message` beside `read` |
//! | `HALF` | `half`; then the server ends its stream and reads on until the client ends its own | `shutdown`, a time for two states |
//! | `QUIT` | `bye`; then the server closes the connection | `flush` |
//!
//! To an unknown command, a malformed number or PIN, and a line of more than 80 bytes the server answers with
//! a line that begins with `!`, and the client may go on. After such a line the server closes the connection
//!
//! - if a netstring is malformed, because then it does not know where the next command begins;
//! - if the client sends no command for the time of `--idle`, or begins a line or a command and does not end
//!   it in ten seconds, or in a minute where a command brings `n` bytes;
//! - at SIGTERM, as soon as no command is in progress.

mod command;
mod hearers;
mod refusal;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use fsm_examples::{Serving, time};
use fsm_runtime::Pipeline;
use fsm_runtime::prelude::*;

use command::{Command, Commands, CommandsError};
use hearers::Hearers;
use refusal::Refusal;

/// A text behind its length, such as `5:hello,`. The macro makes the decoder `Netstrings` of it.
#[frame(Netstrings)]
struct Netstring<'a> {
    #[decimal(then = b":")]
    len: u16,
    #[bytes(len <= 1018, then = b",")]
    text: &'a [u8],
}

/// The states of a connection.
#[state_machine(
    start = Hello,
    message = Arc<str>,
    settings = Times,
    error = Refusal,
    eof => Closed,
    within = 10s => TimedOut,
    Half = Halving | Listening,
    within(Half) = 30s => Closed,
)]
enum Lines {
    /// Puts the connection on the list of those that hear `SHOUT`. A `run` state waits for nothing.
    #[run]
    #[to(Line)]
    Hello,

    /// Between two commands: waits for one, which a decoder finds, and for what others shout, which changes
    /// neither time. A line that has begun must end in ten seconds. The declaration of the commands says how
    /// long it may be, and an error of the decoder takes the `refused` edge. A drain may close the connection
    /// here, because no command is in progress.
    #[read(
        frame = Commands,
        refused => NoCommand,
        idle = settings.idle <= 1h => TimedOut,
        begun = 10s => TimedOut,
    )]
    #[message]
    #[to(
        Line | Pin | Summing | Netting | Skipping | Counting | Sleeping | Clock | Halving | Leaving | Goodbye
    )]
    #[rest(drain => Goodbye)]
    Line,

    /// Throws away the line that is no command, because what a decoder refuses stays in the input. Says why,
    /// and goes on.
    #[discard(until = b"\n")]
    #[to(Line | Goodbye)]
    NoCommand {
        #[error]
        why: CommandsError,
    },

    /// `PIN`: waits for exactly four bytes, which the handler gets as an array.
    #[read(exact = 4, error => Refused)]
    #[to(Line)]
    Pin,

    /// Reports an error of a handler, which is the state's data, and goes on.
    #[run]
    #[to(Line)]
    Refused {
        #[error]
        why: Refusal,
    },

    /// `SUM n`: takes bytes as they arrive, but never more than `left`. Each piece must arrive
    /// within five seconds of the previous one, and all of them within a minute.
    #[read(upto = left, max = 4KiB, idle = 5s => TimedOut, within = 1min => TimedOut)]
    #[to(Summing | Line)]
    Summing { left: u64, sum: u64 },

    /// `NET`: waits for a complete message.
    #[read(frame = Netstrings, refused => Malformed)]
    #[to(Line)]
    Netting,

    /// Reports an error of the decoder, and ends, because the end of the message is not known.
    #[run]
    #[to(Leaving)]
    Malformed {
        #[error]
        why: NetstringsError,
    },

    /// `SKIP n`: throws `n` bytes away as they arrive, however many.
    #[discard(exact = n, within = 1min => TimedOut)]
    #[to(Line)]
    Skipping { n: u64 },

    /// `COUNT n`: writes more whenever less than 16 KiB is queued, so that a slow reader slows it
    /// down instead of filling memory.
    #[writable(below = 16KiB, idle = 10s => Closed)]
    #[to(Counting | Line)]
    Counting { next: u64, last: u64 },

    /// `SLEEP`: waits for a second.
    #[sleep(1s)]
    #[to(Line)]
    Sleeping,

    /// `CLOCK`: waits for a line and says the time each second. A tick does not bound the wait.
    #[read(until = b"\n", max = 80, limit => TooLong, within = 1h => TimedOut)]
    #[tick(1s)]
    #[to(Clock | Line)]
    #[rest(drain => Goodbye)]
    Clock { seconds: u64 },

    /// Throws away what is left of a line that was too long, says so, and goes on.
    #[discard(until = b"\n")]
    #[to(Line)]
    TooLong,

    /// `HALF`: waits until all output and the end of the server's stream have left. Beside its own time
    /// and that of the next state there is one for both together.
    #[shutdown(within = 10s => Closed)]
    #[to(Listening)]
    Halving,

    /// Takes what the client still sends, until it ends its stream.
    #[read(some, max = 4KiB, idle = 5s => Closed)]
    #[to(Listening)]
    Listening,

    /// Reports that the client was too slow.
    #[run]
    #[to(Leaving)]
    TimedOut,

    /// Says that the server shuts down.
    #[run]
    #[to(Leaving)]
    Goodbye,

    /// Waits until the last line is sent. It needs no handler because it has a single target.
    #[flush(within = 5s => Closed)]
    #[to(Closed)]
    Leaving,

    #[end]
    Closed,
}

/// The time that the operator chooses.
struct Times {
    idle: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self { idle: Duration::from_secs(60) }
    }
}

/// The handler of a connection.
struct Client {
    hearers: Hearers,
    key: Option<Key>,
}

impl Client {
    fn new(hearers: Hearers) -> Self {
        Self { hearers, key: None }
    }
}

impl Drop for Client {
    /// Leaves the list, however the connection ended.
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.hearers.keys().remove(&key);
        }
    }
}

type Context<'a> = Cx<'a, Arc<str>, Times>;

impl Client {
    /// The state after a command that is done at once.
    fn next_line(&self, cx: &Context<'_>) -> lines::AfterLine {
        if self.hearers.must_leave(cx) {
            return lines::AfterLine::Goodbye;
        }
        lines::AfterLine::Line
    }
}

impl lines::Handler for Client {
    fn hello(&mut self, cx: &mut Context<'_>) -> lines::AfterHello {
        self.key = Some(cx.key());
        self.hearers.keys().insert(cx.key());
        lines::AfterHello::Line
    }

    fn line(&mut self, command: Command<'_>, cx: &mut Context<'_>) -> lines::AfterLine {
        match command {
            Command::Echo { text } => {
                cx.write(text.unwrap_or_default());
                cx.write(b"\n");
                self.next_line(cx)
            }
            Command::Pin => lines::AfterLine::Pin,
            Command::Sum { n } => lines::AfterLine::Summing { left: n, sum: 0 },
            Command::Net => lines::AfterLine::Netting,
            Command::Skip { n } => lines::AfterLine::Skipping { n },
            Command::Count { n } => lines::AfterLine::Counting { next: 1, last: n },
            Command::Sleep => lines::AfterLine::Sleeping,
            Command::Clock => lines::AfterLine::Clock { seconds: 0 },
            Command::Shout { text } => {
                let text = Arc::<str>::from(String::from_utf8_lossy(text.unwrap_or_default()));
                for key in self.hearers.keys().iter() {
                    // A hearer who does not read has a full mailbox, and misses this.
                    let _ = cx.post(*key, Arc::clone(&text));
                }
                self.next_line(cx)
            }
            Command::Half => {
                cx.write(b"half\n");
                lines::AfterLine::Halving
            }
            Command::Quit => {
                cx.write(b"bye\n");
                lines::AfterLine::Leaving
            }
        }
    }

    fn line_message(&mut self, text: Arc<str>, cx: &mut Context<'_>) -> lines::AfterLine {
        writeln!(cx, "* {text}");
        lines::AfterLine::Line
    }

    fn no_command(
        &mut self,
        why: &mut CommandsError,
        cx: &mut Context<'_>,
    ) -> lines::AfterNoCommand {
        writeln!(cx, "! {}", Refusal::from(&*why));
        if self.hearers.must_leave(cx) {
            return lines::AfterNoCommand::Goodbye;
        }
        lines::AfterNoCommand::Line
    }

    fn refused(&mut self, why: &mut Refusal, cx: &mut Context<'_>) -> lines::AfterRefused {
        writeln!(cx, "! {why}");
        lines::AfterRefused::Line
    }

    fn too_long(&mut self, cx: &mut Context<'_>) -> lines::AfterTooLong {
        cx.write(b"! a line has at most 80 bytes\n");
        lines::AfterTooLong::Line
    }

    fn pin(&mut self, digits: &[u8; 4], cx: &mut Context<'_>) -> Result<lines::AfterPin, Refusal> {
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(Refusal("a pin is four digits"));
        }
        cx.write(b"four digits\n");
        Ok(lines::AfterPin::Line)
    }

    fn summing(
        &mut self,
        left: &mut u64,
        sum: &mut u64,
        bytes: &[u8],
        cx: &mut Context<'_>,
    ) -> lines::AfterSumming {
        *left -= bytes.len() as u64;
        *sum += bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>();
        if *left > 0 {
            return lines::AfterSumming::Summing;
        }
        writeln!(cx, "{sum}");
        lines::AfterSumming::Line
    }

    fn netting(&mut self, netstring: Netstring<'_>, cx: &mut Context<'_>) -> lines::AfterNetting {
        cx.write(netstring.text);
        cx.write(b"\n");
        lines::AfterNetting::Line
    }

    fn malformed(
        &mut self,
        why: &mut NetstringsError,
        cx: &mut Context<'_>,
    ) -> lines::AfterMalformed {
        writeln!(cx, "! {why}");
        lines::AfterMalformed::Leaving
    }

    fn skipping(&mut self, n: &mut u64, cx: &mut Context<'_>) -> lines::AfterSkipping {
        writeln!(cx, "skipped {n} bytes");
        lines::AfterSkipping::Line
    }

    fn counting(
        &mut self,
        next: &mut u64,
        last: &mut u64,
        cx: &mut Context<'_>,
    ) -> lines::AfterCounting {
        while *next <= *last {
            if cx.queued() >= 32 * 1024 {
                return lines::AfterCounting::Counting;
            }
            writeln!(cx, "{next}");
            *next += 1;
        }
        lines::AfterCounting::Line
    }

    fn sleeping(&mut self, cx: &mut Context<'_>) -> lines::AfterSleeping {
        cx.write(b"awake\n");
        lines::AfterSleeping::Line
    }

    fn clock(&mut self, _: &mut u64, _: &[u8], _: &mut Context<'_>) -> lines::AfterClock {
        lines::AfterClock::Line
    }

    fn clock_tick(&mut self, seconds: &mut u64, cx: &mut Context<'_>) -> lines::AfterClock {
        *seconds += 1;
        writeln!(cx, "{seconds}");
        lines::AfterClock::Clock
    }

    fn listening(&mut self, _: &[u8], _: &mut Context<'_>) -> lines::AfterListening {
        lines::AfterListening::Listening
    }

    fn timed_out(&mut self, cx: &mut Context<'_>) -> lines::AfterTimedOut {
        cx.write(b"! too slow\n");
        lines::AfterTimedOut::Leaving
    }

    fn goodbye(&mut self, cx: &mut Context<'_>) -> lines::AfterGoodbye {
        cx.write(b"! the server shuts down\n");
        lines::AfterGoodbye::Leaving
    }
}

/// A line protocol that shows each wait for a client
#[derive(Parser)]
#[command(name = "lines", version, after_help = "Try: nc 127.0.0.1 7008")]
struct Options {
    #[command(flatten)]
    serving: Serving<7008>,
    /// The time after which a client that sends no command is disconnected, at most an hour
    #[arg(long, value_name = "TIME", default_value = "1min", value_parser = time)]
    idle: Duration,
}

fn main() -> Result<(), PoolError> {
    let Options { serving, idle } = Options::parse();
    let _log = serving.start_log()?;
    let hearers = Hearers::default();
    let lines = serving
        .pool(Pool::builder::<Lines>("lines"))
        .settings(Times { idle })
        .handler(move |_peer| Client::new(hearers.clone()));
    serving.pipeline(Pipeline::new().pool(lines)).run()
}
