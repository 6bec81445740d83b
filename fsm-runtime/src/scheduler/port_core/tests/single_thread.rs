//! Histories of a port of one thread, which goes past `handle`: by `begin_in_place` and
//! `begin_next_in_place` to a turn in
//! place, by `enqueue` to a packet, and by `reserve` and `open_at` to a slot.

use std::sync::Arc;

use super::histories::{History, Outcome, Random};
use super::model::{Single, rule};
use crate::key::Key;
use crate::scheduler::port_core::{MAX_FREED, PortCore};

/// A port of one thread.
pub(super) struct SingleThread;

/// Numbers are taken modulo what there is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// A packet for a connection, from elsewhere.
    Enqueue(usize),
    /// An event for it, which is a turn at once if nothing is queued.
    Event(usize, Turn),
    /// The turn of the packet at the head of the queue.
    Next(Turn),
    /// A connection that has its first turn from the queue.
    Open,
    /// A job that has its first turn without a slot.
    FirstTurn(Turn),
    /// A connection ends without a turn.
    Close(usize),
    /// All events of a poll have been handled.
    EndOfBatch,
    /// The keys whose budget was used up are queued once more.
    EndOfRound,
    EnqueueDead(usize),
    EventDead(usize),
}

/// The doing of a turn.
#[derive(Clone, Copy, Debug)]
pub(super) enum Turn {
    Waits,
    /// The turn used up its budget.
    Again,
    Ends,
    /// The turn posts a packet for a connection, which may be its own, and waits.
    Posts(usize),
    /// The same for a connection that is gone.
    PostsToDead(usize),
}

/// A call of the core, with its answer.
#[derive(Clone, Copy, Debug)]
#[expect(dead_code, reason = "people read it when a history fails")]
pub(super) enum Call {
    Enqueue { key: Key, found: bool },
    Pass { key: Key, passed: bool },
    PassNext { key: Option<Key> },
    Reserve { key: Key },
    OpenAt { key: Key },
    Open { key: Key },
    Close { key: Key },
    Free,
}

impl History for SingleThread {
    /// The most connections.
    type Setup = usize;
    type Step = Step;
    type Log = Vec<Call>;

    fn setup(random: &mut Random) -> usize {
        1 + random.below(5)
    }

    fn step(random: &mut Random) -> Step {
        let (kind, n) = (random.below(32), random.below(60));
        let turn = match random.below(8) {
            0..=2 => Turn::Waits,
            3 => Turn::Again,
            4 => Turn::Ends,
            5 | 6 => Turn::Posts(random.below(60)),
            _ => Turn::PostsToDead(random.below(60)),
        };
        match kind {
            0..=5 => Step::Enqueue(n),
            6..=13 => Step::Event(n, turn),
            14..=18 => Step::Next(turn),
            19..=21 => Step::Open,
            22..=24 => Step::FirstTurn(turn),
            25 => Step::Close(n),
            26 | 27 => Step::EndOfBatch,
            28 | 29 => Step::EndOfRound,
            30 => Step::EnqueueDead(n),
            _ => Step::EventDead(n),
        }
    }

    fn run(most: usize, steps: &[Step], log: &mut Vec<Call>) -> Outcome {
        let core = PortCore::new(0, 1, Arc::default());
        let (model, batch) = (Single::default(), Vec::new());
        let mut run = RunState { core, model, most, batch, opened: 0, again: Vec::new(), log };
        for step in steps {
            run.step(*step)?;
            run.check()?;
        }
        run.settle()
    }
}

/// A port beside its model.
struct RunState<'a> {
    core: PortCore<u32>,
    model: Single,
    most: usize,
    /// The dead whose slots must not be used again before the end of the batch.
    batch: Vec<Key>,
    opened: u32,
    /// The keys whose budget was used up.
    again: Vec<Key>,
    log: &'a mut Vec<Call>,
}

impl RunState<'_> {
    fn step(&mut self, step: Step) -> Outcome {
        match step {
            Step::Enqueue(n) => self.model.live(n).map_or(Ok(()), |key| self.enqueue(key)),
            Step::EnqueueDead(n) => self.model.dead(n).map_or(Ok(()), |key| self.enqueue(key)),
            Step::Event(n, turn) => self.model.live(n).map_or(Ok(()), |key| self.event(key, turn)),
            Step::EventDead(n) => {
                self.model.dead(n).map_or(Ok(()), |key| self.event(key, Turn::Waits))
            }
            Step::Next(turn) => self.next(turn).map(drop),
            Step::Open => self.open(),
            Step::FirstTurn(turn) => self.first_turn(turn),
            Step::Close(n) => self.model.live(n).map_or(Ok(()), |key| self.close(key)),
            Step::EndOfBatch => {
                self.free_closed_slots();
                Ok(())
            }
            Step::EndOfRound => self.end_of_round(),
        }
    }

    fn enqueue(&mut self, key: Key) -> Outcome {
        let found = self.core.enqueue(key);
        self.log.push(Call::Enqueue { key, found });
        self.model.enqueue(key, found)
    }

    fn event(&mut self, key: Key, turn: Turn) -> Outcome {
        let value = self.core.begin_in_place(key).copied();
        self.log.push(Call::Pass { key, passed: value.is_some() });
        if self.model.begin_in_place(key, value)? {
            self.turn(key, turn)
        } else {
            self.enqueue(key)
        }
    }

    /// Returns whether there was a packet.
    fn next(&mut self, turn: Turn) -> Result<bool, &'static str> {
        let key = self.core.begin_next_in_place(|_| ()).map(|(key, ())| key);
        self.log.push(Call::PassNext { key });
        self.model.begin_next_in_place(key)?;
        key.map_or(Ok(()), |key| self.turn(key, turn))?;
        Ok(key.is_some())
    }

    /// A turn in place.
    fn turn(&mut self, key: Key, turn: Turn) -> Outcome {
        match turn {
            Turn::Ends => self.close(key),
            turn => self.part_of_turn(key, turn),
        }
    }

    /// A turn, but for its end.
    fn part_of_turn(&mut self, key: Key, turn: Turn) -> Outcome {
        match turn {
            Turn::Waits | Turn::Ends => Ok(()),
            Turn::Again => {
                self.again.push(key);
                Ok(())
            }
            Turn::Posts(n) => self.model.live(n).map_or(Ok(()), |key| self.enqueue(key)),
            Turn::PostsToDead(n) => self.model.dead(n).map_or(Ok(()), |key| self.enqueue(key)),
        }
    }

    fn open(&mut self) -> Outcome {
        if self.model.count() == self.most {
            return Ok(());
        }
        self.opened += 1;
        let key = self.core.open(self.opened);
        self.log.push(Call::Open { key });
        self.is_new(key)?;
        self.model.open(key, self.opened);
        self.enqueue(key)
    }

    fn first_turn(&mut self, turn: Turn) -> Outcome {
        if self.model.count() == self.most {
            return Ok(());
        }
        let key = self.core.reserve();
        self.log.push(Call::Reserve { key });
        self.is_new(key)?;
        // The key finds nothing until it has its slot.
        self.enqueue(key)?;
        rule(self.core.get_mut(key).is_none(), "X5: a key without a slot finds something")?;
        self.part_of_turn(key, turn)?;
        if let Turn::Ends = turn {
            self.model.dies(key);
            return Ok(());
        }
        self.opened += 1;
        self.core.open_at(key, self.opened);
        self.log.push(Call::OpenAt { key });
        self.model.open(key, self.opened);
        Ok(())
    }

    fn is_new(&self, key: Key) -> Outcome {
        let again = self.batch.iter().any(|dead| dead.slot() == key.slot());
        rule(!again && self.model.is_new(key), "X5: a slot or a key is used again too early")
    }

    fn close(&mut self, key: Key) -> Outcome {
        let value = self.core.close(key);
        self.log.push(Call::Close { key });
        rule(value.is_some() && value == self.model.value(key), "X5: another one was closed")?;
        rule(self.core.close(key).is_none(), "X5: it closes twice")?;
        self.model.dies(key);
        self.batch.push(key);
        Ok(())
    }

    fn free_closed_slots(&mut self) {
        self.core.free_closed_slots();
        self.log.push(Call::Free);
        self.batch.clear();
    }

    /// Closed keys among them have no packet.
    fn end_of_round(&mut self) -> Outcome {
        std::mem::take(&mut self.again).into_iter().try_for_each(|key| self.enqueue(key))
    }

    /// Checks what holds at any time.
    fn check(&mut self) -> Outcome {
        let Self { core, model, .. } = self;
        rule(core.queue == model.packets, "R2, R6: the packets are out of order")?;
        rule(core.queued() == model.packets.len(), "R6: the packets are miscounted")?;
        let idle = core.active == 0 && core.waiting.is_empty() && core.poller.is_none();
        rule(idle, "a single thread is none of those that the core counts")?;
        let slots = core.slots.len() == model.count() + core.freed.len();
        rule(slots && core.freed.len() < MAX_FREED, "X5: a slot has leaked")?;
        for (key, value) in model.all() {
            rule(core.get_mut(key).copied() == Some(value), "X5: a key finds something else")?;
        }
        let dead = model.all_dead().any(|key| core.get_mut(key).is_some());
        rule(!dead, "X5: the key of the dead finds something")
    }

    /// Every packet has its turn.
    fn settle(mut self) -> Outcome {
        self.end_of_round()?;
        for _ in 0..=self.most {
            let more = self.next(Turn::Waits)?;
            self.check()?;
            if !more {
                break;
            }
        }
        rule(self.core.queue.is_empty() && self.model.owes_no_turn(), "R6: a packet was lost")?;
        self.free_closed_slots();
        self.check()?;
        rule(self.core.freed.is_empty(), "X5: slots of the dead are not used again")
    }
}
