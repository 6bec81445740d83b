//! A copy of the keyspace for a new process, which is made while clients change it.

use std::collections::HashSet;
use std::io::{self, ErrorKind, Read};

use super::{Bytes, Entry, Hash, List, Set, Store, Str, Value, Zset};
use crate::request::{max_bulk, set_max_bulk};
use crate::subscriber::Limits;

/// The bytes after which a piece of the copy ends, so that the store is free for clients in between.
const PIECE: usize = 256 * 1024;

const STR: u8 = 0;
const LIST: u8 = 1;
const HASH: u8 = 2;
const SET: u8 = 3;
const ZSET: u8 = 4;
/// The key is gone since the piece before.
const REMOVED: u8 = 5;
/// All keys are.
const CLEARED: u8 = 6;
/// The counters and limits.
const HEAD: u8 = 7;
/// The other settings that CONFIG SET changes.
const SETTINGS: u8 = 8;

/// The keys that have changed since a copy began.
#[derive(Debug, Default)]
pub(super) struct Changes {
    keys: HashSet<Bytes>,
    cleared: bool,
    /// The keys from this index on are copied.
    copied_from: usize,
}

impl Changes {
    #[cold]
    pub(super) fn note(&mut self, key: &[u8]) {
        self.keys.insert(key.into());
    }

    #[cold]
    pub(super) fn note_clear(&mut self) {
        self.keys.clear();
        self.cleared = true;
    }
}

/// The copy of a process before this one.
impl Store {
    /// Begins to note what changes.
    pub(crate) fn begin_copy(&mut self) {
        let copied_from = self.keys.len();
        self.changes = Some(Box::new(Changes { copied_from, ..Changes::default() }));
    }

    /// Notes no more what changes.
    pub(crate) fn end_copy(&mut self) {
        self.changes = None;
    }

    /// Appends the next piece to `into`. Returns whether there are more.
    ///
    /// It goes from the last key to the first, because a key that is removed is replaced by the last one. Keys
    /// that are new or have changed since are in the last piece.
    pub(crate) fn copy_some(&mut self, into: &mut Vec<u8>) -> bool {
        let Some(changes) = &mut self.changes else { return false };
        let mut at = changes.copied_from.min(self.keys.len());
        let full = into.len() + PIECE;
        while at > 0 && into.len() < full {
            at -= 1;
            if let Some((key, entry)) = self.keys.get_index(at) {
                entry.copy(key, into);
            }
        }
        changes.copied_from = at;
        at > 0
    }

    /// Appends the last piece: what has changed since the copy began, and the counters.
    pub(crate) fn copy_last(&self, into: &mut Vec<u8>) {
        let Some(changes) = &self.changes else { return };
        if changes.cleared {
            into.push(CLEARED);
        }
        for key in &changes.keys {
            if let Some(entry) = self.keys.get(key) {
                entry.copy(key, into);
            } else {
                into.push(REMOVED);
                put(key, into);
            }
        }
        into.push(HEAD);
        let stats = &self.stats;
        for number in [
            self.started,
            stats.connections,
            signed(stats.commands),
            signed(stats.hits),
            signed(stats.misses),
            signed(stats.expired),
            i64::try_from(self.maxmemory).unwrap_or(i64::MAX),
            self.settings.timeout().into(),
        ] {
            into.extend_from_slice(&number.to_le_bytes());
        }
        into.push(SETTINGS);
        put(self.channels.limits.to_text().as_bytes(), into);
        into.extend_from_slice(&max_bulk().to_le_bytes());
    }

    /// Reads pieces up to the end.
    pub(crate) fn receive(&mut self, from: &mut dyn Read) -> io::Result<()> {
        let mut from = io::BufReader::with_capacity(PIECE, from);
        let mut tag = [0];
        while from.read(&mut tag)? == 1 {
            match tag[0] {
                CLEARED => self.clear(),
                REMOVED => {
                    let key = bytes(&mut from)?;
                    if let Some(i) = self.keys.get_index_of(&*key) {
                        self.remove_at(i);
                    }
                }
                HEAD => self.receive_head(&mut from)?,
                SETTINGS => self.receive_settings(&mut from)?,
                kind => self.receive_key(kind, &mut from)?,
            }
        }
        Ok(())
    }

    fn receive_head(&mut self, from: &mut impl Read) -> io::Result<()> {
        let mut number = || integer(from);
        self.started = number()?;
        self.stats.connections = number()?;
        self.stats.commands = number()?.unsigned_abs();
        self.stats.hits = number()?.unsigned_abs();
        self.stats.misses = number()?.unsigned_abs();
        self.stats.expired = number()?.unsigned_abs();
        self.maxmemory = usize::try_from(number()?).unwrap_or(0);
        self.settings.set_timeout(u32::try_from(number()?).unwrap_or(0));
        Ok(())
    }

    fn receive_settings(&mut self, from: &mut impl Read) -> io::Result<()> {
        let limits = bytes(from)?;
        let limits = std::str::from_utf8(&limits).ok().and_then(|text| Limits::parse(text).ok());
        self.channels.limits = limits.ok_or(ErrorKind::InvalidData)?;
        set_max_bulk(integer(from)?);
        Ok(())
    }

    fn receive_key(&mut self, kind: u8, from: &mut impl Read) -> io::Result<()> {
        let expires = integer(from)?;
        let cost = usize::try_from(integer(from)?).unwrap_or(0);
        let key = bytes(from)?;
        let value = receive_value(kind, from)?;
        let i = self.keys.get_index_of(&*key);
        let i = i.unwrap_or_else(|| self.insert(&key, Str::new().into()));
        self.change(i, |entry| *entry = Entry { value, expires, cost });
        Ok(())
    }
}

impl Entry {
    fn copy(&self, key: &[u8], into: &mut Vec<u8>) {
        into.push(match &self.value {
            Value::Str(_) => STR,
            Value::List(_) => LIST,
            Value::Hash(_) => HASH,
            Value::Set(_) => SET,
            Value::Zset(_) => ZSET,
        });
        into.extend_from_slice(&self.expires.to_le_bytes());
        into.extend_from_slice(&signed(self.cost as u64).to_le_bytes());
        put(key, into);
        match &self.value {
            Value::Str(text) => return put(text, into),
            value => into.extend_from_slice(&length(value.len()).to_le_bytes()),
        }
        match &self.value {
            Value::Str(_) => {}
            Value::List(list) => list.iter().for_each(|element| put(element, into)),
            Value::Set(set) => set.iter().for_each(|member| put(member, into)),
            Value::Hash(hash) => hash.iter().for_each(|(field, value)| {
                put(field, into);
                put(value, into);
            }),
            Value::Zset(set) => set.iter().for_each(|(member, score)| {
                put(member, into);
                into.extend_from_slice(&score.to_le_bytes());
            }),
        }
    }
}

fn receive_value(kind: u8, from: &mut impl Read) -> io::Result<Value> {
    if kind == STR {
        return Ok(Value::Str(bytes(from)?.into_vec()));
    }
    let count = length_of(from)?;
    Ok(match kind {
        LIST => Value::List((0..count).map(|_| bytes(from)).collect::<io::Result<List>>()?),
        SET => {
            let members: io::Result<_> = (0..count).map(|_| bytes(from)).collect();
            Value::Set(Set::new(members?))
        }
        HASH => {
            let pairs: io::Result<_> =
                (0..count).map(|_| Ok((bytes(from)?, bytes(from)?))).collect();
            Value::Hash(Hash::new(pairs?))
        }
        ZSET => {
            let mut set = Zset::default();
            for _ in 0..count {
                let member = bytes(from)?;
                let mut score = [0; 8];
                from.read_exact(&mut score)?;
                set.insert(&member, f64::from_le_bytes(score));
            }
            Value::Zset(set)
        }
        _ => return Err(ErrorKind::InvalidData.into()),
    })
}

fn put(bytes: &[u8], into: &mut Vec<u8>) {
    into.extend_from_slice(&length(bytes.len()).to_le_bytes());
    into.extend_from_slice(bytes);
}

/// A string has at most 1 GiB, and a collection no more elements than fit into memory with theirs.
fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn integer(from: &mut impl Read) -> io::Result<i64> {
    let mut bytes = [0; 8];
    from.read_exact(&mut bytes)?;
    Ok(i64::from_le_bytes(bytes))
}

fn length_of(from: &mut impl Read) -> io::Result<u32> {
    let mut bytes = [0; 4];
    from.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

fn bytes(from: &mut impl Read) -> io::Result<Bytes> {
    let length = length_of(from)?;
    let mut bytes = Vec::new();
    if from.take(length.into()).read_to_end(&mut bytes)? < length as usize {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::NEVER;

    /// All that can be told of a store.
    fn contents(store: &Store) -> Vec<String> {
        let mut all: Vec<_> =
            store.keys.iter().map(|(key, it)| format!("{key:?} {it:?}")).collect();
        all.sort();
        all.push(format!("{} {}", store.used, store.volatile));
        all
    }

    fn filled() -> Store {
        let mut store = Store::new(0);
        for i in 0..20_000 {
            store.set(format!("key {i}").as_bytes(), b"value", Some(NEVER));
        }
        store.set(b"soon", b"x", Some(99));
        store
            .edit(b"zset", |set: &mut Zset, used| {
                set.insert(b"one", 1.5);
                *used += 67;
            })
            .unwrap();
        store
            .edit(b"list", |list: &mut List, used| {
                list.push_back(Bytes::from(*b"a"));
                list.push_back(Bytes::from(*b"b"));
                *used += 130;
            })
            .unwrap();
        store
            .edit(b"hash", |hash: &mut Hash, used| {
                hash.insert(Bytes::from(*b"f"), Bytes::from(*b"v"));
                *used += 66;
            })
            .unwrap();
        store
            .edit(b"set", |set: &mut Set, used| {
                set.insert(Bytes::from(*b"m"));
                *used += 65;
            })
            .unwrap();
        store
    }

    #[test]
    fn a_copy_has_all_that_changes_while_it_is_made() {
        let change: [fn(&mut Store); 4] = [
            |_| {},
            |store| {
                for i in (0..20_000).step_by(3) {
                    store.remove(format!("key {i}").as_bytes());
                }
                store.set(b"key 1", b"changed", Some(7));
                store.set(b"new", b"new", None);
            },
            |store| {
                store.clear();
                store.set(b"key 2", b"after", None);
            },
            |store| {
                store.remove(b"zset");
                store.set(b"zset", b"now a string", None);
                store
                    .edit(b"list", |list: &mut List, used| {
                        list.pop_front();
                        *used -= 65;
                    })
                    .unwrap();
            },
        ];
        for pieces in 0..4 {
            for change in change {
                let mut old = filled();
                let mut piece = Vec::new();
                let mut new = Store::new(0);
                old.begin_copy();
                for _ in 0..pieces {
                    old.copy_some(&mut piece);
                    new.receive(&mut &*piece).unwrap();
                    piece.clear();
                }
                change(&mut old);
                while old.copy_some(&mut piece) {}
                old.copy_last(&mut piece);
                new.receive(&mut &*piece).unwrap();
                assert_eq!(contents(&new), contents(&old));
                assert_eq!(new.stats.misses, old.stats.misses);
            }
        }
    }

    #[test]
    fn a_copy_that_is_cut_off_is_an_error() {
        let mut old = filled();
        let mut piece = Vec::new();
        old.begin_copy();
        old.set(b"last", b"value", None);
        old.copy_last(&mut piece);
        for cut in 1..piece.len() {
            let whole = Store::new(0).receive(&mut &piece[..cut]).is_ok();
            // Only between two records.
            assert!(!whole || matches!(piece[cut], HEAD | SETTINGS), "{cut}");
        }
        assert!(Store::new(0).receive(&mut &[99; 40][..]).is_err());
    }
}
