use std::fmt::Arguments;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::Cx;
use crate::{Connection, Output, Peer};

impl<Msg, Settings> Cx<'_, Msg, Settings, Connection> {
    /// Queues a copy of `bytes`.
    #[inline]
    pub fn write(&mut self, bytes: &[u8]) {
        self.out.write(bytes);
    }

    /// Queues formatted text. `write!(cx, ..)` and `writeln!(cx, ..)` call it; they return `()`,
    /// because queueing cannot fail.
    ///
    /// A `Display` implementation that returns an error leaves the text that it wrote before in the
    /// queue.
    #[inline]
    pub fn write_fmt(&mut self, text: Arguments<'_>) {
        let _ = io::Write::write_fmt(self.out.buffer_mut(), text);
    }

    /// Queues `bytes` without copying them, for large or shared output.
    ///
    /// Less than 1 KiB is copied all the same, because that costs less.
    pub fn send(&mut self, bytes: impl Into<Bytes>) {
        self.out.send(bytes.into());
    }

    /// Queues these bytes of a file.
    ///
    /// They count as output, but take no memory. On Linux and Android the kernel copies them from its cache of the
    /// file to a plain TCP or Unix socket, with `sendfile`. Everywhere else, and with TLS, they are read in pieces of
    /// at most 64 KiB as the peer takes them. A turn sends at most 2 MiB of files; then other connections have their
    /// turns. Parts of a file that follow each other leave as one, and what is queued before a file may share a packet
    /// with its beginning.
    ///
    /// The position of the file does not matter. The bytes are those that the file has when they leave, so a file
    /// that changes meanwhile must be replaced and not overwritten. The end of the range is not
    /// compared with the length of the file. If the file turns out to be shorter, or cannot be read, the connection is
    /// reset, as when a write fails, and ends as [`Ended::Reset`](crate::Ended::Reset). (If a file becomes shorter
    /// while the peer takes it, it may be the send timeout that notices.) A Unix socket has no reset: its peer sees the
    /// end of the stream, and must know the length. The same happens with pipes, terminals and directories, because
    /// only a file that can be read at any offset can be sent. An empty range queues nothing.
    ///
    /// Bytes that are not in memory are read from the disk in the connection's turn, and its thread waits for them.
    /// A peer that is gone makes `sendfile` raise `SIGPIPE`, which programs with a `main` of Rust ignore from the
    /// start; others must ignore it themselves.
    /// A connection is lost that is handed to a pool which begins TLS with it while a file is queued. In a machine
    /// that reads datagrams, a part that does not fit in one ends the session.
    ///
    /// ```
    /// use fsm_runtime::prelude::*;
    /// use fsm_runtime::sim::Session;
    /// use std::fs::File;
    /// use std::sync::Arc;
    ///
    /// #[state_machine(start = Part, eof => Gone)]
    /// enum Parts {
    ///     #[read(exact = 2, idle = 60s => Gone)]
    ///     #[to(Part)]
    ///     #[rest]
    ///     Part,
    ///     #[end]
    ///     Gone,
    /// }
    ///
    /// struct Client {
    ///     /// All clients share it.
    ///     file: Arc<File>,
    /// }
    ///
    /// impl parts::Handler for Client {
    ///     fn part(&mut self, [first, len]: &[u8; 2], cx: &mut Cx<'_>) -> parts::AfterPart {
    ///         let (first, len) = (u64::from(*first), u64::from(*len));
    ///         writeln!(cx, "{len} bytes:");
    ///         cx.send_file(Arc::clone(&self.file), first..first + len);
    ///         parts::AfterPart::Part
    ///     }
    /// }
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let mut file = tempfile::tempfile()?;
    /// std::io::Write::write_all(&mut file, b"one two three")?;
    /// let mut peer = Session::<Parts, _>::new(Client { file: Arc::new(file) });
    /// peer.send(&[4, 3]);
    /// assert_eq!(peer.receive(), b"3 bytes:\ntwo");
    /// // The file has no more bytes.
    /// peer.send(&[8, 100]);
    /// assert_eq!(peer.ended(), Some(Ended::Reset));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// When more than `usize::MAX` bytes would be queued.
    pub fn send_file(&mut self, file: impl Into<Arc<File>>, range: Range<u64>) {
        let len = range.end.saturating_sub(range.start);
        self.out.send_file(file.into(), range.start, usize::try_from(len).unwrap_or(usize::MAX));
    }

    /// Returns `bytes` of the input, which a handler has borrowed, as a value to keep or to
    /// [`send`](Self::send).
    ///
    /// It copies nothing if they are a large message of `#[read(exact = ..)]`: the connection gives its
    /// buffer away. Messages that fit into one read of 64 KiB are copied, and so is all that other reads
    /// return, and a part of less than half of a message, which would keep the rest in memory.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use fsm_runtime::prelude::*;
    /// use fsm_runtime::sim::Session;
    ///
    /// #[state_machine(start = Image, eof => Gone)]
    /// enum Images {
    ///     #[read(exact = 1MiB, idle = 60s => Gone)]
    ///     #[to(Image)]
    ///     Image,
    ///     #[end]
    ///     Gone,
    /// }
    ///
    /// struct Client {
    ///     images: Vec<Bytes>,
    /// }
    ///
    /// impl images::Handler for Client {
    ///     fn image(&mut self, image: &[u8; 1024 * 1024], cx: &mut Cx<'_>) -> images::AfterImage {
    ///         self.images.push(cx.own(image));
    ///         images::AfterImage::Image
    ///     }
    /// }
    ///
    /// # fn main() {
    /// let mut peer = Session::<Images, _>::new(Client { images: Vec::new() });
    /// peer.send(&[7; 1024 * 1024]);
    /// # }
    /// ```
    pub fn own(&self, bytes: &[u8]) -> Bytes {
        let (lent, part) = (self.whole_input, bytes.as_ptr_range());
        let is_within = |whole: &&Bytes| {
            let whole = whole.as_ptr_range();
            whole.start <= part.start && part.end <= whole.end
        };
        match lent.filter(is_within).filter(|whole| bytes.len() >= whole.len() / 2) {
            Some(whole) => whole.slice_ref(bytes),
            None => Bytes::copy_from_slice(bytes),
        }
    }

    /// The number of bytes of output that are queued and have not left.
    #[inline]
    pub fn queued(&self) -> usize {
        self.out.len()
    }

    /// Whether the queued output has reached the pool's output mark
    /// ([`Builder::output_mark`](crate::Builder::output_mark)), so that the connection takes no input and no
    /// message until the peer has taken some of it. A handler that has much to write stops here, and goes on
    /// in a state that waits for room:
    ///
    /// ```
    /// use fsm_runtime::prelude::*;
    /// use fsm_runtime::sim::Session;
    ///
    /// #[state_machine(start = Ask, eof => Gone)]
    /// enum Numbers {
    ///     #[read(exact = 1, within = 10s => Gone)]
    ///     #[to(Counting)]
    ///     Ask,
    ///     #[writable(below = 16KiB, idle = 2min => Gone)]
    ///     #[to(Counting | Leaving)]
    ///     Counting { next: u32 },
    ///     #[flush(within = 10s => Gone)]
    ///     #[to(Gone)]
    ///     Leaving,
    ///     #[end]
    ///     Gone,
    /// }
    ///
    /// struct Client;
    ///
    /// impl numbers::Handler for Client {
    ///     fn ask(&mut self, _: &[u8; 1], _: &mut Cx<'_>) -> numbers::AfterAsk {
    ///         numbers::AfterAsk::Counting { next: 0 }
    ///     }
    ///
    ///     fn counting(&mut self, next: &mut u32, cx: &mut Cx<'_>) -> numbers::AfterCounting {
    ///         while *next < 100_000 {
    ///             if cx.is_full() {
    ///                 return numbers::AfterCounting::Counting;
    ///             }
    ///             writeln!(cx, "{next}");
    ///             *next += 1;
    ///         }
    ///         numbers::AfterCounting::Leaving
    ///     }
    /// }
    ///
    /// let mut peer = Session::<Numbers, _>::new(Client);
    /// peer.send(b"?");
    /// assert_eq!(peer.receive().len(), 588_890);
    /// ```
    #[inline]
    pub fn is_full(&self) -> bool {
        self.queued() >= self.context.output_mark
    }

    /// The number of bytes of input that no state had used before this handler was called; the
    /// bytes that this handler is called with are among them. In the handler of a state that reads
    /// nothing it shows whether the peer has sent a part of its next message.
    ///
    /// ```
    /// use fsm_runtime::prelude::*;
    /// use fsm_runtime::sim::Session;
    /// use std::time::Duration;
    ///
    /// #[state_machine(start = Line, eof => Gone, limit => Gone)]
    /// enum Lines {
    ///     #[read(until = b"\n", max = 80, within = 10s => Late)]
    ///     #[to(Line)]
    ///     #[rest]
    ///     Line,
    ///     #[run]
    ///     #[to(Gone)]
    ///     Late,
    ///     #[end]
    ///     Gone,
    /// }
    ///
    /// struct Client;
    ///
    /// impl lines::Handler for Client {
    ///     fn line(&mut self, _line: &[u8], _cx: &mut Cx<'_>) -> lines::AfterLine {
    ///         lines::AfterLine::Line
    ///     }
    ///
    ///     // Answers only a peer that has begun a line.
    ///     fn late(&mut self, cx: &mut Cx<'_>) -> lines::AfterLate {
    ///         if cx.unread() > 0 {
    ///             cx.write(b"too slow\n");
    ///         }
    ///         lines::AfterLate::Gone
    ///     }
    /// }
    ///
    /// for (sent, answer) in [("", ""), ("half a li", "too slow\n")] {
    ///     let mut peer = Session::<Lines, _>::new(Client);
    ///     peer.send(sent.as_bytes());
    ///     peer.advance(Duration::from_secs(10));
    ///     assert_eq!(peer.receive(), answer.as_bytes());
    /// }
    /// ```
    #[inline]
    pub fn unread(&self) -> usize {
        self.unread
    }

    /// The address of the peer. Each call asks the system, because an idle connection does not
    /// store it.
    ///
    /// # Errors
    ///
    /// When the system does not know the address, such as after the peer reset the connection.
    pub fn peer(&self) -> io::Result<Peer> {
        self.peer.peer()
    }
}

/// Queues frames.
impl<Msg, Settings> Output for Cx<'_, Msg, Settings> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.out.write(bytes);
    }
}

/// Queues output for code that takes a writer, such as a serializer or [`std::io::copy`]. No method
/// returns an error.
impl<Msg, Settings> io::Write for Cx<'_, Msg, Settings> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes);
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write(bytes);
        Ok(())
    }

    /// Does nothing, because the output leaves when the turn ends.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
