use std::collections::VecDeque;
use std::sync::Arc;

use slab::Slab;

use crate::key::{Generations, Key, SLOTS};

/// The most slots that wait for the end of the batch.
const MAX_FREED: usize = 1024;

/// The number of a thread in its port, from 0.
pub(crate) type ThreadIndex = usize;

/// The rules of a completion port, and nothing else: no threads, no clock, no sockets.
///
/// It is the structure that Win32 calls an I/O completion port: a FIFO of packets, a stack of
/// waiting threads, and `max_running`, the most threads that are active.
/// [`handle`](PortCore::handle) takes an input and returns the effect that its caller must carry out.
/// A test can take the place of a thread.
///
/// A packet is a key that has something to do. One key is on one thread at a time: a packet for a
/// key that runs makes it run once more (X1). Keys carry a generation, so that a packet for a
/// key that was closed is dropped and counted (X5). The values of the keys are in the same slots, so
/// that one look-up finds both a value and whether its key runs.
#[derive(Debug)]
pub(crate) struct PortCore<T> {
    /// The number of this port in its pool, which its keys carry.
    port: usize,
    generations: Arc<Generations>,
    slots: Slab<Slot<T>>,
    /// Slots of keys that were closed since the last poll.
    freed: Vec<usize>,
    queue: VecDeque<Key>,
    waiting: Vec<ThreadIndex>,
    active: usize,
    max_running: usize,
    poller: Option<Poller>,
    /// The number of turns before the next poll, while no other thread polls.
    turns_before_poll: usize,
    closed: bool,
}

#[derive(Debug)]
struct Slot<T> {
    generation: u32,
    run: RunState,
    /// `None` after the key was closed; the slot is used again after the current batch of events.
    value: Option<T>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RunState {
    Idle,
    Queued,
    Running,
    RunningAgain,
}

#[derive(Clone, Copy, Debug)]
struct Poller {
    thread: ThreadIndex,
    asleep: bool,
}

/// An input of the core: an event of a thread, a key or the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PortInput {
    /// The poll that a thread has finished found an event for the key.
    Event(Key),
    /// A packet for the key comes from elsewhere (R1, R6).
    Post(Key),
    /// The thread asks for a packet; its previous activation is over (R2).
    Take(ThreadIndex),
    /// The turn of the key is over. The key has another one if its budget was used up (`again`) or a
    /// packet came meanwhile.
    Done { key: Key, again: bool },
    /// The thread has inserted the events of its poll and gives up the role (X2).
    Polled(ThreadIndex),
    /// Gives one packet to one waiting thread, if both exist. Repeat until the effect is `None`.
    Release,
    /// The running thread blocks (R3).
    Block,
    /// The thread goes on (R4).
    Unblock,
    /// The port closes (R5).
    Close,
}

/// The action that the caller of the core must carry out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing.
    None,
    /// The thread runs the key. It must be woken if it is not the one that asked.
    Run(ThreadIndex, Key),
    /// The thread polls, and sleeps in the poll only if `wait`.
    Poll { thread: ThreadIndex, wait: bool },
    /// The thread sleeps until it gets a packet or the poll.
    Park(ThreadIndex),
    /// The thread, which sleeps in its poll, must return and take a packet.
    Interrupt(ThreadIndex),
    /// Nothing: the packet was for a key that was closed.
    Stale,
    /// The port is closed: the thread that asked and all waiting threads must end.
    Closed,
}

impl<T> PortCore<T> {
    /// The bytes of a slot.
    #[cfg(all(test, target_os = "linux"))]
    pub(crate) const SLOT: usize = size_of::<Slot<T>>();

    /// The most threads that are active.
    pub(crate) fn max_running(&self) -> usize {
        self.max_running
    }

    pub(crate) fn new(port: usize, max_running: usize, generations: Arc<Generations>) -> Self {
        Self {
            port,
            generations,
            slots: Slab::new(),
            freed: Vec::new(),
            queue: VecDeque::new(),
            waiting: Vec::new(),
            active: 0,
            max_running,
            poller: None,
            turns_before_poll: 0,
            closed: false,
        }
    }

    #[inline]
    pub(crate) fn handle(&mut self, input: PortInput) -> Effect {
        match input {
            PortInput::Event(key) => self.insert(key).map_or(Effect::Stale, |_| Effect::None),
            PortInput::Post(key) => match self.insert(key) {
                Some(true) => self.release(),
                Some(false) => Effect::None,
                None => Effect::Stale,
            },
            PortInput::Take(thread) => self.take(thread),
            PortInput::Done { key, again } => self.done(key, again),
            PortInput::Polled(thread) => self.polled(thread),
            PortInput::Release => self.release(),
            PortInput::Block => {
                self.active -= 1;
                self.release()
            }
            PortInput::Unblock => {
                self.active += 1;
                Effect::None
            }
            PortInput::Close => {
                self.close_port();
                Effect::Closed
            }
        }
    }

    /// Appends a packet to the queue. Returns `Some(true)` if it is a new one, and `None` if the key was
    /// closed.
    #[inline]
    fn insert(&mut self, key: Key) -> Option<bool> {
        let slot = self.slot_of(key)?;
        match slot.run {
            RunState::Idle => {
                slot.run = RunState::Queued;
                self.queue.push_back(key);
                return Some(true);
            }
            RunState::Running => slot.run = RunState::RunningAgain,
            RunState::Queued | RunState::RunningAgain => {}
        }
        Some(false)
    }

    #[inline]
    fn take(&mut self, thread: ThreadIndex) -> Effect {
        if self.closed {
            return Effect::Closed;
        }
        let work = !self.queue.is_empty() && self.active < self.max_running;
        if self.poller.is_none() && (!work || self.turns_before_poll == 0) {
            self.poller = Some(Poller { thread, asleep: !work });
            return Effect::Poll { thread, wait: !work };
        }
        if work {
            self.turns_before_poll = self.turns_before_poll.saturating_sub(1);
            return self.start(thread);
        }
        self.waiting.push(thread);
        Effect::Park(thread)
    }

    /// Gives the head of the queue to a thread.
    #[inline]
    fn start(&mut self, thread: ThreadIndex) -> Effect {
        while let Some(key) = self.queue.pop_front() {
            if let Some(slot) = self.slot_of(key) {
                slot.run = RunState::Running;
                self.active += 1;
                return Effect::Run(thread, key);
            }
        }
        self.take(thread)
    }

    /// Gives the head of the queue to the most recent waiter, if fewer than `max_running` threads
    /// are active.
    #[inline]
    fn release(&mut self) -> Effect {
        if self.active >= self.max_running || self.queue.is_empty() || self.closed {
            return Effect::None;
        }
        if let Some(thread) = self.waiting.pop() {
            return self.start(thread);
        }
        match &mut self.poller {
            Some(poller) if poller.asleep => {
                poller.asleep = false;
                Effect::Interrupt(poller.thread)
            }
            _ => Effect::None,
        }
    }

    #[inline]
    fn done(&mut self, key: Key, again: bool) -> Effect {
        self.active -= 1;
        if let Some(slot) = self.slot_of(key) {
            if again || slot.run == RunState::RunningAgain {
                slot.run = RunState::Queued;
                self.queue.push_back(key);
            } else {
                slot.run = RunState::Idle;
            }
        }
        Effect::None
    }

    /// Hands the poll to a waiting thread, so that events do not wait for the handler that this thread
    /// runs next.
    #[inline]
    fn polled(&mut self, thread: ThreadIndex) -> Effect {
        debug_assert!(self.polls(thread));
        self.poller = None;
        self.turns_before_poll = self.queue.len();
        self.free_closed_slots();
        // Without work, or with `max_running` active threads, this thread polls again itself.
        if self.queue.is_empty() || self.active >= self.max_running {
            return Effect::None;
        }
        let Some(follower) = self.waiting.pop() else { return Effect::None };
        self.poller = Some(Poller { thread: follower, asleep: true });
        Effect::Poll { thread: follower, wait: true }
    }

    /// Does what `Event` does, for the only thread of a port. Returns whether the key is open.
    #[inline]
    pub(crate) fn enqueue(&mut self, key: Key) -> bool {
        self.insert(key).is_some()
    }

    /// Does what `Event`, `Take` and `Done` do, for the only thread of a port, if no packet is before
    /// this one: returns the value, which the thread runs in place. The key stays idle, because no other
    /// thread could take it meanwhile.
    ///
    /// Such a thread takes packets from the queue with
    /// [`begin_next_in_place`](PortCore::begin_next_in_place).
    #[inline]
    pub(crate) fn begin_in_place(&mut self, key: Key) -> Option<&mut T> {
        let first = self.queue.is_empty();
        let slot = self.slots.get_mut(key.slot())?;
        if slot.generation == key.generation() && first { slot.value.as_mut() } else { None }
    }

    /// The key of the packet at the head of the queue, after those of keys that were closed.
    pub(crate) fn head(&mut self) -> Option<Key> {
        while let Some(key) = self.queue.front().copied() {
            if self.slot_of(key).is_some() {
                return Some(key);
            }
            self.queue.pop_front();
        }
        None
    }

    /// Takes the packet at the head of the queue, for the only thread of a port, and calls `begin` with the
    /// value of its key.
    #[inline]
    pub(crate) fn begin_next_in_place<R>(
        &mut self,
        begin: impl Fn(&mut T) -> R,
    ) -> Option<(Key, R)> {
        while let Some(key) = self.queue.pop_front() {
            let Some(slot) = self.slot_of(key) else { continue };
            slot.run = RunState::Idle;
            let Some(value) = slot.value.as_mut() else { continue };
            return Some((key, begin(value)));
        }
        None
    }

    /// Does what `Close` does, for the only thread of a port.
    pub(crate) fn close_port(&mut self) {
        self.closed = true;
    }

    /// The number of packets.
    pub(crate) fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Opens a slot for a new value. Returns its key.
    pub(crate) fn open(&mut self, value: T) -> Key {
        let key = self.reserve();
        self.open_at(key, value);
        key
    }

    /// Reserves the key of the next slot, for a job that may end before it needs one. The key finds
    /// nothing until [`open_at`](PortCore::open_at).
    #[inline]
    pub(crate) fn reserve(&mut self) -> Key {
        let slot = self.slots.vacant_key();
        assert!(slot < SLOTS, "a port has at most {SLOTS} connections");
        Key::of(self.port, slot, self.generations.next())
    }

    /// Opens the slot of the key that was reserved last.
    ///
    /// # Panics
    ///
    /// When another slot was opened since.
    #[inline]
    pub(crate) fn open_at(&mut self, key: Key, value: T) {
        let slot = Slot { generation: key.generation(), run: RunState::Idle, value: Some(value) };
        let index = self.slots.insert(slot);
        assert_eq!(index, key.slot(), "another slot was opened since");
    }

    /// Removes the value of a key. The slot is used again only after the current batch of events.
    pub(crate) fn close(&mut self, key: Key) -> Option<T> {
        let slot = self.slot_of(key)?;
        let value = slot.value.take();
        self.freed.push(key.slot());
        // A port whose polls are rare must not keep many. To use them early is safe: an event of the
        // current batch has another generation than the next key of the slot.
        if self.freed.len() >= MAX_FREED {
            self.free_closed_slots();
        }
        value
    }

    /// Makes closed slots usable again, after a batch of events.
    pub(crate) fn free_closed_slots(&mut self) {
        for index in self.freed.drain(..) {
            self.slots.remove(index);
        }
    }

    #[inline]
    fn slot_of(&mut self, key: Key) -> Option<&mut Slot<T>> {
        self.slots
            .get_mut(key.slot())
            .filter(|slot| slot.generation == key.generation() && slot.value.is_some())
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        self.slot_of(key)?.value.as_mut()
    }

    /// The key and the value of a slot, if it is open.
    pub(crate) fn get_by_slot(&self, slot: usize) -> Option<(Key, &T)> {
        let found = self.slots.get(slot)?;
        Some((Key::of(self.port, slot, found.generation), found.value.as_ref()?))
    }

    /// Whether the key has a packet in the queue.
    pub(crate) fn is_queued(&self, key: Key) -> bool {
        let slot = self.slots.get(key.slot());
        slot.is_some_and(|slot| slot.generation == key.generation() && slot.run == RunState::Queued)
    }

    /// A number that the slots in use are below.
    pub(crate) fn slot_bound(&self) -> usize {
        self.slots.capacity()
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = Key> {
        let live = self.slots.iter().filter(|(_, slot)| slot.value.is_some());
        live.map(|(index, slot)| Key::of(self.port, index, slot.generation))
    }

    /// Whether packets wait although a thread is idle, because `max_running` threads are active.
    #[inline]
    pub(crate) fn idle_thread_could_help(&self) -> bool {
        self.is_full_with_work() && (!self.waiting.is_empty() || self.polls_asleep())
    }

    /// Whether packets wait because `max_running` threads are active.
    #[inline]
    pub(crate) fn is_full_with_work(&self) -> bool {
        self.active >= self.max_running && !self.queue.is_empty()
    }

    /// Whether this is the thread that polls.
    pub(crate) fn polls(&self, thread: ThreadIndex) -> bool {
        self.poller.is_some_and(|poller| poller.thread == thread)
    }

    /// Whether a thread sleeps in its poll.
    pub(crate) fn polls_asleep(&self) -> bool {
        self.poller.is_some_and(|poller| poller.asleep)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }
}

#[cfg(test)]
mod tests;
