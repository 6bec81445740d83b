use std::io::{self, ErrorKind, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};

use self::connections::{Connection, Connections, Rest};
use self::door::Door;
use crate::servers::by_hand;

mod connections;
mod door;

const LISTENER: Token = Token(usize::MAX);
/// What one read gets at most: all connections share one buffer.
const BUFFER: usize = 64 * 1024;
/// Reads of a turn: then others have theirs.
const READS: usize = 4;
/// Bytes of output beyond which nothing more is read.
const OUTPUT: usize = 256 * 1024;
/// How long a client may say nothing, and how long it may take nothing, in milliseconds.
const IDLE: u64 = 60_000;
const STALL: u64 = 60_000;

/// How a turn of a connection has ended.
enum Turn {
    /// An event tells of what comes next.
    Waits,
    /// There may be more to read.
    Again,
    Over,
}

/// The loop that one writes by hand, with what a port does for all its connections: keys that are
/// never used twice, a deadline for input and one for output, limits of connections and of output,
/// turns of a bounded length, no end when descriptors run out or a connection panics.
struct Server {
    poll: Poll,
    door: Door,
    connections: Connections,
    /// Those that have had their turn and may have more to read.
    again: Vec<Token>,
    buffer: Vec<u8>,
    started: Instant,
    /// The milliseconds since then, as of the last poll.
    now: u64,
}

pub(crate) fn serve(listener: std::net::TcpListener) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let mut listener = TcpListener::from_std(listener);
    let poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut server = Server {
        poll,
        door: Door::new(listener),
        connections: Connections::default(),
        again: Vec::new(),
        buffer: vec![0; BUFFER],
        started: Instant::now(),
        now: 0,
    };
    let mut events = Events::with_capacity(1024);
    loop {
        server.step(&mut events)?;
    }
}

impl Server {
    /// Polls once, and gives everybody a turn who has something to do.
    fn step(&mut self, events: &mut Events) -> io::Result<()> {
        match self.poll.poll(events, self.timeout()) {
            Err(error) if error.kind() == ErrorKind::Interrupted => events.clear(),
            polled => polled?,
        }
        self.now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let again = std::mem::take(&mut self.again);
        for event in &*events {
            if event.token() == LISTENER {
                self.door.pending = true;
            } else {
                self.turn(event.token(), event.is_read_closed());
            }
        }
        for token in again {
            self.turn(token, false);
        }
        while let Some(token) = self.connections.overdue(self.now) {
            self.connections.remove(token);
        }
        self.door.open(self.poll.registry(), &mut self.connections, self.now);
        Ok(())
    }

    fn timeout(&self) -> Option<Duration> {
        if !self.again.is_empty() {
            return Some(Duration::ZERO);
        }
        let door = self.door.opens_at(&self.connections);
        let due = self.connections.next_due().into_iter().chain(door).min()?;
        Some(Duration::from_millis(due.saturating_sub(self.now)))
    }

    fn turn(&mut self, token: Token, ended: bool) {
        let Some(connection) = self.connections.find(token) else { return };
        let (buffer, now) = (&mut self.buffer, self.now);
        let turn = catch_unwind(AssertUnwindSafe(|| connection.turn(ended, buffer, now)));
        match turn {
            Ok(Ok(Turn::Waits)) => {}
            Ok(Ok(Turn::Again)) => self.again.push(token),
            Ok(Ok(Turn::Over) | Err(_)) | Err(_) => return self.connections.remove(token),
        }
        if connection.is_due_earlier() {
            self.connections.arm(token);
        }
    }
}

impl Connection {
    /// Sends back what has come. A short read has emptied the socket, unless its end is behind it.
    fn turn(&mut self, ended: bool, buffer: &mut [u8], now: u64) -> io::Result<Turn> {
        if let Some(mut rest) = self.rest.take() {
            if rest.send(&mut self.stream)? {
                rest.stalled_by = now + STALL;
            }
            self.rest = (!rest.bytes().is_empty()).then_some(rest);
        }
        for _ in 0..READS {
            if self.rest.as_ref().is_some_and(|rest| rest.bytes().len() >= OUTPUT) {
                return Ok(Turn::Waits);
            }
            let length = match self.stream.read(buffer) {
                Ok(0) => return Ok(Turn::Over),
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Turn::Waits),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            self.idle_by = now + IDLE;
            if let Some(rest) = &mut self.rest {
                rest.push(&buffer[..length]);
            } else {
                let sent = by_hand::send(&mut self.stream, &buffer[..length])?;
                if sent < length {
                    self.rest = Some(Box::new(Rest::new(&buffer[sent..length], now + STALL)));
                }
            }
            if length < buffer.len() && !ended {
                return Ok(Turn::Waits);
            }
        }
        Ok(Turn::Again)
    }
}
