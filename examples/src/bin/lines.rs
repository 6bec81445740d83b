//! A line protocol that shows each kind of wait of a state, and its timeout or limit.
//!
//! Start it with `cargo run --release --bin lines`, then connect with `nc 127.0.0.1 7008` and type
//! a command:
//!
//! | command | answer |
//! |---|---|
//! | `ECHO text` | the text |
//! | `PIN`, then 4 digits without a line end | whether they are digits |
//! | `SUM n`, then n bytes | the sum of the bytes |
//! | `NET`, then a netstring such as `5:hello,` | its text |
//! | `COUNT n` | the numbers from 1 to n, one on each line |
//! | `SLEEP` | `awake`, after a second |
//! | `QUIT` | `bye`; then the server closes the connection |
//!
//! The server closes the connection, after a line with the reason, if a line exceeds 80 bytes, if
//! the client sends nothing for a minute between two commands or ten seconds within one, or if a
//! command is malformed.

use std::fmt;

use clap::Parser;
use fsm_examples::Serving;
use fsm_runtime::prelude::*;

/// The states of a connection.
#[state_machine(
    start = Line,
    eof => Closed,
    within = 10s => TimedOut,
    error = Refusal,
    error => Refused,
    refused => Refused,
)]
enum Lines {
    /// Between two commands: waits for a line. A drain may close the connection here, because no
    /// command is in progress.
    #[read(until = b"\n", max = 80, limit => TooLong, idle = 1min => TimedOut)]
    #[to(Line | Pin | Summing | Netting | Counting | Sleeping | Leaving)]
    #[rest]
    Line,

    /// `PIN`: waits for exactly four bytes, which the handler gets as an array.
    #[read(exact = 4)]
    #[to(Line)]
    Pin,

    /// `SUM n`: takes bytes as they arrive, but never more than `left`. Each piece must arrive
    /// within five seconds of the previous one, and all of them within a minute.
    #[read(upto = left, max = 4KiB, idle = 5s => TimedOut, within = 1min => TimedOut)]
    #[to(Summing | Line)]
    Summing { left: u64, sum: u64 },

    /// `NET`: waits for a complete message, which a decoder finds. An error of the decoder takes
    /// the machine's `error` edge.
    #[read(frame = Netstring, max = 1KiB, limit => TooLong)]
    #[to(Line)]
    Netting,

    /// `COUNT n`: writes more whenever less than 16 KiB is queued, so that a slow reader slows it
    /// down instead of filling memory.
    #[writable(below = 16KiB, idle = 10s => Closed)]
    #[to(Counting | Line)]
    Counting { next: u64, last: u64 },

    /// `SLEEP`: waits for a second.
    #[sleep(1s)]
    #[to(Line)]
    Sleeping,

    /// Reports the error, which is the state's data. A `run` state waits for nothing.
    #[run(error => Closed)]
    #[to(Leaving)]
    Refused {
        #[error]
        why: Refusal,
    },

    /// Reports that the line or the message was too long.
    #[run]
    #[to(Leaving)]
    TooLong,

    /// Reports that the client was too slow.
    #[run]
    #[to(Leaving)]
    TimedOut,

    /// Waits until the last line is sent. It needs no handler because it has a single target.
    #[flush(within = 5s => Closed, error => Closed)]
    #[to(Closed)]
    Leaving,

    #[end]
    Closed,
}

/// The reason why a command is refused.
#[derive(Debug, PartialEq, Eq)]
struct Refusal(&'static str);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Decodes a netstring such as `5:hello,`.
#[derive(Default)]
struct Netstring;

impl Frame for Netstring {
    type Item<'a> = &'a [u8];
    type Error = Refusal;

    fn decode<'a>(&mut self, input: &'a [u8]) -> Result<Decoded<&'a [u8]>, Refusal> {
        let digits = input.iter().take_while(|byte| byte.is_ascii_digit()).count();
        match input.get(digits) {
            None if digits <= 4 => return Ok(Decoded::More(digits + 1)),
            Some(b':') if (1..=4).contains(&digits) => {}
            _ => return Err(Refusal("a netstring begins with its length and a colon")),
        }
        let len = number(&input[..digits])?;
        let text = digits + 1;
        let end = text + usize::try_from(len).map_err(|_| Refusal("too long"))?;
        match input.get(end) {
            None => Ok(Decoded::More(end + 1)),
            Some(b',') => Ok(Decoded::Frame(&input[text..end], end + 1)),
            Some(_) => Err(Refusal("a netstring ends with a comma")),
        }
    }
}

/// Parses digits.
fn number(digits: &[u8]) -> Result<u64, Refusal> {
    let text = std::str::from_utf8(digits).map_err(|_| Refusal("not a number"))?;
    text.trim().parse().map_err(|_| Refusal("not a number"))
}

struct Client;

impl lines::Handler for Client {
    fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> Result<lines::AfterLine, Refusal> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let (command, argument) = match line.iter().position(|byte| *byte == b' ') {
            Some(space) => (&line[..space], &line[space + 1..]),
            None => (line, &b""[..]),
        };
        Ok(match command {
            b"ECHO" => {
                cx.write(argument);
                cx.write(b"\n");
                lines::AfterLine::Line
            }
            b"PIN" => lines::AfterLine::Pin,
            b"SUM" => lines::AfterLine::Summing { left: number(argument)?, sum: 0 },
            b"NET" => lines::AfterLine::Netting,
            b"COUNT" => lines::AfterLine::Counting { next: 1, last: number(argument)? },
            b"SLEEP" => lines::AfterLine::Sleeping,
            b"QUIT" => {
                cx.write(b"bye\n");
                lines::AfterLine::Leaving
            }
            _ => return Err(Refusal("unknown command")),
        })
    }

    fn pin(&mut self, digits: &[u8; 4], cx: &mut Cx<'_>) -> Result<lines::AfterPin, Refusal> {
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
        cx: &mut Cx<'_>,
    ) -> Result<lines::AfterSumming, Refusal> {
        *left -= bytes.len() as u64;
        *sum += bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>();
        if *left > 0 {
            return Ok(lines::AfterSumming::Summing);
        }
        writeln!(cx, "{sum}");
        Ok(lines::AfterSumming::Line)
    }

    fn netting(&mut self, text: &[u8], cx: &mut Cx<'_>) -> Result<lines::AfterNetting, Refusal> {
        cx.write(text);
        cx.write(b"\n");
        Ok(lines::AfterNetting::Line)
    }

    fn counting(
        &mut self,
        next: &mut u64,
        last: &mut u64,
        cx: &mut Cx<'_>,
    ) -> Result<lines::AfterCounting, Refusal> {
        while *next <= *last {
            if cx.queued() >= 32 * 1024 {
                return Ok(lines::AfterCounting::Counting);
            }
            writeln!(cx, "{next}");
            *next += 1;
        }
        Ok(lines::AfterCounting::Line)
    }

    fn sleeping(&mut self, cx: &mut Cx<'_>) -> Result<lines::AfterSleeping, Refusal> {
        cx.write(b"awake\n");
        Ok(lines::AfterSleeping::Line)
    }

    fn refused(
        &mut self,
        why: &mut Refusal,
        cx: &mut Cx<'_>,
    ) -> Result<lines::AfterRefused, Refusal> {
        writeln!(cx, "! {why}");
        Ok(lines::AfterRefused::Leaving)
    }

    fn too_long(&mut self, cx: &mut Cx<'_>) -> Result<lines::AfterTooLong, Refusal> {
        cx.write(b"! too long\n");
        Ok(lines::AfterTooLong::Leaving)
    }

    fn timed_out(&mut self, cx: &mut Cx<'_>) -> Result<lines::AfterTimedOut, Refusal> {
        cx.write(b"! too slow\n");
        Ok(lines::AfterTimedOut::Leaving)
    }
}

/// A line protocol that shows each kind of wait of a state
#[derive(Parser)]
#[command(name = "lines", version, after_help = "Try: nc 127.0.0.1 7008")]
struct Options {
    #[command(flatten)]
    serving: Serving<7008>,
}

fn main() -> Result<(), PoolError> {
    let Options { serving } = Options::parse();
    let _log = serving.start_log()?;
    serving.pool(Pool::builder::<Lines>("lines")).handler(|_peer| Client).run()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use fsm_runtime::check;
    use fsm_runtime::sim::Session;

    use super::*;

    fn connect() -> Session<Lines, Client> {
        Session::new(Client)
    }

    #[test]
    fn each_command_is_answered() {
        let mut peer = connect();
        peer.send(b"ECHO hello\r\nPIN\n1234SUM 3\nabcNET\n5:hello,COUNT 3\nSUM 0\nECHO\n");
        assert_eq!(peer.receive(), b"hello\nfour digits\n294\nhello\n1\n2\n3\n0\n\n");
        peer.send(b"SLEEP\nQUIT\n");
        assert_eq!(peer.receive(), b"");
        peer.advance(Duration::from_secs(1));
        assert_eq!(peer.receive(), b"awake\nbye\n");
        assert_eq!(peer.ended(), Some(Ended::Done));
    }

    #[test]
    fn a_malformed_command_is_answered_and_ends_the_connection() {
        for (sent, answer) in [
            (&b"DANCE\n"[..], "! unknown command\n"),
            (b"SUM many\n", "! not a number\n"),
            (b"PIN\n12x4", "! a pin is four digits\n"),
            (b"NET\n5hello,", "! a netstring begins with its length and a colon\n"),
            (b"NET\n5:hello!", "! a netstring ends with a comma\n"),
            (b"NET\n2000:", "! too long\n"),
            (&[b'x'; 90], "! too long\n"),
        ] {
            let mut peer = connect();
            peer.send(sent);
            assert_eq!(String::from_utf8(peer.receive().into()).unwrap(), answer);
            assert_eq!(peer.ended(), Some(Ended::Done));
        }
    }

    #[test]
    fn late_input_ends_the_connection() {
        for (sent, seconds) in
            [(&b"ECH"[..], 60), (b"PIN\n12", 10), (b"SUM 9\nab", 5), (b"NET\n5:", 10)]
        {
            let mut peer = connect();
            peer.send(sent);
            peer.advance(Duration::from_millis(seconds * 1_000 - 1));
            assert_eq!(peer.ended(), None);
            peer.advance(Duration::from_millis(1));
            assert_eq!(peer.receive(), b"! too slow\n");
            assert_eq!(peer.ended(), Some(Ended::Done));
        }
    }

    #[test]
    fn a_byte_every_four_seconds_does_not_last_longer_than_a_minute() {
        let mut peer = connect();
        peer.send(b"SUM 1000\n");
        for _ in 0..14 {
            peer.advance(Duration::from_secs(4));
            peer.send(b"x");
        }
        assert_eq!(peer.state(), Some("Summing"));
        peer.advance(Duration::from_secs(4));
        assert_eq!(peer.ended(), Some(Ended::Done));
    }

    #[test]
    fn a_slow_reader_makes_counting_slow_and_not_large() {
        let mut peer = connect();
        peer.window(10_000);
        peer.send(b"COUNT 100000\nQUIT\n");
        let mut received = Vec::new();
        while peer.ended().is_none() {
            peer.advance(Duration::from_secs(9));
            received.extend(peer.receive());
        }
        let received = String::from_utf8(received).unwrap();
        let mut lines = received.lines();
        assert!((1..=100_000).all(|n| lines.next() == Some(&n.to_string())));
        assert_eq!((lines.next(), lines.next()), (Some("bye"), None));
    }

    #[test]
    fn l7_cuts_make_no_difference() {
        let input =
            b"ECHO hello\r\nPIN\n1234SUM 30\nabcdefghijklmnopqrstuvwxyzabcdNET\n5:hello,QUIT\n";
        check::splits::<Lines, _>(|| Client, input);
        check::splits::<Lines, _>(|| Client, b"NET\n12x");
    }
}
