//! The end of processes that have no job.

use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError, Weak};
use std::thread::{self, JoinHandle};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// The time between two looks at a worker that had a job when its process closed its socket.
const AGAIN: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// A thread that sees the processes of a pool close their sockets, for those that have no job: nobody waits for an
/// answer of theirs. It sleeps until one does. It is started with the first process, and ends with the pool.
#[derive(Debug, Default)]
pub(super) struct IdleWatch(Mutex<Option<WatchThread>>);

/// A worker whose process may end while it has no job.
pub(super) trait IdleWorker: Send + Sync {
    /// Puts another process in the place of this one, which has closed its socket. Returns whether it is settled; it
    /// is not while a thread has a job for the process.
    fn replace(&self, process: u64) -> bool;
}

#[derive(Debug)]
struct WatchThread {
    sender: Sender<Watched>,
    /// A byte wakes the thread, and its end ends the thread.
    waker: UnixStream,
    thread: JoinHandle<()>,
}

/// A process and the worker that it belongs to.
struct Watched {
    /// Another descriptor of the pool's end of the socket.
    socket: OwnedFd,
    worker: Weak<dyn IdleWorker>,
    /// The number of the process in its worker.
    process: u64,
    /// It has closed its socket.
    closed: bool,
}

impl IdleWatch {
    /// Watches a process of a worker, in place of the one before.
    pub(super) fn add(
        &self,
        socket: OwnedFd,
        worker: Weak<dyn IdleWorker>,
        process: u64,
    ) -> io::Result<()> {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let running = match &mut *running {
            Some(running) => running,
            none => none.insert(WatchThread::start()?),
        };
        // The thread ends after this value.
        let _ = running.sender.send(Watched { socket, worker, process, closed: false });
        match running.waker.write(&[0]) {
            // It has not taken earlier bytes yet, and takes all that was sent.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            woken => woken.map(|_| ()),
        }
    }
}

impl Drop for IdleWatch {
    fn drop(&mut self) {
        let running = self.0.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(WatchThread { waker, thread, .. }) = running {
            drop(waker);
            // The thread itself may be the last to use this value, when it puts a process in the place of another one.
            if thread.thread().id() != thread::current().id() {
                // It has no result, and a panic of it was logged.
                let _ = thread.join();
            }
        }
    }
}

impl WatchThread {
    fn start() -> io::Result<Self> {
        let (waker, woken) = UnixStream::pair()?;
        waker.set_nonblocking(true)?;
        woken.set_nonblocking(true)?;
        let (sender, added) = channel();
        let run = move || WatchLoop { woken, added, watched: Vec::new() }.run();
        let thread = thread::Builder::new().name("python-watch".to_owned()).spawn(run)?;
        Ok(Self { sender, waker, thread })
    }
}

struct WatchLoop {
    woken: UnixStream,
    added: Receiver<Watched>,
    watched: Vec<Watched>,
}

impl WatchLoop {
    fn run(mut self) {
        while self.wait().is_ok() && self.take_added() {
            self.watched.retain(|watched| {
                let worker = watched.closed.then(|| watched.worker.upgrade());
                match worker {
                    None => true,
                    Some(None) => false,
                    Some(Some(worker)) => !worker.replace(watched.process),
                }
            });
        }
    }

    /// Sleeps until a process closes its socket, or another one is added.
    fn wait(&mut self) -> rustix::io::Result<()> {
        let Self { woken, watched, .. } = self;
        // A process that has closed its socket would end each sleep at once.
        let (closed, open): (Vec<_>, Vec<_>) = watched.iter_mut().partition(|it| it.closed);
        let time = (!closed.is_empty()).then_some(AGAIN);
        // The end of a socket is reported without being asked for.
        let sockets = open.iter().map(|it| PollFd::new(&it.socket, PollFlags::empty()));
        let mut polled: Vec<_> = sockets.chain([PollFd::new(woken, PollFlags::IN)]).collect();
        match poll(&mut polled, time.as_ref()) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(()),
            Err(error) => {
                crate::log::warn!(%error, "processes of Python that end while idle are not seen");
                return Err(error);
            }
        }
        let ends = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
        let ended: Vec<bool> = polled.iter().map(|it| it.revents().intersects(ends)).collect();
        for (watched, ended) in open.into_iter().zip(ended) {
            watched.closed = ended;
        }
        Ok(())
    }

    /// Takes the processes that were added. Returns whether there can be more.
    fn take_added(&mut self) -> bool {
        let goes_on = match (&self.woken).read(&mut [0; 64]) {
            Ok(bytes) => bytes > 0,
            Err(error) => error.kind() != io::ErrorKind::ConnectionReset,
        };
        for added in self.added.try_iter() {
            // The one before has ended, or is told to.
            self.watched.retain(|before| !Weak::ptr_eq(&before.worker, &added.worker));
            self.watched.push(added);
        }
        goes_on
    }
}
