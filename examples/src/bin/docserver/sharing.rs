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
    /// Another process uses the directory, or may.
    is_shared: bool,
    /// That process may not have come yet.
    is_expected: bool,
    /// When the last one had ended.
    alone_since: Option<Instant>,
    /// A thread looks after all this.
    is_watched: bool,
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
        self.0.state().is_expected = false;
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
        while state.is_shared {
            if since.elapsed() >= PATIENCE {
                let place = self.directory.root().display();
                return Err(format!("the process of the last upgrade still uses `{place}`").into());
            }
            state = self.wait(state);
        }
        self.watch(&mut state)?;
        self.feed.share(|| Journal::create(self.directory.root()))?;
        (state.is_shared, state.is_expected) = (true, true);
        Ok(self.directory.make_room()?)
    }

    /// Comes into the directory of the old process.
    fn join(self: &Arc<Self>) -> Result<()> {
        let mut state = self.state();
        self.feed.share(|| Journal::join(self.directory.root()))?;
        Store::join(&self.directory)?;
        state.is_shared = true;
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
            if state.is_shared {
                if !state.is_expected && self.is_alone() {
                    drop(state);
                    self.clear();
                    state = self.state();
                    self.directory.end_sharing();
                    (state.is_shared, state.alone_since) = (false, Some(Instant::now()));
                    self.changed.notify_all();
                    tracing::info!("this process has the directory for itself");
                }
            } else if state.alone_since.is_none_or(|since| since.elapsed() >= AFTERWARDS) {
                self.feed.end_sharing(self.directory.root());
                state.is_watched = false;
                return;
            }
            self.feed.publish_others();
        }
    }

    fn is_alone(&self) -> bool {
        self.directory.take_all().unwrap_or_else(|error| {
            tracing::error!(%error, "cannot tell whether another process uses the directory");
            false
        })
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
