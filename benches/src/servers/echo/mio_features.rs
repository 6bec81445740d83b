use std::io::{self, ErrorKind, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};

use self::acceptor::Acceptor;
use self::connections::{Connection, Connections, Unsent};
use crate::servers::mio_loop;

mod acceptor;
mod connections;

const LISTENER: Token = Token(usize::MAX);
/// The most bytes of one read; all connections share one buffer.
const BUFFER: usize = 64 * 1024;
/// The most reads of a turn.
const READS: usize = 4;
/// The unsent bytes that stop reading.
const MAX_UNSENT: usize = 256 * 1024;
/// Milliseconds without input that end a connection.
const IDLE: u64 = 60_000;
/// Milliseconds without progress in sending that end a connection.
const SEND_TIMEOUT: u64 = 60_000;

/// The result of a connection's turn.
enum TurnOutcome {
    /// The next event starts the next turn.
    Waiting,
    /// The socket may have more input.
    Ready,
    Finished,
}

/// An event loop written by hand with the features of a port.
///
/// Keys have generations, each connection has an idle deadline and a send timeout, the number of
/// connections, the output and the length of a turn are bounded, and the loop survives a panic of a
/// connection and a lack of descriptors.
struct Server {
    poll: Poll,
    acceptor: Acceptor,
    connections: Connections,
    /// Connections that may have more input after their turn.
    ready: Vec<Token>,
    buffer: Vec<u8>,
    started: Instant,
    /// Milliseconds from the start to the last poll.
    now: u64,
}

pub(super) fn serve(listener: std::net::TcpListener) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let mut listener = TcpListener::from_std(listener);
    let poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut server = Server {
        poll,
        acceptor: Acceptor::new(listener, IDLE),
        connections: Connections::default(),
        ready: Vec::new(),
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
    /// Polls once, then gives a turn to each connection with an event or with more input.
    fn step(&mut self, events: &mut Events) -> io::Result<()> {
        match self.poll.poll(events, self.timeout()) {
            Err(error) if error.kind() == ErrorKind::Interrupted => events.clear(),
            polled => polled?,
        }
        self.now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let ready = std::mem::take(&mut self.ready);
        for event in &*events {
            if event.token() == LISTENER {
                self.acceptor.pending = true;
            } else {
                self.turn(event.token(), event.is_read_closed());
            }
        }
        for token in ready {
            self.turn(token, false);
        }
        while let Some(token) = self.connections.expired(self.now) {
            self.connections.remove(token);
        }
        self.acceptor.accept(self.poll.registry(), &mut self.connections, self.now);
        Ok(())
    }

    fn timeout(&self) -> Option<Duration> {
        if !self.ready.is_empty() {
            return Some(Duration::ZERO);
        }
        let retry = self.acceptor.next_attempt(&self.connections);
        let due = self.connections.next_deadline().into_iter().chain(retry).min()?;
        Some(Duration::from_millis(due.saturating_sub(self.now)))
    }

    fn turn(&mut self, token: Token, read_closed: bool) {
        let Some(connection) = self.connections.find(token) else { return };
        let (buffer, now) = (&mut self.buffer, self.now);
        let outcome = catch_unwind(AssertUnwindSafe(|| connection.turn(read_closed, buffer, now)));
        match outcome {
            Ok(Ok(TurnOutcome::Waiting)) => {}
            Ok(Ok(TurnOutcome::Ready)) => self.ready.push(token),
            Ok(Ok(TurnOutcome::Finished) | Err(_)) | Err(_) => {
                return self.connections.remove(token);
            }
        }
        if connection.is_due_before_entry() {
            self.connections.arm(token);
        }
    }
}

impl Connection {
    /// Sends received bytes back. A short read has emptied the socket, unless the end of stream
    /// follows.
    fn turn(&mut self, read_closed: bool, buffer: &mut [u8], now: u64) -> io::Result<TurnOutcome> {
        if let Some(mut unsent) = self.unsent.take() {
            if unsent.send(&mut self.stream)? {
                unsent.deadline = now + SEND_TIMEOUT;
            }
            self.unsent = (!unsent.bytes().is_empty()).then_some(unsent);
        }
        for _ in 0..READS {
            if self.unsent.as_ref().is_some_and(|unsent| unsent.bytes().len() >= MAX_UNSENT) {
                return Ok(TurnOutcome::Waiting);
            }
            let length = match self.stream.read(buffer) {
                Ok(0) => return Ok(TurnOutcome::Finished),
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return Ok(TurnOutcome::Waiting);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            self.idle_deadline = now + IDLE;
            if let Some(unsent) = &mut self.unsent {
                unsent.push(&buffer[..length]);
            } else {
                let sent = mio_loop::send(&mut self.stream, &buffer[..length])?;
                if sent < length {
                    self.unsent =
                        Some(Box::new(Unsent::new(&buffer[sent..length], now + SEND_TIMEOUT)));
                }
            }
            if length < buffer.len() && !read_closed {
                return Ok(TurnOutcome::Waiting);
            }
        }
        Ok(TurnOutcome::Ready)
    }
}
