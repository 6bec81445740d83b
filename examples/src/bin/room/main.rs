//! A chat: members speak and hear at any time, in rooms, with nicknames. It shows several waits on a
//! state, messages that handlers post to other connections, settings, and a farewell.
//!
//! | a member sends | the server |
//! |---|---|
//! | a nickname, as the first line | lets the member into the room `hall`, or says why not |
//! | `TEXT` | sends `NICK: TEXT` to all others in the room |
//! | `/join ROOM`, `/nick NAME`, `/who`, `/rooms` | does so and answers with a line that begins with `*` |
//! | `/quit` | says goodbye and closes the connection |
//!
//! Start it with `cargo run --release --bin room`, then run `nc 127.0.0.1 7009` in two terminals. A member
//! who is silent for the time of `--idle` is disconnected, however much the others say; a line `* ping`
//! comes every `--ping`, so that a peer that vanished is noticed. A member who does not read misses what
//! the mailbox has no room for, and hears how much that was. At SIGTERM each member gets a last line.

mod client;
mod rooms;

use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use fsm_examples::{Serving, time};
use fsm_runtime::Pipeline;
use fsm_runtime::prelude::*;

use client::Client;
use rooms::SharedRooms;

/// A line of a member who has a name.
#[frame(Lines, line = b"\r\n" | b"\n", max = 512)]
enum Line<'a> {
    #[is("/join")]
    Join {
        #[rest]
        room: &'a [u8],
    },
    #[is("/nick")]
    Nick {
        #[rest]
        name: &'a [u8],
    },
    #[is("/who")]
    Who,
    #[is("/rooms")]
    Rooms,
    #[is("/quit")]
    Quit,
    #[other]
    Text {
        #[rest]
        text: &'a [u8],
    },
}

/// A member.
#[state_machine(
    start = Name, message = Arc<str>, settings = Times, moves, eof => Gone, drain => Closing,
)]
enum Member {
    /// Waits for a nickname.
    #[read(until = b"\n", max = 64, within = 30s => Gone, limit => Gone)]
    #[to(Name | Room)]
    #[rest]
    Name,
    /// Hears the others and waits for a line.
    #[read(frame = Lines, refused => NoLine, idle = settings.idle <= 1d => Silent)]
    #[message]
    #[tick(settings.ping <= 1h)]
    #[to(Room | Leaving)]
    #[rest]
    Room,
    /// Throws away a line that is too long, or a command with wrong words.
    #[discard(until = b"\n", within = 30s => Gone)]
    #[to(Room)]
    NoLine {
        #[error]
        why: LinesError,
    },
    /// Says that the member was silent for too long.
    #[run]
    #[to(Leaving)]
    Silent,
    /// Says that the server shuts down.
    #[run]
    #[to(Leaving)]
    Closing,
    /// Waits until the last words have left.
    #[flush(within = 5s => Gone)]
    #[to(Gone)]
    Leaving,
    #[end]
    Gone,
}

/// The times that the operator chooses.
#[derive(Clone, Copy)]
struct Times {
    idle: Duration,
    ping: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self { idle: Duration::from_secs(600), ping: Duration::from_secs(30) }
    }
}

/// A chat with rooms and nicknames
#[derive(Parser)]
#[command(name = "room", version, after_help = "Try: nc 127.0.0.1 7009")]
struct Options {
    #[command(flatten)]
    serving: Serving<7009>,
    /// The time after which a silent member is disconnected, at most a day
    #[arg(long, value_name = "TIME", default_value = "10min", value_parser = time)]
    idle: Duration,
    /// The time between two pings, at most an hour
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = time)]
    ping: Duration,
}

fn main() -> Result<(), PoolError> {
    let Options { serving, idle, ping } = Options::parse();
    let _log = serving.start_log()?;
    let room = serving.pool(Pool::builder("room")).settings(Times { idle, ping });
    let shared = SharedRooms::new(room.handle());
    let room = room.handler(move |_peer| Client::new(Arc::clone(&shared)));
    let pipeline = Pipeline::new().pool(room);
    // So that each member hears each line, whichever process it is said in.
    #[cfg(unix)]
    let pipeline = serving.move_together(pipeline);
    serving.pipeline(pipeline).run()
}

#[cfg(test)]
mod tests {
    use fsm_runtime::check;
    use fsm_runtime::sim::Session;

    use super::client::COMMANDS;
    use super::*;

    /// A client of rooms whose pool never runs.
    fn client() -> Client {
        Client::new(SharedRooms::new(Pool::builder("room").handle()))
    }

    fn member(nick: &str) -> Session<Member, Client> {
        let mut peer = Session::new(client());
        peer.send(format!("{nick}\n").as_bytes());
        assert_eq!(peer.receive(), b"* you are in hall\n");
        peer
    }

    #[test]
    fn a_busy_room_does_not_hide_a_silent_member() {
        let mut peer = member("ann");
        for _ in 0..59 {
            peer.post("bob: hello".into()).expect("there is room");
            peer.advance(Duration::from_secs(10));
        }
        let heard = String::from_utf8(peer.receive().into()).expect("all are UTF-8");
        assert_eq!(heard.lines().filter(|line| *line == "bob: hello").count(), 59);
        assert_eq!(heard.lines().filter(|line| *line == "* ping").count(), 19);
        peer.advance(Duration::from_secs(10));
        assert!(peer.receive().ends_with(b"* you were silent for too long\n"));
        assert_eq!(peer.ended(), Some(Ended::Done));
    }

    #[test]
    fn a_line_that_is_too_long_is_skipped() {
        let mut peer = member("ann");
        peer.send(&[b'x'; 10_000]);
        peer.send(b"\n/who\n");
        assert_eq!(peer.receive(), b"* a line has at most 512 bytes\n* 1: ann\n");
    }

    #[test]
    fn commands_with_wrong_words_are_refused() {
        for line in ["/join", "/join ", "/nick", "/who is", "/dance", "/"] {
            let mut peer = member("ann");
            peer.send(format!("{line}\r\n/who\r\n").as_bytes());
            let answer = format!("* {COMMANDS}\n* 1: ann\n");
            assert_eq!(String::from_utf8_lossy(&peer.receive()), answer, "{line}");
        }
        check::frames::<Lines>();
    }

    #[test]
    fn a_drain_says_goodbye_also_to_those_without_a_name() {
        let mut named = member("ann");
        let mut nameless = Session::<Member, _>::new(client());
        for peer in [&mut named, &mut nameless] {
            peer.drain();
            assert_eq!(peer.receive(), b"* the server shuts down, goodbye\n");
            assert_eq!(peer.ended(), Some(Ended::Done));
        }
    }
}
