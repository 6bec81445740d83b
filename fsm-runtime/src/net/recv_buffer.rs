use std::io;

use crate::net::ready_io::{ReadyIo, Received};
use crate::net::transport::ByteStream;

/// Input that waits for more is put back in front of the thread's buffer if it is at most this
/// long; more than that stays in the connection and grows there.
const SMALL: usize = 4 * 1024;

/// The unread input during a turn: a part of the thread's buffer, or a buffer of the connection's
/// own once a message has outgrown that.
pub(crate) struct RecvBuffer<'a> {
    shared: &'a mut [u8],
    /// The range of `shared` that is unread, while `held` is empty.
    start: usize,
    end: usize,
    held: Vec<u8>,
    /// So much of `held` is used.
    used: usize,
}

impl<'a> RecvBuffer<'a> {
    #[inline]
    pub(crate) fn new(shared: &'a mut [u8]) -> Self {
        Self { shared, start: 0, end: 0, held: Vec::new(), used: 0 }
    }

    /// Takes up what lies there in the thread's buffer.
    pub(crate) fn resume_at(&mut self, start: usize, end: usize) {
        self.start = start;
        self.end = end;
    }

    /// Takes up what an earlier turn left.
    pub(crate) fn resume(&mut self, kept: Vec<u8>) {
        if kept.len() <= SMALL.min(self.shared.len() / 2) {
            self.shared[..kept.len()].copy_from_slice(&kept);
            self.end = kept.len();
        } else {
            self.held = kept;
        }
    }

    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        if self.held.is_empty() {
            &self.shared[self.start..self.end]
        } else {
            &self.held[self.used..]
        }
    }

    /// Whether there is as much as one read can bring, or more.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes().len() >= self.shared.len()
    }

    /// Only the last `rest` bytes are unread now.
    #[inline]
    pub(crate) fn leave(&mut self, rest: usize) {
        if self.held.is_empty() {
            self.start = self.end - rest;
        } else if rest == 0 {
            self.held = Vec::new();
            self.used = 0;
        } else {
            self.used = self.held.len() - rest;
        }
    }

    /// Reads once, behind what is unread.
    #[inline]
    pub(crate) fn read(
        &mut self,
        stream: &mut ReadyIo<'_, impl ByteStream>,
    ) -> io::Result<Received> {
        let unread = self.end - self.start;
        if unread == 0 && self.held.is_empty() {
            self.start = 0;
            self.end = 0;
        } else if self.held.is_empty() && unread <= SMALL.min(self.shared.len() / 2) {
            self.shared.copy_within(self.start..self.end, 0);
            self.start = 0;
            self.end = unread;
        } else {
            return self.read_held(stream);
        }
        let got = stream.read(&mut self.shared[self.end..]);
        if let Ok(Received::Bytes(n)) = got {
            self.end += n;
        }
        got
    }

    fn read_held(&mut self, stream: &mut ReadyIo<'_, impl ByteStream>) -> io::Result<Received> {
        if self.held.is_empty() {
            self.held.extend_from_slice(&self.shared[self.start..self.end]);
            self.start = 0;
            self.end = 0;
        }
        self.held.drain(..self.used);
        self.used = 0;
        let got = stream.read(self.shared);
        if let Ok(Received::Bytes(n)) = got {
            self.held.extend_from_slice(&self.shared[..n]);
        }
        got
    }

    /// What a later turn must take up, in a buffer of no more than twice its size.
    pub(crate) fn keep(mut self) -> Vec<u8> {
        if self.held.is_empty() {
            return self.shared[self.start..self.end].to_vec();
        }
        self.held.drain(..self.used);
        self.held.shrink_to(self.held.len() * 2);
        self.held
    }
}
