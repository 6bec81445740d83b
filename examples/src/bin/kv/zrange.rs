//! ZRANGE and the older commands that read a range of a sorted set.

use std::ops::Range;

use crate::command::{Call, Reply, SYNTAX, ensure, range, word};
use crate::reply::Out;
use crate::request::Error;
use crate::score::{LexEnd, ScoreEnd};
use crate::sorted_set::SortedSet;
use crate::store::Zset;
use crate::zsets::{by_lex, by_score};

/// The meaning of the ends of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Rank,
    Score,
    Lex,
}

/// The options of a command that reads a range.
#[derive(Debug)]
pub(crate) struct Query {
    by: By,
    reverse: bool,
    with_scores: bool,
    /// The number of members to leave out and the most to reply; a negative number is no limit.
    limit: (i64, i64),
}

impl Query {
    /// Parses the options of `ZRANGE key min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]
    /// [WITHSCORES]`, or those of a command that has chosen some of them.
    pub(crate) fn parse(
        c: &Call<'_>,
        mut by: Option<By>,
        mut reverse: Option<bool>,
    ) -> Result<Self, Error> {
        let (mut i, mut with_scores, mut limit) = (4, false, (0, -1));
        while i < c.args.len() {
            match &*word(&c.args[i]) {
                b"withscores" => with_scores = true,
                b"limit" if i + 2 < c.args.len() => {
                    limit = (c.int(i + 1)?, c.int(i + 2)?);
                    i += 2;
                }
                b"rev" if reverse.is_none() => reverse = Some(true),
                b"bylex" if by.is_none() => by = Some(By::Lex),
                b"byscore" if by.is_none() => by = Some(By::Score),
                _ => return Err(SYNTAX.into()),
            }
            i += 1;
        }
        let (by, reverse) = (by.unwrap_or(By::Rank), reverse.unwrap_or(false));
        let only =
            "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX";
        ensure(limit.1 == -1 || by != By::Rank, only)?;
        let error = "ERR syntax error, WITHSCORES not supported in combination with BYLEX";
        ensure(!with_scores || by != By::Lex, error)?;
        Ok(Self { by, reverse, with_scores, limit })
    }

    /// Replies with the members of the range.
    pub(crate) fn reply(&self, c: &mut Call<'_>) -> Reply {
        let (first, last) = (&c.args[2], &c.args[3]);
        let (min, max) = if self.reverse { (last, first) } else { (first, last) };
        let by_rank = if self.by == By::Rank { (c.int(2)?, c.int(3)?) } else { (0, 0) };
        let scores = match self.by {
            By::Score => Some((ScoreEnd::parse(min)?, ScoreEnd::parse(max)?)),
            _ => None,
        };
        let members = match self.by {
            By::Lex => Some((LexEnd::parse(min)?, LexEnd::parse(max)?)),
            _ => None,
        };
        let Some(set) = c.store.read::<Zset>(c.key)? else { return Ok(c.out.array(0)) };
        let ranks = match (scores, members) {
            (Some((min, max)), _) => by_score(set, min, max),
            (_, Some((min, max))) => by_lex(set, min, max),
            (None, None) => {
                let ranks = range(by_rank.0, by_rank.1, set.len());
                let reversed = set.len() - ranks.end..set.len() - ranks.start;
                if self.reverse { reversed } else { ranks }
            }
        };
        let found = self.limited(set, ranks);
        if self.with_scores {
            return Ok(c.out.scores(&found, false));
        }
        Ok(c.out.bulks(found.iter().map(|(member, _)| member)))
    }

    /// The members of the ranks that the limit leaves, in the order of the reply. A negative offset leaves
    /// out all of them, and a negative count none.
    fn limited<'a>(&self, set: &'a SortedSet, ranks: Range<usize>) -> Vec<(&'a [u8], f64)> {
        let skip = usize::try_from(self.limit.0).unwrap_or(usize::MAX).min(ranks.len());
        let count = usize::try_from(self.limit.1).unwrap_or(usize::MAX).min(ranks.len() - skip);
        if self.reverse {
            let end = ranks.end - skip;
            return set.range(end - count..end).rev().collect();
        }
        let start = ranks.start + skip;
        set.range(start..start + count).collect()
    }
}
