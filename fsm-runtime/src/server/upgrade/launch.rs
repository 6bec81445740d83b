use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use super::accept_thread::AcceptThread;
use super::control::Control;
use super::successor::Successor;
use super::{Upgrade, UpgradeData, UpgradeTimes, notify};
use crate::lifecycle::pool_state::PoolState;
use crate::net::listener::FilesLeft;
use crate::server::handover::{HandedListener, Handover};
use crate::{Pool, PoolError, Starts};

/// The launch of pools that pass to a new process one day, and may take over from an old one now.
pub(crate) struct Launch {
    upgrade: Upgrade,
    successor: Option<Successor>,
}

/// The listeners and data that a process hands over.
pub(super) struct Site {
    pub(super) path: PathBuf,
    pub(super) program: Option<PathBuf>,
    pub(super) times: UpgradeTimes,
    pub(super) data: Mutex<Option<Box<dyn UpgradeData>>>,
    pub(super) control: Arc<Control>,
    pub(super) pools: Vec<SitePool>,
    /// The pool of the console, whose connections stay.
    pub(super) console: Option<Arc<PoolState>>,
    pub(super) listeners: Vec<HandedListener>,
    /// Whether the files of the listeners that it has taken over are its own.
    pub(super) files: FilesLeft,
}

/// A pool that passes to the new process.
pub(crate) struct SitePool {
    pub(crate) state: Arc<PoolState>,
    /// It drains first, and the others after it.
    pub(crate) drains_first: bool,
    /// It opens its connections itself.
    pub(crate) opens: bool,
}

impl Launch {
    /// Looks for an old process, and takes its listeners and the first part of its data.
    pub(crate) fn begin(
        mut upgrade: Upgrade,
        pools: &[Pool],
    ) -> Result<(Self, Handover), PoolError> {
        let mut successor = Successor::find(&mut upgrade, pools)?;
        if successor.is_some() {
            for pool in pools {
                pool.state.hold_accepting();
            }
        }
        let inherited = successor.as_mut().map(Successor::take_listeners).unwrap_or_default();
        let handover = Handover::upgradable(inherited);
        #[cfg(feature = "console")]
        let handover = handover.tell_of(upgrade.control.progress.clone());
        Ok((Self { upgrade, successor }, handover))
    }

    /// Takes over, now that the pools run, and waits for the next process from then on.
    pub(crate) fn complete(
        self,
        pools: Vec<SitePool>,
        console: Option<Arc<PoolState>>,
        handover: Handover,
    ) -> Result<AcceptThread, PoolError> {
        let Self { upgrade, successor } = self;
        let files = handover.files.clone();
        let (listeners, unwanted) = handover.finish();
        for HandedListener { pool, text, .. } in &unwanted {
            crate::log::warn!(
                pool,
                address = text,
                "the old process listens there, and this one does not; its backlog is lost when it ends"
            );
        }
        drop(unwanted);
        let Upgrade { path, program, times, data, control } = upgrade;
        if data.as_ref().is_some_and(|data| data.stands_still()) {
            warn_of_those_that_stay(&pools);
        }
        let data = Mutex::new(data);
        let site = Arc::new(Site {
            path,
            program,
            times,
            data,
            control,
            pools,
            console,
            listeners,
            files,
        });
        let Some(successor) = successor else {
            let accept_thread = AcceptThread::open(&site)?;
            notify::tell("READY=1");
            return Ok(accept_thread);
        };
        let committing = successor.take_over(&site)?;
        AcceptThread::open_after(&site, committing)
    }
}

/// Warns of pools whose connections cannot move, because the data of a process moves only when they have none.
fn warn_of_those_that_stay(pools: &[SitePool]) {
    for pool in
        pools.iter().filter(|pool| pool.state.facts.spec.starts != Starts::Job && !pool.opens)
    {
        if let Err(why) = pool.state.states_that_move() {
            let (pool, why) = (pool.name(), why.to_string());
            crate::log::warn!(
                pool,
                why,
                "connections of this pool do not move; no new process can take the data over while one is open"
            );
        }
    }
}

impl SitePool {
    pub(super) fn name(&self) -> &str {
        &self.state.facts.name
    }
}

impl Site {
    /// Drains the pools that drain first; the others follow.
    pub(super) fn drain(&self) {
        self.control.close();
        for pool in self.pools.iter().filter(|pool| pool.drains_first) {
            pool.state.drain();
        }
    }
}
