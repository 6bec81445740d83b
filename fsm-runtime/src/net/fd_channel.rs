//! Frames with descriptors, over a Unix socket between two processes (U6).

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{
    self, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};

/// The most descriptors of a frame. Linux takes 253, and others fewer only by their limits.
pub(crate) const MOST_DESCRIPTORS: usize = 250;
/// The most bytes of a frame, so that a wrong length costs no memory.
pub(crate) const MOST_BYTES: usize = 16 * 1024 * 1024;
/// Kind, number of descriptors, and length of the body.
const HEAD: usize = 7;

#[cfg(not(target_vendor = "apple"))]
const NO_SIGNAL: SendFlags = SendFlags::NOSIGNAL;
#[cfg(target_vendor = "apple")]
const NO_SIGNAL: SendFlags = SendFlags::empty();

/// A blocking stream of frames, each of which may carry descriptors.
#[derive(Debug)]
pub(crate) struct FdChannel(UnixStream);

/// A frame as it arrived.
#[derive(Debug)]
pub(crate) struct ReceivedFrame {
    pub(crate) kind: u8,
    pub(crate) body: Vec<u8>,
    pub(crate) descriptors: Vec<OwnedFd>,
}

impl FdChannel {
    pub(crate) fn new(stream: UnixStream) -> Self {
        Self(stream)
    }

    /// Bounds each wait for the peer.
    pub(crate) fn set_patience(&self, time: Duration) -> io::Result<()> {
        let time = Some(time.max(Duration::from_millis(1)));
        self.0.set_read_timeout(time)?;
        self.0.set_write_timeout(time)
    }

    /// Bounds no wait for the peer any more.
    pub(crate) fn wait_for_ever(&self) -> io::Result<()> {
        self.0.set_read_timeout(None)
    }

    /// Lets the peer send and receive no more. Frames that it has sent before can still be received.
    pub(crate) fn shut(&self) {
        // An error says that the peer has gone.
        let _ = self.0.shutdown(std::net::Shutdown::Both);
    }

    /// Sends a frame. After an error of the stream nothing more is sent, because a part of the frame may have gone.
    ///
    /// # Errors
    ///
    /// `TimedOut` if the peer has taken nothing for so long, `InvalidInput` if the frame is too large.
    pub(crate) fn send(
        &self,
        kind: u8,
        body: &[u8],
        descriptors: &[BorrowedFd<'_>],
    ) -> io::Result<()> {
        if descriptors.len() > MOST_DESCRIPTORS || body.len() > MOST_BYTES {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let sent = self.send_all(kind, body, descriptors);
        if sent.is_err() {
            self.shut();
        }
        sent
    }

    fn send_all(&self, kind: u8, body: &[u8], descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        let mut head = [0; HEAD];
        head[0] = kind;
        head[1..3].copy_from_slice(&u16::try_from(descriptors.len()).unwrap_or(0).to_be_bytes());
        head[3..].copy_from_slice(&u32::try_from(body.len()).unwrap_or(0).to_be_bytes());
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !descriptors.is_empty() {
            ancillary.push(SendAncillaryMessage::ScmRights(descriptors));
        }
        let mut sent = retry(|| {
            net::sendmsg(
                &self.0,
                &[IoSlice::new(&head), IoSlice::new(body)],
                &mut ancillary,
                NO_SIGNAL,
            )
        })?;
        // The descriptors have left with the first byte.
        while sent < HEAD + body.len() {
            sent += if sent < HEAD {
                retry(|| net::send(&self.0, &head[sent..], NO_SIGNAL))?
            } else {
                retry(|| net::send(&self.0, &body[sent - HEAD..], NO_SIGNAL))?
            };
        }
        Ok(())
    }

    /// Receives the next frame; `None` if the peer has closed the stream before one.
    ///
    /// # Errors
    ///
    /// `TimedOut` if nothing has come for so long, `InvalidData` if descriptors were lost on the way, as when this
    /// process may open no more.
    pub(crate) fn receive(&self) -> io::Result<Option<ReceivedFrame>> {
        let mut head = [0; HEAD];
        let mut descriptors = Vec::new();
        if !self.fill(&mut head, &mut descriptors)? {
            return Ok(None);
        }
        let kind = head[0];
        let count = usize::from(u16::from_be_bytes([head[1], head[2]]));
        let length = u32::from_be_bytes([head[3], head[4], head[5], head[6]]) as usize;
        if length > MOST_BYTES {
            return Err(invalid(format!("a frame of {length} bytes")));
        }
        let mut body = vec![0; length];
        if length > 0 && !self.fill(&mut body, &mut descriptors)? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if descriptors.len() != count {
            return Err(invalid(format!(
                "{} of {count} descriptors arrived; the limit of open files is too low",
                descriptors.len()
            )));
        }
        Ok(Some(ReceivedFrame { kind, body, descriptors }))
    }

    /// Fills the buffer. Returns `false` if the stream ends before its first byte.
    fn fill(&self, buffer: &mut [u8], descriptors: &mut Vec<OwnedFd>) -> io::Result<bool> {
        let mut filled = 0;
        while filled < buffer.len() {
            let mut space =
                [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
            let mut ancillary = RecvAncillaryBuffer::new(&mut space);
            let received = retry(|| {
                let slices = &mut [IoSliceMut::new(&mut buffer[filled..])];
                net::recvmsg(&self.0, slices, &mut ancillary, CLOSE_ON_EXEC)
            })?;
            for message in ancillary.drain() {
                if let RecvAncillaryMessage::ScmRights(all) = message {
                    #[cfg(target_vendor = "apple")]
                    let all = all.inspect(|it| {
                        let _ = rustix::io::fcntl_setfd(it, rustix::io::FdFlags::CLOEXEC);
                    });
                    descriptors.extend(all);
                }
            }
            if received.flags.contains(ReturnFlags::CTRUNC) {
                return Err(invalid(
                    "descriptors were lost; the limit of open files is too low".to_owned(),
                ));
            }
            match received.bytes {
                0 if filled == 0 => return Ok(false),
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                bytes => filled += bytes,
            }
        }
        Ok(true)
    }
}

/// Keeps programs that are started meanwhile from inheriting what arrives.
#[cfg(not(target_vendor = "apple"))]
const CLOSE_ON_EXEC: RecvFlags = RecvFlags::CMSG_CLOEXEC;
#[cfg(target_vendor = "apple")]
const CLOSE_ON_EXEC: RecvFlags = RecvFlags::empty();

fn retry<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            // A blocking socket says so when its time is over.
            Err(Errno::AGAIN) => return Err(io::ErrorKind::TimedOut.into()),
            result => return result.map_err(io::Error::from),
        }
    }
}

fn invalid(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::fd::AsFd;

    use super::*;

    fn pair() -> (FdChannel, FdChannel) {
        let (here, there) = UnixStream::pair().unwrap();
        (FdChannel::new(here), FdChannel::new(there))
    }

    #[test]
    fn u6_frames_keep_their_bounds_and_their_descriptors() {
        let (here, there) = pair();
        let (ours, theirs) = UnixStream::pair().unwrap();
        let many: Vec<_> = (0..MOST_DESCRIPTORS).map(|_| ours.as_fd()).collect();
        let large = vec![7; 100_000];
        std::thread::scope(|scope| {
            scope.spawn(|| {
                here.send(1, b"first", &many).unwrap();
                here.send(2, &large, &many[..1]).unwrap();
                here.send(3, b"", &[]).unwrap();
            });
            let first = there.receive().unwrap().unwrap();
            assert_eq!((first.kind, &first.body[..]), (1, &b"first"[..]));
            assert_eq!(first.descriptors.len(), MOST_DESCRIPTORS);
            let second = there.receive().unwrap().unwrap();
            assert_eq!((second.kind, second.body.len(), second.descriptors.len()), (2, 100_000, 1));
            assert_eq!(there.receive().unwrap().unwrap().kind, 3);
            // They are the sockets that were sent.
            let copy = UnixStream::from(second.descriptors.into_iter().next().unwrap());
            io::Write::write_all(&mut &copy, b"hello").unwrap();
            let mut answer = [0; 5];
            (&theirs).read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"hello");
        });
        drop(here);
        assert!(there.receive().unwrap().is_none());
    }

    #[test]
    fn u6_a_silent_peer_and_one_that_ends_in_the_middle_are_errors() {
        let (here, there) = pair();
        there.set_patience(Duration::from_millis(20)).unwrap();
        assert_eq!(there.receive().unwrap_err().kind(), io::ErrorKind::TimedOut);
        net::send(&here.0, &[1, 0], NO_SIGNAL).unwrap();
        drop(here);
        assert_eq!(there.receive().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        let (here, there) = pair();
        net::send(&here.0, &[1, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF], NO_SIGNAL).unwrap();
        assert_eq!(there.receive().unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn u6_nothing_follows_a_frame_that_was_cut() {
        let (here, there) = pair();
        here.set_patience(Duration::from_millis(20)).unwrap();
        there.set_patience(Duration::from_secs(5)).unwrap();
        let too_large = here.send(1, &vec![0; MOST_BYTES + 1], &[]);
        assert_eq!(too_large.unwrap_err().kind(), io::ErrorKind::InvalidInput);
        here.send(2, b"nothing of it has gone", &[]).unwrap();
        let large = here.send(3, &vec![0; MOST_BYTES], &[]);
        assert_eq!(large.unwrap_err().kind(), io::ErrorKind::TimedOut, "nobody reads");
        assert!(here.send(4, &vec![0; MOST_BYTES], &[]).is_err());
        assert_eq!(there.receive().unwrap().unwrap().kind, 2);
        assert_eq!(there.receive().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn u6_a_lost_descriptor_is_an_error() {
        let (here, there) = pair();
        // The head says two descriptors, and one comes.
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        let one = [here.0.as_fd()];
        ancillary.push(SendAncillaryMessage::ScmRights(&one));
        let head = [IoSlice::new(&[1, 0, 2, 0, 0, 0, 0])];
        net::sendmsg(&here.0, &head, &mut ancillary, NO_SIGNAL).unwrap();
        let error = there.receive().unwrap_err();
        assert_eq!(
            error.to_string(),
            "1 of 2 descriptors arrived; the limit of open files is too low"
        );
    }
}
