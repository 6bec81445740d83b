//! Text in lines, and how much room it takes.
//!
//! All text is set in a monospace font, as names in documentation are. So its width is known
//! without the font.

/// The columns up to which parts between commas share a line of a label.
const FILL: usize = 14;
/// The column after which a line breaks at a space.
const WRAP: usize = 24;
/// The column at which a line is cut off.
const CUT: usize = 40;

/// The width of a character of a monospace font, in units of the font's size. Those in use have
/// between 0.55 and 0.602.
const ADVANCE: f64 = 0.602;

/// Lines of text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lines(pub(crate) Vec<String>);

impl Lines {
    /// Breaks a label into lines: where it says so, and after commas, so that it is narrow.
    pub(crate) fn label(text: &str) -> Self {
        Self::broken(text, FILL)
    }

    /// Breaks text into lines: where it says so, and where it is too long.
    pub(crate) fn text(text: &str) -> Self {
        Self::broken(text, WRAP)
    }

    /// One line, cut off where it is far too long.
    pub(crate) fn name(text: &str) -> Self {
        Self(vec![cut(text)])
    }

    fn broken(text: &str, fill: usize) -> Self {
        let mut lines = Vec::new();
        for line in text.split('\n') {
            let parts = line.split_inclusive(", ").map(str::trim);
            let parts = parts.filter(|part| !part.is_empty()).map(str::to_owned);
            for part in joined(parts, fill) {
                if columns(&part) <= WRAP {
                    lines.push(part);
                } else {
                    let words = part.split_whitespace().map(cut);
                    lines.extend(joined(words, WRAP));
                }
            }
        }
        Self(lines)
    }

    /// The text without the marks at its end, and the marks: digits in circles.
    pub(crate) fn marked(&self) -> (String, String) {
        let text = self.0.join(" ");
        let name = text.trim_end_matches(is_mark);
        (name.trim_end().to_owned(), text[name.len()..].to_owned())
    }

    /// The mark that the text begins with.
    pub(crate) fn mark(&self) -> Option<char> {
        self.0.first()?.chars().next().filter(|&c| is_mark(c))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The width in a font of this size.
    pub(crate) fn width(&self, size: f64) -> f64 {
        let widest = self.0.iter().map(|line| columns(line)).max().unwrap_or(0);
        f64::from(u32::try_from(widest).unwrap_or(u32::MAX)) * ADVANCE * size
    }

    /// The number of lines.
    pub(crate) fn len(&self) -> f64 {
        f64::from(u32::try_from(self.0.len()).unwrap_or(u32::MAX))
    }
}

pub(crate) fn is_mark(c: char) -> bool {
    ('①'..='⑳').contains(&c)
}

/// Joins neighbours by a space as long as they have room in `fill` columns.
fn joined(parts: impl Iterator<Item = String>, fill: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(last) if columns(last) + 1 + columns(&part) <= fill => {
                last.push(' ');
                last.push_str(&part);
            }
            _ => lines.push(part),
        }
    }
    lines
}

fn cut(text: &str) -> String {
    if columns(text) <= CUT {
        return text.to_owned();
    }
    let mut left = CUT - 2;
    let fits = |&c: &char| {
        let room = left.checked_sub(width(c));
        left = room.unwrap_or(0);
        room.is_some()
    };
    let mut short: String = text.chars().take_while(fits).collect();
    short.push('…');
    short
}

fn columns(text: &str) -> usize {
    text.chars().map(width).sum()
}

/// A character outside ASCII counts as a wide one: that is too much room for most, and too little
/// for none.
fn width(c: char) -> usize {
    if c.is_ascii() { 1 } else { 2 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_broken_after_commas_and_words() {
        let lines = |text| Lines::label(text).0;
        assert_eq!(lines("eof, limit"), ["eof, limit"]);
        assert_eq!(lines("eof, within 30s"), ["eof,", "within 30s"]);
        assert_eq!(lines("a\nb"), ["a", "b"]);
        assert_eq!(
            lines("what is said here does not have room in a line"),
            ["what is said here does", "not have room in a line"]
        );
        assert!(lines(" , ,, ").iter().all(|line| !line.trim().is_empty()));
        assert!(lines("").is_empty());
    }

    #[test]
    fn no_line_is_wider_than_the_cut() {
        for text in ["w".repeat(1_000), "ü".repeat(1_000), "日本".repeat(99)] {
            for lines in [Lines::label(&text), Lines::text(&text), Lines::name(&text)] {
                assert!(lines.0.iter().all(|line| columns(line) <= CUT), "{lines:?}");
                assert!(lines.0.iter().all(|line| line.ends_with('…')), "{lines:?}");
            }
        }
    }
}
