use std::io;
#[cfg(unix)]
use std::sync::atomic::{AtomicBool, Ordering};
#[cfg(unix)]
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mio::Registry;
#[cfg(unix)]
use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR2};

#[cfg(unix)]
use crate::net::token;

#[cfg(unix)]
const SIGNALS: [i32; 2] = [SIGTERM, SIGINT];

/// The signals to react to: SIGTERM, and SIGINT unless the process was started with it ignored.
///
/// A shell ignores SIGINT for a command in its background, so that Ctrl-C ends only the command in its
/// foreground.
#[cfg(unix)]
fn signals() -> impl Iterator<Item = i32> {
    let ignored = ignored();
    SIGNALS.into_iter().filter(move |signal| *signal != SIGINT || ignored & 1 << (signal - 1) == 0)
}

/// The signals that the process ignores, a bit for each, on Linux. Other systems have no file about it.
#[cfg(unix)]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// SIGTERM and SIGINT as an event of a poll. On Linux, SIGINT stays ignored if it was at the start.
///
/// The first signal is reported; a second one ends the process at once, with the exit code that a
/// shell gives to that signal. So does the first one when no `Signals` is left, because the default
/// action of a signal cannot be restored once it was replaced.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct Signals {
    pipe: mio::net::UnixStream,
    ids: Vec<signal_hook::SigId>,
}

#[cfg(unix)]
impl Signals {
    /// Replaces the actions of the signals. They are events of the poll of `registry` from now on,
    /// with the token [`token::SIGNALS`].
    pub(crate) fn install(registry: &Registry) -> io::Result<Self> {
        use std::os::unix::net::UnixStream;

        let (pipe, writer) = UnixStream::pair()?;
        pipe.set_nonblocking(true)?;
        let mut pipe = mio::net::UnixStream::from_std(pipe);
        registry.register(&mut pipe, token::SIGNALS, mio::Interest::READABLE)?;
        // First, because actions run in their order: whoever hears of a signal can send the second one.
        LastSignal::add_listener()?;
        let mut this = Self { pipe, ids: Vec::new() };
        for signal in signals() {
            let writer = writer.try_clone()?;
            this.ids.push(signal_hook::low_level::pipe::register(signal, writer)?);
        }
        Ok(this)
    }

    /// Returns whether a signal has arrived since the last call.
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
        LastSignal::remove_listener();
    }
}

/// SIGUSR2 as an event of a poll: it begins an upgrade.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct UpgradeSignal {
    pipe: mio::net::UnixStream,
    id: signal_hook::SigId,
}

#[cfg(unix)]
impl UpgradeSignal {
    /// Replaces the action of the signal.
    pub(crate) fn install(registry: &Registry) -> io::Result<Self> {
        use std::os::unix::net::UnixStream;

        let (pipe, writer) = UnixStream::pair()?;
        pipe.set_nonblocking(true)?;
        let mut pipe = mio::net::UnixStream::from_std(pipe);
        // The poll has no listeners.
        registry.register(&mut pipe, token::listener(0), mio::Interest::READABLE)?;
        let id = signal_hook::low_level::pipe::register(SIGUSR2, writer)?;
        Ok(Self { pipe, id })
    }

    /// Returns whether the signal has arrived since the last call.
    pub(crate) fn received(&self) -> bool {
        use std::io::Read;

        let mut bytes = [0; 16];
        matches!((&mut &self.pipe).read(&mut bytes), Ok(n) if n > 0)
    }
}

#[cfg(unix)]
impl Drop for UpgradeSignal {
    fn drop(&mut self) {
        signal_hook::low_level::unregister(self.id);
    }
}

/// The actions that end the process at a second signal. They are registered once for the process,
/// because another pair of them would take the first signal for the second: the first pair has just
/// set the flag.
#[cfg(unix)]
struct LastSignal {
    /// The next signal ends the process. A signal sets it, too.
    armed: Arc<AtomicBool>,
    /// The number of `Signals` there are.
    listeners: usize,
}

#[cfg(unix)]
static LAST_SIGNAL: Mutex<Option<LastSignal>> = Mutex::new(None);

#[cfg(unix)]
impl LastSignal {
    fn add_listener() -> io::Result<()> {
        let mut slot = Self::lock();
        let last = match &mut *slot {
            Some(last) => last,
            empty => empty.insert(Self::register()?),
        };
        if last.listeners == 0 {
            last.armed.store(false, Ordering::Release);
        }
        last.listeners += 1;
        Ok(())
    }

    fn remove_listener() {
        if let Some(last) = &mut *Self::lock() {
            last.listeners -= 1;
            if last.listeners == 0 {
                last.armed.store(true, Ordering::Release);
            }
        }
    }

    fn register() -> io::Result<Self> {
        use signal_hook::flag;

        let armed = Arc::new(AtomicBool::new(false));
        for signal in signals() {
            // The order matters: the process ends only if an earlier signal has set the flag.
            flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&armed))?;
            flag::register(signal, Arc::clone(&armed))?;
        }
        Ok(Self { armed, listeners: 0 })
    }

    fn lock() -> MutexGuard<'static, Option<Self>> {
        LAST_SIGNAL.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Systems without these signals report none: a handle drains the pools.
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
