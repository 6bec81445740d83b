//! Snippets of search hits.
//!
//! This replaces the `snippet` function of FTS5, which compares each match with each other match,
//! and a text of some megabytes contains "the" a hundred thousand times.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::api::Segment;

/// The maximum length of a snippet, in characters.
const MAX: usize = 400;
/// The maximum number of characters before the first match.
const MAX_BEFORE: usize = 120;
/// The maximum length, in bytes, of a word that can match.
const MAX_WORD: usize = 256;

/// The words to mark, and the budget of text to search.
#[derive(Debug)]
pub(super) struct Snippets {
    /// In folded form; the last one may be a prefix.
    words: Vec<String>,
    /// The bytes that may still be searched. Beyond it a snippet is the beginning of the text.
    budget: usize,
}

impl Snippets {
    pub(super) fn new(words: &str, budget: usize) -> Self {
        let words = self::words(words).map(|(_, word)| fold(word));
        Self { words: words.filter(|word| !word.is_empty()).collect(), budget }
    }

    /// The part of a text around the first match.
    ///
    /// FTS5 decides on its own where words begin and which are equal. Where this code decides
    /// otherwise, a mark is missing.
    pub(super) fn make(&mut self, text: &str) -> Vec<Segment> {
        let end = char_start(text, self.budget);
        let hit = words(&text[..end]).find(|(_, word)| self.is_hit(word)).map(|(at, _)| at);
        self.budget -= hit.unwrap_or(end);
        let start = hit.map_or(0, |hit| chars_before(text, hit, MAX_BEFORE));
        let end = text[start..].char_indices().nth(MAX).map_or(text.len(), |(at, _)| start + at);

        let mut segments = Vec::new();
        let mut shown = start;
        for (at, word) in words(&text[start..end]) {
            if self.is_hit(word) {
                push(&mut segments, &text[shown..start + at], false);
                push(&mut segments, word, true);
                shown = start + at + word.len();
            }
        }
        push(&mut segments, &text[shown..end], false);
        if start > 0 {
            ellipsis(segments.first_mut(), 0);
        }
        if end < text.len() {
            ellipsis(segments.last_mut(), usize::MAX);
        }
        segments
    }

    fn is_hit(&self, word: &str) -> bool {
        let Some((last, others)) = self.words.split_last() else { return false };
        if word.len() > MAX_WORD {
            return false;
        }
        if word.is_ascii() {
            let begins = word.get(..last.len()).is_some_and(|word| word.eq_ignore_ascii_case(last));
            return begins || others.iter().any(|other| word.eq_ignore_ascii_case(other));
        }
        let word = fold(word);
        word.starts_with(&**last) || others.contains(&word)
    }
}

/// The words of a text with their positions.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |c: char| c.is_alphanumeric() || is_combining_mark(c);
    let mut rest = 0;
    std::iter::from_fn(move || {
        let at = rest + text[rest..].find(is_part)?;
        let len = text[at..].find(|c| !is_part(c)).unwrap_or(text.len() - at);
        rest = at + len;
        Some((at, &text[at..rest]))
    })
}

/// A word without case and accents, as the tokenizer `unicode61` compares them.
fn fold(word: &str) -> String {
    word.nfd().filter(|&c| !is_combining_mark(c)).flat_map(char::to_lowercase).collect()
}

/// The last character boundary up to `at`.
fn char_start(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

/// The position `chars` characters before `at`.
fn chars_before(text: &str, at: usize, chars: usize) -> usize {
    text[..at].char_indices().rev().take(chars).last().map_or(at, |(at, _)| at)
}

fn push(segments: &mut Vec<Segment>, text: &str, mark: bool) {
    if !text.is_empty() {
        // Control characters are of no use to a reader.
        let text = text.replace(|c: char| c.is_control() && !matches!(c, '\n' | '\t'), " ");
        segments.push(Segment { text, mark });
    }
}

/// Marks one end of a segment as cut.
fn ellipsis(segment: Option<&mut Segment>, at: usize) {
    if let Some(segment) = segment {
        segment.text.insert(at.min(segment.text.len()), '…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A snippet with brackets as marks.
    fn shown(words: &str, text: &str) -> String {
        let segments = Snippets::new(words, 1 << 20).make(text);
        let shown = segments.iter().map(|segment| {
            let text = &segment.text;
            if segment.mark { format!("[{text}]") } else { text.clone() }
        });
        shown.collect()
    }

    #[test]
    fn words_are_marked() {
        for (words, text, expected) in [
            ("a", "", ""),
            ("none", "some text", "some text"),
            ("", "some text", "some text"),
            ("\u{301}", "some text", "some text"),
            ("fox", "The FOX, a fox", "The [FOX], a [fox]"),
            ("fox the", "The fox's den. Then there", "[The] [fox]'s den. [Then] [there]"),
            ("the fox", "The foxes then", "[The] [foxes] then"),
            ("cafe", "Un café, CAFE\u{301}S", "Un [café], [CAFE\u{301}S]"),
            ("CAFÉ", "cafe", "[cafe]"),
            ("a.txt", "see a.txt\0or b.txt", "see [a].[txt] or b.[txt]"),
            ("größe", "Die Größe", "Die [Größe]"),
            ("<b>", "a <b>b</b> & c", "a <[b]>[b]</[b]> & c"),
        ] {
            assert_eq!(shown(words, text), expected, "{words}");
        }
    }

    #[test]
    fn snippets_are_short() {
        let filler = "ä x\n".repeat(10_000);
        let snippet = shown("hit", &format!("{filler}hit {filler}"));
        assert!(snippet.contains("[hit]") && snippet.starts_with('…') && snippet.ends_with('…'));
        assert_eq!(snippet.chars().count(), MAX + 4);
        let word = "ä".repeat(10_000);
        assert_eq!(shown("ä", &word).chars().count(), MAX + 1);
        assert_eq!(shown("hit", &format!("{word} hit")).matches("[hit]").count(), 1);
    }

    #[test]
    fn the_search_for_a_match_stays_within_its_budget() {
        let far = "ä".repeat(MAX) + " hit";
        let is_marked = |segments: Vec<Segment>| segments.iter().any(|segment| segment.mark);
        let mut snippets = Snippets::new("hit", 1000);
        assert!(is_marked(snippets.make(&far)));
        assert_eq!(snippets.budget, 199);
        assert!(!is_marked(snippets.make(&far)));
        // The text within the snippet costs no budget.
        assert!(is_marked(snippets.make("a hit")));
    }
}
