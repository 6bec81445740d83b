//! The part between the connections of a pool and their streams: TLS, or a layer of the application's (E1 to E13).

use std::any::Any;
use std::fs::File;
use std::io::{self, IoSlice};

#[cfg(feature = "tls")]
use crate::TlsSession;
use crate::net::file_copy;
use crate::net::poll::{Registry, Token};
use crate::net::send_buffer::UnsentOutput;
use crate::net::socket::Socket;
use crate::net::stream_state::StreamState;
use crate::net::tls_progress::{Handshake, Securing};
use crate::net::transport::{BeginTls, ByteStream, FileSent, PeerAddr, Read, Source};
use crate::{Ended, Peer};

mod between;
pub(crate) mod codec;
mod custom;
mod handshake;
mod held;
mod outgoing;
mod reading;

use self::between::{Between, Scratch};
use self::codec::{Codec, DecodedBytes, Sinks};
pub(crate) use self::custom::Custom;
use self::held::Held;
use self::outgoing::UnsentBytes;

/// A stream that is plain at first, or for good, and has a codec once that has begun.
///
/// A write takes plaintext only when all that the codec has made of it has left: until then it says that it would
/// block, and the caller offers the same bytes again. So unsent output is counted, bounded and timed where all
/// output is, in the connection's queue.
#[derive(Debug)]
pub struct LayeredStream<S, C> {
    stream: S,
    between: Option<Box<Between<C>>>,
}

impl<S, C: Codec> LayeredStream<S, C> {
    pub(crate) fn plain(stream: S) -> Self {
        Self { stream, between: None }
    }

    #[cfg(feature = "tls")]
    pub(crate) fn is_handshaking(&self) -> bool {
        self.between.as_ref().is_some_and(|between| between.is_handshaking())
    }

    fn codec(&self) -> Option<&C> {
        self.between.as_ref()?.codec.as_ref()
    }

    /// Begins. Bytes that were read and not used are for the codec, and output that was not sent
    /// leaves as it is, before its first byte (E2).
    pub(crate) fn begin(
        &mut self,
        mut codec: C,
        unread: Vec<u8>,
        unsent: &UnsentOutput,
    ) -> io::Result<()> {
        let mut outgoing = unsent.to_vec()?;
        let (mut first, mut rest) = ([0; 1], Vec::new());
        // One of the sides speaks first.
        let into = Sinks { plain: &mut first, rest: &mut rest, outgoing: &mut outgoing };
        let DecodedBytes { plain, .. } = codec.decode(&mut [], into)?;
        rest.splice(0..0, first[..plain].iter().copied());
        let outgoing = UnsentBytes::new(outgoing);
        let held = Held { incoming: unread, rest, outgoing, ..Held::default() };
        let held = Some(Box::new(held));
        let mut between = Box::new(Between { codec: Some(codec), held, ..Between::default() });
        between.tidy();
        self.between = Some(between);
        Ok(())
    }

    /// Goes on with the codec of a connection that has moved from another pool.
    pub(crate) fn resume(stream: S, mut between: Box<Between<C>>) -> Self {
        if let Some(held) = &mut between.held {
            // The times of the pool begin.
            held.due = u64::MAX;
        }
        Self { stream, between: Some(between) }
    }
}

impl<S: ByteStream, C: Codec> ByteStream for LayeredStream<S, C> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<Read> {
        match &mut self.between {
            None => self.stream.read(buffer),
            Some(between) if between.has_rest() => Ok(between.read_rest(buffer)),
            Some(between) => {
                Scratch::with(|scratch| between.read(&mut self.stream, buffer, scratch))
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.between {
            None => self.stream.write(bytes),
            Some(_) => self.write_vectored(&[IoSlice::new(bytes)]),
        }
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match &mut self.between {
            None => self.stream.write_vectored(slices),
            Some(between) => Scratch::with(|scratch| {
                between.write(&mut self.stream, slices, &mut scratch.outgoing)
            }),
        }
    }

    fn write_before_file(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match &mut self.between {
            None => self.stream.write_before_file(slices),
            Some(_) => self.write_vectored(slices),
        }
    }

    fn send_file(&mut self, file: &File, at: u64, most: usize) -> io::Result<FileSent> {
        match &mut self.between {
            None => self.stream.send_file(file, at, most),
            // The bytes of the last write are known, and are not read again.
            Some(between) => match between.make_room(&mut self.stream)? {
                Some(written) => Ok(FileSent::some(written)),
                None => file_copy::copy(self, file, at, most),
            },
        }
    }

    fn shutdown(&mut self) -> io::Result<()> {
        if let Some(between) = &mut self.between {
            between.close(&mut self.stream);
            if between.unsent() > 0 {
                between.shuts = true;
                return Ok(());
            }
        }
        self.stream.shutdown()
    }

    fn linger(&mut self) {
        self.stream.linger();
    }

    fn abort(&mut self) {
        if let Some(between) = &mut self.between {
            between.aborted = true;
        }
        self.stream.abort();
    }

    fn is_layered(&self) -> bool {
        self.between.as_ref().is_some_and(|between| !between.aborted)
    }

    fn begin_tls(&mut self, begin: BeginTls<'_>) {
        self.begin_for_state(&begin);
    }

    fn handshake(&self) -> Handshake {
        match &self.between {
            None => Handshake::ToBegin,
            Some(between) if between.is_handshaking() => Handshake::GoesOn,
            Some(_) => Handshake::Over,
        }
    }

    fn is_truncated(&self) -> bool {
        self.between.as_ref().is_some_and(|between| between.is_truncated())
    }

    fn has_unsent(&self) -> bool {
        self.between.as_ref().is_some_and(|between| between.unsent() > 0)
    }

    fn is_within_record(&self) -> bool {
        self.between.as_ref().is_some_and(|between| between.is_within_record())
    }

    fn drive(&mut self, state: &mut StreamState) -> io::Result<()> {
        match &mut self.between {
            None => Ok(()),
            Some(between) => between.drive(&mut self.stream, state),
        }
    }

    fn goes_on(&self, state: StreamState) -> bool {
        self.between.as_ref().is_some_and(|between| between.goes_on(state))
    }

    fn check_time(&mut self, now: u64, within: u64) -> io::Result<()> {
        match &mut self.between {
            None => Ok(()),
            Some(between) => between.check_time(now, within),
        }
    }

    fn due(&self) -> u64 {
        self.between.as_ref().map_or(u64::MAX, |between| between.due())
    }
}

impl<S: Source, C: Codec> Source for LayeredStream<S, C> {
    const FAILURE: Ended = C::FAILURE;

    fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        self.stream.register(registry, token)
    }

    fn detach(self, registry: &Registry) -> Option<Socket> {
        self.stream.detach(registry)
    }

    fn take_layer(&mut self) -> Option<Box<dyn Any + Send>> {
        Some(self.between.take()?)
    }
}

impl<S: PeerAddr, C: Codec> PeerAddr for LayeredStream<S, C> {
    fn peer(&self) -> io::Result<Peer> {
        self.stream.peer()
    }

    #[cfg(feature = "tls")]
    fn tls(&self) -> Option<TlsSession<'_>> {
        self.codec()?.tls()
    }

    fn layer(&self) -> Option<&dyn Any> {
        self.codec()?.layer()
    }

    fn secured(&self) -> Securing<'_> {
        self.between.as_ref().map_or(Securing::Waiting, |between| between.secured())
    }

    fn leave_tls(&self) {
        if let Some(between) = &self.between {
            between.awaited.set(false);
        }
    }
}

#[cfg(test)]
mod tests;
