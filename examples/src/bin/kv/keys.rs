//! Commands on keys with values of any type.

use crate::command::{Call, Reply, SYNTAX, commands, ensure, lowercase, text};
use crate::reply::Replied;
use crate::request::parse_int;
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
    "expire" -3 Write => expire(c, 1000)?,
    "pexpire" -3 Write => expire(c, 1)?,
    "ttl" 2 Read => ttl(c, 1000),
    "pttl" 2 Read => ttl(c, 1),
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

fn flush(c: &mut Call<'_>) -> Reply {
    let option = lowercase(c.key);
    ensure(c.args.len() < 3 && matches!(&*option, b"" | b"sync" | b"async"), SYNTAX)?;
    c.store.clear();
    Ok(c.out.ok())
}

fn ttl(c: &mut Call<'_>, unit: i64) -> Replied {
    c.out.int(match c.store.get(c.key).map(|entry| entry.expires) {
        None => -2,
        Some(NEVER) => -1,
        Some(expires) => (expires - c.store.now + unit / 2) / unit,
    })
}

/// `EXPIRE key time [NX | XX] [GT | LT]`
fn expire(c: &mut Call<'_>, unit: i64) -> Reply {
    let [mut nx, mut xx, mut gt, mut lt] = [false; 4];
    for option in c.args.from(3) {
        match &*lowercase(option) {
            b"nx" => nx = true,
            b"xx" => xx = true,
            b"gt" => gt = true,
            b"lt" => lt = true,
            _ => return Err(format!("ERR Unsupported option {}", text(option, 128)).into()),
        }
    }
    let compatible = !nx || !(xx || gt || lt);
    ensure(compatible, "ERR NX and XX, GT or LT options at the same time are not compatible")?;
    ensure(!gt || !lt, "ERR GT and LT options at the same time are not compatible")?;
    let at = c.time(2, unit, c.store.now, i64::MIN)?;
    let applies = c.store.get(c.key).map(|entry| entry.expires).is_some_and(|old| {
        !(nx && old != NEVER || xx && old == NEVER || gt && at <= old || lt && at >= old)
    });
    match applies {
        true if at <= c.store.now => drop(c.store.remove(c.key)),
        true => c.store.expire(c.key, at),
        false => {}
    }
    Ok(c.out.int(applies.into()))
}

/// `SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]`
fn scan(c: &mut Call<'_>) -> Reply {
    let cursor = parse_int(c.key).and_then(|cursor| usize::try_from(cursor).ok());
    let cursor = cursor.ok_or("ERR invalid cursor")?;
    let (mut pattern, mut count, mut kind) = (&b"*"[..], 10, None);
    for i in (2..c.args.len()).step_by(2) {
        ensure(i + 1 < c.args.len(), SYNTAX)?;
        match &*lowercase(&c.args[i]) {
            b"match" => pattern = &c.args[i + 1],
            b"count" => count = c.int(i + 1)?,
            b"type" => kind = Some(lowercase(&c.args[i + 1])),
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

/// Matches the patterns of Redis: `*`, `?`, `[a-c]`, `[^a]` and `\\`.
///
/// It backtracks only to the last `*`, so that no pattern takes exponential time.
pub(crate) fn glob(mut pattern: &[u8], mut text: &[u8]) -> bool {
    let mut star = None;
    loop {
        if let [b'*', rest @ ..] = pattern {
            (pattern, star) = (rest, Some((rest, text)));
        } else if let Some(rest) = text.first().and_then(|&byte| glob_byte(pattern, byte)) {
            (pattern, text) = (rest, &text[1..]);
        } else if pattern.is_empty() && text.is_empty() {
            return true;
        } else if let Some((after, [_, rest @ ..])) = star {
            (pattern, text, star) = (after, rest, Some((after, rest)));
        } else {
            return false;
        }
    }
}

/// The rest of the pattern if its first element matches the byte.
fn glob_byte(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    let (is_match, rest) = match pattern {
        [] => (false, pattern),
        [b'?', rest @ ..] => (true, rest),
        [b'[', b'^', class @ ..] => glob_class(class, byte, true),
        [b'[', class @ ..] => glob_class(class, byte, false),
        [b'\\', literal, rest @ ..] | [literal, rest @ ..] => (*literal == byte, rest),
    };
    is_match.then_some(rest)
}

fn glob_class(mut class: &[u8], byte: u8, mut is_match: bool) -> (bool, &[u8]) {
    let inside = !is_match;
    loop {
        let (low, high);
        (low, high, class) = match class {
            [] => return (is_match, class),
            [b']', rest @ ..] => return (is_match, rest),
            [b'\\', literal, rest @ ..] => (literal, literal, rest),
            [low, b'-', high, rest @ ..] => (low, high, rest),
            [literal, rest @ ..] => (literal, literal, rest),
        };
        if (low.min(high)..=low.max(high)).contains(&&byte) {
            is_match = inside;
        }
    }
}
