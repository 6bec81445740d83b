//! Commands that take elements from lists, move them, and wait for them.

use std::time::Duration;

use fsm_runtime::Moves;

use crate::command::{Call, Reply, SYNTAX, commands, word};
use crate::reply::Replied;
use crate::request::Error;
use crate::score;
use crate::settings::LONGEST;
use crate::store::{Bytes, List, Store, cost};
use crate::waits::{Waiter, Wanted};

commands! { c:
    "lmove" 5 Grow => {
        let (from, to) = (end(&c.args[3])?, end(&c.args[4])?);
        let moved = move_element(c.store, c.key, from, &c.args[2], to)?;
        c.out.optional(moved)
    },
    "rpoplpush" 3 Grow => {
        let moved = move_element(c.store, c.key, End::Right, &c.args[2], End::Left)?;
        c.out.optional(moved)
    },
    "blpop" -3 Write => take_or_wait(c, Wanted::Element(End::Left))?,
    "brpop" -3 Write => take_or_wait(c, Wanted::Element(End::Right))?,
    "blmove" 6 Grow => {
        let (from, to) = (end(&c.args[3])?, end(&c.args[4])?);
        let destination = c.args[2].into();
        take_or_wait(c, Wanted::Move { from, destination, to })?
    },
    "brpoplpush" 4 Grow => {
        let destination = c.args[2].into();
        take_or_wait(c, Wanted::Move { from: End::Right, destination, to: End::Left })?
    },
    "bzpopmin" -3 Write => take_or_wait(c, Wanted::Member { is_max: false })?,
    "bzpopmax" -3 Write => take_or_wait(c, Wanted::Member { is_max: true })?,
}

/// An end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Left,
    Right,
}

impl Moves for End {
    fn pack(&self, into: &mut Vec<u8>) {
        (*self == Self::Right).pack(into);
    }

    fn unpack(from: &mut &[u8]) -> Option<Self> {
        Some(if bool::unpack(from)? { Self::Right } else { Self::Left })
    }
}

impl End {
    fn pop(self, list: &mut List) -> Option<Bytes> {
        match self {
            Self::Left => list.pop_front(),
            Self::Right => list.pop_back(),
        }
    }

    fn push(self, list: &mut List, element: Bytes) {
        match self {
            Self::Left => list.push_front(element),
            Self::Right => list.push_back(element),
        }
    }
}

fn end(text: &[u8]) -> Result<End, Error> {
    match &*word(text) {
        b"left" => Ok(End::Left),
        b"right" => Ok(End::Right),
        _ => Err(SYNTAX.into()),
    }
}

/// Takes an element out of a list; `None` if there is no list.
pub(crate) fn pop_from(store: &mut Store, key: &[u8], end: End) -> Result<Option<Bytes>, Error> {
    if store.read::<List>(key)?.is_none() {
        return Ok(None);
    }
    store.edit(key, |list, used| end.pop(list).inspect(|element| *used -= cost(element)))
}

/// Moves an element from a list to another one or within it; `None` if there is no list.
pub(crate) fn move_element(
    store: &mut Store,
    source: &[u8],
    from: End,
    destination: &[u8],
    to: End,
) -> Result<Option<Bytes>, Error> {
    if store.read::<List>(source)?.is_none() {
        return Ok(None);
    }
    if source == destination {
        // In one edit, because a list that is empty in between would lose its expiry time.
        let moved = store.edit(source, |list: &mut List, _| {
            let element = from.pop(list);
            element.inspect(|element| to.push(list, element.clone()))
        })?;
        store.touch(source);
        return Ok(moved);
    }
    store.read::<List>(destination)?;
    let Some(element) = pop_from(store, source, from)? else { return Ok(None) };
    store.edit(destination, |list, used| {
        *used += cost(&element);
        to.push(list, element.clone());
    })?;
    Ok(Some(element))
}

/// The last argument as a time to wait; 0 is for ever. The errors are those of Redis, also that about a
/// large number.
fn timeout(c: &Call<'_>) -> Result<Duration, Error> {
    let number = score::number(&c.args[c.args.len() - 1]);
    let millis = number.map(|seconds| (seconds * 1000.0).ceil());
    match millis.ok_or("ERR timeout is not a float or out of range")? {
        0.0 => Ok(LONGEST),
        millis if (0.0..9_223_372_036_854_775_808.0).contains(&millis) => {
            let time = Duration::try_from_secs_f64(millis / 1000.0);
            Ok(time.unwrap_or(LONGEST).min(LONGEST))
        }
        _ => Err("ERR timeout is negative".into()),
    }
}

/// Takes what is wanted from the first key that has it, or lets the client wait. In a transaction nobody
/// waits. The client that waits has no reply yet.
fn take_or_wait(c: &mut Call<'_>, wanted: Wanted) -> Reply {
    let time = timeout(c)?;
    let last = if let Wanted::Move { .. } = wanted { 2 } else { c.args.len() - 1 };
    for i in 1..last {
        if wanted.take(c.store, &c.args[i], &mut c.out)? {
            return Ok(Replied);
        }
    }
    if c.session.is_executing {
        return Ok(wanted.nothing(&mut c.out));
    }
    let place = c.session.place;
    let waiter = Waiter {
        keys: (1..last).map(|i| c.args[i].into()).collect(),
        wanted,
        time,
        connection: c.store.clients.entry(place).key,
        resp3: c.session.resp3,
    };
    c.store.wait(place, waiter)?;
    c.session.is_blocked = true;
    Ok(Replied)
}
