use std::io;
use std::ops::Range;

use bytes::{Buf, Bytes};

use crate::net::ready_io::{ReadyIo, Received};
use crate::net::transport::ByteStream;

/// The most unread bytes that are moved to the front of the thread's buffer, so that the next read
/// can append to them. More unread bytes move into a buffer of the connection, which grows.
const SMALL: usize = 4 * 1024;

/// The unread input of a connection during its turn: a part of the thread's buffer, or a buffer of
/// the connection's own once a message has outgrown that.
pub(crate) struct RecvBuffer<'a> {
    /// The thread's buffer.
    shared: &'a mut [u8],
    /// The unread range of `shared`, while `own` is empty.
    start: usize,
    end: usize,
    /// The connection's own buffer.
    own: Vec<u8>,
    /// The number of bytes at the front of `own` or `whole` that the machine has used.
    used: usize,
    /// The connection's own buffer in place of `own`, once it holds all of a message whose size was
    /// known. Handlers may share it.
    whole: Bytes,
    /// The size of the incomplete message at the front of the unread bytes, if it is known and does not fit
    /// into `shared`; otherwise 0.
    wanted: usize,
}

impl<'a> RecvBuffer<'a> {
    #[inline]
    pub(crate) fn new(shared: &'a mut [u8]) -> Self {
        Self { shared, start: 0, end: 0, own: Vec::new(), used: 0, whole: Bytes::new(), wanted: 0 }
    }

    /// Takes up the unread bytes that lie in this range of the thread's buffer.
    pub(crate) fn resume_at(&mut self, unread: Range<usize>) {
        self.start = unread.start;
        self.end = unread.end;
    }

    /// Takes up the unread bytes of an earlier turn.
    pub(crate) fn resume(&mut self, unread: Vec<u8>) {
        if unread.len() <= self.small() {
            self.shared[..unread.len()].copy_from_slice(&unread);
            self.end = unread.len();
        } else {
            self.own = unread;
        }
    }

    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        if !self.own.is_empty() {
            &self.own[self.used..]
        } else if self.whole.is_empty() {
            &self.shared[self.start..self.end]
        } else {
            &self.whole[self.used..]
        }
    }

    /// The connection's own buffer, if it holds all of a message.
    pub(crate) fn whole(&self) -> Option<&Bytes> {
        (!self.whole.is_empty()).then_some(&self.whole)
    }

    /// Prepares for handlers to take a message that has become complete.
    #[inline]
    pub(crate) fn lend(&mut self) {
        if !self.own.is_empty() && self.wanted > 0 && self.own.len() - self.used >= self.wanted {
            self.whole = std::mem::take(&mut self.own).into();
        }
    }

    /// Sets the size of the incomplete message at the front of the unread bytes; 0 if it is not known. One
    /// that fits into a read needs no buffer that ends with it.
    #[inline]
    pub(crate) fn expect(&mut self, wanted: usize) {
        self.wanted = if wanted > self.shared.len() { wanted } else { 0 };
    }

    /// Whether the unread bytes lie in the thread's buffer.
    #[inline]
    fn is_shared(&self) -> bool {
        self.own.is_empty() && self.whole.is_empty()
    }

    /// Whether at least as many bytes are unread as one read can return.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes().len() >= self.shared.len()
    }

    /// Marks all but the last `unread` bytes as used.
    #[inline]
    pub(crate) fn leave(&mut self, unread: usize) {
        if self.is_shared() {
            self.start = self.end - unread;
        } else if unread == 0 {
            self.own = Vec::new();
            self.whole = Bytes::new();
            self.used = 0;
        } else {
            self.used = self.own.len() + self.whole.len() - unread;
        }
    }

    /// Reads once and appends to the unread bytes.
    #[inline]
    pub(crate) fn read(
        &mut self,
        socket: &mut ReadyIo<'_, impl ByteStream>,
    ) -> io::Result<Received> {
        let unread = self.end - self.start;
        if unread == 0 && self.is_shared() {
            self.start = 0;
            self.end = 0;
        } else if self.is_shared() && unread <= self.small() {
            self.shared.copy_within(self.start..self.end, 0);
            self.start = 0;
            self.end = unread;
        } else {
            return self.read_into_own(socket);
        }
        let received = socket.read(&mut self.shared[self.end..]);
        if let Ok(Received::Bytes(n)) = received {
            self.end += n;
        }
        received
    }

    /// Reads once, at most `most` bytes, while nothing is unread.
    pub(crate) fn read_at_most(
        &mut self,
        socket: &mut ReadyIo<'_, impl ByteStream>,
        most: usize,
    ) -> io::Result<Received> {
        let most = most.min(self.shared.len());
        let received = socket.read(&mut self.shared[..most]);
        self.start = 0;
        self.end = match received {
            Ok(Received::Bytes(n)) => n,
            _ => 0,
        };
        received
    }

    fn read_into_own(&mut self, socket: &mut ReadyIo<'_, impl ByteStream>) -> io::Result<Received> {
        self.take_back();
        if self.own.is_empty() {
            self.own.extend_from_slice(&self.shared[self.start..self.end]);
            self.start = 0;
            self.end = 0;
        }
        // Bytes after a large message stay in the socket, so that the buffer ends with the message.
        let rest = self.wanted.checked_sub(self.own.len()).filter(|rest| *rest > 0);
        let most = rest.map_or(self.shared.len(), |rest| rest.min(self.shared.len()));
        let received = socket.read(&mut self.shared[..most]);
        if let Ok(Received::Bytes(n)) = received {
            self.reserve(n, rest.unwrap_or(0));
            self.own.extend_from_slice(&self.shared[..n]);
        }
        received
    }

    /// Makes room for `now` bytes, and for as many of the `rest` of a message as have arrived of it before:
    /// a peer that announces much and sends little is given no more than twice what it sends.
    fn reserve(&mut self, now: usize, rest: usize) {
        if self.own.capacity() - self.own.len() < now && rest >= now {
            self.own.reserve_exact(rest.min(self.own.len()).max(now));
        }
    }

    /// Makes `own` of the unread bytes of `own` or `whole`. It copies those that a handler shares.
    fn take_back(&mut self) {
        if self.whole.is_empty() {
            self.own.drain(..self.used);
        } else {
            self.whole.advance(self.used);
            self.own = std::mem::take(&mut self.whole).into();
        }
        self.used = 0;
    }

    /// Returns the unread bytes for a later turn, in a buffer of at most twice their size.
    pub(crate) fn keep(mut self) -> Vec<u8> {
        if self.is_shared() {
            return self.shared[self.start..self.end].to_vec();
        }
        self.take_back();
        self.own.shrink_to(self.own.len() * 2);
        self.own
    }

    fn small(&self) -> usize {
        SMALL.min(self.shared.len() / 2)
    }
}

#[cfg(test)]
mod tests {
    use std::io::IoSlice;

    use super::*;
    use crate::net::readiness::Readiness;
    use crate::net::stream_state::StreamState;
    use crate::net::transport::Read;

    /// A stream that counts: byte `n` of it is `n` modulo 251. Each read brings at most `pieces`
    /// bytes.
    struct Counting {
        sent: usize,
        pieces: usize,
    }

    fn byte(n: usize) -> u8 {
        u8::try_from(n % 251).unwrap()
    }

    impl ByteStream for Counting {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<Read> {
            let bytes = buffer.len().min(self.pieces);
            for byte_of in &mut buffer[..bytes] {
                *byte_of = byte(self.sent);
                self.sent += 1;
            }
            Ok(Read { bytes, drained: false })
        }

        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            unreachable!("nothing is written")
        }

        fn write_vectored(&mut self, _: &[IoSlice<'_>]) -> io::Result<usize> {
            unreachable!("nothing is written")
        }

        fn shutdown(&mut self) -> io::Result<()> {
            Ok(())
        }

        fn abort(&mut self) {}
    }

    /// For every size of the thread's buffer, of a read, of a message and of the part of the unread
    /// bytes that a machine uses: turn after turn, the unread bytes are those that follow the used
    /// ones.
    #[test]
    fn l7_no_byte_is_lost_or_doubled_between_reads_and_turns() {
        for shared in [2, 3, 16, 64] {
            for pieces in [1, 2, 5, 64] {
                for message in [1, 2, 7, 40, 200] {
                    let mut socket = Counting { sent: 0, pieces };
                    let mut state = StreamState::NEW;
                    state.add(Readiness::READ);
                    let (mut buffer, mut kept, mut used) = (vec![0; shared], Vec::new(), 0);
                    for turn in 0..60 {
                        let mut recv = RecvBuffer::new(&mut buffer);
                        recv.resume(kept);
                        for _ in 0..=turn % 3 {
                            let mut io = ReadyIo { socket: &mut socket, state: &mut state };
                            recv.read(&mut io).unwrap();
                            recv.lend();
                            while recv.bytes().len() >= message {
                                recv.leave(recv.bytes().len() - message);
                                used += message;
                            }
                            let unread = recv.bytes();
                            assert_eq!(used + unread.len(), socket.sent);
                            assert!(unread.iter().zip(used..).all(|(found, n)| *found == byte(n)));
                            recv.expect(if turn % 2 == 0 { message } else { 0 });
                        }
                        kept = recv.keep();
                        assert!(kept.capacity() <= kept.len() * 2);
                    }
                }
            }
        }
    }

    #[test]
    fn pitfall_24_a_buffer_grows_with_what_arrives_up_to_the_announced_length() {
        let (mut socket, mut state) = (Counting { sent: 0, pieces: 64 }, StreamState::NEW);
        let mut buffer = vec![0; 64];
        let mut recv = RecvBuffer::new(&mut buffer);
        while recv.bytes().len() < 1_000 {
            recv.read(&mut ReadyIo { socket: &mut socket, state: &mut state }).unwrap();
            recv.expect(1_000);
            assert!(recv.own.capacity() <= (2 * recv.bytes().len()).min(1_000));
        }
        assert_eq!((recv.bytes().len(), socket.sent), (1_000, 1_000));
        recv.lend();
        let (place, kept) = (recv.bytes().as_ptr(), recv.whole().unwrap().clone());
        recv.leave(0);
        assert_eq!((kept.as_ptr(), kept.len()), (place, 1_000));
        assert!(recv.bytes().is_empty());
    }

    #[test]
    fn x13_nothing_is_kept_of_input_that_is_used_up() {
        let (mut socket, mut state) = (Counting { sent: 0, pieces: 64 }, StreamState::NEW);
        let mut buffer = vec![0; 64];
        let mut recv = RecvBuffer::new(&mut buffer);
        for _ in 0..4 {
            recv.read(&mut ReadyIo { socket: &mut socket, state: &mut state }).unwrap();
        }
        assert!(recv.is_full());
        recv.leave(0);
        assert!(!recv.is_full());
        assert_eq!(recv.keep().capacity(), 0);
    }
}
