//! Commands on strings.

use crate::command::{
    Call, NOT_AN_INTEGER, OVERFLOW, Reply, SYNTAX, commands, ensure, range, word, wrong_arity,
};
use crate::expiry::{EX, PX, Unit};
use crate::reply::{Out, Replied};
use crate::request::{Error, max_bulk, parse_int};
use crate::store::{Kind, NEVER, Str};

commands! { c:
    "get" 2 Read => c.out.optional(c.store.read::<Str>(c.key)?),
    "set" -3 Grow => set(c)?,
    "mget" -2 Read => {
        c.out.array(c.args.len() - 1);
        for key in c.args.from(1) {
            c.out.optional(c.store.read::<Str>(key).unwrap_or(None));
        }
        Replied
    },
    "mset" -3 Grow => {
        if c.args.len() % 2 == 0 {
            return Err(wrong_arity(c.command));
        }
        for i in (1..c.args.len()).step_by(2) {
            c.store.set(&c.args[i], &c.args[i + 1], Some(NEVER));
        }
        c.out.ok()
    },
    "setnx" 3 Grow => {
        let is_new = c.store.get(c.key).is_none();
        if is_new {
            c.store.set(c.key, &c.args[2], None);
        }
        c.out.int(is_new.into())
    },
    "setex" 4 Grow => set_expiring(c, EX)?,
    "psetex" 4 Grow => set_expiring(c, PX)?,
    "getset" 3 Grow => {
        c.out.optional(c.store.read::<Str>(c.key)?);
        c.store.set(c.key, &c.args[2], Some(NEVER));
        Replied
    },
    "getex" -2 Write => getex(c)?,
    "getdel" 2 Write => {
        c.out.optional(c.store.read::<Str>(c.key)?);
        c.store.remove(c.key);
        Replied
    },
    "incr" 2 Grow => add(c, 1)?,
    "decr" 2 Grow => add(c, -1)?,
    "incrby" 3 Grow => add(c, c.int(2)?)?,
    "decrby" 3 Grow => add(c, c.int(2)?.checked_neg().ok_or("ERR decrement would overflow")?)?,
    "strlen" 2 Read => c.out.count(c.store.read::<Str>(c.key)?.map_or(0, Kind::len)),
    "append" 3 Grow => {
        let len = c.store.read::<Str>(c.key)?.map_or(0, Kind::len);
        write(c, len, len, 2)?
    },
    "setrange" 4 Grow => {
        let offset = usize::try_from(c.int(2)?).or(Err("ERR offset is out of range"))?;
        let len = c.store.read::<Str>(c.key)?.map_or(0, Kind::len);
        if c.args[3].is_empty() { c.out.count(len) } else { write(c, len, offset, 3)? }
    },
    "getrange" 4 Read => {
        let (start, mut end) = (c.int(2)?, c.int(3)?);
        let text = c.store.read::<Str>(c.key)?.map_or(&[][..], |text| text);
        if start >= 0 || start <= end {
            end = end.max(-i64::try_from(text.len()).unwrap_or(i64::MAX)); // unlike LRANGE
        }
        c.out.bulk(&text[range(start, end, text.len())])
    },
}

/// Overwrites a string of length `len` with argument `i` from `offset` on.
fn write(c: &mut Call<'_>, len: usize, offset: usize, i: usize) -> Reply {
    let end = offset.saturating_add(c.args[i].len());
    let fits = i64::try_from(end).is_ok_and(|end| end <= max_bulk());
    ensure(fits, "ERR string exceeds maximum allowed size (proto-max-bulk-len)")?;
    c.store.reserve(end.saturating_sub(len))?;
    c.store.edit(c.key, |text: &mut Str, _| {
        text.resize(end.max(len), 0);
        text[offset..end].copy_from_slice(&c.args[i]);
    })?;
    Ok(c.out.count(end.max(len)))
}

fn add(c: &mut Call<'_>, by: i64) -> Reply {
    let old = c.store.read::<Str>(c.key)?.map_or(Some(0), |text| parse_int(text));
    let new = old.ok_or(NOT_AN_INTEGER)?.checked_add(by).ok_or(OVERFLOW)?;
    c.store.set(c.key, itoa::Buffer::new().format(new).as_bytes(), None);
    Ok(c.out.int(new))
}

fn set_expiring(c: &mut Call<'_>, unit: Unit) -> Reply {
    let at = c.expiry(2, unit, 1)?;
    c.store.set(c.key, &c.args[3], Some(at));
    Ok(c.out.ok())
}

/// The options of SET and GETEX.
#[derive(Default)]
struct Options {
    /// `XX` or `NX`: whether the key must exist.
    exists: Option<bool>,
    get: bool,
    /// The option about the expiry time.
    expiry: Option<Expiry>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Expiry {
    Keep,
    Persist,
    /// The time is in the argument of this number.
    At(Unit, usize),
}

impl Options {
    /// Parses the arguments from `i` on. Of the options about the expiry time, one may be repeated.
    fn parse(c: &Call<'_>, mut i: usize) -> Result<Self, Error> {
        let (is_set, mut options) = (c.command.name == "set", Self::default());
        while i < c.args.len() {
            let option = word(&c.args[i]);
            let expiry = match (&*option, Unit::of(&option)) {
                (b"keepttl", _) if is_set => Some(Expiry::Keep),
                (b"persist", _) if !is_set => Some(Expiry::Persist),
                (_, Some(unit)) if i + 1 < c.args.len() => {
                    i += 1;
                    Some(Expiry::At(unit, i))
                }
                _ => None,
            };
            match (&*option, expiry, options.expiry) {
                (b"get", ..) if is_set => options.get = true,
                (b"nx", ..) if is_set && options.exists != Some(true) => {
                    options.exists = Some(false);
                }
                (b"xx", ..) if is_set && options.exists != Some(false) => {
                    options.exists = Some(true);
                }
                (_, Some(Expiry::At(unit, _)), Some(Expiry::At(old, _))) if unit == old => {
                    options.expiry = expiry;
                }
                (_, Some(new), old) if old.is_none_or(|old| old == new) => {
                    options.expiry = expiry;
                }
                _ => return Err(SYNTAX.into()),
            }
            i += 1;
        }
        Ok(options)
    }
}

/// `SET key value [NX | XX] [GET] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL]`
fn set(c: &mut Call<'_>) -> Reply {
    let Options { exists, get, expiry } = Options::parse(c, 3)?;
    let expires = match expiry {
        Some(Expiry::At(unit, i)) => Some(c.expiry(i, unit, 1)?),
        Some(Expiry::Keep) => None,
        Some(Expiry::Persist) | None => Some(NEVER),
    };
    if get {
        c.out.optional(c.store.read::<Str>(c.key)?);
    }
    let set = exists.is_none_or(|exists| exists == c.store.get(c.key).is_some());
    if set {
        c.store.set(c.key, &c.args[2], expires);
    }
    Ok(match (get, set) {
        (true, _) => Replied,
        (false, true) => c.out.ok(),
        (false, false) => c.out.optional(None::<&[u8]>),
    })
}

/// `GETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST]`
fn getex(c: &mut Call<'_>) -> Reply {
    let Options { expiry, .. } = Options::parse(c, 2)?;
    if c.store.read::<Str>(c.key)?.is_none() {
        return Ok(c.out.optional(None::<&[u8]>));
    }
    let expires = match expiry {
        Some(Expiry::At(unit, i)) => Some(c.expiry(i, unit, 1)?),
        Some(Expiry::Persist) => Some(NEVER),
        Some(Expiry::Keep) | None => None,
    };
    let replied = c.out.optional(c.store.read::<Str>(c.key)?);
    if let Some(at) = expires {
        c.store.expire(c.key, at);
    }
    Ok(replied)
}
