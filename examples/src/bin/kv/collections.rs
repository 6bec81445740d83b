//! Lists, hashes and sets.

use crate::command::{Call, OVERFLOW, Reply, SYNTAX, commands, ensure, range, wrong_arity};
use crate::reply::{Out, Replied};
use crate::request::parse_int;
use crate::store::{Bytes, Hash, Kind, List, Set, cost, random};

commands! { c:
    "lpush" -3 Grow => push(c, List::push_front)?,
    "rpush" -3 Grow => push(c, List::push_back)?,
    "lpop" -2 Write => pop(c, List::pop_front)?,
    "rpop" -2 Write => pop(c, List::pop_back)?,
    "llen" 2 Read => c.out.count(c.store.read::<List>(c.key)?.map_or(0, Kind::len)),
    "lindex" 3 Read => {
        let i = c.int(2);
        let element = match c.store.read::<List>(c.key)? {
            Some(list) => { let i = i?; list.range(range(i, i, list.len())).next() }
            None => None,
        };
        c.out.optional(element)
    },
    "lrange" 4 Read => {
        let (start, end) = (c.int(2)?, c.int(3)?);
        let list = c.store.read::<List>(c.key)?;
        c.out.bulks(list.iter().flat_map(|list| list.range(range(start, end, list.len()))))
    },
    "hset" -4 Grow => {
        if c.args.len() % 2 != 0 {
            return Err(wrong_arity(c.command));
        }
        let new = c.store.edit(c.key, |hash, cost| {
            let fields = (2..c.args.len()).step_by(2);
            fields.filter(|&i| put(hash, cost, &c.args[i], &c.args[i + 1])).count()
        })?;
        c.store.watches.touch(c.key);
        c.out.count(new)
    },
    "hget" 3 Read => {
        let hash = c.store.read::<Hash>(c.key)?;
        c.out.optional(hash.and_then(|hash| hash.get(&c.args[2])))
    },
    "hmget" -3 Read => {
        let hash = c.store.read::<Hash>(c.key)?;
        c.out.array(c.args.len() - 2);
        for field in c.args.from(2) {
            c.out.optional(hash.and_then(|hash| hash.get(field)));
        }
        Replied
    },
    "hgetall" 2 Read => {
        let hash = c.store.read::<Hash>(c.key)?;
        c.out.bulk_map(hash.iter().flat_map(|hash| hash.iter()))
    },
    "hlen" 2 Read => c.out.count(c.store.read::<Hash>(c.key)?.map_or(0, Kind::len)),
    "hexists" 3 Read => {
        let hash = c.store.read::<Hash>(c.key)?;
        c.out.int(hash.is_some_and(|hash| hash.contains_key(&c.args[2])).into())
    },
    "hdel" -3 Write => c.out.count(c.store.edit(c.key, |hash: &mut Hash, used| {
        let removed = c.args.from(2).filter_map(|field| hash.swap_remove_entry(field));
        removed.map(|(field, value)| *used -= cost(&field) + value.len()).count()
    })?),
    "hincrby" 4 Grow => {
        let by = c.int(3)?;
        let old = c.store.read::<Hash>(c.key)?.and_then(|hash| hash.get(&c.args[2]));
        let old = old.map_or(Some(0), |value| parse_int(value));
        let new = old.ok_or("ERR hash value is not an integer")?.checked_add(by).ok_or(OVERFLOW)?;
        c.store.edit(c.key, |hash, used| put(hash, used, &c.args[2], new.to_string().as_bytes()))?;
        c.store.watches.touch(c.key);
        c.out.int(new)
    },
    "sadd" -3 Grow => c.out.count(c.store.edit(c.key, |set: &mut Set, used| {
        let added = c.args.from(2).filter(|member| set.insert((*member).into()));
        added.map(|member| *used += cost(member)).count()
    })?),
    "srem" -3 Write => c.out.count(c.store.edit(c.key, |set: &mut Set, used| {
        let removed = c.args.from(2).filter(|member| set.swap_remove(*member));
        removed.map(|member| *used -= cost(member)).count()
    })?),
    "smembers" 2 Read => {
        let set = c.store.read::<Set>(c.key)?;
        c.out.bulk_set(set.iter().flat_map(|set| set.iter()))
    },
    "sismember" 3 Read => {
        let set = c.store.read::<Set>(c.key)?;
        c.out.int(set.is_some_and(|set| set.contains(&c.args[2])).into())
    },
    "scard" 2 Read => c.out.count(c.store.read::<Set>(c.key)?.map_or(0, Kind::len)),
    "spop" -2 Write => {
        ensure(c.args.len() < 4, SYNTAX)?;
        let count = c.count()?;
        let draw = |set: &mut Set| set.swap_remove_index(random(set.len().max(1)));
        let drawn = c.store.edit(c.key, |set, used| take(set, used, count, draw))?;
        if count.is_some() { c.out.bulk_set(drawn) } else { c.out.optional(drawn.first()) }
    },
}

/// Puts a field into a hash; returns whether it is new.
fn put(hash: &mut Hash, used: &mut usize, field: &[u8], value: &[u8]) -> bool {
    let old = hash.insert(field.into(), value.into());
    *used += value.len();
    *used -= old.as_ref().map_or(0, |old| old.len());
    *used += if old.is_none() { cost(field) } else { 0 };
    old.is_none()
}

fn push(c: &mut Call<'_>, push: fn(&mut List, Bytes)) -> Reply {
    Ok(c.out.count(c.store.edit(c.key, |list, used| {
        for element in c.args.from(2) {
            *used += cost(element);
            push(list, element.into());
        }
        list.len()
    })?))
}

fn pop(c: &mut Call<'_>, pop: fn(&mut List) -> Option<Bytes>) -> Reply {
    if c.args.len() > 3 {
        return Err(wrong_arity(c.command));
    }
    let (count, exists) = (c.count()?, c.store.get(c.key).is_some());
    let popped = c.store.edit(c.key, |list, used| take(list, used, count, pop))?;
    Ok(match count {
        None => c.out.optional(popped.first()),
        Some(_) if exists => c.out.bulks(popped),
        Some(_) => c.out.null_array(),
    })
}

/// Takes `count` elements out of a collection, or one without `count`.
fn take<C>(
    from: &mut C,
    used: &mut usize,
    count: Option<usize>,
    one: impl Fn(&mut C) -> Option<Bytes>,
) -> Vec<Bytes> {
    let taken = std::iter::from_fn(|| one(from)).take(count.unwrap_or(1));
    taken.inspect(|element| *used -= cost(element)).collect()
}
