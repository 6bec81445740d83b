use std::io;

use mio::Registry;

/// SIGTERM and SIGINT as an event of a poll.
///
/// The first one is reported; a second one ends the process at once, with the exit code that a shell
/// gives to that signal.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct Signals {
    pipe: mio::net::UnixStream,
    ids: Vec<signal_hook::SigId>,
}

#[cfg(unix)]
impl Signals {
    pub(crate) fn install(registry: &Registry) -> io::Result<Self> {
        use std::sync::Arc;
        use std::sync::atomic::AtomicBool;

        use mio::Interest;
        use signal_hook::consts::{SIGINT, SIGTERM};
        use signal_hook::{flag, low_level};

        use crate::token;

        let (pipe, writer) = std::os::unix::net::UnixStream::pair()?;
        pipe.set_nonblocking(true)?;
        let mut pipe = mio::net::UnixStream::from_std(pipe);
        registry.register(&mut pipe, token::SIGNALS, Interest::READABLE)?;
        let seen = Arc::new(AtomicBool::new(false));
        let mut ids = Vec::new();
        for signal in [SIGTERM, SIGINT] {
            // The order matters: the flag ends the process only if it was set by an earlier signal.
            ids.push(flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&seen))?);
            ids.push(flag::register(signal, Arc::clone(&seen))?);
            ids.push(low_level::pipe::register(signal, writer.try_clone()?)?);
        }
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
