//! The keyspace: values, their expiry, and the memory they take.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};

use indexmap::{IndexMap, IndexSet};

use crate::request::Error;

/// When a key expires that does not.
pub(crate) const NEVER: i64 = i64::MAX;
/// How many keys a sweep looks at.
const SWEEP: usize = 20;

/// A key, or an element of a collection.
pub(crate) type Bytes = Box<[u8]>;
/// A string.
pub(crate) type Str = Vec<u8>;
/// A list.
pub(crate) type List = VecDeque<Bytes>;
/// A hash.
pub(crate) type Hash = Box<IndexMap<Bytes, Bytes>>;
/// A set; it is indexed so that `SPOP` can draw.
pub(crate) type Set = Box<IndexSet<Bytes>>;

/// What a key can hold.
pub(crate) trait Kind: Default + Into<Value> {
    /// The value, if it is of this kind.
    fn of(value: &mut Value) -> Option<&mut Self>;
    /// Its length, for `STRLEN`, `LLEN`, ..
    fn len(&self) -> usize;
}

macro_rules! kinds {
    ($($kind:ident $name:literal)*) => {
        /// A value of any kind.
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

kinds! { Str "string" List "list" Hash "hash" Set "set" }

/// A key's value, when it expires, and what its elements cost.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) value: Value,
    pub(crate) expires: i64,
    cost: usize,
}

/// The database; all times are in milliseconds since the epoch of Unix.
///
/// Clients choose the keys, so the hasher is `SipHash` with a random seed, as in Redis.
#[derive(Debug, Default)]
pub(crate) struct Store {
    keys: IndexMap<Bytes, Entry>,
    /// The time of the running command.
    pub(crate) now: i64,
    /// The memory in use, roughly, and its limit; 0 is none.
    pub(crate) used: usize,
    pub(crate) maxmemory: usize,
    /// How many keys expire some time.
    pub(crate) volatile: usize,
    /// Where the next sweep goes on.
    hand: usize,
    /// The connections there are now.
    pub(crate) clients: usize,
    /// What `INFO` counts.
    pub(crate) stats: Stats,
}

/// What `INFO` counts.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    pub(crate) connections: i64,
    pub(crate) commands: u64,
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) expired: u64,
}

/// What `bytes` cost as a key or an element.
pub(crate) fn cost(bytes: &[u8]) -> usize {
    bytes.len() + 64
}

/// A number below `len` that clients cannot foresee.
pub(crate) fn random(len: usize) -> usize {
    usize::try_from(RandomState::new().hash_one(()) % len as u64).unwrap_or(0)
}

impl Store {
    /// An empty store that refuses to grow when it uses over `maxmemory` bytes; 0 is no limit.
    pub(crate) fn new(maxmemory: usize) -> Self {
        Self { maxmemory, ..Self::default() }
    }

    /// Sets the clock and removes a few expired keys, at most once per millisecond.
    pub(crate) fn sweep(&mut self, now_ms: u64) {
        let now = i64::try_from(now_ms).unwrap_or(i64::MAX);
        if std::mem::replace(&mut self.now, now) == now || self.volatile == 0 {
            return;
        }
        for _ in 0..SWEEP.min(self.keys.len()) {
            let last = self.keys.len() - 1;
            self.hand = self.hand.checked_sub(1).map_or(last, |hand| hand.min(last));
            self.expire_at(self.hand);
        }
    }

    /// The number of keys.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Refuses what needs `more` memory than there is.
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

    /// The key's value, if there is one, which must be of kind `K`.
    pub(crate) fn read<K: Kind>(&mut self, key: &[u8]) -> Result<Option<&K>, Error> {
        let Some(i) = self.find(key) else {
            self.stats.misses += 1;
            return Ok(None);
        };
        self.stats.hits += 1;
        K::of(&mut self.keys[i].value).map(|value| Some(&*value)).ok_or_else(wrong_type)
    }

    /// Changes the key's value of kind `K` and the cost of its elements. If there is none, it
    /// begins with an empty one; and an empty collection is not kept.
    pub(crate) fn edit<K: Kind, R>(
        &mut self,
        key: &[u8],
        change: impl FnOnce(&mut K, &mut usize) -> R,
    ) -> Result<R, Error> {
        let i = self.find(key).unwrap_or_else(|| self.insert(key, K::default().into()));
        self.change(i, |entry| K::of(&mut entry.value).map(|value| change(value, &mut entry.cost)))
            .ok_or_else(wrong_type)
    }

    /// Sets the key to a string, whatever it held; without `expires` it keeps the time it had.
    pub(crate) fn set(&mut self, key: &[u8], value: &[u8], expires: Option<i64>) {
        let i = self.find(key).unwrap_or_else(|| self.insert(key, Str::new().into()));
        self.change(i, |entry| {
            entry.value = Value::Str(value.into());
            entry.expires = expires.unwrap_or(entry.expires);
        });
    }

    /// Changes when the key expires.
    pub(crate) fn expire(&mut self, key: &[u8], at: i64) {
        if let Some(i) = self.find(key) {
            self.change(i, |entry| entry.expires = at);
        }
    }

    /// Removes the key; says whether it was there.
    pub(crate) fn remove(&mut self, key: &[u8]) -> bool {
        self.find(key).map(|i| self.remove_at(i)).is_some()
    }

    /// Removes all keys.
    pub(crate) fn clear(&mut self) {
        self.keys.clear();
        (self.used, self.volatile) = (0, 0);
    }

    /// The next cursor, 0 at the end, and up to `count` keys from `cursor` on, 0 at the beginning.
    ///
    /// It goes downwards. To remove a key moves only the last one, and only down, never past a key
    /// that is yet to come; so none that stays is missed, whatever happens between the calls.
    pub(crate) fn scan(
        &self,
        cursor: usize,
        count: usize,
    ) -> (usize, impl Iterator<Item = (&[u8], &Entry)>) {
        let end = if cursor == 0 { self.len() } else { cursor.min(self.len()) };
        let next = end.saturating_sub(count);
        let alive = self.keys[next..end].iter().filter(|(_, entry)| entry.expires >= self.now);
        (next, alive.map(|(key, entry)| (&**key, entry)))
    }

    fn find(&mut self, key: &[u8]) -> Option<usize> {
        self.keys.get_index_of(key).filter(|&i| !self.expire_at(i))
    }

    fn insert(&mut self, key: &[u8], value: Value) -> usize {
        self.used += cost(key);
        self.keys.insert_full(key.into(), Entry { value, expires: NEVER, cost: 0 }).0
    }

    fn change<R>(&mut self, i: usize, change: impl FnOnce(&mut Entry) -> R) -> R {
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
        let expired = self.keys[i].expires < self.now;
        if expired {
            self.remove_at(i);
            self.stats.expired += 1;
        }
        expired
    }

    fn remove_at(&mut self, i: usize) {
        if let Some((key, entry)) = self.keys.swap_remove_index(i) {
            self.used -= cost(&key) + entry.cost;
            self.volatile -= usize::from(entry.expires != NEVER);
        }
    }
}

fn wrong_type() -> Error {
    "WRONGTYPE Operation against a key holding the wrong kind of value".into()
}
