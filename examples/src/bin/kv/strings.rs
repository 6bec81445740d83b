//! Commands on strings.

use crate::command::{
    Call, NOT_AN_INTEGER, OVERFLOW, Reply, SYNTAX, commands, ensure, lowercase, range, wrong_arity,
};
use crate::reply::Replied;
use crate::request::{MAX_BULK, parse_int};
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
    "setex" 4 Grow => set_expiring(c, 1000)?,
    "psetex" 4 Grow => set_expiring(c, 1)?,
    "getset" 3 Grow => {
        c.out.optional(c.store.read::<Str>(c.key)?);
        c.store.set(c.key, &c.args[2], Some(NEVER));
        Replied
    },
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
    let fits = i64::try_from(end).is_ok_and(|end| end <= MAX_BULK);
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

fn set_expiring(c: &mut Call<'_>, unit: i64) -> Reply {
    let at = c.time(2, unit, c.store.now, 1)?;
    c.store.set(c.key, &c.args[3], Some(at));
    Ok(c.out.ok())
}

/// `SET key value [NX | XX] [GET] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL]`
fn set(c: &mut Call<'_>) -> Reply {
    let (mut exists, mut get, mut ttl, mut i) = (None, false, None, 3);
    while i < c.args.len() {
        let word = lowercase(&c.args[i]);
        match &*word {
            b"get" => get = true,
            b"nx" if exists != Some(true) => exists = Some(false),
            b"xx" if exists != Some(false) => exists = Some(true),
            b"keepttl" | b"ex" | b"px" | b"exat" | b"pxat"
                if ttl.as_ref().is_none_or(|(old, _)| *old == word) =>
            {
                i += usize::from(&*word != b"keepttl");
                ttl = Some((word, i));
            }
            _ => return Err(SYNTAX.into()),
        }
        i += 1;
    }
    ensure(i == c.args.len(), SYNTAX)?;
    let now = c.store.now;
    let expires = match ttl.as_ref().map(|(option, i)| (&**option, *i)) {
        None => Some(NEVER),
        Some((b"ex", i)) => Some(c.time(i, 1000, now, 1)?),
        Some((b"px", i)) => Some(c.time(i, 1, now, 1)?),
        Some((b"exat", i)) => Some(c.time(i, 1000, 0, 1)?),
        Some((b"pxat", i)) => Some(c.time(i, 1, 0, 1)?),
        Some(_) => None,
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
