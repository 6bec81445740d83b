use crate::call::hand_off::{CarriedIo, DetachedConnection};
use crate::call::semaphore::NoPermit;
use crate::{Connection, Ended, Handle, Machine, OpenStream, TrySendError};

impl<M: Machine> Handle<M> {
    /// Gives the pool a connection that other code has opened or accepted, and starts its machine with `seed`:
    /// `()` for a machine that a connection starts.
    ///
    /// The pool makes the stream non-blocking and, for TCP, sets `TCP_NODELAY`; both can be seen by others that
    /// have the same stream, such as the shell of a terminal. The connection counts as one that was handed over:
    /// it takes part in [`Builder::max_connections`](crate::Builder::max_connections), and goes to the shard with
    /// the fewest connections.
    ///
    /// A child process is a connection, too: give it one end of a pair of Unix sockets as its standard streams,
    /// and the pool the other. A pipe carries bytes one way; a write to its end for reading resets the
    /// connection, as does a file that the system does not poll.
    ///
    /// In a pool whose machine answers jobs, the connection answers jobs like those that the pool opens.
    ///
    /// ```
    /// # #[cfg(unix)]
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use fsm_runtime::prelude::*;
    /// use std::os::fd::OwnedFd;
    /// use std::os::unix::net::UnixStream;
    /// use std::process::Command;
    /// use std::sync::mpsc;
    ///
    /// /// Asks a program for its first line.
    /// #[state_machine(start = Ask, seed = String, eof => Gone, limit => Gone, within = 10s => Gone)]
    /// enum Program {
    ///     #[run]
    ///     #[to(Line)]
    ///     Ask { question: String },
    ///     #[read(until = b"\n", max = 1KiB)]
    ///     #[to(Gone)]
    ///     Line,
    ///     #[end]
    ///     Gone,
    /// }
    ///
    /// struct Asker(mpsc::Sender<String>);
    ///
    /// impl program::Handler for Asker {
    ///     fn ask(&mut self, question: &mut String, cx: &mut Cx<'_>) -> program::AfterAsk {
    ///         writeln!(cx, "{question}");
    ///         program::AfterAsk::Line
    ///     }
    ///
    ///     fn line(&mut self, line: &[u8], _: &mut Cx<'_>) -> program::AfterLine {
    ///         let _ = self.0.send(String::from_utf8_lossy(line).into_owned());
    ///         program::AfterLine::Gone
    ///     }
    /// }
    ///
    /// let builder = Pool::builder::<Program>("program");
    /// let handle = builder.handle();
    /// let (sender, answers) = mpsc::channel();
    /// let running = builder.handler(move |_peer| Asker(sender.clone())).start()?;
    ///
    /// let (ours, childs) = UnixStream::pair()?;
    /// let childs = OwnedFd::from(childs);
    /// let mut child =
    ///     Command::new("cat").stdin(childs.try_clone()?).stdout(childs).spawn()?;
    /// handle.adopt(ours, "hello".to_owned()).map_err(|error| error.to_string())?;
    /// assert_eq!(answers.recv()?, "hello");
    /// child.wait()?;
    /// running.drain()?;
    /// # Ok(())
    /// # }
    /// # #[cfg(not(unix))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the stream and the seed: [`Full`](TrySendError::Full) if the pool has as many connections as it may
    /// have, or others wait for room, [`Gone`](TrySendError::Gone) if it has not started, drains or is closed.
    ///
    /// A stream that the system does not let the pool use is dropped, and counted as
    /// [`Ended::Reset`](crate::Ended::Reset).
    pub fn adopt(
        &self,
        stream: impl Into<OpenStream>,
        seed: M::Seed,
    ) -> Result<(), TrySendError<(OpenStream, M::Seed)>>
    where
        M: Machine<Kind = Connection>,
    {
        let stream = stream.into();
        let Some(target) = self.state.adoption::<M::Seed>() else {
            return Err(TrySendError::Gone((stream, seed)));
        };
        let permit = match target.semaphore().try_offer() {
            Ok(permit) => permit,
            Err(NoPermit::Full) => return Err(TrySendError::Full((stream, seed))),
            Err(NoPermit::Closed) => return Err(TrySendError::Gone((stream, seed))),
        };
        match stream.into_socket() {
            Ok(socket) => {
                let carried = CarriedIo::default();
                target.accept(
                    seed,
                    permit,
                    DetachedConnection { socket: Some(socket), layer: None, carried },
                );
            }
            Err(error) => {
                crate::log::warn!(%error, "a stream that was handed in cannot be used");
                self.state.counters.accepted();
                self.state.counters.ended(Ended::Reset);
            }
        }
        Ok(())
    }
}
