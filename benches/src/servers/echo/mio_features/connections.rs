use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;

use mio::Token;
use mio::net::TcpStream;
use slab::Slab;

use crate::servers::by_hand::send;

pub(super) struct Connection {
    pub(super) stream: TcpStream,
    /// Tells it from those that had the slot before.
    generation: u32,
    /// When something must have come.
    pub(super) idle_by: u64,
    /// The time of its entry in the heap.
    looked_at: u64,
    pub(super) rest: Option<Box<Rest>>,
}

/// What the socket did not take.
pub(super) struct Rest {
    bytes: Vec<u8>,
    sent: usize,
    /// When the client must have taken some of it.
    pub(super) stalled_by: u64,
}

/// All connections, and when to look at which: an entry for each, at the earliest time at which it
/// may be due. To move a deadline further away touches nothing.
#[derive(Default)]
pub(super) struct Connections {
    slots: Slab<Connection>,
    due: BinaryHeap<Reverse<(u64, usize)>>,
    generation: u32,
}

impl Connections {
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The token of the next connection.
    pub(super) fn next_token(&mut self) -> Token {
        self.generation = self.generation.wrapping_add(1);
        Token(self.slots.vacant_key() | (self.generation as usize) << 32)
    }

    /// Takes in the connection that has got the next token.
    pub(super) fn insert(&mut self, stream: TcpStream, token: Token, idle_by: u64) {
        let generation = self.generation;
        let connection = Connection { stream, generation, idle_by, looked_at: idle_by, rest: None };
        self.slots.insert(connection);
        self.due.push(Reverse((idle_by, token.0)));
    }

    pub(super) fn find(&mut self, token: Token) -> Option<&mut Connection> {
        let found = self.slots.get_mut(token.0 & 0xffff_ffff)?;
        (found.generation as usize == token.0 >> 32).then_some(found)
    }

    /// Its entry in the heap stays until its time has come.
    pub(super) fn remove(&mut self, token: Token) {
        if self.find(token).is_some() {
            self.slots.remove(token.0 & 0xffff_ffff);
        }
    }

    /// Has a connection looked at when it is due, and no more at the time that was known before.
    pub(super) fn arm(&mut self, token: Token) {
        let Some(connection) = self.find(token) else { return };
        let due = connection.due();
        connection.looked_at = due;
        self.due.push(Reverse((due, token.0)));
    }

    pub(super) fn next_due(&self) -> Option<u64> {
        self.due.peek().map(|Reverse((at, _))| *at)
    }

    /// A connection whose time has passed.
    pub(super) fn overdue(&mut self, now: u64) -> Option<Token> {
        while self.next_due()? <= now {
            let Reverse((at, token)) = self.due.pop()?;
            let token = Token(token);
            let Some(connection) = self.find(token) else { continue };
            if connection.looked_at != at {
                continue;
            }
            let due = connection.due();
            if due <= now {
                return Some(token);
            }
            connection.looked_at = due;
            self.due.push(Reverse((due, token.0)));
        }
        None
    }
}

impl Connection {
    /// Whether it is due before it would be looked at.
    pub(super) fn is_due_earlier(&self) -> bool {
        self.due() < self.looked_at
    }

    fn due(&self) -> u64 {
        self.rest.as_ref().map_or(self.idle_by, |rest| rest.stalled_by.min(self.idle_by))
    }
}

impl Rest {
    pub(super) fn new(bytes: &[u8], stalled_by: u64) -> Self {
        Self { bytes: bytes.to_vec(), sent: 0, stalled_by }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..std::mem::take(&mut self.sent));
        self.bytes.extend_from_slice(bytes);
    }

    /// Says whether the socket took some.
    pub(super) fn send(&mut self, stream: &mut TcpStream) -> io::Result<bool> {
        let sent = send(stream, self.bytes())?;
        self.sent += sent;
        Ok(sent > 0)
    }
}
