use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;

use mio::Token;
use mio::net::TcpStream;
use slab::Slab;

use crate::servers::mio_loop::send;

pub(super) struct Connection {
    pub(super) stream: TcpStream,
    /// Distinguishes the connection from earlier ones in the same slot.
    generation: u32,
    /// The time by which the client must have sent something.
    pub(super) idle_deadline: u64,
    /// The time of the current entry in the heap; other entries are stale.
    entry: u64,
    pub(super) unsent: Option<Box<Unsent>>,
}

/// Output that the socket has not accepted.
pub(super) struct Unsent {
    bytes: Vec<u8>,
    sent: usize,
    /// The time by which the socket must have accepted more.
    pub(super) deadline: u64,
}

/// All connections, with a heap of deadlines.
///
/// Each connection has one current entry, at or before its deadline, so that extending a deadline
/// does not change the heap.
#[derive(Default)]
pub(super) struct Connections {
    slots: Slab<Connection>,
    deadlines: BinaryHeap<Reverse<(u64, usize)>>,
    generation: u32,
}

impl Connections {
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The token of the next connection, with a new generation.
    pub(super) fn next_token(&mut self) -> Token {
        self.generation = self.generation.wrapping_add(1);
        Token(self.slots.vacant_key() | (self.generation as usize) << 32)
    }

    /// Inserts a connection that is registered with [`next_token`](Self::next_token).
    pub(super) fn insert(&mut self, stream: TcpStream, token: Token, idle_deadline: u64) {
        let generation = self.generation;
        let connection =
            Connection { stream, generation, idle_deadline, entry: idle_deadline, unsent: None };
        self.slots.insert(connection);
        self.deadlines.push(Reverse((idle_deadline, token.0)));
    }

    pub(super) fn find(&mut self, token: Token) -> Option<&mut Connection> {
        let found = self.slots.get_mut(token.0 & 0xffff_ffff)?;
        (found.generation as usize == token.0 >> 32).then_some(found)
    }

    /// Removes a connection; its entry stays in the heap until it expires.
    pub(super) fn remove(&mut self, token: Token) {
        if self.find(token).is_some() {
            self.slots.remove(token.0 & 0xffff_ffff);
        }
    }

    /// Pushes an entry for the connection's deadline, which makes the previous entry stale.
    pub(super) fn arm(&mut self, token: Token) {
        let Some(connection) = self.find(token) else { return };
        let deadline = connection.deadline();
        connection.entry = deadline;
        self.deadlines.push(Reverse((deadline, token.0)));
    }

    pub(super) fn next_deadline(&self) -> Option<u64> {
        self.deadlines.peek().map(|Reverse((at, _))| *at)
    }

    /// A connection whose deadline has passed.
    pub(super) fn expired(&mut self, now: u64) -> Option<Token> {
        while self.next_deadline()? <= now {
            let Reverse((at, token)) = self.deadlines.pop()?;
            let token = Token(token);
            let Some(connection) = self.find(token) else { continue };
            if connection.entry != at {
                continue;
            }
            let deadline = connection.deadline();
            if deadline <= now {
                return Some(token);
            }
            connection.entry = deadline;
            self.deadlines.push(Reverse((deadline, token.0)));
        }
        None
    }
}

impl Connection {
    /// Whether the deadline is before the current entry.
    pub(super) fn is_due_before_entry(&self) -> bool {
        self.deadline() < self.entry
    }

    fn deadline(&self) -> u64 {
        self.unsent
            .as_ref()
            .map_or(self.idle_deadline, |unsent| unsent.deadline.min(self.idle_deadline))
    }
}

impl Unsent {
    pub(super) fn new(bytes: &[u8], deadline: u64) -> Self {
        Self { bytes: bytes.to_vec(), sent: 0, deadline }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..std::mem::take(&mut self.sent));
        self.bytes.extend_from_slice(bytes);
    }

    /// Sends; returns whether the socket accepted any bytes.
    pub(super) fn send(&mut self, stream: &mut TcpStream) -> io::Result<bool> {
        let sent = send(stream, self.bytes())?;
        self.sent += sent;
        Ok(sent > 0)
    }
}
