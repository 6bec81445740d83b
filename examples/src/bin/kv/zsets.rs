//! Sorted sets.

use std::ops::Range;

use crate::command::{Call, Reply, SYNTAX, commands, ensure, range, word};
use crate::reply::{Out, Replied};
use crate::request::Error;
use crate::score::{LexEnd, ScoreEnd, parse};
use crate::sorted_set::SortedSet;
use crate::store::{Bytes, Store, Zset, cost};
use crate::zrange::{By, Query};

commands! { c:
    "zadd" -4 Grow => zadd(c, Options::default())?,
    "zincrby" 4 Grow => zadd(c, Options { incr: true, ..Options::default() })?,
    "zcard" 2 Read => c.out.count(c.store.read::<Zset>(c.key)?.map_or(0, |set| set.len())),
    "zscore" 3 Read => {
        let set = c.store.read::<Zset>(c.key)?;
        c.out.optional_double(set.and_then(|set| set.score(&c.args[2])))
    },
    "zmscore" -3 Read => {
        let set = c.store.read::<Zset>(c.key)?;
        c.out.array(c.args.len() - 2);
        for member in c.args.from(2) {
            c.out.optional_double(set.and_then(|set| set.score(member)));
        }
        Replied
    },
    "zrank" 3 Read => rank(c, false)?,
    "zrevrank" 3 Read => rank(c, true)?,
    "zrange" -4 Read => Query::parse(c, None, None)?.reply(c)?,
    "zrevrange" -4 Read => Query::parse(c, Some(By::Rank), Some(true))?.reply(c)?,
    "zrangebyscore" -4 Read => Query::parse(c, Some(By::Score), Some(false))?.reply(c)?,
    "zrevrangebyscore" -4 Read => Query::parse(c, Some(By::Score), Some(true))?.reply(c)?,
    "zrangebylex" -4 Read => Query::parse(c, Some(By::Lex), Some(false))?.reply(c)?,
    "zrevrangebylex" -4 Read => Query::parse(c, Some(By::Lex), Some(true))?.reply(c)?,
    "zcount" 4 Read => {
        let (min, max) = (ScoreEnd::parse(&c.args[2])?, ScoreEnd::parse(&c.args[3])?);
        let set = c.store.read::<Zset>(c.key)?;
        c.out.count(set.map_or(0, |set| by_score(set, min, max).len()))
    },
    "zlexcount" 4 Read => {
        let (min, max) = (LexEnd::parse(&c.args[2])?, LexEnd::parse(&c.args[3])?);
        let set = c.store.read::<Zset>(c.key)?;
        c.out.count(set.map_or(0, |set| by_lex(set, min, max).len()))
    },
    "zrem" -3 Write => c.out.count(c.store.edit(c.key, |set: &mut Zset, used| {
        let removed = c.args.from(2).filter(|member| set.remove(member));
        removed.map(|member| *used -= cost(member)).count()
    })?),
    "zremrangebyrank" 4 Write => {
        let (start, end) = (c.int(2)?, c.int(3)?);
        remove(c, |set| range(start, end, set.len()))?
    },
    "zremrangebyscore" 4 Write => {
        let (min, max) = (ScoreEnd::parse(&c.args[2])?, ScoreEnd::parse(&c.args[3])?);
        remove(c, |set| by_score(set, min, max))?
    },
    "zremrangebylex" 4 Write => {
        let (min, max) = (LexEnd::parse(&c.args[2])?, LexEnd::parse(&c.args[3])?);
        remove(c, |set| by_lex(set, min, max))?
    },
    "zpopmin" -2 Write => pop(c, |count, len| 0..count.min(len))?,
    "zpopmax" -2 Write => pop(c, |count, len| len - count.min(len)..len)?,
}

/// The ranks of the members with scores in a range.
pub(crate) fn by_score(set: &SortedSet, min: ScoreEnd, max: ScoreEnd) -> Range<usize> {
    let start = set.partition(|score, _| min.is_above(score));
    start..set.partition(|score, _| max.includes(score)).max(start)
}

/// The ranks of the members in a range of members, which all have the same score.
pub(crate) fn by_lex(set: &SortedSet, min: LexEnd<'_>, max: LexEnd<'_>) -> Range<usize> {
    let start = set.partition(|_, member| min.is_above(member));
    start..set.partition(|_, member| max.includes(member)).max(start)
}

/// The options of ZADD.
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command")]
#[derive(Default)]
struct Options {
    nx: bool,
    xx: bool,
    gt: bool,
    lt: bool,
    ch: bool,
    incr: bool,
}

/// `ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member ..`, and ZINCRBY, which is `ZADD` with `INCR`.
fn zadd(c: &mut Call<'_>, mut options: Options) -> Reply {
    let mut i = 2;
    while i < c.args.len() {
        match &*word(&c.args[i]) {
            b"nx" => options.nx = true,
            b"xx" => options.xx = true,
            b"gt" => options.gt = true,
            b"lt" => options.lt = true,
            b"ch" => options.ch = true,
            b"incr" => options.incr = true,
            _ => break,
        }
        i += 1;
    }
    let rest = c.args.len() - i;
    ensure(rest > 0 && rest % 2 == 0, SYNTAX)?;
    let Options { nx, xx, gt, lt, incr, .. } = options;
    ensure(!(nx && xx), "ERR XX and NX options at the same time are not compatible")?;
    let error = "ERR GT, LT, and/or NX options at the same time are not compatible";
    ensure([gt, lt, nx].iter().filter(|option| **option).count() < 2, error)?;
    ensure(!incr || rest == 2, "ERR INCR option supports a single increment-element pair")?;
    let pairs: Result<Vec<_>, Error> =
        (i..c.args.len()).step_by(2).map(|i| Ok((parse(&c.args[i])?, i + 1))).collect();
    add(c, &options, &pairs?)
}

/// Adds members; `pairs` has the score of each and the number of its argument.
fn add(c: &mut Call<'_>, options: &Options, pairs: &[(f64, usize)]) -> Reply {
    let (mut added, mut changed, mut result) = (0, 0, None);
    let outcome = c.store.edit(c.key, |set: &mut Zset, used| {
        for (score, i) in pairs {
            let member = &c.args[*i];
            let old = set.score(member);
            let Some(new) = new_score(options, old, *score)? else { continue };
            result = Some(new);
            if old.is_none() {
                *used += cost(member);
                added += 1;
            } else if old != Some(new) {
                changed += 1;
            }
            if old != Some(new) {
                set.insert(member, new + 0.0); // Redis stores -0 as 0
            }
        }
        Ok::<(), Error>(())
    })?;
    if changed > 0 {
        c.store.watches.touch(c.key);
    }
    outcome?;
    Ok(match options {
        Options { incr: true, .. } => c.out.optional_double(result),
        Options { ch: true, .. } => c.out.count(added + changed),
        _ => c.out.count(added),
    })
}

/// The score that a member gets; `None` if the options leave it as it is.
fn new_score(options: &Options, old: Option<f64>, score: f64) -> Result<Option<f64>, Error> {
    let Some(old) = old else { return Ok(Some(score).filter(|_| !options.xx)) };
    if options.nx {
        return Ok(None);
    }
    let new = if options.incr { old + score } else { score };
    ensure(!new.is_nan(), "ERR resulting score is not a number (NaN)")?;
    let stays = options.lt && new >= old || options.gt && new <= old;
    Ok(Some(new).filter(|_| !stays))
}

fn rank(c: &mut Call<'_>, reverse: bool) -> Reply {
    let set = c.store.read::<Zset>(c.key)?;
    let rank = set.and_then(|set| {
        let rank = set.rank(&c.args[2])?;
        Some(if reverse { set.len() - 1 - rank } else { rank })
    });
    Ok(match rank {
        Some(rank) => c.out.count(rank),
        None => c.out.null(),
    })
}

/// Removes the members of some ranks and replies how many.
fn remove(c: &mut Call<'_>, ranks: impl Fn(&SortedSet) -> Range<usize>) -> Reply {
    let removed = c.store.edit(c.key, |set: &mut Zset, used| {
        let ranks = ranks(set);
        take(set, used, ranks).len()
    })?;
    Ok(c.out.count(removed))
}

fn take(set: &mut SortedSet, used: &mut usize, ranks: Range<usize>) -> Vec<(Bytes, f64)> {
    let taken = set.range(ranks).map(|(member, score)| (Bytes::from(member), score));
    let taken: Vec<_> = taken.collect();
    for (member, _) in &taken {
        set.remove(member);
        *used -= cost(member);
    }
    taken
}

/// `ZPOPMIN key [count]`
/// Takes the member with the lowest or the highest score out of a set; `None` if there is no set.
pub(crate) fn pop_from(
    store: &mut Store,
    key: &[u8],
    is_max: bool,
) -> Result<Option<(Bytes, f64)>, Error> {
    let Some(len) = store.read::<Zset>(key)?.map(|set| set.len()) else { return Ok(None) };
    let rank = if is_max { len - 1 } else { 0 };
    store
        .edit(key, |set: &mut Zset, used| take(set, used, rank..rank + 1))
        .map(|mut taken| taken.pop())
}

fn pop(c: &mut Call<'_>, ranks: fn(usize, usize) -> Range<usize>) -> Reply {
    ensure(c.args.len() < 4, SYNTAX)?;
    let count = c.count()?;
    let is_max = c.command.name == "zpopmax";
    let mut taken = c.store.edit(c.key, |set: &mut Zset, used| {
        let ranks = ranks(count.unwrap_or(1), set.len());
        take(set, used, ranks)
    })?;
    if is_max {
        taken.reverse();
    }
    let pairs: Vec<_> = taken.iter().map(|(member, score)| (&**member, *score)).collect();
    let is_flat = count.is_none();
    Ok(c.out.scores(&pairs, is_flat))
}
