// cargo run --release --bin room, then in two terminals: nc 127.0.0.1 7009
//! A news room: some say things, and others hear them.
//!
//! | a client sends | and gets |
//! |---|---|
//! | `listen NAME` | from then on, what is said; it has moved to the pool of those who listen |
//! | `say TEXT` | to how many it was told |
//!
//! In one terminal enter `listen ann`, in the other `say good morning`. Start the server with
//! `--listeners 1`, and a second one who wants to listen is told that there is no room. Ctrl-C ends
//! it at once, since both states in which clients spend their time are marked `#[rest]`. A line of more
//! than 512 bytes, or none for five minutes, ends the connection of one who does not listen.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use clap::Parser;
use fsm_runtime::prelude::*;

/// A client of the front pool, which sends commands.
#[state_machine(start = Line, eof => Gone)]
enum Front {
    /// Waits for a command.
    #[read(until = b"\n", max = 512, idle = 5min => Gone, limit => Gone)]
    #[to(Line | Moving)]
    #[rest]
    Line,
    /// `listen`: the connection goes on in the other pool, with a name as its seed.
    #[handoff(Room, within = 5s => Closed, full => Full, gone => Closed)]
    Moving,
    /// There is no room. The seed has come back.
    #[run]
    #[to(Line)]
    Full {
        #[seed]
        name: String,
    },
    /// Says that there are no listeners any more.
    #[run]
    #[to(Gone)]
    Closed,
    #[end]
    Gone,
}

/// A client of the other pool, which listens. What it sends is ignored.
#[state_machine(start = Enter, seed = String, message = Arc<str>, eof => Gone)]
enum Room {
    /// Has come from the front pool.
    #[run]
    #[to(Listening)]
    Enter { name: String },
    /// Waits for what somebody posts.
    #[message(idle = 30s => Quiet)]
    #[to(Listening)]
    #[rest]
    Listening,
    /// Sends an empty line, so that whoever has gone without a word is found out.
    #[run]
    #[to(Listening)]
    Quiet,
    #[end]
    Gone,
}

/// What the two pools share: how one posts to the connections of the other.
struct Board {
    room: Handle<Room>,
    /// Those who listen: no more than the pool has connections, since each is taken off at its end.
    keys: Mutex<HashSet<Key>>,
}

impl Board {
    /// Posts to all who listen, and returns how many took it and how many could not. It is locked
    /// meanwhile (a post never waits), so that all hear everything in the same order.
    fn say(&self, text: &str) -> (usize, usize) {
        let text: Arc<str> = text.into();
        let (mut told, mut slow) = (0, 0);
        for key in &*self.keys() {
            match self.room.post(*key, Arc::clone(&text)) {
                Ok(()) => told += 1,
                // It does not read, and has as much waiting as it may. It misses this.
                Err(TrySendError::Full(_)) => slow += 1,
                // It has come to its end, and is about to be taken off.
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
        // Others see it in their terminals.
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

/// One who listens; dropping it takes it off the board, however its connection has ended.
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
        // A connection has another key in each pool.
        self.key = Some(cx.key());
        self.board.keys().insert(cx.key());
        writeln!(cx, "welcome {name}");
        room::AfterEnter::Listening
    }

    fn listening(&mut self, text: Arc<str>, cx: &mut Cx<'_, Arc<str>>) -> room::AfterListening {
        writeln!(cx, "{text}");
        room::AfterListening::Listening
    }

    fn quiet(&mut self, cx: &mut Cx<'_, Arc<str>>) -> room::AfterQuiet {
        cx.write(b"\n");
        room::AfterQuiet::Listening
    }
}

/// A news room: some say things, and others hear them.
#[derive(Parser)]
#[command(after_help = "Try: nc 127.0.0.1 7009")]
struct Options {
    /// The address to listen on; port 0 lets the system choose one
    #[arg(default_value = "127.0.0.1:7009")]
    address: String,
    /// The most who listen at a time
    #[arg(long, value_name = "N", default_value = "100")]
    listeners: NonZeroUsize,
}

fn main() -> Result<(), PoolError> {
    let options = Options::parse();
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let front = Pool::builder::<Front>("front").listen(options.address);
    let front = front.max_connections(1_000).drain_within(Duration::from_secs(5));
    let room = Pool::builder::<Room>("room").max_connections(options.listeners.get()).mailbox(100);
    // There is a handle before the pool is complete, since handlers of both pools need it.
    let board = Arc::new(Board { room: room.handle(), keys: Mutex::default() });
    let speakers = Arc::clone(&board);
    Pipeline::new()
        .pool(front.handler(move |_peer| Client { board: Arc::clone(&speakers) }))
        .pool(room.handler(move |_peer| Listener { board: Arc::clone(&board), key: None }))
        .run()
}

#[cfg(test)]
mod tests {
    use fsm_runtime::sim::Session;

    use super::*;

    #[test]
    fn who_hears_nothing_gets_a_sign_of_life_and_leaves_the_board() {
        // Without connections, its handle is good enough.
        let room = Pool::builder::<Room>("room").handle();
        let board = Arc::new(Board { room, keys: Mutex::default() });
        let listener = Listener { board: Arc::clone(&board), key: None };
        let mut peer = Session::<Room, _>::seeded(listener, "ann".to_owned());
        assert_eq!((peer.receive(), board.keys().len()), (b"welcome ann\n".to_vec(), 1));
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
