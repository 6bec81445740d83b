//! The numbers of rules, and their citations.

use std::fmt;
use std::path::Path;

/// The families whose numbers have a letter; each has a table, and `traps` have one, too.
pub(crate) const FAMILIES: &str = "LRXGTWFCSVEDPMU";
/// The words for a trap in comments.
const TRAPS: [&str; 4] = ["trap", "traps", "pitfall", "pitfalls"];
/// The separators between two numbers.
const SEPARATORS: [&str; 5] = [", and ", ", ", " and ", " to ", "-"];

/// The number of a rule: `X8`, or `pitfall 16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Id {
    Rule(char, u32),
    Trap(u32),
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(family, number) => write!(f, "{family}{number}"),
            Self::Trap(number) => write!(f, "pitfall {number}"),
        }
    }
}

impl Id {
    /// Parses a word such as `X8`, of any family.
    fn of_word(word: &str) -> Option<Self> {
        let mut rest = word.chars();
        let family = rest.next().filter(char::is_ascii_uppercase)?;
        number(rest.as_str()).map(|number| Self::Rule(family, number))
    }

    /// Parses the first cell of a row.
    pub(crate) fn of_cell(cell: &str) -> Option<Self> {
        let trap = cell.strip_prefix("pitfall ").and_then(number).map(Self::Trap);
        trap.or_else(|| Self::of_word(cell))
    }

    /// The prefix of the name of a test that proves only this rule.
    pub(crate) fn prefix(self) -> String {
        format!("{}_", self.to_string().to_lowercase().replace(' ', "_"))
    }
}

/// One or two digits, the first of which is not 0.
fn number(text: &str) -> Option<u32> {
    let fits = text.len() <= 2 && !text.starts_with('0');
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    (fits && digits).then(|| text.parse().ok()).flatten()
}

/// The rules that a text cites, except in backticks.
fn cited(text: &str) -> Vec<Id> {
    let prose = text.split('`').step_by(2).collect::<Vec<_>>().join("`");
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    let mut rest = prose.as_str();
    let mut before = ' ';
    while let Some(start) = rest.find(is_part) {
        let end = rest[start..].find(|c| !is_part(c)).map_or(rest.len(), |len| start + len);
        before = rest[..start].chars().next_back().unwrap_or(before);
        let (word, after) = (&rest[start..end], &rest[end..]);
        match Id::of_word(word) {
            Some(Id::Rule(family, _)) if !FAMILIES.contains(family) => {}
            Some(id) if is_prose(before, after) => found.push(id),
            None if TRAPS.contains(&word.to_lowercase().as_str()) => {
                found.extend(numbers(after).into_iter().map(Id::Trap));
            }
            _ => {}
        }
        before = word.chars().next_back().unwrap_or(' ');
        rest = after;
    }
    found
}

/// Whether a word in this context is not a part of a path, a type, a file or the name of a cache.
fn is_prose(before: char, after: &str) -> bool {
    let mut next = after.chars();
    let ends = match next.next() {
        None => true,
        Some('.' | ':') => next.next().is_none_or(char::is_whitespace),
        Some(c) => c.is_whitespace() || "),;-/!?'".contains(c),
    };
    ends && (before.is_whitespace() || "(-/!".contains(before)) && !after.starts_with(" cache")
}

/// The numbers after a word such as `traps`.
fn numbers(mut rest: &str) -> Vec<u32> {
    let mut found = Vec::new();
    let mut tail = rest.strip_prefix(' ');
    while let Some(text) = tail {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let Some(number) = number(&text[..end]) else { break };
        found.push(number);
        rest = &text[end..];
        tail = SEPARATORS.iter().find_map(|separator| rest.strip_prefix(separator));
    }
    found
}

/// The rules at the beginning of the name of a test: four in `r1_to_r3_and_x1_hold`.
pub(crate) fn named_after(name: &str) -> Vec<Id> {
    let mut words = name.split('_');
    let mut found: Vec<Id> = Vec::new();
    let mut joint = "";
    while let Some(word) = words.next() {
        let id = match (word, found.last()) {
            ("and" | "to", Some(_)) => {
                joint = word;
                continue;
            }
            ("pitfall", _) => words.next().and_then(number).map(Id::Trap),
            (_, Some(Id::Trap(_))) if !joint.is_empty() && number(word).is_some() => {
                number(word).map(Id::Trap)
            }
            _ => Id::of_word(&word.to_uppercase())
                .filter(|_| word.starts_with(|c: char| FAMILIES.to_lowercase().contains(c))),
        };
        let Some(id) = id else { break };
        if let (Some(Id::Rule(first, from)), Id::Rule(last, to), "to") = (found.last(), id, joint)
            && *first == last
        {
            found.extend((from + 1..to).map(|number| Id::Rule(last, number)));
        }
        found.push(id);
        joint = "";
    }
    found
}

/// The string literals of a line of Rust, and its comment.
fn parts(line: &str) -> (Vec<&str>, &str) {
    let (mut strings, mut from, mut escaped) = (Vec::new(), None, false);
    for (at, c) in line.char_indices() {
        match (from, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(start), '"') => {
                strings.push(&line[start..at]);
                from = None;
            }
            (None, '"') if !line[..at].ends_with('\'') => from = Some(at + 1),
            (None, '/') if line[at..].starts_with("//") => return (strings, &line[at + 2..]),
            _ => {}
        }
    }
    (strings, "")
}

/// The rules that a message cites if it begins with numbers and a colon, such as `R2, R6: out of
/// order`.
fn cited_by_message(message: &str) -> Vec<Id> {
    let Some((head, _)) = message.split_once(": ") else { return Vec::new() };
    let words = head.split([' ', ',', '-']).filter(|word| !word.is_empty());
    let is_id = |word: &str| Id::of_word(word).is_some() || number(word).is_some();
    let mut other = words.filter(|word| !is_id(word) && !["and", "to"].contains(word));
    let all = other.all(|word| TRAPS.contains(&word));
    if all { cited(head) } else { Vec::new() }
}

/// The citations in a file, with their line numbers.
pub(crate) fn citations(path: &Path, text: &str) -> Vec<(usize, Id)> {
    let is_rust = path.extension().is_some_and(|extension| extension == "rs");
    let mut found = Vec::new();
    let mut fenced = false;
    for (line, text) in (1..).zip(text.lines()) {
        let (strings, prose) = if is_rust { parts(text) } else { (Vec::new(), text) };
        found.extend(strings.into_iter().flat_map(cited_by_message).map(|id| (line, id)));
        if is_rust && prose.is_empty() {
            fenced = false;
        } else if prose.trim_start_matches(['/', '!']).trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            found.extend(cited(prose).into_iter().map(|id| (line, id)));
        }
    }
    found
}

#[test]
fn citations_are_distinguished_from_other_words() {
    let ids = |text| cited(text).iter().map(ToString::to_string).collect::<Vec<_>>();
    for (text, expected) in [
        ("a panic ends one connection (X8).", &["X8"][..]),
        ("A packet for the key (R1, R6).", &["R1", "R6"]),
        ("The rules R1-R4 and X9 to X11: each", &["R1", "R4", "X9", "X11"]),
        ("R3", &["R3"]),
        ("see trap 9", &["pitfall 9"]),
        ("Traps 8 and 9, pitfalls 1-3.", &["pitfall 8", "pitfall 9", "pitfall 1", "pitfall 3"]),
        ("a trap of 16 sockets, a Trap16", &[]),
        ("fits the L1 cache, or L2 caches", &[]),
        ("Map<R1, R2>, R1::Item, X1<T>, L1.rs, LR1, R1x, X_1, R01, X100", &[]),
        ("`R1` and `Vec<X2>` are code, Q7 and K1 are of no family", &[]),
        ("commit 9X1 of %C3%L2", &[]),
    ] {
        assert_eq!(ids(text), expected, "{text}");
    }
}

#[test]
fn names_of_tests_begin_with_rules() {
    let ids = |name| named_after(name).iter().map(ToString::to_string).collect::<Vec<_>>();
    for (name, expected) in [
        ("x8_a_panic_ends_its_connection", &["X8"][..]),
        ("x3_pitfall_1_readiness_lasts", &["X3", "pitfall 1"]),
        ("pitfall_1_and_2_a_burst", &["pitfall 1", "pitfall 2"]),
        ("r1_to_r3_and_x1_x2_hold", &["R1", "R2", "R3", "X1", "X2"]),
        ("r5_and_nothing_else", &["R5"]),
        ("l10_to_4_people", &["L10"]),
        ("q7_is_a_state", &[]),
        ("a_test_of_x8", &[]),
        ("ranges", &[]),
    ] {
        assert_eq!(ids(name), expected, "{name}");
    }
    for (id, prefix) in [(Id::Rule('X', 8), "x8_"), (Id::Trap(16), "pitfall_16_")] {
        assert_eq!(id.prefix(), prefix);
    }
}

#[test]
fn comments_and_messages_cite_and_code_does_not() {
    let file = |name| move |text: &str| citations(Path::new(name), text);
    let rust = file("a.rs");
    assert_eq!(rust("let x = X1; // once (R7)"), [(1, Id::Rule('R', 7))]);
    assert_eq!(rust("assert!(a, \"R2, R6: lost\");").len(), 2);
    assert_eq!(rust("assert!(a, \"pitfall 3: lost\");"), [(1, Id::Trap(3))]);
    assert_eq!(rust("(\"a // (R7)\", '\"', \"R7 is lost: see\", \"C: R7\")"), []);
    assert_eq!(rust("/// ```\n/// let a = R1;\n/// ```\n/// (X2)"), [(4, Id::Rule('X', 2))]);
    assert_eq!(file("a.md")("```\nR1\n```\nBy R2."), [(4, Id::Rule('R', 2))]);
}
