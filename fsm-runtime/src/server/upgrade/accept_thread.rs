use std::fmt;
use std::io;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};

use super::launch::Site;
use super::predecessor;
use super::socket::Meeting;
use super::successor::Committing;
use crate::PoolError;
use crate::net::fd_channel::FdChannel;

const WAKER: Token = Token(0);
const MEETING: Token = Token(1);
/// How long it waits for a descriptor that it could not get.
const RETRY: Duration = Duration::from_millis(100);

/// The thread that waits for a new process.
pub(crate) struct AcceptThread {
    site: Arc<Site>,
    stopped: Arc<AtomicBool>,
    waker: Waker,
    /// The channel to an old process, as long as there is one.
    committing: Weak<FdChannel>,
    thread: Option<JoinHandle<()>>,
}

impl AcceptThread {
    /// Waits for a new process from now on.
    pub(super) fn open(site: &Arc<Site>) -> Result<Self, PoolError> {
        let poll = Poll::new().map_err(PoolError::io("make a poll"))?;
        let meeting = meet(site)?;
        let site = Arc::clone(site);
        Self::start(&site, poll, Weak::new(), move |poll, site, stopped| {
            listen(poll, meeting, site, stopped);
        })
    }

    /// Takes connections in until the old process has committed, and waits for a new one then.
    pub(super) fn open_after(site: &Arc<Site>, committing: Committing) -> Result<Self, PoolError> {
        let poll = Poll::new().map_err(PoolError::io("make a poll"))?;
        Self::start(site, poll, committing.channel(), move |poll, site, stopped| {
            if !committing.follow(site) || stopped.load(Ordering::SeqCst) {
                return;
            }
            site.files.set();
            match meet(site) {
                Ok(meeting) => listen(poll, meeting, site, stopped),
                Err(error) => crate::log::error!(%error, "no process can take over from this one"),
            }
        })
    }

    fn start(
        site: &Arc<Site>,
        poll: Poll,
        committing: Weak<FdChannel>,
        main: impl FnOnce(Poll, &Arc<Site>, &AtomicBool) + Send + 'static,
    ) -> Result<Self, PoolError> {
        let waker = Waker::new(poll.registry(), WAKER).map_err(PoolError::io("make a waker"))?;
        let stopped = Arc::<AtomicBool>::default();
        let thread = thread::Builder::new().name("upgrade".to_owned()).spawn({
            let (site, stopped) = (Arc::clone(site), Arc::clone(&stopped));
            move || main(poll, &site, &stopped)
        });
        let thread = Some(thread.map_err(PoolError::io("start a thread"))?);
        Ok(Self { site: Arc::clone(site), stopped, waker, committing, thread })
    }

    /// Refuses new processes from now on, because the pools drain.
    pub(crate) fn close(&self) {
        self.site.control.close();
    }
}

impl Drop for AcceptThread {
    fn drop(&mut self) {
        self.close();
        self.stopped.store(true, Ordering::SeqCst);
        if let Some(channel) = self.committing.upgrade() {
            channel.shut();
        }
        if self.waker.wake().is_ok() {
            if let Some(thread) = self.thread.take() {
                // One that has panicked has ended, too.
                let _ = thread.join();
            }
        }
    }
}

impl fmt::Debug for AcceptThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcceptThread").field("path", &self.site.path).finish_non_exhaustive()
    }
}

/// Makes the socket at which a new process finds this one.
fn meet(site: &Site) -> Result<Meeting, PoolError> {
    let path = site.path.display();
    let meeting = Meeting::bind(&site.path)
        .map_err(PoolError::io(format!("wait for a new process at {path}")))?;
    site.control.open(site.program.clone(), site.times.ready);
    Ok(meeting)
}

/// Talks to each process that connects, on a thread of its own.
fn listen(mut poll: Poll, meeting: Meeting, site: &Arc<Site>, stopped: &AtomicBool) {
    let ready = meeting.listener.set_nonblocking(true).and_then(|()| {
        let descriptor = meeting.listener.as_raw_fd();
        poll.registry().register(&mut SourceFd(&descriptor), MEETING, Interest::READABLE)
    });
    if let Err(error) = ready {
        crate::log::error!(%error, "no process can take over from this one");
        return;
    }
    crate::log::info!(path = %site.path.display(), "a new process can take over");
    let mut events = Events::with_capacity(4);
    let mut is_short = false;
    while !stopped.load(Ordering::SeqCst) {
        match poll.poll(&mut events, is_short.then_some(RETRY)) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                crate::log::error!(%error, "no process can take over from this one");
                return;
            }
            _ => {}
        }
        let accepted = accept_all(&meeting, site);
        if let Err(error) = &accepted {
            if !is_short {
                crate::log::error!(%error, "cannot accept a new process; trying again");
            }
        }
        is_short = accepted.is_err();
    }
    if site.control.has_handed_over() {
        meeting.leave_file();
    }
}

/// Talks to all processes that have connected. An error says that some of them still wait.
fn accept_all(meeting: &Meeting, site: &Arc<Site>) -> io::Result<()> {
    loop {
        let stream = match meeting.listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock => return Ok(()),
                io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted => continue,
                _ => return Err(error),
            },
        };
        let site = Arc::clone(site);
        let thread = thread::Builder::new().name("upgrade-peer".to_owned());
        if let Err(error) = thread.spawn(move || predecessor::meet(&site, stream)) {
            crate::log::error!(%error, "cannot talk to a new process");
        }
    }
}
