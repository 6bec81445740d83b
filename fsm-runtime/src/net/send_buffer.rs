use std::collections::VecDeque;
use std::io::{self, IoSlice};

use bytes::Bytes;

use crate::net::transport::ByteStream;

/// Pieces shorter than this are copied, because an entry of a vectored write costs more than
/// copying them.
const COPY_BELOW: usize = 1024;
/// The most slices of one vectored write.
const SLICES: usize = 32;
/// The most capacity that a thread's buffer keeps between turns, in bytes.
const KEEP_CAPACITY: usize = 256 * 1024;

/// Output that handlers have queued and the socket has not taken.
///
/// Each thread has one and lends it to the connection whose turn it runs. The output of a turn
/// leaves in one system call at its end. Output that the socket does not take then moves into the
/// connection, so that a connection with nothing to send holds no buffer.
#[derive(Debug, Default)]
pub(crate) struct SendBuffer {
    /// Unsent output of earlier turns, oldest first.
    queue: VecDeque<Bytes>,
    /// Output that this turn copied; the socket has taken the first `sent` bytes of it.
    buffer: Vec<u8>,
    sent: usize,
    /// Output that this turn queued without copying. Each piece goes before the byte of `buffer` at
    /// its index.
    splices: VecDeque<(usize, Bytes)>,
    /// The bytes in `queue` and `splices`.
    shared: usize,
}

impl SendBuffer {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.shared + self.buffer.len() - self.sent
    }

    #[inline]
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    pub(crate) fn send(&mut self, bytes: Bytes) {
        if bytes.len() < COPY_BELOW {
            self.write(&bytes);
        } else {
            self.shared += bytes.len();
            self.splices.push_back((self.buffer.len(), bytes));
        }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.shared == 0 && self.buffer.len() == self.sent
    }

    /// All queued output, if this turn copied it and the socket has taken none of it.
    #[inline]
    pub(crate) fn short(&self) -> Option<&[u8]> {
        (self.shared == 0 && self.sent == 0).then_some(&self.buffer)
    }

    /// Removes the output that [`short`](SendBuffer::short) returned, because the socket has taken
    /// it.
    #[inline]
    pub(crate) fn sent_short(&mut self) {
        self.buffer.clear();
        if self.buffer.capacity() > KEEP_CAPACITY {
            self.buffer.shrink_to(KEEP_CAPACITY);
        }
    }

    #[inline]
    pub(crate) fn buffer_mut(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Sends until nothing is left or the socket takes no more. Returns whether nothing is left.
    #[inline]
    pub(crate) fn flush(&mut self, socket: &mut impl ByteStream) -> io::Result<bool> {
        while !self.is_empty() {
            let result = if self.shared == 0 {
                socket.write(&self.buffer[self.sent..])
            } else {
                self.write_shared(socket)
            };
            match result {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => self.advance(n),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    fn write_shared(&self, socket: &mut impl ByteStream) -> io::Result<usize> {
        let mut slices = [IoSlice::new(&[]); SLICES];
        let mut count = 0;
        for piece in self.pieces().take(SLICES) {
            slices[count] = IoSlice::new(piece);
            count += 1;
        }
        socket.write_vectored(&slices[..count])
    }

    /// The queued pieces in order, without empty ones.
    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let mut from = self.sent;
        let spliced = self.splices.iter().flat_map(move |(at, bytes)| {
            let before = &self.buffer[from..*at];
            from = *at;
            [before, &bytes[..]]
        });
        let last = self.splices.back().map_or(self.sent, |(at, _)| *at);
        self.queue
            .iter()
            .map(|bytes| &bytes[..])
            .chain(spliced)
            .chain([&self.buffer[last..]])
            .filter(|piece| !piece.is_empty())
    }

    /// Removes the first `n` bytes, which the socket has taken.
    #[inline]
    pub(crate) fn advance(&mut self, n: usize) {
        if self.shared == 0 {
            self.sent += n;
        } else {
            self.advance_shared(n);
        }
        if self.sent == self.buffer.len() && self.shared == 0 {
            self.buffer.clear();
            self.buffer.shrink_to(KEEP_CAPACITY);
            self.sent = 0;
        }
    }

    fn advance_shared(&mut self, mut n: usize) {
        while n > 0 {
            let piece = if let Some(front) = self.queue.front_mut() {
                front
            } else if let Some((at, bytes)) = self.splices.front_mut() {
                if self.sent < *at {
                    let step = n.min(*at - self.sent);
                    self.sent += step;
                    n -= step;
                    continue;
                }
                bytes
            } else {
                self.sent += n;
                return;
            };
            let step = n.min(piece.len());
            n -= step;
            self.shared -= step;
            bytes::Buf::advance(piece, step);
            if piece.is_empty() && self.queue.pop_front().is_none() {
                self.splices.pop_front();
            }
        }
    }

    /// Takes over the unsent output of a connection at the start of its turn.
    pub(crate) fn resume(&mut self, kept: UnsentOutput) {
        self.shared += kept.len;
        self.queue = kept.queue;
    }

    /// Moves the unsent output out, for the connection to keep until its next turn.
    pub(crate) fn keep(&mut self) -> UnsentOutput {
        let len = self.len();
        let mut queue = std::mem::take(&mut self.queue);
        // A buffer that is mostly unsent moves along. Otherwise the unsent part is copied, so that
        // the connection does not hold a large buffer for a few bytes.
        let mut rest = if self.buffer.len() - self.sent > self.buffer.capacity() / 2 {
            Bytes::from(std::mem::take(&mut self.buffer)).slice(self.sent..)
        } else {
            Bytes::copy_from_slice(&self.buffer[self.sent..])
        };
        let mut from = self.sent;
        for (at, bytes) in self.splices.drain(..) {
            queue.push_back(rest.split_to(at - from));
            queue.push_back(bytes);
            from = at;
        }
        queue.push_back(rest);
        queue.retain(|piece| !piece.is_empty());
        self.discard();
        UnsentOutput { queue, len }
    }

    /// Drops all queued output, and shrinks a buffer that has grown beyond its bound.
    pub(crate) fn discard(&mut self) {
        self.queue.clear();
        self.splices.clear();
        self.buffer.clear();
        self.buffer.shrink_to(KEEP_CAPACITY);
        self.sent = 0;
        self.shared = 0;
    }
}

/// Unsent output of a connection between two turns.
#[derive(Debug, Default)]
pub(crate) struct UnsentOutput {
    queue: VecDeque<Bytes>,
    len: usize,
}

impl UnsentOutput {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// A copy of it in one piece.
    #[cfg(feature = "tls")]
    pub(crate) fn to_vec(&self) -> Vec<u8> {
        self.queue.iter().flatten().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::transport::Read;

    /// A socket that takes `room` bytes and then blocks until the test sets `room` again.
    #[derive(Default)]
    struct Narrow {
        taken: Vec<u8>,
        room: usize,
    }

    impl ByteStream for Narrow {
        fn read(&mut self, _: &mut [u8]) -> io::Result<Read> {
            Err(io::ErrorKind::WouldBlock.into())
        }

        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.write_vectored(&[IoSlice::new(bytes)])
        }

        fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
            let mut taken = 0;
            for slice in slices {
                assert!(!slice.is_empty(), "pitfall 17: an empty slice");
                let step = slice.len().min(self.room);
                self.taken.extend_from_slice(&slice[..step]);
                self.room -= step;
                taken += step;
            }
            if taken == 0 { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(taken) }
        }

        fn shutdown(&mut self) -> io::Result<()> {
            Ok(())
        }

        fn abort(&mut self) {}
    }

    #[test]
    fn pitfall_17_partial_writes_lose_nothing_and_double_nothing() {
        let mut seed = 7_u64;
        let mut random = move |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            usize::try_from(seed >> 33).unwrap() % below
        };
        for _ in 0..200 {
            let mut socket = Narrow::default();
            let (mut output, mut expected, mut kept) = (SendBuffer::default(), Vec::new(), None);
            for n in 0..100_u8 {
                match random(6) {
                    0 | 1 => {
                        let bytes = vec![n; random(700)];
                        expected.extend_from_slice(&bytes);
                        output.write(&bytes);
                    }
                    2 => {
                        let bytes = vec![n; random(4 * COPY_BELOW)];
                        expected.extend_from_slice(&bytes);
                        output.send(bytes.into());
                    }
                    3 | 4 => {
                        socket.room = random(5_000);
                        let all = output.flush(&mut socket).unwrap();
                        assert_eq!(all, output.is_empty());
                    }
                    _ => {
                        // The turn ends, and the next one takes over the unsent output.
                        kept = Some(output.keep());
                        assert_eq!(output.len(), 0);
                    }
                }
                if let Some(kept) = kept.take() {
                    output.resume(kept);
                }
                assert_eq!(socket.taken.len() + output.len(), expected.len());
            }
            socket.room = usize::MAX;
            assert!(output.flush(&mut socket).unwrap());
            assert!(socket.taken == expected);
        }
    }

    #[test]
    fn x13_a_buffer_that_has_grown_is_given_back() {
        let mut output = SendBuffer::default();
        output.write(&vec![0; 4 * KEEP_CAPACITY]);
        drop(output.keep());
        output.write(&vec![0; 4 * KEEP_CAPACITY]);
        output.discard();
        assert!(output.buffer.capacity() <= KEEP_CAPACITY, "{}", output.buffer.capacity());
    }
}
