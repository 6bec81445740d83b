//! The rules of a port in the words of its threads: which thread does what, which packets wait, and
//! which threads wait since when. A model has no counters and no flags, and it does not decide: it gets
//! the effects of the core, and returns the rule that an effect breaks.

use crate::key::Key;
use crate::scheduler::port_core::{Effect, PortInput, ThreadIndex};

/// The doing of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    /// The thread is about to ask for work.
    Asks,
    Waiting,
    /// The thread polls. It sleeps in the poll if the core allows it and has not interrupted it.
    Polls {
        asleep: bool,
    },
    Runs(Key),
    Blocks(Key),
    /// The port is closed, and it has learnt it.
    Over,
}

pub(super) struct Model {
    max_running: usize,
    pub(super) threads: Vec<Doing>,
    /// The most recent one is the last.
    pub(super) waiting: Vec<ThreadIndex>,
    /// The oldest one is the first. Some may be for connections that are gone.
    pub(super) packets: Vec<Key>,
    /// Keys that got a packet while they ran.
    again: Vec<Key>,
    pub(super) live: Vec<Key>,
    /// The turns that may begin until somebody polls: one for each packet that there was when the
    /// last poll was over.
    turns: usize,
    pub(super) closed: bool,
}

type Judged = Result<(), &'static str>;

pub(super) fn rule(kept: bool, rule: &'static str) -> Judged {
    if kept { Ok(()) } else { Err(rule) }
}

impl Model {
    pub(super) fn new(max_running: usize, threads: usize) -> Self {
        Self {
            max_running,
            threads: vec![Doing::Asks; threads],
            waiting: Vec::new(),
            packets: Vec::new(),
            again: Vec::new(),
            live: Vec::new(),
            turns: 0,
            closed: false,
        }
    }

    /// The threads that run a turn and do not block.
    pub(super) fn active(&self) -> usize {
        self.threads.iter().filter(|doing| matches!(doing, Doing::Runs(_))).count()
    }

    fn has_room(&self) -> bool {
        self.active() < self.max_running
    }

    fn is_live(&self, key: Key) -> bool {
        self.live.contains(&key)
    }

    pub(super) fn runs(&self, key: Key) -> bool {
        let has = |doing: &Doing| *doing == Doing::Runs(key) || *doing == Doing::Blocks(key);
        self.threads.iter().any(has)
    }

    /// The thread that polls, and whether it sleeps.
    pub(super) fn poller(&self) -> Option<(ThreadIndex, bool)> {
        let mut polls = self.threads.iter().enumerate().filter_map(|(thread, doing)| match doing {
            Doing::Polls { asleep } => Some((thread, *asleep)),
            _ => None,
        });
        let poller = polls.next();
        assert_eq!(polls.next(), None, "two threads poll");
        poller
    }

    /// The packet that is next.
    pub(super) fn head(&self) -> Option<Key> {
        self.packets.iter().copied().find(|key| self.is_live(*key))
    }

    /// A connection is gone. Packets for it stay until a thread takes them.
    pub(super) fn close(&mut self, key: Key) {
        self.live.retain(|live| *live != key);
        self.again.retain(|again| *again != key);
    }

    /// Whether the core may answer so; `threads` say already what has happened to their own doing.
    pub(super) fn judge(&mut self, input: PortInput, effect: Effect) -> Judged {
        match input {
            PortInput::Event(key) | PortInput::Post(key) => self.packet(input, key, effect),
            PortInput::Take(thread) => self.take(thread, effect),
            PortInput::Done { key, again } => {
                let packet = self.again.contains(&key);
                self.again.retain(|again| *again != key);
                if self.is_live(key) && (again || packet) {
                    self.packets.push(key);
                }
                rule(effect == Effect::None, "R2: a thread gets its next packet when it asks")
            }
            PortInput::Polled(_) => self.polled(effect),
            PortInput::Release | PortInput::Block => self.release(effect),
            PortInput::Unblock => {
                rule(effect == Effect::None, "R4: it goes on, whatever `max_running`")
            }
            PortInput::Close => {
                self.closed = true;
                rule(effect == Effect::Closed, "R5: close ends all that wait")
            }
        }
    }

    fn packet(&mut self, input: PortInput, key: Key, effect: Effect) -> Judged {
        if !self.is_live(key) {
            return rule(effect == Effect::Stale, "X5: a packet for the dead is dropped");
        }
        if self.runs(key) {
            self.again.push(key);
            return rule(effect == Effect::None, "X1: a key that runs will run once more");
        }
        if self.packets.contains(&key) {
            return rule(effect == Effect::None, "R6: a key has one packet");
        }
        self.packets.push(key);
        if input == PortInput::Event(key) {
            return rule(effect == Effect::None, "X2: events are inserted before anything runs");
        }
        self.release(effect)
    }

    /// A packet may go to a thread that did not ask (R1, R3).
    fn release(&mut self, effect: Effect) -> Judged {
        if self.closed || !self.has_room() || self.packets.is_empty() {
            return rule(effect == Effect::None, "R1: no packet, no room, or closed: nothing");
        }
        let sleeper = self.poller().filter(|(_, asleep)| *asleep).map(|(thread, _)| thread);
        match (self.head(), self.waiting.last().copied(), effect) {
            (Some(key), Some(thread), _) => {
                rule(effect == Effect::Run(thread, key), "R1: the head to the most recent waiter")?;
                self.waiting.pop();
                self.start(thread, key)
            }
            (None, Some(thread), Effect::Park(other)) => {
                // All packets were for the dead: it goes on waiting.
                self.packets.clear();
                rule(thread == other && self.poller().is_some(), "R1: it is still the most recent")
            }
            (None, Some(_), Effect::Poll { thread, wait }) => {
                self.packets.clear();
                let last = self.waiting.pop() == Some(thread);
                rule(
                    last && wait && self.poller().is_none(),
                    "somebody polls while there is none",
                )?;
                self.threads[thread] = Doing::Polls { asleep: true };
                Ok(())
            }
            (None, Some(_), _) => Err("X5: a packet for the dead gives no turn"),
            (_, None, _) => match sleeper {
                Some(thread) => {
                    self.threads[thread] = Doing::Polls { asleep: false };
                    rule(effect == Effect::Interrupt(thread), "R1: who polls is a waiter, too")
                }
                None => rule(effect == Effect::None, "R1: there is no thread to wake"),
            },
        }
    }

    fn take(&mut self, thread: ThreadIndex, effect: Effect) -> Judged {
        if self.closed {
            self.threads[thread] = Doing::Over;
            return rule(effect == Effect::Closed, "R5: closed to those who ask");
        }
        let polled = self.poller().is_some();
        if self.has_room() && !self.packets.is_empty() {
            if self.turns == 0 && !polled {
                self.threads[thread] = Doing::Polls { asleep: false };
                let poll = Effect::Poll { thread, wait: false };
                return rule(effect == poll, "X4: the poll gets its turn, and does not sleep");
            }
            self.turns = self.turns.saturating_sub(1);
            if let Some(key) = self.head() {
                rule(effect == Effect::Run(thread, key), "R2: it goes on with the head")?;
                return self.start(thread, key);
            }
            self.packets.clear();
        }
        if polled {
            self.threads[thread] = Doing::Waiting;
            self.waiting.push(thread);
            rule(effect == Effect::Park(thread), "R2: it waits")
        } else {
            self.threads[thread] = Doing::Polls { asleep: true };
            let poll = Effect::Poll { thread, wait: true };
            rule(effect == poll, "somebody polls while there is nothing to do")
        }
    }

    fn polled(&mut self, effect: Effect) -> Judged {
        self.turns = self.packets.len();
        if self.has_room() && !self.packets.is_empty() {
            if let Some(thread) = self.waiting.pop() {
                self.threads[thread] = Doing::Polls { asleep: true };
                let poll = Effect::Poll { thread, wait: true };
                return rule(effect == poll, "X2: a follower polls before a handler runs");
            }
        }
        rule(effect == Effect::None, "X2: no thread is woken without need")
    }

    fn start(&mut self, thread: ThreadIndex, key: Key) -> Judged {
        rule(!self.runs(key), "X1: a key is on one thread at a time")?;
        rule(self.has_room(), "R1: not more active threads than `max_running`")?;
        let at = self.packets.iter().position(|packet| *packet == key);
        self.packets.drain(..=at.ok_or("R2: a turn without a packet")?);
        self.threads[thread] = Doing::Runs(key);
        Ok(())
    }
}

/// A port of one thread: which packets wait, and who is there.
///
/// A turn ends before anything else happens, so no thread runs and no thread waits between two steps.
#[derive(Default)]
pub(super) struct Single {
    /// The oldest one is the first. Some may be for connections that are gone.
    pub(super) packets: Vec<Key>,
    /// The connections, and what is in their slots.
    live: Vec<(Key, u32)>,
    dead: Vec<Key>,
    /// The keys that have got a packet, and no turn since.
    owed: Vec<Key>,
}

impl Single {
    /// A live connection.
    pub(super) fn live(&self, n: usize) -> Option<Key> {
        self.live.get(n % self.live.len().max(1)).map(|(key, _)| *key)
    }

    /// One that is gone; those of late are more interesting.
    pub(super) fn dead(&self, n: usize) -> Option<Key> {
        self.dead.iter().rev().nth(n % self.dead.len().clamp(1, 6)).copied()
    }

    pub(super) fn count(&self) -> usize {
        self.live.len()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (Key, u32)> {
        self.live.iter().copied()
    }

    pub(super) fn all_dead(&self) -> impl Iterator<Item = Key> {
        self.dead.iter().copied()
    }

    pub(super) fn value(&self, key: Key) -> Option<u32> {
        self.live.iter().find(|(live, _)| *live == key).map(|(_, value)| *value)
    }

    pub(super) fn owes_no_turn(&self) -> bool {
        self.owed.is_empty()
    }

    /// Whether no connection has this slot, and none ever had this key.
    pub(super) fn is_new(&self, key: Key) -> bool {
        !self.dead.contains(&key) && !self.live.iter().any(|(live, _)| live.slot() == key.slot())
    }

    pub(super) fn open(&mut self, key: Key, value: u32) {
        self.live.push((key, value));
    }

    /// A connection is gone, or a job that never had a slot.
    pub(super) fn dies(&mut self, key: Key) {
        self.live.retain(|(live, _)| *live != key);
        self.owed.retain(|owed| *owed != key);
        self.dead.push(key);
    }

    pub(super) fn enqueue(&mut self, key: Key, found: bool) -> Judged {
        if self.value(key).is_none() {
            return rule(!found, "X5: a packet for the dead is dropped");
        }
        if !self.packets.contains(&key) {
            self.packets.push(key);
            self.owed.push(key);
        }
        rule(found, "R6: a packet for a live key is kept")
    }

    /// Returns whether the event is a turn at once.
    pub(super) fn begin_in_place(
        &mut self,
        key: Key,
        found: Option<u32>,
    ) -> Result<bool, &'static str> {
        let value = self.value(key).filter(|_| self.packets.is_empty());
        rule(
            found == value,
            "R2, X5: an event passes if no packet is before it and its key lives",
        )?;
        Ok(value.is_some())
    }

    pub(super) fn begin_next_in_place(&mut self, found: Option<Key>) -> Judged {
        let at = self.packets.iter().position(|key| self.value(*key).is_some());
        let head = at.map(|at| self.packets[at]);
        self.packets.drain(..at.map_or(self.packets.len(), |at| at + 1));
        self.owed.retain(|owed| Some(*owed) != head);
        rule(found == head, "R2: the head of the queue has the next turn")
    }
}
