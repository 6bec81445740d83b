//! The keyspace: values, their expiry, and their memory.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};

use indexmap::{IndexMap, IndexSet};

use crate::clients::Clients;
use crate::event::Post;
use crate::pubsub::Channels;
use crate::request::Error;
use crate::settings::Settings;
use crate::sorted_set::SortedSet;
use crate::waits::Waits;
use crate::watch::Watches;

#[cfg_attr(not(unix), allow(dead_code, reason = "upgrades need Unix"))]
mod copy;

/// The expiry time of a key that never expires. Any later time is one that a client may set.
pub(crate) const NEVER: i64 = i64::MIN;
/// The number of keys that a sweep examines.
const SWEEP: usize = 20;

/// A key, or an element of a collection.
pub(crate) type Bytes = Box<[u8]>;
/// A string.
pub(crate) type Str = Vec<u8>;
/// A list.
pub(crate) type List = VecDeque<Bytes>;
/// A hash.
pub(crate) type Hash = Box<IndexMap<Bytes, Bytes>>;
/// A set; it has indices so that `SPOP` can draw a random element.
pub(crate) type Set = Box<IndexSet<Bytes>>;

/// A sorted set.
pub(crate) type Zset = Box<SortedSet>;

/// A type of value.
pub(crate) trait Kind: Default + Into<Value> {
    /// The value, if it has this type.
    fn of(value: &mut Value) -> Option<&mut Self>;
    /// The length that `STRLEN`, `LLEN` and so on return.
    fn len(&self) -> usize;
}

macro_rules! kinds {
    ($($kind:ident $name:literal)*) => {
        /// A value of any type.
        #[derive(Debug)]
        pub(crate) enum Value { $($kind($kind)),* }

        impl Value {
            /// The answer to `TYPE`.
            pub(crate) fn type_name(&self) -> &'static str {
                match self { $(Self::$kind(_) => $name),* }
            }

            fn len(&self) -> usize {
                match self { $(Self::$kind(value) => value.len()),* }
            }
        }

        $(impl Kind for $kind {
            fn of(value: &mut Value) -> Option<&mut Self> {
                if let Value::$kind(value) = value { Some(value) } else { None }
            }

            fn len(&self) -> usize { self.iter().len() }
        }

        impl From<$kind> for Value {
            fn from(value: $kind) -> Self { Self::$kind(value) }
        })*
    };
}

kinds! { Str "string" List "list" Hash "hash" Set "set" Zset "zset" }

/// A key's value, its expiry time, and the memory of its elements.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) value: Value,
    pub(crate) expires: i64,
    cost: usize,
}

impl Entry {
    fn has_expired(&self, now: i64) -> bool {
        self.expires != NEVER && self.expires < now
    }
}

/// The database. All times are in milliseconds since the Unix epoch.
///
/// The hasher is `SipHash` with a random seed, as in Redis, because clients choose the keys.
#[derive(Debug, Default)]
pub(crate) struct Store {
    keys: IndexMap<Bytes, Entry>,
    /// The time of the running command.
    pub(crate) now: i64,
    /// The approximate memory in use, and its limit; 0 sets no limit.
    pub(crate) used: usize,
    pub(crate) maxmemory: usize,
    /// The number of keys with an expiry time.
    pub(crate) volatile: usize,
    /// The position where the next sweep continues.
    sweep_at: usize,
    /// The keys that clients watch.
    pub(crate) watches: Watches,
    /// The open connections, and the most that there may be.
    pub(crate) clients: Clients,
    pub(crate) max_clients: usize,
    /// The clients that wait for elements.
    pub(crate) waits: Waits,
    /// The subscribers of channels.
    pub(crate) channels: Channels,
    /// The messages of the running command to other connections.
    pub(crate) posts: Vec<Post>,
    /// The settings of the pool.
    pub(crate) settings: Settings,
    /// The time when the server started.
    pub(crate) started: i64,
    /// The counters of `INFO`.
    pub(crate) stats: Stats,
    /// The keys that have changed since a new process began to get a copy.
    changes: Option<Box<copy::Changes>>,
}

/// The counters of `INFO`.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    pub(crate) connections: i64,
    pub(crate) commands: u64,
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) expired: u64,
}

/// The approximate memory of a key or an element.
pub(crate) fn cost(bytes: &[u8]) -> usize {
    bytes.len() + 64
}

/// A number below `len` that clients cannot predict.
pub(crate) fn random(len: usize) -> usize {
    usize::try_from(RandomState::new().hash_one(()) % len as u64).unwrap_or(0)
}

impl Store {
    /// Creates an empty store that refuses to grow beyond `maxmemory` bytes; 0 sets no limit.
    pub(crate) fn new(maxmemory: usize) -> Self {
        Self { maxmemory, ..Self::default() }
    }

    /// Sets the clock and removes a few expired keys, at most once per millisecond.
    pub(crate) fn sweep(&mut self, now: i64) {
        if std::mem::replace(&mut self.now, now) == now || self.volatile == 0 {
            return;
        }
        for _ in 0..SWEEP.min(self.keys.len()) {
            let last = self.keys.len() - 1;
            self.sweep_at = self.sweep_at.checked_sub(1).map_or(last, |at| at.min(last));
            self.expire_at(self.sweep_at);
        }
    }

    /// The number of keys.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Fails if `more` bytes would exceed the limit.
    pub(crate) fn reserve(&self, more: usize) -> Result<(), Error> {
        if self.maxmemory != 0 && self.used + more > self.maxmemory {
            return Err("OOM command not allowed when used memory > 'maxmemory'.".into());
        }
        Ok(())
    }

    /// The key's entry, unless it has expired.
    pub(crate) fn get(&mut self, key: &[u8]) -> Option<&Entry> {
        self.find(key).map(|i| &self.keys[i])
    }

    /// Removes the key if it has expired.
    pub(crate) fn expire_now(&mut self, key: &[u8]) {
        self.find(key);
    }

    /// The key's value, which must be of type `K`; `None` if the key is missing.
    pub(crate) fn read<K: Kind>(&mut self, key: &[u8]) -> Result<Option<&K>, Error> {
        let Some(i) = self.find(key) else {
            self.stats.misses += 1;
            return Ok(None);
        };
        self.stats.hits += 1;
        K::of(&mut self.keys[i].value).map(|value| Some(&*value)).ok_or_else(wrong_type)
    }

    /// Changes the key's value of type `K` and its memory. It creates a missing value, and removes
    /// an empty collection. A change that leaves the length of a collection must touch the key.
    pub(crate) fn edit<K: Kind, R>(
        &mut self,
        key: &[u8],
        change: impl FnOnce(&mut K, &mut usize) -> R,
    ) -> Result<R, Error> {
        let i = self.find(key).unwrap_or_else(|| self.insert(key, K::default().into()));
        let (result, is_changed) = self
            .change(i, |entry| {
                let is_string = matches!(entry.value, Value::Str(_));
                let value = K::of(&mut entry.value)?;
                let len = value.len();
                let result = change(value, &mut entry.cost);
                Some((result, is_string || value.len() != len))
            })
            .ok_or_else(wrong_type)?;
        if is_changed {
            self.touch(key);
        }
        Ok(result)
    }

    /// Tells the clients that watch the key or wait for it that it has changed.
    pub(crate) fn touch(&mut self, key: &[u8]) {
        self.watches.touch(key);
        self.waits.touch(key);
    }

    /// Sets the key to a string, whatever it held; without `expires` the expiry time stays.
    pub(crate) fn set(&mut self, key: &[u8], value: &[u8], expires: Option<i64>) {
        let i = self.find(key).unwrap_or_else(|| self.insert(key, Str::new().into()));
        self.change(i, |entry| {
            entry.value = Value::Str(value.into());
            entry.expires = expires.unwrap_or(entry.expires);
        });
        self.watches.touch(key);
    }

    /// Changes when the key expires, and removes it if that is over.
    pub(crate) fn expire(&mut self, key: &[u8], at: i64) {
        match self.find(key) {
            Some(i) if at != NEVER && at <= self.now => self.remove_at(i),
            Some(i) => self.change(i, |entry| entry.expires = at),
            None => return,
        }
        self.watches.touch(key);
    }

    /// Removes the key; returns whether it existed.
    pub(crate) fn remove(&mut self, key: &[u8]) -> bool {
        let exists = self.find(key).map(|i| self.remove_at(i)).is_some();
        if exists {
            self.watches.touch(key);
        }
        exists
    }

    /// Removes all keys.
    pub(crate) fn clear(&mut self) {
        self.watches.touch_all(|key| self.keys.contains_key(key));
        if let Some(changes) = &mut self.changes {
            changes.note_clear();
        }
        let costs = self.keys.iter().map(|(key, entry)| cost(key) + entry.cost);
        self.used -= costs.sum::<usize>();
        self.keys.clear();
        self.volatile = 0;
    }

    /// The next cursor, 0 at the end, and up to `count` keys from `cursor` on, 0 at the beginning.
    ///
    /// The cursor moves downwards. Removing a key only moves the last key, and only to a lower
    /// index, never past a key that the cursor has not reached. So a scan misses no key that exists
    /// from its start to its end.
    pub(crate) fn scan(
        &self,
        cursor: usize,
        count: usize,
    ) -> (usize, impl Iterator<Item = (&[u8], &Entry)>) {
        let end = if cursor == 0 { self.len() } else { cursor.min(self.len()) };
        let next = end.saturating_sub(count);
        let alive = self.keys[next..end].iter().filter(|(_, entry)| !entry.has_expired(self.now));
        (next, alive.map(|(key, entry)| (&**key, entry)))
    }

    fn find(&mut self, key: &[u8]) -> Option<usize> {
        self.keys.get_index_of(key).filter(|&i| !self.expire_at(i))
    }

    fn insert(&mut self, key: &[u8], value: Value) -> usize {
        self.used += cost(key);
        if let Some(changes) = &mut self.changes {
            changes.note(key);
        }
        self.keys.insert_full(key.into(), Entry { value, expires: NEVER, cost: 0 }).0
    }

    fn change<R>(&mut self, i: usize, change: impl FnOnce(&mut Entry) -> R) -> R {
        if let Some(changes) = &mut self.changes {
            if let Some((key, _)) = self.keys.get_index(i) {
                changes.note(key);
            }
        }
        let entry = &mut self.keys[i];
        self.used -= entry.cost;
        self.volatile -= usize::from(entry.expires != NEVER);
        let result = change(entry);
        let is_string = matches!(entry.value, Value::Str(_));
        if is_string {
            entry.cost = entry.value.len();
        }
        self.used += entry.cost;
        self.volatile += usize::from(entry.expires != NEVER);
        if !is_string && entry.value.len() == 0 {
            self.remove_at(i);
        }
        result
    }

    fn expire_at(&mut self, i: usize) -> bool {
        let expired = self.keys[i].has_expired(self.now);
        if expired {
            if let Some((key, _)) = self.keys.get_index(i) {
                self.watches.touch(key);
            }
            self.remove_at(i);
            self.stats.expired += 1;
        }
        expired
    }

    fn remove_at(&mut self, i: usize) {
        if let Some((key, entry)) = self.keys.swap_remove_index(i) {
            self.used -= cost(&key) + entry.cost;
            if let Some(changes) = &mut self.changes {
                changes.note(&key);
            }
            self.volatile -= usize::from(entry.expires != NEVER);
        }
    }
}

fn wrong_type() -> Error {
    "WRONGTYPE Operation against a key holding the wrong kind of value".into()
}
