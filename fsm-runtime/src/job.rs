use std::cell::Cell;
use std::io::{self, IoSlice};
use std::marker::PhantomData;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::actor::{Actor, Pause, Share};
use crate::control::{Control, Order};
use crate::env::Bounds;
use crate::inbox::{Inbox, Return};
use crate::link::{Link, Ready};
use crate::output::Output;
use crate::shell::Blocked;
use crate::task::{After, Desk, Task, caught};
use crate::times::sealed::Times;
use crate::transport::Transport;
use crate::{Cx, Drive, Ended, Input, JobMachine, Key, Machine, Peer, Spec, Timing};

/// How long a thread waits before it tries once more to make its handler.
const AGAIN: Duration = Duration::from_millis(100);

/// A job: a machine, and where its reply goes.
pub(crate) struct Job<M: Machine, H> {
    machine: M,
    times: M::Times,
    to: Option<Return>,
    /// It has had a turn.
    entered: bool,
    handler: PhantomData<fn(H)>,
}

/// What the jobs of one thread share: its handler, and what a connection's turns have too.
pub(crate) struct JobEnv<M: JobMachine, H> {
    handler: Option<H>,
    /// Makes another one when a job has panicked, and left nobody knows what in it.
    make: Option<Arc<Make<H>>>,
    pub(crate) inbox: Inbox<M::Message>,
    bounds: Bounds,
    control: Arc<Control>,
    desk: Desk,
    /// Nothing is read or written: these are what a turn asks for all the same.
    ready: Cell<Ready>,
    output: Output,
}

/// Makes the handler of a thread, or says why not.
pub(crate) type Make<H> = dyn Fn() -> Result<H, String> + Send + Sync;

impl<M: JobMachine, H> JobEnv<M, H> {
    pub(crate) fn new(
        handler: H,
        make: Option<Arc<Make<H>>>,
        inbox: Inbox<M::Message>,
        bounds: Bounds,
        control: Arc<Control>,
        desk: Desk,
    ) -> Self {
        let (ready, output) = (Cell::new(Ready::NONE), Output::default());
        Self { handler: Some(handler), make, inbox, bounds, control, desk, ready, output }
    }

    /// Makes another handler, for as long as it takes. Others take the jobs until then. Once the pool
    /// drains it tries no longer: this thread may be the only one, which must see to the end.
    fn make_another(&mut self) {
        if self.make.is_none() {
            return;
        }
        let Desk { seats, thread, turn, .. } = &self.desk;
        let (seats, thread, turn) = (Arc::clone(seats), *thread, *turn);
        seats.block(thread, turn, Blocked::Declared);
        let mut said = false;
        while let (Order::Run, Err(error)) = (self.control.order(), self.try_make()) {
            if !std::mem::replace(&mut said, true) {
                let machine = M::SPEC.name;
                tracing::error!(machine, error, "a thread is without a handler; it tries on");
            }
            thread::sleep(AGAIN);
        }
        seats.unblock(thread, turn, Blocked::Declared);
    }

    /// Makes a handler if there is none, or says why not.
    #[cold]
    fn try_make(&mut self) -> Result<(), String> {
        if self.handler.is_none() {
            let Some(make) = &self.make else { return Err("there is only one".to_owned()) };
            let handler = caught(|| make()).unwrap_or_else(|| Err("it panicked".to_owned()));
            self.handler = Some(handler?);
        }
        Ok(())
    }
}

impl<M: JobMachine, H> Job<M, H> {
    /// Whether it has a mailbox.
    pub(crate) const MAIL: bool = M::SPEC.has_mailbox();

    /// The user's code may run here, and panic. Most jobs have no time to keep at their start, and ask
    /// for none.
    pub(crate) fn new(job: M::Job, to: Return, now: impl FnOnce() -> u64) -> Self {
        let machine = M::start(job);
        let timing = machine.timing();
        let keeps_time = timing.within.min(timing.idle) != Timing::NEVER;
        let times = M::Times::entered(if keeps_time { now() } else { 0 }, timing);
        Self { machine, times, to: Some(to), entered: false, handler: PhantomData }
    }
}

impl<M: JobMachine + Drive<H>, H> Task for Job<M, H> {
    type Env = JobEnv<M, H>;
    const SPEC: &'static Spec = M::SPEC;

    fn turn(&mut self, key: Key, _: Ready, env: &mut JobEnv<M, H>) -> After {
        if env.handler.is_none() && env.try_make().is_err() {
            // It has been said, and tried often.
            return After::Gone(Ended::Panicked);
        }
        let JobEnv { handler: Some(handler), inbox, bounds, desk, ready, output, .. } = env else {
            return After::Gone(Ended::Panicked);
        };
        if Self::MAIL && !std::mem::replace(&mut self.entered, true) {
            inbox.open(key);
        }
        let mut reply: Option<M::Reply> = None;
        let now = desk.now;
        let mut share = Share { calls: bounds.calls, bytes: 1, sent: 0, mark: usize::MAX };
        let link = Link { socket: &Nothing, ready };
        let mut cx = Cx::new(output, link.socket, inbox, key, desk).of_job(&mut reply);
        let mut actor = Actor { machine: &mut self.machine, times: &mut self.times };
        let mut input = Input::new(&[]);
        let pause = loop {
            let Ok(pause) = actor.run(handler, &mut input, &mut cx, &link, now, &mut share) else {
                break Pause::Spin;
            };
            if actor.due() > now || pause == Pause::End {
                break pause;
            }
            actor.lapse(handler, now, false, &mut cx);
            share.calls = share.calls.saturating_sub(1);
            if share.calls == 0 {
                break Pause::Share;
            }
        };
        match pause {
            Pause::End => {
                // Where nobody waits any more it is dropped here, which is the user's code.
                let (to, machine) = (self.to.take(), M::SPEC.name);
                if caught(|| to.zip(reply).map(|(to, reply)| to.send(reply))).is_none() {
                    tracing::error!(%key, machine, "a reply panicked while it was dropped");
                }
                After::Gone(Ended::Done)
            }
            Pause::Spin => After::Gone(Ended::Spun),
            Pause::Share => After::Again,
            _ => After::Wait,
        }
    }

    fn due(&self) -> u64 {
        self.times.due()
    }

    fn state(&self) -> usize {
        self.machine.state()
    }

    fn cut_off(&self) {}

    fn over(self, key: Key, why: Ended, env: &mut JobEnv<M, H>) {
        env.control.counters.ended(why);
        let closed = !Self::MAIL || caught(|| env.inbox.close(key)).is_some();
        // Most have replied, and many have nothing that is worth a drop.
        let drops = std::mem::needs_drop::<M>() || self.to.is_some();
        // Also where a message has panicked, for the job may do so as well.
        let dropped = !drops || caught(|| drop(self)).is_some();
        if !closed || !dropped {
            tracing::error!(%key, machine = M::SPEC.name, "a job panicked while it was dropped");
        }
        env.control.freed();
    }

    fn recover(&mut self, env: &mut JobEnv<M, H>) {
        let handler = env.handler.take();
        if caught(|| drop(handler)).is_none() {
            tracing::error!(machine = M::SPEC.name, "a handler panicked while it was dropped");
        }
    }

    fn restore(env: &mut JobEnv<M, H>) {
        env.make_another();
    }

    fn desk(env: &mut JobEnv<M, H>) -> &mut Desk {
        &mut env.desk
    }
}

/// The socket that a job does not have.
#[derive(Debug)]
struct Nothing;

impl Transport for Nothing {
    fn read(&self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        Ok(slices.iter().map(|slice| slice.len()).sum())
    }

    fn shutdown(&self) -> io::Result<()> {
        Ok(())
    }

    fn abort(&self) {}

    fn peer(&self) -> io::Result<Peer> {
        Ok(Peer::Memory)
    }
}
