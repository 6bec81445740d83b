use std::io::{self, IoSlice};

use crate::net::transport::{ByteStream, Read};

/// The most capacity of a buffer that is kept while it is empty, in bytes: to allocate it for each short message
/// would cost as much as all the rest.
const KEEP: usize = 1024;

/// Empties a buffer, and frees a large one.
#[inline]
fn empty(buffer: &mut Vec<u8>) {
    buffer.clear();
    if buffer.capacity() > KEEP {
        *buffer = Vec::new();
    }
}

/// The two streams between a machine and the code that moves its bytes: an event loop, or a test.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is an event of its own")]
pub(crate) struct MemoryStream {
    /// The bytes for the machine, which has read the first `read` of them.
    to_machine: Vec<u8>,
    read: usize,
    /// The bytes for the peer, which has taken the first `taken` of them.
    to_peer: Vec<u8>,
    taken: usize,
    /// The most bytes for the peer that it has not taken.
    pub(crate) window: usize,
    /// The machine has more output than there was room for.
    is_full: bool,
    /// The peer has ended its stream.
    pub(crate) ended: bool,
    /// The peer has reset the connection.
    pub(crate) reset: bool,
    /// The machine has ended its stream.
    pub(crate) shut: bool,
    /// The machine has reset the connection.
    pub(crate) aborted: bool,
}

impl MemoryStream {
    /// A stream of which the peer takes at most `window` bytes before they are [sent](Self::sent).
    pub(crate) fn new(window: usize) -> Self {
        Self {
            to_machine: Vec::new(),
            read: 0,
            to_peer: Vec::new(),
            taken: 0,
            window,
            is_full: false,
            ended: false,
            reset: false,
            shut: false,
            aborted: false,
        }
    }

    /// Adds bytes for the machine.
    #[inline]
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        if self.read > self.to_machine.len() / 2 {
            self.to_machine.drain(..self.read);
            self.read = 0;
        }
        self.to_machine.extend_from_slice(bytes);
    }

    /// The number of bytes that the machine has not read.
    #[inline]
    pub(crate) fn unread(&self) -> usize {
        self.to_machine.len() - self.read
    }

    /// Drops the bytes that the machine has not read. Returns how many they were.
    #[inline]
    pub(crate) fn discard_unread(&mut self) -> usize {
        let unread = self.unread();
        self.read = 0;
        empty(&mut self.to_machine);
        unread
    }

    /// The bytes for the peer.
    #[inline]
    pub(crate) fn unsent(&self) -> &[u8] {
        &self.to_peer[self.taken..]
    }

    /// Removes the first `bytes` that are [unsent](Self::unsent). Returns whether the machine waits for
    /// room, and at least half of the window is free.
    #[inline]
    pub(crate) fn sent(&mut self, bytes: usize) -> bool {
        self.taken += bytes;
        let unsent = self.to_peer.len() - self.taken;
        if unsent == 0 {
            self.taken = 0;
            empty(&mut self.to_peer);
        }
        self.is_full && unsent <= self.window / 2
    }

    /// Takes the bytes for the peer.
    pub(crate) fn take_unsent(&mut self) -> Vec<u8> {
        let mut unsent = std::mem::take(&mut self.to_peer);
        unsent.drain(..std::mem::take(&mut self.taken));
        unsent
    }
}

impl ByteStream for MemoryStream {
    #[inline]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<Read> {
        if self.reset {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let unread = &self.to_machine[self.read..];
        if unread.is_empty() && !self.ended {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let bytes = unread.len().min(buffer.len());
        buffer[..bytes].copy_from_slice(&unread[..bytes]);
        self.read += bytes;
        Ok(Read { bytes, drained: bytes < buffer.len() })
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.reset || self.shut {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let room = self.window.saturating_sub(self.to_peer.len() - self.taken);
        let taken = bytes.len().min(room);
        self.is_full = taken < bytes.len();
        if room == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if self.taken > 0 {
            self.to_peer.drain(..self.taken);
            self.taken = 0;
        }
        self.to_peer.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    #[expect(clippy::inline_always, reason = "counted: half of the cost is the call")]
    #[inline(always)]
    fn write_buffer(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        let fits = buffer.len() <= self.window && buffer.capacity() <= KEEP;
        if self.reset || self.shut || !self.to_peer.is_empty() || !fits {
            return self.write(buffer);
        }
        std::mem::swap(&mut self.to_peer, buffer);
        Ok(self.to_peer.len())
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        slices.iter().find(|slice| !slice.is_empty()).map_or(Ok(0), |slice| self.write(slice))
    }

    fn shutdown(&mut self) -> io::Result<()> {
        self.shut = true;
        Ok(())
    }

    fn abort(&mut self) {
        self.aborted = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m3_x13_an_idle_stream_holds_no_large_buffer() {
        for len in [KEEP / 2, 4 * KEEP] {
            let (mut stream, bytes) = (MemoryStream::new(usize::MAX), vec![b'x'; len]);
            stream.feed(&bytes);
            stream.read(&mut [0; 8]).unwrap();
            assert_eq!(stream.discard_unread(), len - 8);
            stream.write(&bytes).unwrap();
            assert!(!stream.sent(len - 1));
            assert_eq!(stream.unsent(), b"x");
            stream.sent(1);
            let (input, output) = (stream.to_machine.capacity(), stream.to_peer.capacity());
            assert!(input <= KEEP && output <= KEEP, "{input} {output}");
        }
    }

    #[test]
    fn m3_a_buffer_is_taken_over_only_as_a_whole_and_if_it_is_small() {
        let mut stream = MemoryStream::new(8);
        let mut buffer = b"four".to_vec();
        assert_eq!(stream.write_buffer(&mut buffer).unwrap(), 4);
        assert_eq!((stream.unsent(), &buffer[..]), (&b"four"[..], &b""[..]));
        // Behind other bytes it is copied, as far as there is room.
        let mut buffer = b"and more".to_vec();
        assert_eq!(stream.write_buffer(&mut buffer).unwrap(), 4);
        assert_eq!((stream.unsent(), &buffer[..]), (&b"fourand "[..], &b"and more"[..]));
        stream.sent(8);
        let mut large = Vec::with_capacity(4 * KEEP);
        large.extend_from_slice(b"four");
        assert_eq!(stream.write_buffer(&mut large).unwrap(), 4);
        assert_eq!((stream.unsent(), large.len()), (&b"four"[..], 4));
    }

    #[test]
    fn m3_a_window_takes_so_much_and_says_when_half_of_it_is_free() {
        let mut stream = MemoryStream::new(10);
        assert_eq!(stream.write(b"0123456789").unwrap(), 10);
        assert!(!stream.sent(10), "nothing more is waiting");
        assert_eq!(stream.write(b"0123456789abc").unwrap(), 10);
        assert_eq!(stream.write(b"abc").unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert!(!stream.sent(4));
        assert!(stream.sent(1));
        assert_eq!(stream.write(b"abc").unwrap(), 3);
        assert_eq!(stream.take_unsent(), b"56789abc");
    }

    #[test]
    fn m1_what_is_fed_is_read_once_and_in_its_order() {
        let mut stream = MemoryStream::new(10);
        let (mut fed, mut read) = (0_u8, 0_u8);
        for round in 0..200 {
            let bytes: Vec<u8> = (0..round % 7).map(|n| fed.wrapping_add(n)).collect();
            stream.feed(&bytes);
            fed = fed.wrapping_add(round % 7);
            let mut buffer = [0; 3];
            let Ok(Read { bytes, .. }) = stream.read(&mut buffer) else { continue };
            for byte in &buffer[..bytes] {
                assert_eq!(*byte, read);
                read = read.wrapping_add(1);
            }
        }
        assert_eq!(usize::from(fed.wrapping_sub(read)), stream.unread() % 256);
    }
}
