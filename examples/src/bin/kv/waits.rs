//! The clients that wait for an element of a list or a sorted set, and how they get it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use fsm_runtime::{Key, Moves};

use crate::clients::Place;
use crate::event::{Event, Post};
use crate::lists::{End, move_element, pop_from};
use crate::reply::{Out, Replied, Replies};
use crate::request::Error;
use crate::store::{Bytes, Kind, List, Store, Zset, cost};
use crate::zsets;

/// The thing that a command takes from the first of its keys that has one.
#[derive(Clone, Debug)]
pub(crate) enum Wanted {
    /// An element of a list, for BLPOP and BRPOP.
    Element(End),
    /// An element that moves to another list, for BLMOVE and BRPOPLPUSH.
    Move { from: End, destination: Bytes, to: End },
    /// A member of a sorted set, for BZPOPMIN and BZPOPMAX.
    Member { is_max: bool },
}

impl Wanted {
    /// Takes it from a key and replies with it. Returns whether there was something.
    pub(crate) fn take(
        &self,
        store: &mut Store,
        key: &[u8],
        out: &mut Replies<'_>,
    ) -> Result<bool, Error> {
        match self {
            Self::Element(end) => {
                let Some(element) = pop_from(store, key, *end)? else { return Ok(false) };
                out.array(2);
                out.bulk(key);
                out.bulk(&element);
            }
            Self::Move { from, destination, to } => {
                let moved = move_element(store, key, *from, destination, *to)?;
                let Some(element) = moved else { return Ok(false) };
                out.bulk(&element);
            }
            Self::Member { is_max } => {
                let Some((member, number)) = zsets::pop_from(store, key, *is_max)? else {
                    return Ok(false);
                };
                out.array(3);
                out.bulk(key);
                out.bulk(&member);
                out.optional_double(Some(number));
            }
        }
        Ok(true)
    }

    /// Replies that there is nothing, in a transaction, where no command waits.
    pub(crate) fn nothing(&self, out: &mut Replies<'_>) -> Replied {
        if let Self::Move { .. } = self { out.null() } else { out.null_array() }
    }

    /// Whether the key has a value of the type that the command takes from.
    fn fits(&self, store: &mut Store, key: &[u8]) -> bool {
        match self {
            Self::Element(_) | Self::Move { .. } => is::<List>(store, key),
            Self::Member { .. } => is::<Zset>(store, key),
        }
    }
}

fn is<K: Kind>(store: &mut Store, key: &[u8]) -> bool {
    matches!(store.read::<K>(key), Ok(Some(_)))
}

impl Moves for Wanted {
    fn pack(&self, into: &mut Vec<u8>) {
        match self {
            Self::Element(end) => (0_u8, *end).pack(into),
            Self::Move { from, destination, to } => {
                (1_u8, *from, *to).pack(into);
                destination.pack(into);
            }
            Self::Member { is_max } => (2_u8, *is_max).pack(into),
        }
    }

    fn unpack(from: &mut &[u8]) -> Option<Self> {
        Some(match u8::unpack(from)? {
            0 => Self::Element(Moves::unpack(from)?),
            1 => {
                let (end, to) = Moves::unpack(from)?;
                Self::Move { from: end, destination: Moves::unpack(from)?, to }
            }
            2 => Self::Member { is_max: Moves::unpack(from)? },
            _ => return None,
        })
    }
}

/// A client that waits.
#[derive(Debug)]
pub(crate) struct Waiter {
    pub(crate) keys: Vec<Bytes>,
    pub(crate) wanted: Wanted,
    pub(crate) time: Duration,
    /// The key of the connection; `None` for a client in memory.
    pub(crate) connection: Option<Key>,
    pub(crate) resp3: bool,
}

impl Waiter {
    /// The memory that the keys take: here, and in the queues.
    fn cost(&self) -> usize {
        self.keys.iter().map(|key| 2 * cost(key)).sum()
    }
}

/// The progress of a wait.
#[derive(Debug)]
enum Wait {
    /// The client waits in the queues of its keys, with this number.
    Queued(u64, Waiter),
    /// The wait is over, with this reply. The connection has a message that says so.
    Over(Vec<u8>),
}

/// The clients that wait, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Waits {
    clients: HashMap<Place, Wait>,
    queues: HashMap<Bytes, BTreeMap<u64, Place>>,
    /// The keys of queues that the running command has changed.
    changed: VecDeque<Bytes>,
    last: u64,
}

impl Waits {
    /// The number of clients that wait.
    pub(crate) fn len(&self) -> usize {
        self.clients.values().filter(|wait| matches!(wait, Wait::Queued(..))).count()
    }

    /// Whether the client waits.
    pub(crate) fn is_queued(&self, place: Place) -> bool {
        matches!(self.clients.get(&place), Some(Wait::Queued(..)))
    }

    /// How long the client waits.
    pub(crate) fn time(&self, place: Place) -> Option<Duration> {
        match self.clients.get(&place)? {
            Wait::Queued(_, waiter) => Some(waiter.time),
            Wait::Over(_) => None,
        }
    }

    /// Notes that a key has changed. It costs nothing while no client waits.
    pub(crate) fn touch(&mut self, key: &[u8]) {
        if !self.queues.is_empty() && self.queues.contains_key(key) {
            self.changed.push_back(key.into());
        }
    }

    /// Whether the running command has changed a key for which a client waits.
    pub(crate) fn has_changes(&self) -> bool {
        !self.changed.is_empty()
    }

    /// The first client in the queue of a key after this number.
    fn after(&self, key: &[u8], number: u64) -> Option<(u64, Place)> {
        let queue = self.queues.get(key)?;
        queue.range(number + 1..).next().map(|(number, place)| (*number, *place))
    }

    /// Appends what a new process needs to know of a client that waits: its number, its keys, and what it wants.
    pub(crate) fn pack(&self, place: Place, into: &mut Vec<u8>) {
        let Some(Wait::Queued(number, waiter)) = self.clients.get(&place) else { return };
        (*number, waiter.time, waiter.resp3).pack(into);
        waiter.keys.pack(into);
        waiter.wanted.pack(into);
    }

    /// Notes the new key of a client's connection.
    pub(crate) fn change_key(&mut self, place: Place, key: Key) {
        if let Some(Wait::Queued(_, waiter)) = self.clients.get_mut(&place) {
            waiter.connection = Some(key);
        }
    }

    fn remove(&mut self, place: Place) -> Option<Wait> {
        let wait = self.clients.remove(&place)?;
        if let Wait::Queued(number, waiter) = &wait {
            for key in &waiter.keys {
                if let Some(queue) = self.queues.get_mut(key) {
                    queue.remove(number);
                    if queue.is_empty() {
                        self.queues.remove(key);
                    }
                }
            }
        }
        Some(wait)
    }
}

impl Store {
    /// Lets a client wait.
    pub(crate) fn wait(&mut self, place: Place, waiter: Waiter) -> Result<(), Error> {
        self.reserve(waiter.cost())?;
        self.queue(place, self.waits.last + 1, waiter);
        Ok(())
    }

    fn queue(&mut self, place: Place, number: u64, waiter: Waiter) {
        self.used += waiter.cost();
        self.waits.last = self.waits.last.max(number);
        for key in &waiter.keys {
            self.waits.queues.entry(key.clone()).or_default().insert(number, place);
        }
        self.waits.clients.insert(place, Wait::Queued(number, waiter));
    }

    /// Lets a client wait that comes from another process, in the order that it had there.
    pub(crate) fn wait_again(&mut self, place: Place, from: &mut &[u8]) -> Option<()> {
        let (number, time, resp3) = Moves::unpack(from)?;
        let (keys, wanted) = (Moves::unpack(from)?, Moves::unpack(from)?);
        self.queue(place, number, Waiter { keys, wanted, time, connection: None, resp3 });
        Some(())
    }

    /// Gives the elements of the keys that have changed to the clients that wait for them.
    pub(crate) fn serve_waits(&mut self) {
        while let Some(key) = self.waits.changed.pop_front() {
            let mut last = 0;
            while let Some((number, place)) = self.waits.after(&key, last) {
                last = number;
                if self.get(&key).is_none() {
                    break;
                }
                self.serve_wait(&key, place);
            }
        }
    }

    fn serve_wait(&mut self, key: &[u8], place: Place) {
        let Some(Wait::Queued(_, waiter)) = self.waits.clients.get(&place) else { return };
        let (wanted, resp3) = (waiter.wanted.clone(), waiter.resp3);
        if !wanted.fits(self, key) {
            return;
        }
        let mut reply = Vec::new();
        match wanted.take(self, key, &mut Replies::new(&mut reply, resp3)) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                reply.error(&error);
            }
        }
        self.end_wait(place, reply);
    }

    /// Ends a wait with a reply, of which a message tells the connection. Returns whether the client waited.
    fn end_wait(&mut self, place: Place, reply: Vec<u8>) -> bool {
        if !self.waits.is_queued(place) {
            return false;
        }
        if let Some(Wait::Queued(_, waiter)) = self.waits.remove(place) {
            self.used -= waiter.cost();
            let post = |to| Post { to, event: Event::Changed };
            self.posts.extend(waiter.connection.map(post));
        }
        self.waits.clients.insert(place, Wait::Over(reply));
        true
    }

    /// Ends a wait as if its time had passed, or with an error. Returns whether the client waited.
    pub(crate) fn unblock(&mut self, place: Place, with_error: bool) -> bool {
        let Some(Wait::Queued(_, Waiter { resp3, .. })) = self.waits.clients.get(&place) else {
            return false;
        };
        let (resp3, mut reply) = (*resp3, Vec::new());
        if with_error {
            reply.error("UNBLOCKED client unblocked via CLIENT UNBLOCK");
        } else {
            Replies::new(&mut reply, resp3).null_array();
        }
        self.end_wait(place, reply)
    }

    /// Takes the reply of a wait that is over.
    pub(crate) fn take_reply(&mut self, place: Place) -> Option<Vec<u8>> {
        match self.waits.clients.remove(&place)? {
            Wait::Over(reply) => Some(reply),
            queued @ Wait::Queued(..) => {
                self.waits.clients.insert(place, queued);
                None
            }
        }
    }

    /// Gives up the place of a client that waits no longer. An element that it was given already is
    /// lost, as in Redis.
    pub(crate) fn give_up_wait(&mut self, place: Place) {
        if let Some(Wait::Queued(_, waiter)) = self.waits.remove(place) {
            self.used -= waiter.cost();
        }
    }
}
