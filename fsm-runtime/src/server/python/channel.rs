use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// `length, number, kind` of an answer.
const HEAD: usize = 9;
/// A buffer that was larger than this is not kept.
const KEPT: usize = 64 * 1024;

/// The reason why a job has no answer.
#[derive(Debug)]
pub(super) enum Broken {
    /// The process has taken nothing of the request.
    Unsent,
    /// It has ended, or closed its socket.
    Closed,
    /// It has not answered in time.
    Late,
    /// The pool was closed meanwhile.
    Stopped,
    /// It has sent what is no answer.
    Garbled(String),
}

/// An answer of a process, whose body is in the buffer of the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ProcessAnswer {
    pub(super) length: usize,
    pub(super) number: u32,
    pub(super) kind: u8,
}

/// Called each time that nothing has moved for the channel's time. An error gives up.
pub(super) type Patience<'a> = dyn FnMut() -> Result<(), Broken> + 'a;

/// The pool's end of the socket of a process.
#[derive(Debug)]
pub(super) struct Channel {
    socket: UnixStream,
    /// Bytes of the answer; the rest is room.
    buffer: Vec<u8>,
}

impl Channel {
    /// Makes the socket that a process gets as its descriptor 0, and the channel to it. `slice` is the time after
    /// which the channel asks whether to go on waiting.
    pub(super) fn pair(slice: Duration) -> io::Result<(Self, UnixStream)> {
        let (socket, theirs) = UnixStream::pair()?;
        socket.set_read_timeout(Some(slice))?;
        socket.set_write_timeout(Some(slice))?;
        Ok((Self { socket, buffer: Vec::new() }, theirs))
    }

    /// Another descriptor of the socket.
    pub(super) fn socket(&self) -> io::Result<OwnedFd> {
        self.socket.try_clone().map(OwnedFd::from)
    }

    pub(super) fn send(&self, request: &[u8], patience: &mut Patience<'_>) -> Result<(), Broken> {
        let mut rest = request;
        while !rest.is_empty() {
            match (&self.socket).write(rest) {
                Ok(sent) => rest = &rest[sent..],
                Err(error) if is_interrupted(&error) => {}
                Err(error) if is_timeout(&error) => patience()?,
                Err(_) if rest.len() == request.len() => return Err(Broken::Unsent),
                Err(_) => return Err(Broken::Closed),
            }
        }
        Ok(())
    }

    /// Receives an answer with a body of at most `most` bytes.
    pub(super) fn receive(
        &mut self,
        most: usize,
        patience: &mut Patience<'_>,
    ) -> Result<ProcessAnswer, Broken> {
        let (mut received, mut answer) = (0, None);
        loop {
            let whole = HEAD + answer.map_or(0, |answer: ProcessAnswer| answer.length);
            if received >= whole && answer.is_some() {
                break;
            }
            // It grows with what arrives, and not with what is announced.
            let room = whole.min(received.max(KEPT / 8) * 2).max(KEPT / 4);
            if self.buffer.len() < room {
                self.buffer.resize(room, 0);
            }
            match (&self.socket).read(&mut self.buffer[received..]) {
                Ok(0) => return Err(Broken::Closed),
                Ok(count) => received += count,
                Err(error) if is_interrupted(&error) => {}
                Err(error) if is_timeout(&error) => patience()?,
                Err(_) => return Err(Broken::Closed),
            }
            if answer.is_none() && received >= HEAD {
                answer = Some(self.head(most)?);
            }
        }
        match answer {
            Some(answer) if received == HEAD + answer.length => Ok(answer),
            _ => Err(Broken::Garbled("bytes behind an answer".to_owned())),
        }
    }

    fn head(&self, most: usize) -> Result<ProcessAnswer, Broken> {
        let mut head = [0; HEAD];
        head.copy_from_slice(&self.buffer[..HEAD]);
        let [l0, l1, l2, l3, n0, n1, n2, n3, kind] = head;
        let length = usize::try_from(u32::from_ne_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX);
        if length > most {
            return Err(Broken::Garbled(format!(
                "an answer of {length} bytes, and {most} are the most"
            )));
        }
        Ok(ProcessAnswer { length, number: u32::from_ne_bytes([n0, n1, n2, n3]), kind })
    }

    /// The body of the answer that was received last.
    pub(super) fn body(&self, answer: ProcessAnswer) -> &[u8] {
        &self.buffer[HEAD..HEAD + answer.length]
    }

    /// Frees the room of a large answer.
    pub(super) fn trim(&mut self) {
        if self.buffer.len() > KEPT {
            self.buffer = Vec::new();
        }
    }

    /// Ends the stream, which tells the process to end.
    pub(super) fn end(&self) {
        // It fails if the process has ended.
        let _ = self.socket.shutdown(Shutdown::Write);
    }

    /// Waits until the process closes its end, for one slice of time at most, and throws away what it still sends.
    /// Returns whether it has closed it.
    pub(super) fn is_closed(&self) -> bool {
        match (&self.socket).read(&mut [0; 1024]) {
            Ok(count) => count == 0,
            Err(error) => !is_timeout(&error) && !is_interrupted(&error),
        }
    }
}

fn is_interrupted(error: &io::Error) -> bool {
    error.kind() == ErrorKind::Interrupted
}

/// The times of a socket end with one of these, as the system likes.
fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
