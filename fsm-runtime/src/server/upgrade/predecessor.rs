use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, PoisonError};

use self::data_sent::DataSent;
use self::moving::MovingPools;
use super::launch::{Site, SitePool};
use super::message::{LISTENERS, Message, VERSION, other_versions};
use super::socket;
use crate::Moves;
use crate::lifecycle::pool_state::Phase;
use crate::net::fd_channel::{FdChannel, MOST_DESCRIPTORS};
use crate::panics::caught;
use crate::server::CONSOLE;
use crate::server::handover::HandedListener;

mod data_sent;
mod moving;

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
        self.channel.set_patience(self.site.times.ready).map_err(|error| error.to_string())?;
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
        let mut data = DataSent::new(self.site);
        data.first(&self.channel)?;
        self.expect("ready", |message| matches!(message, Message::Ready))?;
        self.channel.set_patience(self.site.times.answer).map_err(|error| error.to_string())?;
        // From here to the commit, dropping this lets the pools go on as before.
        let mut moving = MovingPools::begin(self);
        if data.stands_still() {
            // The commit comes first, because this process cannot go on with its data once another one serves.
            data.last(&self.channel, moving.stand_still()?)?;
        } else {
            moving.move_out();
            self.send(&Message::Go)?;
            moving.ship_for(self.site.times.rest)?;
        }
        moving.commit()?;
        let together = data.stands_still();
        moving.keeps_refused = !together;
        data.is_over();
        let mut shipped = moving.ship_waiting();
        if together && shipped.is_ok() {
            shipped = self.send(&Message::Go);
        }
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
            // The program that has asked may have stopped waiting for it.
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
        let (data, still) = {
            let data = self.site.data.lock().unwrap_or_else(PoisonError::into_inner);
            (data.is_some(), data.as_ref().is_some_and(|data| data.stands_still()))
        };
        let is_known = |name: &str| self.pools.iter().any(|pool| pool == name) || name == CONSOLE;
        let listeners = self.site.listeners.iter().filter(|it| is_known(&it.pool));
        let listeners: Vec<_> = listeners.collect();
        self.send(&Message::Welcome {
            version: VERSION,
            process: std::process::id(),
            listeners: u32::try_from(listeners.len()).unwrap_or(u32::MAX),
            data,
            still,
        })?;
        for some in listeners.chunks(MOST_DESCRIPTORS) {
            let name = |it: &&HandedListener| (it.pool.clone(), it.text.clone(), it.nth);
            let names: Vec<_> = some.iter().map(name).collect();
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
            // Messages that it has sent before can still be read.
            if matches!(Message::receive(&self.channel), Ok(Some(message)) if is_it(&message)) {
                return Ok(());
            }
        }
        expected
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
