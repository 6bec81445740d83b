use std::cell::Cell;
use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fsm_runtime::prelude::*;
use fsm_runtime::{Moves, MovesHandler};

use super::rooms::{Profile, SharedRooms};
use super::{Line, LinesError, Times, member};

/// The handler of a member's connection.
pub(super) struct Client {
    shared: Arc<SharedRooms>,
    key: Option<Key>,
    nick: Arc<str>,
    room: Arc<str>,
    missed: Arc<AtomicUsize>,
    /// The connection may be on its way to another process.
    leaves: Cell<bool>,
}

type Context<'a> = Cx<'a, Arc<str>, Times>;

impl Client {
    pub(super) fn new(shared: Arc<SharedRooms>) -> Self {
        let (nick, room) = (Arc::default(), Arc::default());
        Self { shared, key: None, nick, room, missed: Arc::default(), leaves: Cell::new(false) }
    }

    /// Goes to a room, and tells those in the old and in the new one.
    fn join(&mut self, room: &str, cx: &mut Context<'_>) {
        let (room, mut rooms) = (Arc::<str>::from(room), self.shared.lock());
        let profile = Profile { nick: Arc::clone(&self.nick), missed: Arc::clone(&self.missed) };
        if let Err(why) = rooms.enter(&room, cx.key(), profile) {
            drop(rooms);
            return answer(cx, why);
        }
        if self.room != room {
            rooms.leave(&self.room, cx.key());
            self.shared.say(&rooms, &self.room, cx.key(), &format!("* {} leaves", self.nick));
            self.shared.say(&rooms, &room, cx.key(), &format!("* {} joins", self.nick));
            self.room = room;
        }
        drop(rooms);
        answer(cx, format_args!("you are in {}", self.room));
    }

    fn rename(&mut self, nick: &str, cx: &mut Context<'_>) {
        let mut rooms = self.shared.lock();
        match rooms.register(nick, cx.key()) {
            Err(why) => {
                drop(rooms);
                answer(cx, why);
            }
            Ok(nick) => {
                rooms.nicks.remove(&self.nick);
                let text = format!("* {} is now {nick}", self.nick);
                self.shared.say(&rooms, &self.room, cx.key(), &text);
                self.nick = Arc::clone(&nick);
                let profile = Profile { nick, missed: Arc::clone(&self.missed) };
                let entered = rooms.enter(&self.room, cx.key(), profile);
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
            let rooms = self.shared.lock();
            let members = rooms.members.get(&self.room).into_iter().flatten();
            members.map(|(_, profile)| Arc::clone(&profile.nick)).collect()
        };
        list(names, cx);
    }

    fn list_rooms(&self, cx: &mut Context<'_>) {
        let names = self.shared.lock().members.keys().cloned().collect();
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
pub(super) const COMMANDS: &str = "there is /join ROOM, /nick NAME, /who, /rooms and /quit";

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
            let mut rooms = self.shared.lock();
            rooms.leave(&self.room, key);
            rooms.nicks.remove(&self.nick);
            if !self.leaves.get() {
                self.shared.say(&rooms, &self.room, key, &format!("* {} leaves", self.nick));
            }
        }
    }
}

/// A member keeps name and room in a new process of the server. The rooms there fill up as they come.
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
        let mut rooms = self.shared.lock();
        if let Some(old) = self.key.replace(key) {
            rooms.leave(&self.room, old);
        }
        rooms.nicks.insert(Arc::clone(&self.nick), key);
        let profile = Profile { nick: Arc::clone(&self.nick), missed: Arc::clone(&self.missed) };
        if rooms.enter(&self.room, key, profile).is_err() {
            // Members who came first have filled it. This one hears nothing until the next `/join`.
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl member::Handler for Client {
    fn name(&mut self, line: &[u8], cx: &mut Context<'_>) -> member::AfterName {
        let registered = self.shared.lock().register(&printable(line), cx.key());
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
                    self.shared.say(&self.shared.lock(), &self.room, cx.key(), &text);
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
