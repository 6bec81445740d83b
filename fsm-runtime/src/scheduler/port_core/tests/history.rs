//! Histories of a port of several threads, which drive the core through `handle`.

use std::sync::Arc;

use super::histories::{History, Outcome, Random};
use super::model::{Doing, Model};
use super::steps::{Setup, Step};
use crate::key::Key;
use crate::scheduler::port_core::{Effect, MAX_FREED, PortCore, PortInput, ThreadIndex};

/// A port of several threads.
pub(super) struct MultiThread;

impl History for MultiThread {
    type Setup = Setup;
    type Step = Step;
    type Log = Vec<(PortInput, Effect)>;

    fn setup(random: &mut Random) -> Setup {
        Setup::random(random)
    }

    fn step(random: &mut Random) -> Step {
        Step::random(random)
    }

    fn run(setup: Setup, steps: &[Step], log: &mut Self::Log) -> Outcome {
        RunState::new(setup, log).run(steps)
    }
}

/// A port beside its model, with threads that carry out the effects of the core.
struct RunState<'a> {
    core: PortCore<u32>,
    model: Model,
    setup: Setup,
    connections: Vec<Option<Connection>>,
    dead: Vec<Key>,
    /// The number of the dead that were closed in the current batch of events.
    batch: usize,
    opened: u32,
    /// The keys that have got a packet, and not yet begun a turn since.
    owed: Vec<Key>,
    /// The thread that polls is back and inserts its events.
    back: bool,
    log: &'a mut Vec<(PortInput, Effect)>,
}

#[derive(Clone, Copy, Debug)]
struct Connection {
    key: Key,
    /// The value in its slot.
    value: u32,
}

impl<'a> RunState<'a> {
    fn new(setup: Setup, log: &'a mut Vec<(PortInput, Effect)>) -> Self {
        Self {
            core: PortCore::new(0, setup.max_running, Arc::default()),
            model: Model::new(setup.max_running, setup.threads),
            setup,
            connections: vec![None; setup.connections],
            dead: Vec::new(),
            batch: 0,
            opened: 0,
            owed: Vec::new(),
            back: false,
            log,
        }
    }

    fn run(mut self, steps: &[Step]) -> Outcome {
        self.open()?;
        for thread in 0..self.setup.threads {
            self.asks(thread)?;
        }
        for step in steps {
            self.step(*step)?;
            self.check()?;
        }
        self.settle()
    }

    fn step(&mut self, step: Step) -> Outcome {
        match step {
            Step::Post(slot) => match self.slot(slot) {
                Some(Connection { key, .. }) => self.packet(PortInput::Post(key), key),
                None => Ok(()),
            },
            Step::Event(slot) => match (self.slot(slot), self.model.poller()) {
                (Some(Connection { key, .. }), Some(_)) => {
                    self.back = true;
                    self.packet(PortInput::Event(key), key)
                }
                _ => Ok(()),
            },
            Step::PostDead(n) => match self.dead(n) {
                Some(key) => self.handle(PortInput::Post(key)),
                None => Ok(()),
            },
            Step::EventDead(n) => match self.dead(n) {
                Some(key) if self.model.poller().is_some() => self.handle(PortInput::Event(key)),
                _ => Ok(()),
            },
            Step::Polled => self.polled(),
            Step::Take(thread) => self.take(thread % self.setup.threads),
            Step::Release => self.handle(PortInput::Release),
            Step::Done(thread) => self.done(thread, false),
            Step::DoneAgain(thread) => self.done(thread, true),
            Step::Block(thread) => {
                let thread = thread % self.setup.threads;
                let Doing::Runs(key) = self.model.threads[thread] else { return Ok(()) };
                self.model.threads[thread] = Doing::Blocks(key);
                self.handle(PortInput::Block)
            }
            Step::Unblock(thread) => self.unblock(thread % self.setup.threads),
            Step::Open => self.open(),
            Step::Close(slot) => match self.slot(slot) {
                Some(Connection { key, .. }) => self.close(key),
                None => Ok(()),
            },
            Step::End(thread) => match self.model.threads[thread % self.setup.threads] {
                Doing::Runs(key) => {
                    self.close(key)?;
                    self.done(thread, false)
                }
                _ => Ok(()),
            },
            Step::ClosePort => self.handle(PortInput::Close),
        }
    }

    fn handle(&mut self, input: PortInput) -> Outcome {
        let effect = self.core.handle(input);
        self.log.push((input, effect));
        if let Effect::Run(_, key) = effect {
            self.owed.retain(|owed| *owed != key);
        }
        self.model.judge(input, effect)
    }

    fn packet(&mut self, input: PortInput, key: Key) -> Outcome {
        self.owed.push(key);
        self.handle(input)
    }

    fn slot(&self, slot: usize) -> Option<Connection> {
        self.connections[slot % self.connections.len()]
    }

    fn dead(&self, n: usize) -> Option<Key> {
        // Keys that were closed lately find more bugs.
        self.dead.iter().rev().nth(n % self.dead.len().clamp(1, 6)).copied()
    }

    fn polled(&mut self) -> Outcome {
        let Some((thread, _)) = self.model.poller() else { return Ok(()) };
        self.back = false;
        self.batch = 0;
        self.model.threads[thread] = Doing::Asks;
        self.handle(PortInput::Polled(thread))?;
        self.asks(thread)
    }

    fn done(&mut self, thread: ThreadIndex, again: bool) -> Outcome {
        let thread = thread % self.setup.threads;
        let Doing::Runs(key) = self.model.threads[thread] else { return Ok(()) };
        if again && !self.dead.contains(&key) {
            self.owed.push(key);
        }
        self.model.threads[thread] = Doing::Asks;
        self.handle(PortInput::Done { key, again })?;
        self.asks(thread)
    }

    fn unblock(&mut self, thread: ThreadIndex) -> Outcome {
        let Doing::Blocks(key) = self.model.threads[thread] else { return Ok(()) };
        self.model.threads[thread] = Doing::Runs(key);
        self.handle(PortInput::Unblock)
    }

    fn asks(&mut self, thread: ThreadIndex) -> Outcome {
        if self.setup.at_once {
            self.take(thread)?;
            self.release()?;
        }
        Ok(())
    }

    fn take(&mut self, thread: ThreadIndex) -> Outcome {
        if self.model.threads[thread] != Doing::Asks {
            return Ok(());
        }
        self.handle(PortInput::Take(thread))
    }

    /// Until nothing comes of it.
    fn release(&mut self) -> Outcome {
        for _ in 0..=self.setup.threads {
            self.handle(PortInput::Release)?;
            if let Some((_, Effect::None)) = self.log.last() {
                return Ok(());
            }
        }
        Err("a release without end")
    }

    fn open(&mut self) -> Outcome {
        let Some(slot) = self.connections.iter().position(Option::is_none) else { return Ok(()) };
        self.opened += 1;
        let key = self.core.open(self.opened);
        let batch = self.dead.iter().rev().take(self.batch);
        if self.dead.contains(&key)
            || self.model.live.iter().chain(batch).any(|other| other.slot() == key.slot())
        {
            return Err("X5: a slot is used again too early, or with the same generation");
        }
        self.model.live.push(key);
        self.connections[slot] = Some(Connection { key, value: self.opened });
        Ok(())
    }

    fn close(&mut self, key: Key) -> Outcome {
        for slot in &mut self.connections {
            if let Some(connection) = slot.take_if(|connection| connection.key == key) {
                if self.core.close(key) != Some(connection.value) {
                    return Err("X5: another connection was closed");
                }
                self.model.close(key);
                self.dead.push(key);
                self.batch += 1;
                self.owed.retain(|owed| *owed != key);
            }
        }
        if self.core.close(key).is_some() { Err("X5: it closes twice") } else { Ok(()) }
    }

    /// Checks what holds at any time.
    fn check(&mut self) -> Outcome {
        let (core, model) = (&mut self.core, &self.model);
        if core.active != model.active() {
            return Err("R1-R4: the active threads are miscounted");
        }
        if core.waiting != model.waiting {
            return Err("R1: the stack of those that wait");
        }
        if core.queue != model.packets {
            return Err("R2, R6: the packets are out of order");
        }
        if core.poller.map(|poller| (poller.thread, poller.asleep)) != model.poller() {
            return Err("X2: who polls");
        }
        let waits = model.active() >= self.setup.max_running && !model.packets.is_empty();
        let helps = !model.waiting.is_empty() || model.poller().is_some_and(|(_, asleep)| asleep);
        if core.idle_thread_could_help() != (waits && helps) {
            return Err("R3: whether packets wait for threads that `max_running` keeps idle");
        }
        let idle = !model.waiting.is_empty() || model.poller().is_some_and(|(_, asleep)| asleep);
        if core.idle_thread_could_help() != (core.is_full_with_work() && idle) {
            return Err("R3: whether a thread could help if another one blocks");
        }
        if core.freed.len() >= MAX_FREED || core.slots.len() != model.live.len() + core.freed.len()
        {
            return Err("X5: a slot has leaked");
        }
        for connection in self.connections.iter().flatten() {
            if core.get_mut(connection.key) != Some(&mut connection.value.clone()) {
                return Err("X5: a key finds something else");
            }
        }
        if self.dead.iter().any(|key| core.get_mut(*key).is_some()) {
            return Err("X5: the key of the dead finds something");
        }
        let asks = model.threads.contains(&Doing::Asks);
        if !self.setup.at_once || self.back || asks || model.closed {
            return Ok(());
        }
        if !model.waiting.is_empty() && model.poller().is_none() {
            return Err("X2: threads wait and none polls");
        }
        let sleeps = model.poller().is_some_and(|(_, asleep)| asleep);
        let has_room = model.active() < self.setup.max_running;
        if has_room && model.head().is_some() && (sleeps || !model.waiting.is_empty()) {
            return Err("R1: a packet and room, and yet one sleeps that could run it");
        }
        Ok(())
    }

    /// Everything goes on as far as it does by itself: turns end, threads that are awake ask, and only
    /// the core wakes a thread that sleeps in a poll. Then every packet has had its turn.
    fn settle(mut self) -> Outcome {
        for round in 0.. {
            if round == 200 {
                return Err("it does not come to rest");
            }
            let before = self.log.len();
            for thread in 0..self.setup.threads {
                self.unblock(thread)?;
                self.done(thread, false)?;
                self.take(thread)?;
            }
            if self.back || self.model.poller().is_some_and(|(_, asleep)| !asleep) {
                self.polled()?;
            }
            let moved = self.log.len() > before;
            self.release()?;
            self.check()?;
            if !moved && self.log.len() == before + 1 {
                break;
            }
        }
        if self.model.closed { self.ended() } else { self.rested() }
    }

    fn rested(mut self) -> Outcome {
        if !self.owed.is_empty() || !self.model.packets.is_empty() {
            return Err("R6: a packet was lost");
        }
        if self.core.active != 0 || self.model.poller().is_none_or(|(_, asleep)| !asleep) {
            return Err("at rest, one thread polls and all others wait");
        }
        // The end of one more batch.
        self.polled()?;
        let clean = self.core.freed.is_empty() && self.core.slots.len() == self.model.live.len();
        if clean { Ok(()) } else { Err("X5: slots of the dead are not used again") }
    }

    /// `Shared` wakes all: each thread that asks learns that the port is closed.
    fn ended(mut self) -> Outcome {
        for thread in 0..self.setup.threads {
            if matches!(self.model.threads[thread], Doing::Waiting | Doing::Polls { .. }) {
                self.model.threads[thread] = Doing::Asks;
                self.take(thread)?;
            }
        }
        let over = self.model.threads.iter().all(|doing| *doing == Doing::Over);
        if over && self.core.active == 0 { Ok(()) } else { Err("R5: a thread goes on") }
    }
}
