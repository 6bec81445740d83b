//! Connections that move from one pool to another of the same machine, as from an old process to a new one.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::lifecycle::pool_state::PoolState;
use crate::moves::departure::{Departure, Refused};
use crate::moves::stays::Stays;
use crate::prelude::*;
use crate::{Address, Builder, Handle, Key, Moves, MovesHandler, Running, Stats};

mod goes_on;
mod load;
mod stays;

/// Answers lines with their number.
#[state_machine(start = Line, moves, message = String, eof => Gone, limit => Gone)]
enum Desk {
    #[read(until = b"\n", max = 1KiB, begun = 1h => Late, idle = 1h => Late)]
    #[message]
    #[to(Line | Named | Working | Deaf)]
    #[rest]
    Line,
    /// Answers with a name, and takes no message.
    #[read(until = b"\n", max = 1KiB, within = 1h => Late)]
    #[to(Named | Line)]
    #[rest]
    Named { name: String, marks: Vec<u16> },
    /// Has something in progress until the next line.
    #[read(until = b"\n", max = 1KiB, within = 1h => Late)]
    #[to(Line)]
    Working,
    /// Reads nothing until it has got a message.
    #[message(within = 1h => Late)]
    #[to(Line)]
    #[rest]
    Deaf,
    #[run]
    #[to(Gone)]
    Late,
    #[end]
    Gone,
}

/// The keys of the connections of a pool, the last one at the end.
type Keys = Arc<Mutex<Vec<Key>>>;

/// The number of lines that each handler had answered when it packed.
type Packed = Arc<Mutex<Vec<u64>>>;

struct Clerk {
    lines: u64,
    keys: Keys,
    packed: Packed,
    /// The behaviour of `pack` and `unpack`.
    does: Does,
}

#[derive(Clone, Copy, PartialEq)]
enum Does {
    Packs,
    PanicsInPack,
    PanicsInUnpack,
    Refuses,
}

impl MovesHandler for Clerk {
    fn pack(&self, into: &mut Vec<u8>) {
        self.packed.lock().unwrap().push(self.lines);
        assert!(self.does != Does::PanicsInPack, "as it was told to");
        (self.lines, self.does as u8).pack(into);
    }

    fn unpack(&mut self, from: &mut &[u8]) -> Option<()> {
        let (lines, does) = <(u64, u8)>::unpack(from)?;
        assert!(does != Does::PanicsInUnpack as u8, "as it was told to");
        self.lines = lines;
        (does != Does::Refuses as u8).then_some(())
    }

    fn moved(&mut self, key: Key) {
        self.keys.lock().unwrap().push(key);
    }
}

impl Clerk {
    fn answer(&mut self, line: &[u8], cx: &mut Cx<'_, String>) {
        self.lines += 1;
        write!(cx, "{} ", self.lines);
        cx.write(line);
        cx.write(b"\n");
    }
}

impl desk::Handler for Clerk {
    fn line(&mut self, line: &[u8], cx: &mut Cx<'_, String>) -> desk::AfterLine {
        self.answer(line, cx);
        match line {
            b"name" => desk::AfterLine::Named { name: "Ada".to_owned(), marks: vec![1, 2, 3] },
            b"work" => desk::AfterLine::Working,
            b"deaf" => desk::AfterLine::Deaf,
            b"key" => {
                self.keys.lock().unwrap().push(cx.key());
                desk::AfterLine::Line
            }
            b"panic in pack" => {
                self.does = Does::PanicsInPack;
                desk::AfterLine::Line
            }
            b"panic in unpack" => {
                self.does = Does::PanicsInUnpack;
                desk::AfterLine::Line
            }
            b"refuse" => {
                self.does = Does::Refuses;
                desk::AfterLine::Line
            }
            b"much" => {
                for _ in 0..20_000 {
                    cx.write(b"a line of forty bytes, with its newline\n");
                }
                desk::AfterLine::Line
            }
            _ => desk::AfterLine::Line,
        }
    }

    fn line_message(&mut self, text: String, cx: &mut Cx<'_, String>) -> desk::AfterLine {
        writeln!(cx, "{text}");
        desk::AfterLine::Line
    }

    fn named(
        &mut self,
        name: &mut String,
        marks: &mut Vec<u16>,
        line: &[u8],
        cx: &mut Cx<'_, String>,
    ) -> desk::AfterNamed {
        write!(cx, "{name} {marks:?} ");
        self.answer(line, cx);
        if line == b"back" { desk::AfterNamed::Line } else { desk::AfterNamed::Named }
    }

    fn working(&mut self, line: &[u8], cx: &mut Cx<'_, String>) -> desk::AfterWorking {
        self.answer(line, cx);
        desk::AfterWorking::Line
    }

    fn deaf(&mut self, text: String, cx: &mut Cx<'_, String>) -> desk::AfterDeaf {
        writeln!(cx, "{text}");
        desk::AfterDeaf::Line
    }

    fn late(&mut self, cx: &mut Cx<'_, String>) -> desk::AfterLate {
        cx.write(b"late\n");
        desk::AfterLate::Gone
    }
}

/// A pool at work, in the place of a process.
struct Process {
    running: Running,
    handle: Handle<Desk>,
    keys: Keys,
    packed: Packed,
}

impl Process {
    fn new() -> Self {
        Self::of(Pool::builder("desk"))
    }

    fn of(builder: Builder<Desk>) -> Self {
        let builder = builder.listen("127.0.0.1:0").send_timeout(Duration::from_secs(3_600));
        let (handle, keys) = (builder.handle(), Keys::default());
        let packed = Packed::default();
        let given = (Arc::clone(&keys), Arc::clone(&packed));
        let running = builder
            .handler(move |_| {
                let (keys, packed) = given.clone();
                Clerk { lines: 0, keys, packed, does: Does::Packs }
            })
            .start()
            .unwrap();
        Self { running, handle, keys, packed }
    }

    fn state(&self) -> &PoolState {
        self.running.pool_state(0)
    }

    fn client(&self) -> Client {
        let [Address::Tcp(address)] = self.running.addresses() else { panic!("no TCP address") };
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Client { reader: BufReader::new(stream.try_clone().unwrap()), stream }
    }

    /// Makes the connections leave from now on.
    fn departures(&self) -> Receiver<Departure> {
        let (sender, departures) = mpsc::channel();
        let sink = move |departure| {
            // One that nobody waits for goes on where it is.
            let _ = sender.send(departure);
        };
        self.state().move_out(Arc::new(sink)).unwrap();
        departures
    }

    fn stats(&self) -> Stats {
        self.handle.stats()
    }

    /// The last key that a connection has written down.
    fn last_key(&self) -> Key {
        *self.keys.lock().unwrap().last().unwrap()
    }

    fn take(&self, departure: Departure) -> Result<(), Box<(Departure, Stays)>> {
        let socket: OwnedFd = departure.socket().unwrap().try_clone_to_owned().unwrap();
        let mut bytes = Vec::new();
        departure.packed.encode(&mut bytes);
        let packed = crate::moves::packed_connection::PackedConnection::decode(&bytes).unwrap();
        match self.state().take_in(packed, socket) {
            Ok(()) => {
                departure.arrived();
                Ok(())
            }
            Err(refused) => {
                let Refused { packed, why, .. } = *refused;
                assert_eq!(packed, departure.packed);
                Err(Box::new((departure, why)))
            }
        }
    }
}

struct Client {
    stream: TcpStream,
    reader: BufReader<TcpStream>,
}

impl Client {
    fn say(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).unwrap();
    }

    /// The next line, without its end.
    fn hear(&mut self) -> String {
        let mut line = String::new();
        assert!(self.reader.read_line(&mut line).unwrap() > 0, "the end of the stream");
        assert_eq!(line.pop(), Some('\n'));
        line
    }

    fn ask(&mut self, line: &str) -> String {
        self.say(&format!("{line}\n"));
        self.hear()
    }
}

fn next(departures: &Receiver<Departure>) -> Departure {
    departures.recv_timeout(Duration::from_secs(30)).unwrap()
}

/// Waits for something that a pool does.
fn until(mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it does not come");
        std::thread::yield_now();
    }
}

fn unread(process: &Process) -> usize {
    let snapshot = process.handle.snapshot(Duration::from_secs(10));
    snapshot.tasks.iter().map(|task| task.unread).sum()
}
