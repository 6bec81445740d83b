use std::fmt;
use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Session;
use super::received_bytes::ReceivedBytes;
use crate::net::memory::MemoryStream;
use crate::net::other_end::{SimulatedStream, TestWorld};
use crate::net::readiness::Readiness;
use crate::net::transport::{ByteStream, Read};
use crate::{Connection, Drive, Machine, Target};

/// The part of the test that a machine connects to.
#[derive(Default)]
pub(super) struct StubTargets(Mutex<StubTargetsState>);

#[derive(Default)]
struct StubTargetsState {
    /// The target of an attempt that is not decided.
    requested: Option<Target>,
    decision: Option<io::Result<Box<dyn SimulatedStream>>>,
    /// The pipe of the last connection.
    pipe: Option<SharedPipe>,
}

/// The two streams between the test and the machine's other socket.
type SharedPipe = Arc<Mutex<MemoryStream>>;

/// The machine's end of the pipe. Dropping it closes the connection.
#[derive(Debug)]
struct OtherPipeEnd(SharedPipe);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl StubTargets {
    pub(super) fn connecting(&self) -> Option<Target> {
        lock(&self.0).requested.clone()
    }

    /// Lets the connection come about, or fail. Returns whether the machine was connecting.
    pub(super) fn decide(&self, accepts: Result<(), io::ErrorKind>) -> bool {
        let mut state = lock(&self.0);
        if state.requested.take().is_none() {
            return false;
        }
        let pipe = Arc::new(Mutex::new(MemoryStream::new(usize::MAX)));
        state.decision = Some(match accepts {
            Ok(()) => Ok(Box::new(OtherPipeEnd(Arc::clone(&pipe)))),
            Err(kind) => Err(kind.into()),
        });
        state.pipe = accepts.is_ok().then_some(pipe);
        true
    }

    fn pipe(&self) -> SharedPipe {
        let pipe = lock(&self.0).pipe.clone();
        pipe.unwrap_or_else(|| panic!("the machine has no other connection; `accept` one first"))
    }
}

impl TestWorld for StubTargets {
    fn request(&self, target: Target) {
        lock(&self.0).requested = Some(target);
    }

    fn decision(&self) -> Option<io::Result<Box<dyn SimulatedStream>>> {
        lock(&self.0).decision.take()
    }
}

impl ByteStream for OtherPipeEnd {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<Read> {
        lock(&self.0).read(buffer)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        lock(&self.0).write(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        lock(&self.0).write_vectored(slices)
    }

    fn shutdown(&mut self) -> io::Result<()> {
        lock(&self.0).shutdown()
    }

    fn abort(&mut self) {
        lock(&self.0).abort();
    }
}

impl SimulatedStream for OtherPipeEnd {
    fn stream(&mut self) -> &mut dyn ByteStream {
        self
    }
}

impl Drop for OtherPipeEnd {
    fn drop(&mut self) {
        lock(&self.0).shut = true;
    }
}

impl<M: Drive<H> + Machine<Kind = Connection>, H> Session<M, H> {
    /// The target that the machine connects to in a `#[connect]` state. It waits for [`accept`](Self::accept)
    /// or [`refuse`](Self::refuse).
    pub fn connecting(&self) -> Option<Target> {
        self.world.connecting()
    }

    /// Lets the connection come about that the machine waits for. [`other`](Self::other) is its other end.
    ///
    /// # Panics
    ///
    /// When the machine does not connect.
    pub fn accept(&mut self) {
        assert!(self.world.decide(Ok(())), "the machine does not connect");
        self.run(Readiness::WRITE.of_other());
    }

    /// Lets the connection fail that the machine waits for, with an error of this kind.
    ///
    /// # Panics
    ///
    /// When the machine does not connect.
    pub fn refuse(&mut self, kind: io::ErrorKind) {
        assert!(self.world.decide(Err(kind)), "the machine does not connect");
        self.run(Readiness::WRITE.of_other());
    }

    /// The other end of the machine's other socket.
    ///
    /// Its methods panic when the machine has never been connected.
    pub fn other(&mut self) -> OtherPeer<'_, M, H> {
        OtherPeer { session: self }
    }
}

/// The part of the test at the other end of a machine's other socket: what
/// [`Session::other`](Session::other) returns.
///
/// The machine has done its part before a call returns.
pub struct OtherPeer<'a, M: Drive<H>, H> {
    pub(super) session: &'a mut Session<M, H>,
}

impl<M: Drive<H> + Machine<Kind = Connection>, H> OtherPeer<'_, M, H> {
    fn pipe(&self) -> SharedPipe {
        self.session.world.pipe()
    }

    /// Sends `bytes` to the machine.
    pub fn send(&mut self, bytes: &[u8]) {
        lock(&self.pipe()).feed(bytes);
        self.session.run(Readiness::READ.of_other());
    }

    /// Takes what the machine has sent.
    pub fn receive(&mut self) -> ReceivedBytes {
        let pipe = self.pipe();
        let mut received = lock(&pipe).take_unsent();
        loop {
            self.session.run(Readiness::WRITE.of_other());
            let more = lock(&pipe).take_unsent();
            if more.is_empty() {
                return received.into();
            }
            received.extend(more);
        }
    }

    /// From now on the machine can send only `bytes` before this end receives: a slow reader.
    pub fn window(&mut self, bytes: usize) {
        lock(&self.pipe()).window = bytes;
        self.session.run(Readiness::WRITE.of_other());
    }

    /// Ends the stream to the machine, which can still send.
    pub fn end(&mut self) {
        lock(&self.pipe()).ended = true;
        self.session.run((Readiness::READ | Readiness::MAYBE_EOF).of_other());
    }

    /// Resets the connection: the bytes in flight are lost.
    pub fn reset(&mut self) {
        lock(&self.pipe()).reset = true;
        let broken = Readiness::READ | Readiness::WRITE | Readiness::MAYBE_EOF | Readiness::BROKEN;
        self.session.run(broken.of_other());
    }

    /// Whether the machine has ended its stream to this end, or closed the connection.
    pub fn is_ended(&self) -> bool {
        lock(&self.pipe()).shut
    }

    /// Whether the machine has reset the connection, because this end has not got all that it was to get.
    pub fn is_reset(&self) -> bool {
        lock(&self.pipe()).aborted
    }
}

impl<M: Drive<H>, H> fmt::Debug for OtherPeer<'_, M, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtherPeer").finish_non_exhaustive()
    }
}
