//! A new process takes over from this one, without a client that notices (U6 and the rules after it).

use std::fmt;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::PoolError;

pub(super) mod accept_thread;
mod control;
mod data;
pub(super) mod launch;
mod message;
mod notify;
mod predecessor;
mod socket;
mod successor;
mod waiting_for_peers;

use control::Control;

/// How the pools of a [`Pipeline`](crate::Pipeline) pass to a new process, such as one of a newer version of the
/// program: [`Pipeline::upgradable`](crate::Pipeline::upgradable). On Unix.
///
/// The process listens on a Unix socket. A process with the same pools that starts later finds it, and takes over:
/// the listeners, so that no client is refused; the data that the application hands over; and the connections at
/// rest of machines with `#[state_machine(moves)]`. SIGUSR2 starts the program anew with the same arguments, if the
/// pipeline [runs](crate::Pipeline::run); so does [`Upgrader::upgrade`].
///
/// The old process serves until the new one says that it is ready, and finishes what cannot move, as in a drain. If
/// the new process fails before it has taken over, the old one goes on.
///
/// ```no_run
/// use fsm_runtime::prelude::*;
/// use fsm_runtime::{Pipeline, Upgrade};
/// use std::time::Duration;
///
/// fn serve(pool: Pool) -> Result<(), PoolError> {
///     let upgrade = Upgrade::new("/run/kv/upgrade.sock").ready_within(Duration::from_secs(20));
///     Pipeline::new().pool(pool).upgradable(upgrade).run()
/// }
/// ```
#[must_use = "an upgrade does nothing until a pipeline has it"]
pub struct Upgrade {
    path: PathBuf,
    program: Option<PathBuf>,
    times: UpgradeTimes,
    data: Option<Box<dyn UpgradeData>>,
    control: Arc<Control>,
}

/// The bounds of an upgrade, which `ready_within` and the like set.
#[derive(Clone, Copy, Debug)]
struct UpgradeTimes {
    ready: Duration,
    answer: Duration,
    rest: Duration,
    still: Duration,
}

impl Upgrade {
    /// Processes meet at this Unix socket. The process makes it with mode 0600, and talks only to processes of its
    /// own user or of root (on Linux; elsewhere the mode alone protects it).
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            program: None,
            times: UpgradeTimes {
                ready: Duration::from_secs(60),
                answer: Duration::from_secs(5),
                rest: Duration::from_secs(10),
                still: Duration::from_secs(1),
            },
            data: None,
            control: Arc::default(),
        }
    }

    /// The program to start for an upgrade. By default it is the one that this process was started as, so that what
    /// was installed at the same path meanwhile is started.
    pub fn program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = Some(program.into());
        self
    }

    /// How long the old process waits for each step of the new one until that is ready, and the new one for each
    /// step of the old one: 60 s by default. Then the upgrade fails, and the old process goes on.
    pub fn ready_within(mut self, time: Duration) -> Self {
        self.times.ready = time;
        self
    }

    /// How long the old process waits for each answer of the new one after that is ready, 5 s by default. New
    /// clients, and connections on their way, wait meanwhile. Then the upgrade fails, and the old process goes on;
    /// if it drains already, the rest drains there.
    ///
    /// All that comes before the old process drains may take so much longer than
    /// [`still_within`](Upgrade::still_within) and [`rest_within`](Upgrade::rest_within) together.
    pub fn answer_within(mut self, time: Duration) -> Self {
        self.times.answer = time;
        self
    }

    /// How long connections that can move may take to come to rest before the old process drains: 10 s by default.
    /// Until then a failure of the new process changes nothing in the old one but for the connections that have
    /// moved. While it drains, connections that come to rest still move.
    pub fn rest_within(mut self, time: Duration) -> Self {
        self.times.rest = time;
        self
    }

    /// How long all pools may stand still for the last part of the [`data`](Upgrade::data), 1 s by default. If they
    /// have not come to rest by then, the upgrade fails and the old process goes on. After a quarter of this time the
    /// connections end that wait only until their peers read, or send more of what is thrown away: those in states of
    /// `#[flush]`, `#[writable]` and `#[discard]`, and those that have ended but for the output that is not sent. So a
    /// peer that does not read, or sends no end, keeps nobody from an upgrade.
    pub fn still_within(mut self, time: Duration) -> Self {
        self.times.still = time;
        self
    }

    /// Hands the application's own data to the new process.
    pub fn data(mut self, data: impl UpgradeData) -> Self {
        self.data = Some(Box::new(data));
        self
    }

    /// Moves the connections together, for handlers that post to each other's connections.
    ///
    /// All connections stand still, then leave, and none has a turn in the new process before all have come and
    /// [`moved`](crate::MovesHandler::moved) has told each its key. So what a handler posts reaches all to whom it
    /// posts, in one process or the other. Without it connections move one by one, and do not find those that are on
    /// their way.
    ///
    /// All that [`data`](Upgrade::data) says of connections holds: all must be able to come to rest and to move, and
    /// what the new process refuses is closed. `data` moves them together, too, so that it needs no `together`. Both
    /// processes must have it.
    pub fn together(self) -> Self {
        if self.data.is_some() { self } else { self.data(Nothing) }
    }

    /// Returns what begins an upgrade from code.
    pub fn upgrader(&self) -> Upgrader {
        Upgrader(Arc::clone(&self.control))
    }
}

impl From<&str> for Upgrade {
    fn from(path: &str) -> Self {
        Self::new(path)
    }
}

impl From<&Path> for Upgrade {
    fn from(path: &Path) -> Self {
        Self::new(path)
    }
}

impl From<PathBuf> for Upgrade {
    fn from(path: PathBuf) -> Self {
        Self::new(path)
    }
}

impl fmt::Debug for Upgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upgrade").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Data of the application that goes to the new process of an [`Upgrade`], in two parts, or in the first one alone.
///
/// The old process writes the first part while its pools serve. It writes the last part when no connection and no
/// job has a turn any more: then nothing that a client was told is missing in the new process. A snapshot as the
/// first part, and what has changed since as the last one, keep the pause short. The new process serves when it has
/// both and the old one has said that it will not go on.
///
/// All connections must be able to come to rest and to move for it: while one has something in progress that does
/// not end in [`Upgrade::still_within`], the upgrade fails and the old process goes on.
///
/// ```
/// use std::io::{self, Read, Write};
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use fsm_runtime::{Upgrade, UpgradeData};
///
/// /// A counter, all of which is the last part.
/// struct Visits(Arc<AtomicU64>);
///
/// impl UpgradeData for Visits {
///     fn send(&mut self, _: &mut dyn Write) -> io::Result<()> {
///         Ok(())
///     }
///
///     fn send_last(&mut self, to: &mut dyn Write) -> io::Result<()> {
///         to.write_all(&self.0.load(Ordering::SeqCst).to_le_bytes())
///     }
///
///     fn receive(&mut self, _: &mut dyn Read) -> io::Result<()> {
///         Ok(())
///     }
///
///     fn receive_last(&mut self, from: &mut dyn Read) -> io::Result<()> {
///         let mut count = [0; 8];
///         from.read_exact(&mut count)?;
///         self.0.store(u64::from_le_bytes(count), Ordering::SeqCst);
///         Ok(())
///     }
/// }
///
/// let upgrade = Upgrade::new("/run/visits.sock").data(Visits(Arc::default()));
/// # let _ = upgrade;
/// ```
pub trait UpgradeData: Send + 'static {
    /// Writes the first part, in the old process. The pools serve meanwhile.
    ///
    /// # Errors
    ///
    /// An error ends the upgrade; the old process goes on.
    fn send(&mut self, to: &mut dyn Write) -> io::Result<()>;

    /// Whether there is a last part, for which the pools stand still: `true` by default.
    ///
    /// If not, [`send_last`](UpgradeData::send_last) and [`receive_last`](UpgradeData::receive_last) do not run,
    /// and connections move, stay and drain as without data. Both processes serve with the data then, the old one
    /// until it ends. This is for data that both can reach, such as a directory: the first part prepares them to
    /// share it. The old process can still go on after the new one serves, and [`cancel`](UpgradeData::cancel) runs
    /// then, also while the new one lives for another moment.
    fn stands_still(&self) -> bool {
        true
    }

    /// Writes the last part, in the old process. The pools stand still meanwhile.
    ///
    /// # Errors
    ///
    /// An error ends the upgrade; the old process goes on.
    fn send_last(&mut self, to: &mut dyn Write) -> io::Result<()>;

    /// Runs in the old process when an upgrade has failed after [`send`](UpgradeData::send) has begun.
    fn cancel(&mut self) {}

    /// Reads the first part, in the new process. Bytes that it leaves unread are skipped.
    ///
    /// # Errors
    ///
    /// An error keeps the new process from starting; the old one goes on.
    fn receive(&mut self, from: &mut dyn Read) -> io::Result<()>;

    /// Reads the last part, in the new process, before it serves. All clients wait meanwhile: if it takes more than
    /// [`Upgrade::answer_within`] after the last byte, the old process goes on.
    ///
    /// # Errors
    ///
    /// An error ends the new process; the old one goes on.
    fn receive_last(&mut self, from: &mut dyn Read) -> io::Result<()>;
}

/// The data of an application that has none.
struct Nothing;

impl UpgradeData for Nothing {
    fn send(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    fn send_last(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    fn receive(&mut self, _: &mut dyn Read) -> io::Result<()> {
        Ok(())
    }

    fn receive_last(&mut self, _: &mut dyn Read) -> io::Result<()> {
        Ok(())
    }
}

/// Begins an upgrade from code. [`Upgrade::upgrader`] returns one; it is cheap to clone, and any thread may use it.
///
/// ```no_run
/// use fsm_runtime::prelude::*;
/// use fsm_runtime::{Pipeline, Upgrade};
///
/// fn serve(pool: Pool) -> Result<(), PoolError> {
///     let upgrade = Upgrade::new("/run/kv/upgrade.sock");
///     let upgrader = upgrade.upgrader();
///     let running = Pipeline::new().pool(pool).upgradable(upgrade).start()?;
///     // As the administrator asks for it, in a program without signals.
///     upgrader.upgrade()?;
///     running.join().map(drop)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Upgrader(Arc<Control>);

impl Upgrader {
    /// Starts the program anew with the same arguments, and waits until that process has taken over or has failed.
    ///
    /// The pools of this process drain then. A handler must not call it, because it would hold up its own thread.
    ///
    /// # Errors
    ///
    /// Returns [`PoolError::Upgrade`] if the process does not start or fails, if an upgrade is under way, or if the
    /// pools do not run or drain. They go on as if nothing had been.
    pub fn upgrade(&self) -> Result<(), PoolError> {
        self.0.upgrade().map_err(|why| PoolError::Upgrade { why })
    }
}

// Its machines take longer to build than the checks of interleavings, which are built by themselves.
#[cfg(test)]
#[cfg(not(any(loom, shuttle)))]
mod tests;
