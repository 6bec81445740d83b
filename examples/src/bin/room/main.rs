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

mod house;

use std::cell::Cell;
use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use clap::Parser;
use fsm_examples::{Serving, time};
use fsm_runtime::prelude::*;
use fsm_runtime::{Moves, MovesHandler, Pipeline};

use house::{House, Seat};

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

/// The handler of a member's connection.
struct Client {
    house: Arc<House>,
    key: Option<Key>,
    nick: Arc<str>,
    room: Arc<str>,
    missed: Arc<AtomicUsize>,
    /// The connection may be on its way to another process.
    leaves: Cell<bool>,
}

type Context<'a> = Cx<'a, Arc<str>, Times>;

impl Client {
    fn new(house: Arc<House>) -> Self {
        let (nick, room) = (Arc::default(), Arc::default());
        Self { house, key: None, nick, room, missed: Arc::default(), leaves: Cell::new(false) }
    }

    /// Goes to a room, and tells those in the old and in the new one.
    fn join(&mut self, room: &str, cx: &mut Context<'_>) {
        let (room, mut rooms) = (Arc::<str>::from(room), self.house.rooms());
        let seat = Seat { nick: Arc::clone(&self.nick), missed: Arc::clone(&self.missed) };
        if let Err(why) = rooms.enter(&room, cx.key(), seat) {
            drop(rooms);
            return answer(cx, why);
        }
        if self.room != room {
            rooms.leave(&self.room, cx.key());
            self.house.say(&rooms, &self.room, cx.key(), &format!("* {} leaves", self.nick));
            self.house.say(&rooms, &room, cx.key(), &format!("* {} joins", self.nick));
            self.room = room;
        }
        drop(rooms);
        answer(cx, format_args!("you are in {}", self.room));
    }

    fn rename(&mut self, nick: &str, cx: &mut Context<'_>) {
        let mut rooms = self.house.rooms();
        match rooms.register(nick, cx.key()) {
            Err(why) => {
                drop(rooms);
                answer(cx, why);
            }
            Ok(nick) => {
                rooms.nicks.remove(&self.nick);
                let text = format!("* {} is now {nick}", self.nick);
                self.house.say(&rooms, &self.room, cx.key(), &text);
                self.nick = Arc::clone(&nick);
                let seat = Seat { nick, missed: Arc::clone(&self.missed) };
                let entered = rooms.enter(&self.room, cx.key(), seat);
                drop(rooms);
                if let Err(why) = entered {
                    return answer(cx, why);
                }
                answer(cx, format_args!("you are {}", self.nick));
            }
        }
    }

    fn list_members(&self, cx: &mut Context<'_>) {
        let names = {
            let rooms = self.house.rooms();
            let members = rooms.members.get(&self.room).into_iter().flatten();
            members.map(|(_, seat)| Arc::clone(&seat.nick)).collect()
        };
        list(names, cx);
    }

    fn list_rooms(&self, cx: &mut Context<'_>) {
        let names = self.house.rooms().members.keys().cloned().collect();
        list(names, cx);
    }
}

/// Answers with a list, which is cut if it would be too long.
fn list(mut names: Vec<Arc<str>>, cx: &mut Context<'_>) {
    names.sort_unstable();
    let all = names.len();
    names.truncate(100);
    answer(cx, format_args!("{all}: {}", names.join(" ")));
}

/// The answer to a command that there is not.
const COMMANDS: &str = "there is /join ROOM, /nick NAME, /who, /rooms and /quit";

fn answer(cx: &mut Context<'_>, text: impl Display) {
    writeln!(cx, "* {text}");
}

/// A line without control characters, because others see it in their terminals.
fn printable(line: &[u8]) -> String {
    String::from_utf8_lossy(line).trim().replace(char::is_control, "?")
}

impl Drop for Client {
    /// Leaves, however the connection ended. A member who has moved to another process has not left.
    fn drop(&mut self) {
        if let Some(key) = self.key {
            let mut rooms = self.house.rooms();
            rooms.leave(&self.room, key);
            rooms.nicks.remove(&self.nick);
            if !self.leaves.get() {
                self.house.say(&rooms, &self.room, key, &format!("* {} leaves", self.nick));
            }
        }
    }
}

/// A member keeps name and room in a new process of the server. The house there fills up as they come.
impl MovesHandler for Client {
    fn pack(&self, into: &mut Vec<u8>) {
        self.leaves.set(true);
        (self.nick.to_string(), self.room.to_string()).pack(into);
        self.missed.load(Ordering::Relaxed).pack(into);
    }

    fn unpack(&mut self, from: &mut &[u8]) -> Option<()> {
        let (nick, room): (String, String) = Moves::unpack(from)?;
        (self.nick, self.room) = (nick.into(), room.into());
        self.missed.store(Moves::unpack(from)?, Ordering::Relaxed);
        Some(())
    }

    fn moved(&mut self, key: Key) {
        self.leaves.set(false);
        if self.nick.is_empty() {
            return;
        }
        let mut rooms = self.house.rooms();
        if let Some(old) = self.key.replace(key) {
            rooms.leave(&self.room, old);
        }
        rooms.nicks.insert(Arc::clone(&self.nick), key);
        let seat = Seat { nick: Arc::clone(&self.nick), missed: Arc::clone(&self.missed) };
        if rooms.enter(&self.room, key, seat).is_err() {
            // Members who came first have filled it. This one hears nothing until the next `/join`.
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl member::Handler for Client {
    fn name(&mut self, line: &[u8], cx: &mut Context<'_>) -> member::AfterName {
        let registered = self.house.rooms().register(&printable(line), cx.key());
        match registered {
            Err(why) => {
                answer(cx, why);
                member::AfterName::Name
            }
            Ok(nick) => {
                (self.nick, self.key) = (nick, Some(cx.key()));
                self.join("hall", cx);
                member::AfterName::Room
            }
        }
    }

    fn room(&mut self, line: Line<'_>, cx: &mut Context<'_>) -> member::AfterRoom {
        match line {
            Line::Join { room } => match printable(room) {
                room if (1..=32).contains(&room.len()) => self.join(&room, cx),
                _ => answer(cx, COMMANDS),
            },
            Line::Nick { name } => self.rename(&printable(name), cx),
            Line::Who => self.list_members(cx),
            Line::Rooms => self.list_rooms(cx),
            Line::Quit => {
                answer(cx, "goodbye");
                return member::AfterRoom::Leaving;
            }
            Line::Text { text: [b'/', ..] } => answer(cx, COMMANDS),
            Line::Text { text } => match printable(text).as_str() {
                "" => {}
                text => {
                    let text = format!("{}: {text}", self.nick);
                    self.house.say(&self.house.rooms(), &self.room, cx.key(), &text);
                }
            },
        }
        member::AfterRoom::Room
    }

    fn room_message(&mut self, text: Arc<str>, cx: &mut Context<'_>) -> member::AfterRoom {
        writeln!(cx, "{text}");
        match self.missed.swap(0, Ordering::Relaxed) {
            0 => {}
            missed => answer(cx, format_args!("you missed {missed} lines")),
        }
        member::AfterRoom::Room
    }

    fn room_tick(&mut self, cx: &mut Context<'_>) -> member::AfterRoom {
        answer(cx, "ping");
        member::AfterRoom::Room
    }

    fn no_line(&mut self, why: &mut LinesError, cx: &mut Context<'_>) -> member::AfterNoLine {
        match why {
            LinesError::TooLong { max, .. } => {
                answer(cx, format_args!("a line has at most {max} bytes"));
            }
            _ => answer(cx, COMMANDS),
        }
        member::AfterNoLine::Room
    }

    fn silent(&mut self, cx: &mut Context<'_>) -> member::AfterSilent {
        answer(cx, "you were silent for too long");
        member::AfterSilent::Leaving
    }

    fn closing(&mut self, cx: &mut Context<'_>) -> member::AfterClosing {
        answer(cx, "the server shuts down, goodbye");
        member::AfterClosing::Leaving
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
    let house = House::new(room.handle());
    let room = room.handler(move |_peer| Client::new(Arc::clone(&house)));
    serving.pipeline(Pipeline::new().pool(room)).run()
}

#[cfg(test)]
mod tests {
    use fsm_runtime::check;
    use fsm_runtime::sim::Session;

    use super::*;

    /// A client of a house whose pool never runs.
    fn client() -> Client {
        Client::new(House::new(Pool::builder("room").handle()))
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
