//! A live upgrade of the server: the old process makes room in the directory, the new one joins it, and when one of
//! them has ended the other has the directory for itself again.

use std::error::Error;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use fsm_runtime::UpgradeData;

use crate::feed::Feed;
use crate::journal::Journal;
use crate::store::{Directory, Store};

/// How often a process looks whether the other one has ended, and for its events.
const LOOK: Duration = Duration::from_millis(20);
/// How long an upgrade waits for the end of the process that was replaced before.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long events go through the journal after the other process has ended, for subscribers that are on their way.
const AFTERWARDS: Duration = Duration::from_secs(10);

/// The parts of the server that both processes use. Nothing is sent but the place of the directory.
#[derive(Clone)]
pub(crate) struct Sharing(Arc<Shared>);

struct Shared {
    directory: Arc<Directory>,
    feed: Arc<Feed>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    other: Other,
    /// The locks could not be looked at the last time.
    is_troubled: bool,
    /// When the last one had ended.
    alone_since: Option<Instant>,
    /// A thread looks after all this.
    is_watched: bool,
}

/// The other process.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Other {
    /// There is none.
    #[default]
    None,
    /// It has been let in, and may not have come yet.
    Expected,
    /// It uses the directory, unless it has ended.
    Joined,
    /// It has ended, and what it has left is being removed.
    Ended,
}

impl State {
    /// Whether no other process has been there for some time.
    fn is_alone_for(&self, time: Duration) -> bool {
        self.alone_since.is_none_or(|since| since.elapsed() >= time)
    }
}

impl Sharing {
    pub(crate) fn new(directory: &Arc<Directory>, feed: &Arc<Feed>) -> Self {
        let (directory, feed) = (Arc::clone(directory), Arc::clone(feed));
        Self(Arc::new(Shared { directory, feed, state: Mutex::default(), changed: Condvar::new() }))
    }
}

impl UpgradeData for Sharing {
    /// Nobody stands still: what the old process files the new one finds in the directory.
    fn stands_still(&self) -> bool {
        false
    }

    fn send(&mut self, to: &mut dyn Write) -> io::Result<()> {
        self.0.make_room().map_err(io::Error::other)?;
        to.write_all(self.0.place()?.as_os_str().as_bytes())
    }

    fn cancel(&mut self) {
        let mut state = self.0.state();
        if state.other == Other::Expected {
            state.other = Other::Joined;
        }
    }

    fn receive(&mut self, from: &mut dyn Read) -> io::Result<()> {
        let mut place = Vec::new();
        from.read_to_end(&mut place)?;
        let own = self.0.place();
        if !own.is_ok_and(|own| own.as_os_str().as_bytes() == place) {
            let place = String::from_utf8_lossy(&place);
            return Err(io::Error::other(format!("its documents are in `{place}`")));
        }
        self.0.join().map_err(io::Error::other)
    }

    fn send_last(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    fn receive_last(&mut self, _: &mut dyn Read) -> io::Result<()> {
        Ok(())
    }
}

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

impl Shared {
    /// The directory, by a name that other processes know, too.
    fn place(&self) -> io::Result<PathBuf> {
        self.directory.root().canonicalize()
    }

    /// Lets a new process into the directory.
    fn make_room(self: &Arc<Self>) -> Result<()> {
        let since = Instant::now();
        let mut state = self.state();
        while state.other != Other::None {
            if since.elapsed() >= PATIENCE {
                let place = self.directory.root().display();
                let why = if state.other == Other::Ended {
                    format!(
                        "what the process of the last upgrade left in `{place}` is still removed"
                    )
                } else {
                    format!("the process of the last upgrade still uses `{place}`")
                };
                return Err(why.into());
            }
            state = self.wait(state);
        }
        self.watch(&mut state)?;
        self.feed.share(|| Journal::create(self.directory.root()))?;
        state.other = Other::Expected;
        Ok(self.directory.make_room()?)
    }

    /// Comes into the directory of the old process.
    fn join(self: &Arc<Self>) -> Result<()> {
        let mut state = self.state();
        self.feed.share(|| Journal::join(self.directory.root()))?;
        Store::join(&self.directory)?;
        state.other = Other::Joined;
        self.watch(&mut state)
    }

    /// Has a thread look after the other process.
    fn watch(self: &Arc<Self>, state: &mut State) -> Result<()> {
        if !state.is_watched {
            let shared = Arc::clone(self);
            let thread = thread::Builder::new().name("sharing".to_owned());
            thread.spawn(move || shared.look_until_alone())?;
            state.is_watched = true;
        }
        Ok(())
    }

    fn look_until_alone(&self) {
        let mut state = self.state();
        loop {
            state = self.wait(state);
            let other = state.other;
            match other {
                Other::Joined if self.is_alone(&mut state) => {
                    state.other = Other::Ended;
                    drop(state);
                    self.clear();
                    state = self.state();
                    self.directory.end_sharing();
                    (state.other, state.alone_since) = (Other::None, Some(Instant::now()));
                    self.changed.notify_all();
                    tracing::info!("this process has the directory for itself");
                }
                Other::None if state.is_alone_for(AFTERWARDS) => {
                    self.feed.end_sharing(self.directory.root());
                    state.is_watched = false;
                    return;
                }
                _ => {}
            }
            self.feed.publish_others();
        }
    }

    fn is_alone(&self, state: &mut State) -> bool {
        let is_alone = self.directory.take_all();
        // Said once, and not at each look.
        if let (Err(error), false) = (&is_alone, state.is_troubled) {
            tracing::error!(%error, "cannot tell whether another process uses the directory");
        }
        state.is_troubled = is_alone.is_err();
        is_alone.unwrap_or(false)
    }

    /// Removes what the process that has ended has left.
    fn clear(&self) {
        let cleared = Store::connect(&self.directory).and_then(|store| store.clear_others());
        match cleared {
            Ok(recovery) => recovery.report(),
            // The next start removes it.
            Err(error) => tracing::error!(%error, "cannot remove what an old process has left"),
        }
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let waited = self.changed.wait_timeout(state, LOOK);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
