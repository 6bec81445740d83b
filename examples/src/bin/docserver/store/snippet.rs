//! Snippets of what was found.

use crate::api::Segment;

/// What FTS5 puts around the words it found. No text in the index has these characters.
pub(super) const MARK: char = '\u{2}';
pub(super) const UNMARK: char = '\u{3}';

/// The longest snippet, in characters. FTS5 counts words, and a word can be megabytes.
const MAX: usize = 400;
/// So many of them may come before the first word that was found.
const MAX_BEFORE: usize = 120;

/// Splits a snippet into what was found and what is around it, and cuts it to a readable length.
pub(super) fn segments(snippet: &str) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut left = MAX;
    for (n, piece) in snippet.split(MARK).enumerate() {
        // What comes before the first mark has no end of one.
        let (hit, after) = if n == 0 { ("", piece) } else { split_hit(piece) };
        push(&mut segments, hit, true, &mut left);
        if n == 0 && snippet.contains(MARK) {
            push(&mut segments, &last_chars(after, MAX_BEFORE), false, &mut left);
        } else {
            push(&mut segments, after, false, &mut left);
        }
    }
    segments
}

fn split_hit(piece: &str) -> (&str, &str) {
    piece.split_once(UNMARK).unwrap_or((piece, ""))
}

/// Adds a segment, as long as there is room.
fn push(segments: &mut Vec<Segment>, text: &str, mark: bool, left: &mut usize) {
    if text.is_empty() || *left == 0 {
        return;
    }
    let mut text = text.to_owned();
    match text.char_indices().nth(*left) {
        Some((end, _)) => {
            text.truncate(end);
            text.push('…');
            *left = 0;
        }
        None => *left -= text.chars().count(),
    }
    segments.push(Segment { text, mark });
}

fn last_chars(text: &str, max: usize) -> String {
    match text.char_indices().rev().nth(max - 1) {
        Some((start, _)) if start > 0 => format!("…{}", &text[start..]),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Marks as brackets.
    fn shown(snippet: &str) -> String {
        let segments = segments(&snippet.replace('[', "\u{2}").replace(']', "\u{3}"));
        let shown = segments.iter().map(|segment| {
            let text = &segment.text;
            if segment.mark { format!("[{text}]") } else { text.clone() }
        });
        shown.collect()
    }

    #[test]
    fn marks_are_segments() {
        for snippet in ["", "no hit", "[hit]", "a [hit] b", "[a][b] <c> [d]", "…x [hit]"] {
            assert_eq!(shown(snippet), snippet);
        }
    }

    #[test]
    fn words_of_any_length_make_short_snippets() {
        let long = "ä".repeat(10_000);
        let snippet = shown(&format!("{long} [hit] {long}"));
        assert!(snippet.starts_with("…ä") && snippet.contains("ä [hit] ä"), "{snippet}");
        assert!(snippet.ends_with("ä…") && snippet.chars().count() < 410, "{snippet}");
        assert_eq!(shown(&format!("[{long}] after")).chars().count(), 403);
    }
}
