//! Commands on keys with values of any type.

use crate::command::{Call, Reply, SYNTAX, commands, ensure, text, word};
use crate::expiry::{EX, EXAT, PX, PXAT, Unit};
use crate::glob::glob;
use crate::reply::{Out, Replied};
use crate::store::NEVER;

commands! { c:
    "del" -2 Write => c.out.count(c.args.from(1).filter(|key| c.store.remove(key)).count()),
    "unlink" -2 Write => c.out.count(c.args.from(1).filter(|key| c.store.remove(key)).count()),
    "exists" -2 Read => {
        c.out.count(c.args.from(1).filter(|key| c.store.get(key).is_some()).count())
    },
    "type" 2 Read => {
        c.out.simple(c.store.get(c.key).map_or("none", |entry| entry.value.type_name()))
    },
    "expire" -3 Write => expire(c, EX)?,
    "pexpire" -3 Write => expire(c, PX)?,
    "expireat" -3 Write => expire(c, EXAT)?,
    "pexpireat" -3 Write => expire(c, PXAT)?,
    "ttl" 2 Read => when(c, EX),
    "pttl" 2 Read => when(c, PX),
    "expiretime" 2 Read => when(c, EXAT),
    "pexpiretime" 2 Read => when(c, PXAT),
    "persist" 2 Write => {
        let expires = c.store.get(c.key).is_some_and(|entry| entry.expires != NEVER);
        c.store.expire(c.key, NEVER);
        c.out.int(expires.into())
    },
    "keys" 2 Read => {
        let keys = c.store.scan(0, usize::MAX).1.map(|(key, _)| key);
        c.out.bulks(keys.filter(|key| glob(c.key, key)))
    },
    "scan" -2 Read => scan(c)?,
    "dbsize" 1 Read => c.out.count(c.store.len()),
    "flushdb" -1 Write => flush(c)?,
    "flushall" -1 Write => flush(c)?,
}

/// `FLUSHALL [SYNC | ASYNC]`
fn flush(c: &mut Call<'_>) -> Reply {
    let option = c.args.from(1).next().map(word);
    let known = option.is_none_or(|option| matches!(&*option, b"sync" | b"async"));
    ensure(c.args.len() < 3 && known, SYNTAX)?;
    c.store.clear();
    Ok(c.out.ok())
}

/// Replies to a question about the expiry time: -2 without a key, -1 without such a time.
fn when(c: &mut Call<'_>, unit: Unit) -> Replied {
    c.out.int(match c.store.get(c.key).map(|entry| entry.expires) {
        None => -2,
        Some(NEVER) => -1,
        Some(expires) => unit.rounded(expires, c.store.now),
    })
}

/// `EXPIRE key time [NX | XX] [GT | LT]`
fn expire(c: &mut Call<'_>, unit: Unit) -> Reply {
    let [mut nx, mut xx, mut gt, mut lt] = [false; 4];
    for option in c.args.from(3) {
        match &*word(option) {
            b"nx" => nx = true,
            b"xx" => xx = true,
            b"gt" => gt = true,
            b"lt" => lt = true,
            _ => return Err(format!("ERR Unsupported option {}", text(option, usize::MAX)).into()),
        }
    }
    let compatible = !nx || !(xx || gt || lt);
    ensure(compatible, "ERR NX and XX, GT or LT options at the same time are not compatible")?;
    ensure(!gt || !lt, "ERR GT and LT options at the same time are not compatible")?;
    let at = c.expiry(2, unit, i64::MIN)?;
    let applies = c.store.get(c.key).map(|entry| entry.expires).is_some_and(|old| {
        let never = old == NEVER;
        !(nx && !never || xx && never || gt && (never || at <= old) || lt && !never && at >= old)
    });
    if applies {
        c.store.expire(c.key, at);
    }
    Ok(c.out.int(applies.into()))
}

/// `SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]`
fn scan(c: &mut Call<'_>) -> Reply {
    let cursor = cursor(c.key).ok_or("ERR invalid cursor")?;
    let (mut pattern, mut count, mut kind) = (&b"*"[..], 10, None);
    for i in (2..c.args.len()).step_by(2) {
        ensure(i + 1 < c.args.len(), SYNTAX)?;
        match &*word(&c.args[i]) {
            b"match" => pattern = &c.args[i + 1],
            b"count" => count = c.int(i + 1)?,
            b"type" => kind = Some(word(&c.args[i + 1])),
            _ => return Err(SYNTAX.into()),
        }
        ensure(count > 0, SYNTAX)?;
    }
    let (next, keys) = c.store.scan(cursor, usize::try_from(count).unwrap_or(usize::MAX));
    c.out.array(2);
    c.out.bulk(next.to_string().as_bytes());
    let fits = |name: &str| kind.as_ref().is_none_or(|kind| **kind == *name.as_bytes());
    let keys = keys.filter(|(key, entry)| fits(entry.value.type_name()) && glob(pattern, key));
    Ok(c.out.bulks(keys.map(|(key, _)| key)))
}

/// A cursor, which Redis reads with C's `strtoul`: the empty text is 0, and -1 is the last number.
fn cursor(text: &[u8]) -> Option<usize> {
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    let (negative, digits) = match text {
        [] => return Some(0),
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let number = if negative { number.wrapping_neg() } else { number };
    Some(usize::try_from(number).unwrap_or(usize::MAX))
}
