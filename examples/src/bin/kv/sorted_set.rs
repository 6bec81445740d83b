//! A sorted set: members with scores, in the order of scores and then of members.

use std::ops::Range;
use std::sync::Arc;

use indexmap::IndexMap;

type Member = Arc<[u8]>;

/// The chunks of the order have at most this many members, so that a change moves few of them.
const CHUNK: usize = 512;

/// Members with scores. A member is found by its hash, and a rank by looking at the lengths of chunks.
#[derive(Debug, Default)]
pub(crate) struct SortedSet {
    scores: IndexMap<Member, f64>,
    /// The members in order, in chunks none of which is empty.
    chunks: Vec<Vec<(f64, Member)>>,
}

impl SortedSet {
    /// The members, in no order, and their scores.
    pub(crate) fn iter(&self) -> indexmap::map::Iter<'_, Member, f64> {
        self.scores.iter()
    }

    /// The number of members.
    pub(crate) fn len(&self) -> usize {
        self.scores.len()
    }

    /// The score of a member.
    pub(crate) fn score(&self, member: &[u8]) -> Option<f64> {
        self.scores.get(member).copied()
    }

    /// The number of members before this one.
    pub(crate) fn rank(&self, member: &[u8]) -> Option<usize> {
        let score = self.score(member)?;
        Some(self.partition(|other, name| (other, name) < (score, member)))
    }

    /// Adds a member or changes its score, which is a number; returns whether it is new.
    pub(crate) fn insert(&mut self, member: &[u8], score: f64) -> bool {
        let is_new = !self.remove(member);
        let at = self.place(|other, name| (other, name) < (score, member));
        let member = Member::from(member);
        self.scores.insert(Arc::clone(&member), score);
        let Some(chunk) = self.chunks.get_mut(at.0) else {
            self.chunks.push(vec![(score, member)]);
            return is_new;
        };
        chunk.insert(at.1, (score, member));
        if chunk.len() > CHUNK {
            let half = chunk.split_off(CHUNK / 2);
            self.chunks.insert(at.0 + 1, half);
        }
        is_new
    }

    /// Removes a member; returns whether it was there.
    pub(crate) fn remove(&mut self, member: &[u8]) -> bool {
        let Some(score) = self.scores.swap_remove(member) else { return false };
        let (i, j) = self.place(|other, name| (other, name) < (score, member));
        self.chunks[i].remove(j);
        if self.chunks[i].is_empty() {
            self.chunks.remove(i);
        }
        true
    }

    /// The number of members at the beginning of the order for which `is_before` holds.
    pub(crate) fn partition(&self, is_before: impl Fn(f64, &[u8]) -> bool) -> usize {
        let (i, j) = self.place(is_before);
        let before = self.chunks.iter().take(i);
        before.map(Vec::len).sum::<usize>() + j
    }

    /// The members of a range of ranks, in order.
    pub(crate) fn range(
        &self,
        ranks: Range<usize>,
    ) -> impl DoubleEndedIterator<Item = (&[u8], f64)> {
        let (mut first, mut skipped) = (0, 0);
        while self.chunks.get(first).is_some_and(|chunk| skipped + chunk.len() <= ranks.start) {
            skipped += self.chunks[first].len();
            first += 1;
        }
        let (mut end, mut len) = (first, skipped);
        while end < self.chunks.len() && len < ranks.end {
            len += self.chunks[end].len();
            end += 1;
        }
        let chunks = self.chunks[first..end].iter().enumerate().map(move |(i, chunk)| {
            let from = if i == 0 { ranks.start - skipped } else { 0 };
            let past = if first + i + 1 == end { len.saturating_sub(ranks.end) } else { 0 };
            let to = chunk.len() - past;
            &chunk[from.min(to)..to]
        });
        chunks.flatten().map(|(score, member)| (&**member, *score))
    }

    /// The chunk and the place in it of the first member for which `is_before` does not hold; behind the
    /// last member of the last chunk if there is none.
    fn place(&self, is_before: impl Fn(f64, &[u8]) -> bool) -> (usize, usize) {
        let before = |(score, member): &(f64, Member)| is_before(*score, member);
        let chunk = self.chunks.partition_point(|chunk| chunk.last().is_some_and(before));
        let chunk = chunk.min(self.chunks.len().saturating_sub(1));
        (chunk, self.chunks.get(chunk).map_or(0, |chunk| chunk.partition_point(before)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A generator of numbers that is the same in each run.
    fn numbers() -> impl FnMut(u64) -> u64 {
        let mut state = 1_u64;
        move |below| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % below
        }
    }

    #[test]
    fn the_order_is_that_of_a_sorted_list() {
        let (mut next, mut set, mut model) = (numbers(), SortedSet::default(), Vec::new());
        for step in 0..6_000 {
            let member = next(3_000).to_string();
            let known = model.iter().position(|(_, name)| *name == member);
            assert_eq!(set.rank(member.as_bytes()), known);
            if let Some(i) = known {
                model.remove(i);
            }
            if next(4) == 0 {
                assert_eq!(set.remove(member.as_bytes()), known.is_some());
            } else {
                let score = f64::from(u32::try_from(next(50)).expect("it is small"));
                assert_eq!(set.insert(member.as_bytes(), score), known.is_none());
                let new = (score, member);
                model.insert(model.partition_point(|old| *old < new), new);
            }
            if step % 100 == 0 {
                let len = model.len() as u64 + 1;
                let (a, b) = (next(len), next(len));
                let ranks = usize::try_from(a.min(b)).expect("it is small")
                    ..usize::try_from(a.max(b)).expect("it is small");
                let wanted: Vec<_> = model[ranks.clone()]
                    .iter()
                    .map(|(score, name)| (name.as_bytes(), *score))
                    .collect();
                assert_eq!(set.range(ranks.clone()).collect::<Vec<_>>(), wanted);
                let reversed: Vec<_> = wanted.into_iter().rev().collect();
                assert_eq!(set.range(ranks).rev().collect::<Vec<_>>(), reversed);
            }
        }
        assert!(set.chunks.len() > 3 && set.chunks.iter().all(|chunk| !chunk.is_empty()));
    }
}
