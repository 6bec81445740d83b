use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use crate::call::mailboxes::Mailboxes;
use crate::call::reply::{ReplyReceiver, ReplySender, WriteReply, read_reply};
use crate::call::semaphore::NoPermit;
use crate::panics::caught;
use crate::{Cx, Key, Kind, Service, Submitter, TrySendError};

/// A receiver of the reply to one job, which makes a message of it.
struct ReplyMessage<Msg, R, F> {
    mailboxes: Mailboxes<Msg>,
    /// `None` after it was called.
    to_message: Mutex<Option<F>>,
    reply: PhantomData<fn(R)>,
}

impl<Msg: Send + 'static, Settings, K: Kind> Cx<'_, Msg, Settings, K> {
    /// Gives a job to another pool and goes on. The reply arrives as a message: `to_message` makes it of the
    /// reply, or of `None` if the job failed or the pool was closed before the job was done.
    ///
    /// The handler keeps the [`Submitter`], which [`Pool::submitter`](crate::Pool::submitter) makes, and the
    /// machine has a `message` type. Use this if the connection must read, write or hear others while the job
    /// runs; a state with `#[call(..)]` is the simple way to do nothing but wait.
    ///
    /// - It never blocks. If the pool is full it refuses the job, and does not queue for room.
    /// - Each job gets one message, in the order in which the jobs end. It is in the mailbox like any other
    ///   one, until the connection is in a `#[message]` state.
    /// - A reply has its place in the mailbox from the beginning, also when others have filled it
    ///   ([`Builder::mailbox`](crate::Builder::mailbox)). So a connection can await no more replies at a time
    ///   than the mailbox takes messages, and the mailbox has at most twice as many of both.
    /// - When the connection has ended, or is in another pool after a hand-off, the reply is dropped; no other
    ///   connection gets it. The job goes on.
    /// - A drain waits for the replies, also in a `#[rest]` state, within
    ///   [`Builder::drain_within`](crate::Builder::drain_within). A `Submitter` is no route of a
    ///   [`Pipeline`](crate::Pipeline): the pool of the job may drain first, and refuses further jobs then.
    ///
    /// `to_message` runs on the thread on which the job ends, so it must be short and must not block. If it
    /// panics that is logged, and there is no message.
    ///
    /// ```
    /// use fsm_runtime::prelude::*;
    /// use fsm_runtime::sim::{Session, StubPool};
    ///
    /// struct Length;
    ///
    /// impl Service for Length {
    ///     type Job = String;
    ///     type Reply = usize;
    /// }
    ///
    /// /// A length that was computed; `None` if that has failed.
    /// struct Computed(Option<usize>);
    ///
    /// /// Answers each line with its length, and reads on meanwhile.
    /// #[state_machine(start = Line, message = Computed, eof => Gone, limit => Gone)]
    /// enum Lengths {
    ///     #[read(until = b"\n", max = 80, idle = 60s => Gone)]
    ///     #[message]
    ///     #[to(Line)]
    ///     Line,
    ///     #[end]
    ///     Gone,
    /// }
    ///
    /// struct Client {
    ///     lengths: Submitter<Length>,
    /// }
    ///
    /// impl lengths::Handler for Client {
    ///     fn line(&mut self, line: &[u8], cx: &mut Cx<'_, Computed>) -> lengths::AfterLine {
    ///         let line = String::from_utf8_lossy(line).into_owned();
    ///         if cx.submit(&self.lengths, line, Computed).is_err() {
    ///             cx.write(b"too busy\n");
    ///         }
    ///         lengths::AfterLine::Line
    ///     }
    ///
    ///     fn line_message(
    ///         &mut self,
    ///         Computed(length): Computed,
    ///         cx: &mut Cx<'_, Computed>,
    ///     ) -> lengths::AfterLine {
    ///         match length {
    ///             Some(length) => writeln!(cx, "{length}"),
    ///             None => cx.write(b"failed\n"),
    ///         }
    ///         lengths::AfterLine::Line
    ///     }
    /// }
    ///
    /// # fn main() {
    /// // The test plays the pool.
    /// let lengths = StubPool::<Length>::new();
    /// let mut peer = Session::<Lengths, _>::new(Client { lengths: lengths.submitter() });
    /// peer.send(b"one\nthree\n");
    /// assert_eq!((lengths.job().as_deref(), lengths.job().as_deref()), (Some("one"), Some("three")));
    /// lengths.reply(3);
    /// lengths.fail();
    /// assert_eq!(peer.receive(), b"3\nfailed\n");
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the job, and does not call `to_message`: [`Full`](TrySendError::Full) if the pool has no room,
    /// others wait for room, or the mailbox has no place for one more reply; [`Gone`](TrySendError::Gone) if
    /// the pool has not started, drains or is closed.
    pub fn submit<S: Service>(
        &self,
        submitter: &Submitter<S>,
        job: S::Job,
        to_message: impl FnOnce(Option<S::Reply>) -> Msg + Send + 'static,
    ) -> Result<(), TrySendError<S::Job>> {
        let (mailboxes, key) = (self.mailboxes(), self.key());
        match mailboxes.await_reply(key) {
            Ok(()) => {}
            Err(TrySendError::Full(())) => return Err(TrySendError::Full(job)),
            Err(TrySendError::Gone(())) => return Err(TrySendError::Gone(job)),
        }
        let sink = submitter.sink().ok_or(NoPermit::Closed);
        let permitted =
            sink.and_then(|sink| sink.semaphore().try_offer().map(|permit| (sink, permit)));
        let (sink, permit) = match permitted {
            Ok(permitted) => permitted,
            Err(refused) => {
                mailboxes.forget_reply(key);
                return Err(match refused {
                    NoPermit::Full => TrySendError::Full(job),
                    NoPermit::Closed => TrySendError::Gone(job),
                });
            }
        };
        let receiver = ReplyMessage::new(mailboxes.clone(), to_message);
        sink.submit(job, permit, ReplySender::new(Arc::new(receiver), key, 0));
        Ok(())
    }
}

impl<Msg, R, F> ReplyMessage<Msg, R, F> {
    fn new(mailboxes: Mailboxes<Msg>, to_message: F) -> Self {
        Self { mailboxes, to_message: Mutex::new(Some(to_message)), reply: PhantomData }
    }
}

impl<Msg, R, F> ReplyReceiver for ReplyMessage<Msg, R, F>
where
    Msg: Send,
    R: 'static,
    F: FnOnce(Option<R>) -> Msg + Send,
{
    /// Makes the message and posts it. All that runs here and is the user's may panic, on a thread of another
    /// pool.
    fn deliver(&self, key: Key, _: u32, write: Option<&mut WriteReply<'_>>) {
        let to_message = self.to_message.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(to_message) = to_message else { return };
        let Some(message) = caught(|| to_message(read_reply(write))) else {
            crate::log::error!(%key, "a function that makes a message of a reply panicked");
            return self.mailboxes.lose_reply(key);
        };
        if let Err(late) = self.mailboxes.post_reply(key, message) {
            if caught(|| drop(late)).is_none() {
                crate::log::error!(%key, "a message panicked while it was dropped");
            }
        }
    }
}
