use std::io;
#[cfg(unix)]
use std::sync::atomic::{AtomicBool, Ordering};
#[cfg(unix)]
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mio::Registry;
#[cfg(unix)]
use signal_hook::consts::{SIGINT, SIGTERM};

#[cfg(unix)]
use crate::net::token;

#[cfg(unix)]
const SIGNALS: [i32; 2] = [SIGTERM, SIGINT];

/// SIGTERM and SIGINT as an event of a poll.
///
/// The first one is reported; a second one ends the process at once, with the exit code that a
/// shell gives to that signal. So does the first one when no pool listens any more: the system's
/// own answer to a signal does not come back once it was replaced.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct Signals {
    pipe: mio::net::UnixStream,
    ids: Vec<signal_hook::SigId>,
}

/// What all pools of the process share: the actions of signals are registered once.
#[cfg(unix)]
struct Shared {
    /// Whether the next signal ends the process.
    last: Arc<AtomicBool>,
    /// How many pools listen.
    pools: usize,
}

#[cfg(unix)]
static SHARED: Mutex<Option<Shared>> = Mutex::new(None);

#[cfg(unix)]
fn shared() -> MutexGuard<'static, Option<Shared>> {
    SHARED.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(unix)]
impl Shared {
    fn register() -> io::Result<Self> {
        use signal_hook::flag;

        let last = Arc::new(AtomicBool::new(false));
        for signal in SIGNALS {
            // The order matters: the flag ends the process only if it was set by an earlier signal.
            flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&last))?;
            flag::register(signal, Arc::clone(&last))?;
        }
        Ok(Self { last, pools: 0 })
    }
}

#[cfg(unix)]
impl Signals {
    pub(crate) fn install(registry: &Registry) -> io::Result<Self> {
        use std::os::unix::net::UnixStream;

        let (pipe, writer) = UnixStream::pair()?;
        pipe.set_nonblocking(true)?;
        let mut pipe = mio::net::UnixStream::from_std(pipe);
        registry.register(&mut pipe, token::SIGNALS, mio::Interest::READABLE)?;
        let mut ids = Vec::new();
        for signal in SIGNALS {
            ids.push(signal_hook::low_level::pipe::register(signal, writer.try_clone()?)?);
        }
        let mut slot = shared();
        let shared = match &mut *slot {
            Some(shared) => shared,
            empty => empty.insert(Shared::register()?),
        };
        if shared.pools == 0 {
            shared.last.store(false, Ordering::Release);
        }
        shared.pools += 1;
        Ok(Self { pipe, ids })
    }

    /// Whether a signal has come.
    pub(crate) fn received(&self) -> bool {
        use std::io::Read;

        let mut bytes = [0; 16];
        matches!((&mut &self.pipe).read(&mut bytes), Ok(n) if n > 0)
    }
}

#[cfg(unix)]
impl Drop for Signals {
    fn drop(&mut self) {
        for id in self.ids.drain(..) {
            signal_hook::low_level::unregister(id);
        }
        if let Some(shared) = &mut *shared() {
            shared.pools -= 1;
            if shared.pools == 0 {
                shared.last.store(true, Ordering::Release);
            }
        }
    }
}

/// There are no such signals here: a pool is drained by its handle.
#[cfg(not(unix))]
#[derive(Debug)]
pub(crate) struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
    pub(crate) fn install(_: &Registry) -> io::Result<Self> {
        Ok(Self)
    }

    #[expect(clippy::unused_self, reason = "as on Unix")]
    pub(crate) fn received(&self) -> bool {
        false
    }
}
