use std::collections::BTreeMap;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::data::PartWriter;
use super::launch::{Site, SitePool};
use super::message::{LISTENERS, Message, PARCELS, VERSION, other_versions};
use super::{laggards, notify, socket};
use crate::Moves;
use crate::lifecycle::pool_state::{Phase, PoolState};
use crate::moves::departure::{Departure, MoveSink};
use crate::net::fd_channel::{FdChannel, MOST_BYTES, MOST_DESCRIPTORS};
use crate::panics::caught;
use crate::server::CONSOLE;

/// The most bytes of parcels that go together, beyond which one more is a message of its own.
const BATCH: usize = 1024 * 1024;
/// The most bytes of a parcel, so that it fits into a frame with the others of a batch.
const MOST_OF_A_PARCEL: usize = MOST_BYTES - 2 * BATCH;
/// How often the old process looks whether connections are still to come.
const LOOK: Duration = Duration::from_millis(5);

/// Talks to a process that has connected.
pub(super) fn meet(site: &Arc<Site>, stream: UnixStream) {
    let trusted = socket::is_trusted(&stream);
    let channel = FdChannel::new(stream);
    if !trusted {
        crate::log::warn!("a process of another user asks to take over");
        return;
    }
    let mut old = Predecessor { site, channel, process: 0, pools: Vec::new() };
    // The application's code for its data may panic.
    let talked =
        caught(|| old.talk()).unwrap_or_else(|| Err("the old process panicked".to_owned()));
    let Err(why) = talked else { return };
    crate::log::warn!(process = old.process, why, "an upgrade has failed; this process goes on");
    // It may be gone, or have heard it already.
    let _ = Message::Refused { why: why.clone() }.send(&old.channel);
    site.control.report(old.process, Err(why));
}

/// An old process, and the new one that takes over from it.
struct Predecessor<'a> {
    site: &'a Site,
    channel: FdChannel,
    /// The number of the new process.
    process: u32,
    /// The names of its pools.
    pools: Vec<String>,
}

impl Predecessor<'_> {
    /// Hands over. An error says why this process goes on.
    fn talk(&mut self) -> Result<(), String> {
        self.channel.set_patience(self.site.ready_within).map_err(|error| error.to_string())?;
        if !self.hear_hello()? {
            return Ok(());
        }
        if !self.site.pools.iter().any(|pool| self.pools.iter().any(|name| name == pool.name())) {
            return Err("the new process has none of the pools of the old one".to_owned());
        }
        let _turn = self.site.control.begin()?;
        if self.site.pools.iter().any(|pool| pool.state.phase() != Phase::Run) {
            return Err("the old process drains".to_owned());
        }
        crate::log::info!(process = self.process, "a process begins to take over");
        self.welcome()?;
        let mut sends_data = SendsData { site: self.site, armed: false };
        sends_data.first(&self.channel)?;
        self.expect("ready", |message| matches!(message, Message::Ready))?;
        self.channel.set_patience(self.site.answer_within).map_err(|error| error.to_string())?;
        // From here to the commit, dropping this lets the pools go on as before.
        let mut moving = Moving::begin(self);
        if sends_data.armed {
            // The commit comes first, because this process cannot go on with its data once another one serves.
            sends_data.last(&self.channel, moving.stand_still()?)?;
        } else {
            self.send(&Message::Go)?;
            moving.ship_for(self.site.rest_within)?;
        }
        moving.commit()?;
        moving.keeps_refused = !std::mem::take(&mut sends_data.armed);
        let shipped = moving.ship_waiting();
        // Now, because the process may end with the last of its pools.
        moving.report();
        self.site.drain();
        let ended = |pool: &SitePool| pool.state.phase() == Phase::Close;
        let rest = shipped.and_then(|()| moving.ship_until(|moving| moving.pools().all(ended)));
        if let Err(why) = rest {
            crate::log::warn!(why, "what has not moved drains in the old process");
        }
        moving.tell_counts();
        Ok(())
    }

    /// Returns `false` if the process wanted only to know whether this one lives.
    fn hear_hello(&mut self) -> Result<bool, String> {
        let Some(message) = Message::receive(&self.channel).map_err(|error| lost(&error))? else {
            let why = "this process lives, and was asked for nothing else".to_owned();
            // Whoever has asked may not wait for it any more.
            let _ = Message::Refused { why }.send(&self.channel);
            return Ok(false);
        };
        match message {
            Message::Hello { version: VERSION, process, pools } => {
                (self.process, self.pools) = (process, pools);
                Ok(true)
            }
            Message::Hello { version, process, .. } => {
                self.process = process;
                Err(other_versions(VERSION, version))
            }
            other => Err(out_of_order(&other)),
        }
    }

    /// Sends the listeners of the pools that the new process has.
    fn welcome(&self) -> Result<(), String> {
        let has_data = self.site.data.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        let is_known = |name: &str| self.pools.iter().any(|pool| pool == name) || name == CONSOLE;
        let listeners = self.site.listeners.iter().filter(|it| is_known(&it.pool));
        let listeners: Vec<_> = listeners.collect();
        self.send(&Message::Welcome {
            version: VERSION,
            process: std::process::id(),
            listeners: u32::try_from(listeners.len()).unwrap_or(u32::MAX),
            data: has_data,
        })?;
        for some in listeners.chunks(MOST_DESCRIPTORS) {
            let names: Vec<_> = some.iter().map(|it| (it.pool.clone(), it.text.clone())).collect();
            let sockets: Vec<_> = some.iter().map(|it| it.socket.as_fd()).collect();
            let mut body = Vec::new();
            names.pack(&mut body);
            self.channel.send(LISTENERS, &body, &sockets).map_err(|error| lost(&error))?;
        }
        for pool in &self.site.pools {
            if !self.pools.iter().any(|name| name == pool.name()) {
                crate::log::warn!(
                    pool = pool.name(),
                    "the new process has no such pool; it drains here"
                );
            }
        }
        Ok(())
    }

    fn send(&self, message: &Message) -> Result<(), String> {
        message.send(&self.channel).map_err(|error| lost(&error))
    }

    fn receive(&self) -> Result<Message, String> {
        match Message::receive(&self.channel) {
            Ok(Some(Message::Refused { why })) => Err(why),
            Ok(Some(message)) => Ok(message),
            Ok(None) => Err("the new process has ended".to_owned()),
            Err(error) => Err(lost(&error)),
        }
    }

    /// Waits for a message that must be the next one.
    fn expect(&self, name: &str, is_it: impl Fn(&Message) -> bool) -> Result<(), String> {
        match self.receive() {
            Ok(message) if is_it(&message) => Ok(()),
            Ok(other) => Err(out_of_order(&other)),
            Err(why) => Err(format!("{why}, before it was `{name}`")),
        }
    }

    /// Waits for a message after which the new process owns something. If the wait ends without it, the new process
    /// cannot send it any more: so both know the same.
    fn expect_or_part(&self, name: &str, is_it: impl Fn(&Message) -> bool) -> Result<(), String> {
        let expected = self.expect(name, &is_it);
        if expected.is_err() {
            self.channel.shut();
            // What it has sent before can still be read.
            if matches!(Message::receive(&self.channel), Ok(Some(message)) if is_it(&message)) {
                return Ok(());
            }
        }
        expected
    }
}

/// The data on its way. Dropping it in between tells the application that nothing comes of it.
struct SendsData<'a> {
    site: &'a Site,
    armed: bool,
}

impl SendsData<'_> {
    fn first(&mut self, to: &FdChannel) -> Result<(), String> {
        let mut data = self.site.data.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(data) = &mut *data else { return Ok(()) };
        self.armed = true;
        let mut part = PartWriter::new(to, None);
        data.send(&mut part).and_then(|()| part.finish()).map_err(|error| cannot_send(&error))
    }

    fn last(&self, to: &FdChannel, until: Instant) -> Result<(), String> {
        let mut data = self.site.data.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(data) = &mut *data else { return Ok(()) };
        let mut part = PartWriter::new(to, Some(until));
        data.send_last(&mut part).and_then(|()| part.finish()).map_err(|error| cannot_send(&error))
    }
}

impl Drop for SendsData<'_> {
    fn drop(&mut self) {
        if self.armed {
            let mut data = self.site.data.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(data) = &mut *data {
                data.cancel();
            }
        }
    }
}

/// Pools that accept no more, and whose connections at rest leave.
struct Moving<'a, 'b> {
    old: &'a Predecessor<'b>,
    /// Connections that have come to rest.
    queue: Receiver<Departure>,
    /// Those that have been taken from the queue before they could leave.
    waiting: Vec<Departure>,
    /// A connection that does not move goes on here. If not, it is closed, because it must not meet data that the new
    /// process has.
    keeps_refused: bool,
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

impl<'a, 'b> Moving<'a, 'b> {
    fn begin(old: &'a Predecessor<'b>) -> Self {
        let (sender, queue) = mpsc::channel();
        let sink: MoveSink = Arc::new(move |departure| {
            // If nobody takes it any more, it is dropped, and goes on.
            let _ = sender.send(departure);
        });
        let mut moving = Self {
            old,
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
        for pool in moving.pools() {
            if let Err(why) = pool.state.move_out(Arc::clone(&sink)) {
                let open = pool.state.permits.out();
                if open > 0 {
                    let (pool, why) = (pool.name(), why.to_string());
                    crate::log::info!(pool, open, why, "connections of this pool do not move");
                }
            }
        }
        moving
    }

    /// The pools that the new process has, too.
    fn pools(&self) -> impl Iterator<Item = &'a SitePool> + use<'a, 'b> {
        let old = self.old;
        old.site.pools.iter().filter(|pool| old.pools.iter().any(|name| name == pool.name()))
    }

    /// The pools whose listeners the new process has.
    fn states(&self) -> impl Iterator<Item = &'a Arc<PoolState>> + use<'a, 'b> {
        self.pools().map(|pool| &pool.state).chain(&self.old.site.console)
    }

    /// Waits until no connection and no job of any pool has a turn any more. Returns until when they may stand still.
    fn stand_still(&mut self) -> Result<Instant, String> {
        let within = self.old.site.still_within;
        let until = Instant::now() + within;
        let mut patient = true;
        self.pools().for_each(|pool| pool.state.turn_away());
        loop {
            self.waiting.extend(self.queue.try_iter());
            let pools = self.old.site.pools.iter().filter(|pool| !pool.opens);
            let open: usize = pools.map(|pool| pool.state.permits.out()).sum();
            if open <= self.waiting.len() {
                return Ok(until + self.old.site.answer_within);
            }
            if Instant::now() >= until {
                let busy = open - self.waiting.len();
                return Err(format!("{busy} connections or jobs did not come to rest in time"));
            }
            if patient && until.saturating_duration_since(Instant::now()) < within / 4 * 3 {
                patient = false;
                laggards::end(self.pools(), until);
            }
            if let Ok(departure) = self.queue.recv_timeout(Duration::from_millis(1)) {
                self.waiting.push(departure);
            }
        }
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
    fn ship_for(&mut self, time: Duration) -> Result<(), String> {
        let until = Instant::now() + time;
        self.until = Some(until + self.old.site.answer_within);
        self.ship_until(|moving| Instant::now() >= until || moving.is_settled())
    }

    /// Sends the connections that have waited for the last part of the data.
    fn ship_waiting(&mut self) -> Result<(), String> {
        while !self.waiting.is_empty() {
            let batch = self.batch();
            self.ship(batch)?;
        }
        Ok(())
    }

    /// Sends connections that come to rest, until `is_done`.
    fn ship_until(&mut self, is_done: impl Fn(&Self) -> bool) -> Result<(), String> {
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
            let mut parcel = Vec::new();
            departure.parcel.encode(&mut parcel);
            if parcel.len() > MOST_OF_A_PARCEL {
                let limit = MOST_OF_A_PARCEL / (1024 * 1024);
                self.is_refused(departure, format!("more than {limit} MiB of it would move"));
                continue;
            }
            bytes += parcel.len();
            batch.push((departure, parcel));
        }
        batch
    }

    /// Sends connections. If it fails before the new process has them, they do not move.
    fn ship(&mut self, batch: Vec<(Departure, Vec<u8>)>) -> Result<(), String> {
        if self.until.is_some_and(|until| Instant::now() >= until) {
            return Err("the new process is slow".to_owned());
        }
        let (departures, parcels): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        let sockets: Vec<_> = departures.iter().filter_map(Departure::socket).collect();
        let mut body = Vec::new();
        parcels.pack(&mut body);
        let sent = self.old.channel.send(PARCELS, &body, &sockets).map_err(|error| lost(&error));
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
    fn commit(&mut self) -> Result<(), String> {
        self.old.send(&Message::Commit)?;
        self.old.expect_or_part("committed", |message| matches!(message, Message::Committed))?;
        (self.committed, self.until) = (true, None);
        self.old.site.control.hand_over();
        notify::tell(&format!("MAINPID={}", self.old.process));
        Ok(())
    }

    /// Tells what has become of the upgrade.
    fn report(&mut self) {
        let process = self.old.process;
        let within = self.began.elapsed();
        crate::log::info!(
            process,
            moved = self.moved,
            ?within,
            "a new process has taken over; draining"
        );
        self.tell_counts();
        self.old.site.control.report(process, Ok(()));
    }

    fn tell_counts(&mut self) {
        for (why, count) in std::mem::take(&mut self.refused) {
            let after = if self.keeps_refused { "drained here" } else { "were closed" };
            crate::log::warn!(count, why, "connections that did not move {after}");
        }
    }
}

impl Drop for Moving<'_, '_> {
    fn drop(&mut self) {
        self.pools().for_each(|pool| pool.state.stay());
        let waiting = std::mem::take(&mut self.waiting).into_iter().chain(self.queue.try_iter());
        waiting.for_each(|departure| self.stays(departure));
        if self.committed {
            return;
        }
        self.states().for_each(|state| state.resume_held());
    }
}

fn out_of_order(message: &Message) -> String {
    format!("the new process has sent `{}`, which is out of order", message.name())
}

fn lost(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::TimedOut => "the new process is silent".to_owned(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => {
            "the new process has ended".to_owned()
        }
        _ => format!("cannot talk to the new process: {error}"),
    }
}

fn cannot_send(error: &io::Error) -> String {
    format!("cannot send the data: {}", lost(error))
}
