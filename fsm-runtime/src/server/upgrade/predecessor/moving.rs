use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::{Predecessor, lost, out_of_order};
use crate::Moves;
use crate::Starts;
use crate::lifecycle::pool_state::PoolState;
use crate::moves::departure::{Departure, MoveSink};
use crate::net::fd_channel::{MOST_BYTES, MOST_DESCRIPTORS};
use crate::server::progress::UpgradeStep;
use crate::server::upgrade::launch::SitePool;
use crate::server::upgrade::message::{CONNECTIONS, Message};
use crate::server::upgrade::{notify, waiting_for_peers};

/// The most bytes of packed connections that go together, beyond which one more is a message of its own.
const BATCH: usize = 1024 * 1024;
/// The most bytes of a packed connection, so that it fits into a frame with the others of a batch.
const MOST_OF_A_CONNECTION: usize = MOST_BYTES - 2 * BATCH;
/// How often the old process looks whether connections are still to come.
const LOOK: Duration = Duration::from_millis(5);

/// Pools that accept no more, and whose connections at rest leave or stand still.
pub(super) struct MovingPools<'a, 'b> {
    old: &'a Predecessor<'b>,
    /// Puts connections that have come to rest into the queue. The pools have it when they leave.
    sink: Option<MoveSink>,
    /// Connections that have come to rest.
    queue: Receiver<Departure>,
    /// Those that have been taken from the queue before they could leave.
    waiting: Vec<Departure>,
    /// A connection that does not move goes on here. If not, it is closed, because it must not meet data that the new
    /// process has.
    pub(super) keeps_refused: bool,
    began: Instant,
    /// When the new process must have taken what waits, as long as this one can go on.
    until: Option<Instant>,
    /// How many connections had ended and not moved before.
    ended_before: u64,
    moved: usize,
    /// Connections that were at rest and did not move, by reason.
    refused: BTreeMap<String, usize>,
    committed: bool,
}

impl<'a, 'b> MovingPools<'a, 'b> {
    pub(super) fn begin(old: &'a Predecessor<'b>) -> Self {
        let (sender, queue) = mpsc::channel();
        let sink: MoveSink = Arc::new(move |departure| {
            // If nobody takes it any more, it is dropped, and goes on.
            let _ = sender.send(departure);
        });
        let mut moving = Self {
            old,
            sink: Some(sink),
            queue,
            waiting: Vec::new(),
            keeps_refused: true,
            began: Instant::now(),
            until: None,
            ended_before: 0,
            moved: 0,
            refused: BTreeMap::new(),
            committed: false,
        };
        moving.states().for_each(|state| state.hold_accepting());
        moving.ended_before = moving.ended();
        moving
    }

    /// Lets connections at rest leave from now on.
    pub(super) fn move_out(&mut self) {
        let Some(sink) = self.sink.take() else { return };
        self.old.site.control.progress.lock().step = UpgradeStep::Moves;
        for pool in self.pools() {
            if let Err(why) = pool.state.move_out(Arc::clone(&sink)) {
                let open = pool.state.permits.out();
                if open > 0 {
                    let (pool, why) = (pool.name(), why.to_string());
                    crate::log::info!(pool, open, why, "connections of this pool do not move");
                }
            }
        }
    }

    /// The pools that the new process has, too.
    pub(super) fn pools(&self) -> impl Iterator<Item = &'a SitePool> + use<'a, 'b> {
        let old = self.old;
        old.site.pools.iter().filter(|pool| old.pools.iter().any(|name| name == pool.name()))
    }

    /// The pools whose listeners the new process has.
    fn states(&self) -> impl Iterator<Item = &'a Arc<PoolState>> + use<'a, 'b> {
        self.pools().map(|pool| &pool.state).chain(&self.old.site.console)
    }

    /// Waits until no connection and no job of any pool has a turn any more, and all connections have left their ports.
    /// Returns until when they may stand still.
    ///
    /// Connections leave only when all stand still: until then each finds all others to which it posts.
    pub(super) fn stand_still(&mut self) -> Result<Instant, String> {
        let within = self.old.site.times.still;
        let until = Instant::now() + within;
        let (mut patient, mut leaves) = (true, false);
        self.old.site.control.progress.lock().step = UpgradeStep::StandsStill;
        for pool in self.pools() {
            pool.state.turn_away();
            pool.state.stand_still();
        }
        loop {
            self.waiting.extend(self.queue.try_iter());
            let open = self.open();
            let quiet = if leaves { self.waiting.len() } else { self.still(until) };
            if open <= quiet && leaves {
                return Ok(until + self.old.site.times.answer);
            }
            if open <= quiet {
                leaves = true;
                self.move_out();
                continue;
            }
            if Instant::now() >= until {
                let busy = open - quiet;
                return Err(format!("{busy} connections or jobs did not come to rest in time"));
            }
            if patient && until.saturating_duration_since(Instant::now()) < within / 4 * 3 {
                patient = false;
                waiting_for_peers::end(self.pools(), until);
            }
            if let Ok(departure) = self.queue.recv_timeout(Duration::from_millis(1)) {
                self.waiting.push(departure);
            }
        }
    }

    /// The open connections and jobs of all pools, but for those whose connections the new process opens itself.
    fn open(&self) -> usize {
        let pools = self.old.site.pools.iter().filter(|pool| !pool.opens);
        pools.map(|pool| pool.state.permits.out()).sum()
    }

    /// How many of them stand still.
    fn still(&self, until: Instant) -> usize {
        let pools = self.pools().filter(|pool| !pool.opens);
        pools.map(|pool| pool.state.count_still(until)).sum()
    }

    /// The pools that the new process has, and whose connections can move.
    fn pools_that_move(&self) -> impl Iterator<Item = &'a SitePool> + use<'a, 'b> {
        self.pools().filter(|pool| pool.state.states_that_move().is_ok())
    }

    /// How many of their connections have ended and not moved.
    fn ended(&self) -> u64 {
        let stats = self.pools_that_move().map(|pool| pool.state.stats());
        stats.map(|stats| stats.ended() - stats.moved).sum()
    }

    /// Whether no connection is left that can move and was not refused. Of those that have ended, each may have been
    /// refused before: then it waits for longer than it had to, and never for less.
    fn is_settled(&self) -> bool {
        let open: usize = self.pools_that_move().map(|pool| pool.state.permits.out()).sum();
        let ended = usize::try_from(self.ended() - self.ended_before).unwrap_or(usize::MAX);
        open <= self.refused.values().sum::<usize>().saturating_sub(ended)
    }

    /// Sends connections that come to rest in this time, as long as one is left that can move.
    pub(super) fn ship_for(&mut self, time: Duration) -> Result<(), String> {
        let until = Instant::now() + time;
        self.until = Some(until + self.old.site.times.answer);
        self.ship_until(|moving| Instant::now() >= until || moving.is_settled())
    }

    /// Sends the connections that have waited for the last part of the data.
    pub(super) fn ship_waiting(&mut self) -> Result<(), String> {
        while !self.waiting.is_empty() {
            let batch = self.batch();
            self.ship(batch)?;
        }
        Ok(())
    }

    /// Sends connections that come to rest, until `is_done`.
    pub(super) fn ship_until(&mut self, is_done: impl Fn(&Self) -> bool) -> Result<(), String> {
        loop {
            self.waiting.extend(self.queue.try_iter());
            if !self.waiting.is_empty() {
                self.ship_waiting()?;
            } else if is_done(self) {
                return Ok(());
            } else {
                match self.queue.recv_timeout(LOOK) {
                    Ok(departure) => self.waiting.push(departure),
                    Err(RecvTimeoutError::Timeout) => {}
                    // No pool moves.
                    Err(RecvTimeoutError::Disconnected) => return Ok(()),
                }
            }
        }
    }

    /// Takes as many of those that wait as go together.
    fn batch(&mut self) -> Vec<(Departure, Vec<u8>)> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while batch.len() < MOST_DESCRIPTORS && bytes < BATCH {
            let Some(departure) = self.waiting.pop() else { break };
            let mut packed = Vec::new();
            departure.packed.encode(&mut packed);
            if packed.len() > MOST_OF_A_CONNECTION {
                let limit = MOST_OF_A_CONNECTION / (1024 * 1024);
                self.is_refused(departure, format!("more than {limit} MiB of it would move"));
                continue;
            }
            bytes += packed.len();
            batch.push((departure, packed));
        }
        batch
    }

    /// Sends connections. If it fails before the new process has them, they do not move.
    fn ship(&mut self, batch: Vec<(Departure, Vec<u8>)>) -> Result<(), String> {
        if self.until.is_some_and(|until| Instant::now() >= until) {
            return Err("the new process is slow".to_owned());
        }
        let (departures, packed): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        let sockets: Vec<_> = departures.iter().filter_map(Departure::socket).collect();
        let mut body = Vec::new();
        packed.pack(&mut body);
        let sent =
            self.old.channel.send(CONNECTIONS, &body, &sockets).map_err(|error| lost(&error));
        let is_it = |message: &Message| matches!(message, Message::Have);
        if let Err(why) = sent.and_then(|()| self.old.expect_or_part("have", is_it)) {
            for departure in departures {
                self.stays(departure);
            }
            return Err(why);
        }
        let (result, refused) = match self.old.receive() {
            Ok(Message::Taken { refused }) => (Ok(()), refused),
            Ok(other) => (Err(out_of_order(&other)), Vec::new()),
            Err(why) => (Err(why), Vec::new()),
        };
        let mut refused: BTreeMap<u32, String> = refused.into_iter().collect();
        for (number, departure) in (0..).zip(departures) {
            let Some(why) = refused.remove(&number) else {
                self.moved += 1;
                self.old.site.control.progress.lock().moved_out += 1;
                departure.arrived();
                continue;
            };
            self.is_refused(departure, why);
        }
        result
    }

    /// Lets a connection that does not move go on here, or ends it.
    fn is_refused(&mut self, departure: Departure, why: String) {
        *self.refused.entry(why).or_default() += 1;
        self.stays(departure);
    }

    fn stays(&self, departure: Departure) {
        if self.keeps_refused {
            drop(departure);
        } else {
            departure.close();
        }
    }

    /// Ends the time in which this process could go on.
    pub(super) fn commit(&mut self) -> Result<(), String> {
        self.old.send(&Message::Commit)?;
        self.old.expect_or_part("committed", |message| matches!(message, Message::Committed))?;
        (self.committed, self.until) = (true, None);
        self.old.site.control.hand_over();
        notify::tell(&format!("MAINPID={}", self.old.process));
        Ok(())
    }

    /// Tells what has become of the upgrade.
    pub(super) fn report(&mut self) {
        let process = self.old.process;
        let within = self.began.elapsed();
        crate::log::info!(
            process,
            moved = self.moved,
            ?within,
            "a new process has taken over; draining"
        );
        self.count_those_left();
        self.tell_counts();
        self.old.site.control.report(process, Ok(()));
    }

    /// Counts the connections that have not come so far, by what keeps them here.
    fn count_those_left(&mut self) {
        let refused: usize = self.refused.values().sum();
        let mut at_work = 0;
        for pool in &self.old.site.pools {
            let open = pool.state.permits.out();
            let known = self.old.pools.iter().any(|name| name == pool.name());
            let why = match pool.state.states_that_move() {
                _ if !known => format!("the new process has no pool `{}`", pool.name()),
                Ok(_) => {
                    at_work += open;
                    continue;
                }
                Err(_) if pool.state.facts.spec.starts == Starts::Job => continue,
                Err(why) => why.to_string(),
            };
            if open > 0 {
                *self.refused.entry(why).or_default() += open;
            }
        }
        if at_work > refused {
            let why = "it was not at rest in time".to_owned();
            *self.refused.entry(why).or_default() += at_work - refused;
        }
    }

    pub(super) fn tell_counts(&mut self) {
        for (why, count) in std::mem::take(&mut self.refused) {
            let stayed = &mut self.old.site.control.progress.lock().stayed;
            *stayed.entry(why.clone()).or_default() += count as u64;
            let after = if self.keeps_refused { "drained here" } else { "were closed" };
            crate::log::warn!(count, why, "connections that did not move {after}");
        }
    }
}

impl Drop for MovingPools<'_, '_> {
    fn drop(&mut self) {
        for pool in self.pools() {
            pool.state.stay();
            if pool.state.moving.stands_still() {
                pool.state.go_on();
            }
        }
        let waiting = std::mem::take(&mut self.waiting).into_iter().chain(self.queue.try_iter());
        waiting.for_each(|departure| self.stays(departure));
        if self.committed {
            return;
        }
        self.states().for_each(|state| state.resume_held());
    }
}
