use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::{env, fs};

use crate::cases::{Case, Line};

const HEAD: &str = "\
# Errors

Every finding of `#[state_machine]` and `#[frame]` has a number, such as `fsm::E060`, which stays when the
words get better. Here is for each what causes it and what mends it, in the lines that differ. What only
types can say is said by rustc, at your tokens; the last chapter has those.

This file is made from the cases in `tests/ui/fail`, by a test that fails when it is not true.
";

/// The findings of ours that the macro knows, but for the one that only a bug of ours can cause.
pub(crate) fn numbers() -> Vec<String> {
    known().into_keys().collect()
}

/// What they are called in the macro's source, in words.
fn known() -> BTreeMap<String, String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fsm-macros/src/code.rs");
    let code = fs::read_to_string(path).expect("the macro's source is there");
    let numbers = code.lines().filter_map(|line| line.trim().strip_suffix(',')?.split_once(" = "));
    let numbers = numbers.filter(|(name, _)| *name != "Bug");
    numbers.map(|(name, number)| (format!("fsm::E{number:0>3}"), words(name))).collect()
}

/// `NoEof` as `no eof`.
fn words(name: &str) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

/// Compares the document with the cases, or writes it where `BLESS` is set.
pub(crate) fn check(cases: &[Case]) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fsm-macros/ERRORS.md");
    let made = document(cases);
    if env::var_os("BLESS").is_some() {
        fs::write(&path, &made).expect("the document can be written");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    for (number, (made, found)) in made.lines().zip(found.lines()).enumerate() {
        assert_eq!(found, made, "ERRORS.md:{}; BLESS=1 writes it anew", number + 1);
    }
    assert_eq!(made.lines().count(), found.lines().count(), "BLESS=1 writes ERRORS.md anew");
}

fn document(cases: &[Case]) -> String {
    let mut chapters: BTreeMap<String, Vec<&Case>> = BTreeMap::new();
    for case in cases {
        let ours = case.plants.iter().find(|number| number.starts_with("fsm::"));
        chapters.entry(ours.cloned().unwrap_or_default()).or_default().push(case);
    }
    let rustc = chapters.remove("").unwrap_or_default();
    let names = known();
    let mut text = HEAD.to_owned();
    for (number, cases) in &chapters {
        chapter(&mut text, &format!("{number}: {}", names[number]), cases);
    }
    chapter(&mut text, "What rustc says", &rustc);
    text
}

fn chapter(text: &mut String, title: &str, cases: &[&Case]) {
    let _ = write!(text, "\n## {title}\n");
    for case in cases {
        let _ = write!(text, "\n{}\n\n```text\n{}\n```\n", case.title, case.first().trim_end());
        let _ = write!(text, "\n```diff\n{}```\n", difference(&case.lines()));
    }
}

/// The lines that differ, with those around them.
fn difference(lines: &[Line]) -> String {
    const AROUND: usize = 2;
    let changed: Vec<usize> =
        (0..lines.len()).filter(|line| !matches!(lines[*line], Line::Same(_))).collect();
    let is_near = |line: usize| changed.iter().any(|changed| changed.abs_diff(line) <= AROUND);
    let mut text = String::new();
    let mut gap = false;
    for (number, line) in lines.iter().enumerate() {
        let (mark, line) = match line {
            Line::Same(line) => (' ', line),
            Line::Out(line) => ('-', line),
            Line::In(line) => ('+', line),
        };
        if !is_near(number) || (mark == ' ' && line.is_empty()) {
            gap |= !text.is_empty() && !is_near(number);
            continue;
        }
        if std::mem::take(&mut gap) {
            text.push_str("@@\n");
        }
        let _ = writeln!(text, "{mark}{line}");
    }
    text
}
