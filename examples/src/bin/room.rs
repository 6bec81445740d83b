//! A news room: some clients speak, and others listen. It shows a hand-off of a connection to
//! another pool, and messages that handlers post to the connections of another pool.
//!
//! | a client sends | the server |
//! |---|---|
//! | `listen NAME` | hands the connection over to the pool of listeners, who receive every text |
//! | `say TEXT` | sends the text to all listeners, and answers how many took it |
//!
//! Start it with `cargo run --release --bin room`, then run `nc 127.0.0.1 7009` in two terminals.
//! Enter `listen ann` in one and `say good morning` in the other. With `--listeners 1` the server
//! refuses a second listener because the room is full. Ctrl-C ends the server at once, because the
//! states in which clients wait are marked `#[rest]`. The server closes the connection of a speaker
//! who sends a line of more than 512 bytes, or none for five minutes.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clap::Parser;
use fsm_examples::Serving;
use fsm_runtime::prelude::*;

/// A client of the front pool, which sends commands.
#[state_machine(start = Line, eof => Gone)]
enum Front {
    /// Waits for a command.
    #[read(until = b"\n", max = 512, idle = 5min => Gone, limit => Gone)]
    #[to(Line | Moving)]
    #[rest]
    Line,
    /// `listen`: hands the connection over to the other pool, with the name as its seed.
    #[handoff(Room, within = 5s => Closed, full => Full, gone => Closed)]
    Moving,
    /// The other pool is full, and returned the seed.
    #[run]
    #[to(Line)]
    Full {
        #[seed]
        name: String,
    },
    /// Reports that the other pool is gone.
    #[run]
    #[to(Gone)]
    Closed,
    #[end]
    Gone,
}

/// A client of the other pool, which listens. The server ignores its input.
#[state_machine(start = Enter, seed = String, message = Arc<str>, eof => Gone)]
enum Room {
    /// Arrives from the front pool.
    #[run]
    #[to(Listening)]
    Enter { name: String },
    /// Waits for a message.
    #[message(idle = 30s => KeepAlive)]
    #[to(Listening)]
    #[rest]
    Listening,
    /// Sends an empty line, so that the system notices a peer that vanished.
    #[run]
    #[to(Listening)]
    KeepAlive,
    #[end]
    Gone,
}

/// The data that both pools share: a handle to post to listeners.
struct Board {
    room: Handle<Room>,
    /// The keys of the listeners. At most one for each connection of the pool, because a listener
    /// removes its key when it is dropped.
    keys: Mutex<HashSet<Key>>,
}

impl Board {
    /// Posts to all listeners, and returns how many took the message and how many could not. It
    /// holds the lock, so that all listeners get all messages in the same order; a post never
    /// blocks.
    fn say(&self, text: &str) -> (usize, usize) {
        let text: Arc<str> = text.into();
        let (mut told, mut slow) = (0, 0);
        for key in &*self.keys() {
            match self.room.post(*key, Arc::clone(&text)) {
                Ok(()) => told += 1,
                // The mailbox is full because the listener does not read. It misses this message.
                Err(TrySendError::Full(_)) => slow += 1,
                // The connection has ended, and its listener is about to be dropped.
                Err(TrySendError::Gone(_)) => {}
            }
        }
        (told, slow)
    }

    fn keys(&self) -> MutexGuard<'_, HashSet<Key>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Client {
    board: Arc<Board>,
}

impl front::Handler for Client {
    fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> front::AfterLine {
        let line = String::from_utf8_lossy(line);
        // Replace control characters, because other clients see the text in their terminals.
        let line = line.trim().replace(char::is_control, "?");
        match line.split_once(' ') {
            Some(("listen", name)) => return front::AfterLine::Moving { seed: name.to_owned() },
            Some(("say", text)) => match self.board.say(text) {
                (told, 0) => writeln!(cx, "told {told}"),
                (told, slow) => writeln!(cx, "told {told}, but {slow} too slow"),
            },
            _ => writeln!(cx, "send `listen NAME` or `say TEXT`"),
        }
        front::AfterLine::Line
    }

    fn full(&mut self, name: &mut String, cx: &mut Cx<'_>) -> front::AfterFull {
        writeln!(cx, "sorry {name}, the room is full");
        front::AfterFull::Line
    }

    fn closed(&mut self, cx: &mut Cx<'_>) -> front::AfterClosed {
        writeln!(cx, "the room is closed");
        front::AfterClosed::Gone
    }
}

/// A listener; dropping it removes it from the board, however its connection ended.
struct Listener {
    board: Arc<Board>,
    key: Option<Key>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.board.keys().remove(&key);
        }
    }
}

impl room::Handler for Listener {
    fn enter(&mut self, name: &mut String, cx: &mut Cx<'_, Arc<str>>) -> room::AfterEnter {
        // The key, because a connection has a new key in each pool.
        self.key = Some(cx.key());
        self.board.keys().insert(cx.key());
        writeln!(cx, "welcome {name}");
        room::AfterEnter::Listening
    }

    fn listening(&mut self, text: Arc<str>, cx: &mut Cx<'_, Arc<str>>) -> room::AfterListening {
        writeln!(cx, "{text}");
        room::AfterListening::Listening
    }

    fn keep_alive(&mut self, cx: &mut Cx<'_, Arc<str>>) -> room::AfterKeepAlive {
        cx.write(b"\n");
        room::AfterKeepAlive::Listening
    }
}

/// A news room: some clients speak, and others listen
#[derive(Parser)]
#[command(name = "room", version, after_help = "Try: nc 127.0.0.1 7009")]
struct Options {
    #[command(flatten)]
    serving: Serving<7009>,
    /// The maximum number of listeners
    #[arg(long, value_name = "N", default_value = "100")]
    listeners: NonZeroUsize,
}

fn main() -> Result<(), PoolError> {
    let options = Options::parse();
    let _log = options.serving.start_log()?;
    let front = options.serving.pool(Pool::builder::<Front>("front"));
    let room = Pool::builder::<Room>("room").max_connections(options.listeners.get()).mailbox(100);
    // Take the handle before the pool is built, because handlers of both pools need it.
    let board = Arc::new(Board { room: room.handle(), keys: Mutex::default() });
    let speakers = Arc::clone(&board);
    Pipeline::new()
        .pool(front.handler(move |_peer| Client { board: Arc::clone(&speakers) }))
        .pool(room.handler(move |_peer| Listener { board: Arc::clone(&board), key: None }))
        .run()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use fsm_runtime::sim::Session;

    use super::*;

    #[test]
    fn an_idle_listener_gets_keep_alives_and_leaves_the_board() {
        // The pool never runs, because `Board` needs only its handle.
        let room = Pool::builder::<Room>("room").handle();
        let board = Arc::new(Board { room, keys: Mutex::default() });
        let listener = Listener { board: Arc::clone(&board), key: None };
        let mut peer = Session::<Room, _>::seeded(listener, "ann".to_owned());
        assert_eq!((peer.receive(), board.keys().len()), (b"welcome ann\n".into(), 1));
        peer.advance(Duration::from_secs(29));
        assert_eq!(peer.post("hello".into()), Ok(()));
        assert_eq!(peer.receive(), b"hello\n");
        peer.advance(Duration::from_secs(29));
        assert_eq!(peer.receive(), b"");
        peer.advance(Duration::from_secs(1));
        assert_eq!(peer.receive(), b"\n");
        peer.advance(Duration::from_secs(30));
        assert_eq!(peer.receive(), b"\n");
        peer.end();
        assert_eq!((peer.ended(), board.keys().len()), (Some(Ended::Done), 0));
        assert_eq!(board.say("to nobody"), (0, 0));
    }
}
