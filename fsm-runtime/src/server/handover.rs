use std::io;

use crate::Address;
#[cfg(unix)]
use crate::net::listener::FilesLeft;
use crate::net::listener::ListeningSocket;
#[cfg(feature = "console")]
use crate::server::progress::SharedProgress;

/// The listeners that a process takes over from the one before it, and copies of those that the next one may
/// ask for (U6).
///
/// A pool asks for a listener by its own name and the text of the address, since another process may have
/// resolved a name, or had the system choose a port. A pool with several addresses of the same text, such as two of
/// port 0, has them in the same order in both processes.
#[derive(Debug, Default)]
pub(crate) struct Handover {
    /// Those of the process before, which no pool has taken yet.
    inherited: Vec<HandedListener>,
    /// Those of this process; `None` if it hands none over.
    copies: Option<Vec<HandedListener>>,
    /// The progress of its upgrades, if the process is upgradable.
    #[cfg(feature = "console")]
    pub(crate) progress: Option<SharedProgress>,
    /// Whether the files of the inherited ones are this process's.
    #[cfg(unix)]
    pub(crate) files: FilesLeft,
}

/// A listener, and the pool that listens on it.
#[derive(Debug)]
pub(crate) struct HandedListener {
    pub(crate) pool: String,
    /// The address as the pool's settings have it.
    pub(crate) text: String,
    /// How many addresses of the pool that are the same come before.
    pub(crate) nth: u32,
    pub(crate) socket: ListeningSocket,
}

impl Handover {
    /// For a process that hands its listeners over one day.
    #[cfg(unix)]
    pub(crate) fn upgradable(inherited: Vec<HandedListener>) -> Self {
        Self { inherited, copies: Some(Vec::new()), ..Self::default() }
    }

    /// Lets the console tell of the upgrades of the process.
    #[cfg(all(feature = "console", unix))]
    pub(crate) fn tell_of(mut self, progress: SharedProgress) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Whether the process hands its listeners over one day.
    pub(crate) fn is_upgradable(&self) -> bool {
        self.copies.is_some()
    }

    /// Takes the listeners of a pool at an address.
    pub(crate) fn take(&mut self, pool: &str, text: &str, nth: u32) -> Vec<ListeningSocket> {
        let is_meant = |it: &HandedListener| {
            it.pool == pool && it.nth == nth && is_same_address(&it.text, text)
        };
        let (meant, others) = std::mem::take(&mut self.inherited).into_iter().partition(is_meant);
        self.inherited = others;
        let meant: Vec<HandedListener> = meant;
        meant.into_iter().map(|it| it.socket).collect()
    }

    /// Keeps a copy of a listener for the next process.
    pub(crate) fn keep(
        &mut self,
        pool: &str,
        text: &str,
        nth: u32,
        copy: impl FnOnce() -> io::Result<ListeningSocket>,
    ) -> io::Result<()> {
        if let Some(copies) = &mut self.copies {
            let (pool, text) = (pool.to_owned(), text.to_owned());
            copies.push(HandedListener { pool, text, nth, socket: copy()? });
        }
        Ok(())
    }

    /// Ends the launch. Returns the copies for the next process, and those of the last one that no pool wants.
    #[cfg(unix)]
    pub(crate) fn finish(self) -> (Vec<HandedListener>, Vec<HandedListener>) {
        (self.copies.unwrap_or_default(), self.inherited)
    }
}

/// Whether two texts are of the same address.
pub(crate) fn is_same_address(one: &str, other: &str) -> bool {
    let address = Address::parse(one).ok();
    one == other || address.is_some() && Address::parse(other).ok() == address
}
