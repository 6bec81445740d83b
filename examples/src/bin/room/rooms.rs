//! The rooms, and who is in them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fsm_runtime::prelude::*;

use super::Member;

/// The members of all rooms, which all connections share.
pub(super) struct SharedRooms {
    /// Posts to members.
    pool: Handle<Member>,
    rooms: Mutex<Rooms>,
}

#[derive(Default)]
pub(super) struct Rooms {
    pub(super) nicks: HashMap<Arc<str>, Key>,
    pub(super) members: HashMap<Arc<str>, HashMap<Key, Profile>>,
}

/// The part of a member that others see.
pub(super) struct Profile {
    pub(super) nick: Arc<str>,
    /// The number of texts that the mailbox had no room for.
    pub(super) missed: Arc<AtomicUsize>,
}

/// The most members of a room, and the most rooms.
const MOST: usize = 10_000;

impl SharedRooms {
    pub(super) fn new(pool: Handle<Member>) -> Arc<Self> {
        Arc::new(Self { pool, rooms: Mutex::default() })
    }

    /// Posts a line to all in the room but one. A post never blocks, and all hear the lines in one order,
    /// because the rooms are locked.
    pub(super) fn say(&self, rooms: &Rooms, room: &str, from: Key, text: &str) {
        let text = Arc::<str>::from(text);
        for (key, profile) in rooms.members.get(room).into_iter().flatten() {
            let full = |posted| matches!(posted, Err(TrySendError::Full(_)));
            if *key != from && full(self.pool.post(*key, Arc::clone(&text))) {
                profile.missed.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Rooms> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rooms {
    /// Takes a nickname that nobody has.
    pub(super) fn register(&mut self, nick: &str, key: Key) -> Result<Arc<str>, &'static str> {
        let is_name = |text: &str| {
            !text.is_empty()
                && text.len() <= 32
                && text.chars().all(|c| c.is_alphanumeric() || c == '_')
        };
        if !is_name(nick) {
            return Err("a name has 1 to 32 bytes of letters, digits and `_`");
        }
        if self.nicks.contains_key(nick) {
            return Err("this name is taken");
        }
        let nick = Arc::<str>::from(nick);
        self.nicks.insert(Arc::clone(&nick), key);
        Ok(nick)
    }

    pub(super) fn enter(
        &mut self,
        room: &Arc<str>,
        key: Key,
        profile: Profile,
    ) -> Result<(), &'static str> {
        if !self.members.contains_key(room) && self.members.len() >= MOST {
            return Err("there are too many rooms");
        }
        let members = self.members.entry(Arc::clone(room)).or_default();
        if members.len() >= MOST && !members.contains_key(&key) {
            return Err("the room is full");
        }
        members.insert(key, profile);
        Ok(())
    }

    pub(super) fn leave(&mut self, room: &str, key: Key) {
        let Some(members) = self.members.get_mut(room) else { return };
        members.remove(&key);
        if members.is_empty() {
            self.members.remove(room);
        }
    }
}
