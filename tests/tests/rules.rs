//! Checks `docs/rules.md` against the rest of the repository.
//!
//! - A row of its tables names files that exist, and tests that exist and carry the rule's number.
//! - A number that a test's name, a comment, a message or a document cites is that of a row.
//!
//! It reports all findings at once, each with a remedy.

#[path = "rules/citation.rs"]
mod citation;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use self::citation::{FAMILIES, Id, citations, named_after};

/// The file that this test reads, from the root of the repository.
const RULES: &str = "docs/rules.md";

/// The tests of a file, with the numbers of their lines: functions under `#[test]`, and names in a
/// `checks!` that makes a test of each.
fn tests(text: &str) -> Vec<(usize, &str)> {
    let (mut found, mut is_test, mut checks) = (Vec::new(), false, false);
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        let function = line.find("fn ").filter(|at| {
            let before = &line[..*at];
            ["", "pub ", "pub(crate) ", "async "].contains(&before)
        });
        if let Some(at) = function {
            let name = line[at + 3..].split(['(', '<']).next().unwrap_or_default();
            if is_test {
                found.push((number, name));
            }
            is_test = false;
        } else if line == "checks! {" {
            checks = true;
        } else if line == "}" {
            checks = false;
        } else if checks {
            found.push((number, line));
        }
        is_test |= line == "#[test]";
    }
    found
}

/// A row of a table.
#[derive(Debug)]
struct Rule<'a> {
    line: usize,
    id: Id,
    sentence: &'a str,
    files: Vec<&'a str>,
    tests: Vec<&'a str>,
}

/// The texts in backticks.
fn coded(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// Parses the rows of the tables, and reports malformed ones.
fn rules<'a>(text: &'a str, findings: &mut Vec<String>) -> Vec<Rule<'a>> {
    let mut rules: Vec<Rule<'a>> = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        let Some(row) = text.strip_prefix('|').and_then(|row| row.strip_suffix('|')) else {
            continue;
        };
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        if cells[0] == "id" || cells[0].starts_with("---") {
            continue;
        }
        let (Some(id), [_, sentence, files, tests]) = (Id::of_cell(cells[0]), &cells[..]) else {
            findings.push(format!(
                "{RULES}:{line}: `{}` begins no row; write `| X8 | rule | file | tests |`",
                cells[0]
            ));
            continue;
        };
        if rules.iter().any(|rule| rule.id == id) {
            findings.push(format!("{RULES}:{line}: {id} has two rows; give one another number"));
        }
        if matches!(id, Id::Rule(family, _) if !FAMILIES.contains(family)) {
            findings.push(format!(
                "{RULES}:{line}: {id} is of a family that the test does not look for; add its letter \
                 to `FAMILIES` in tests/tests/rules/citation.rs"
            ));
        }
        let (files, tests) = (coded(files), coded(tests));
        rules.push(Rule { line, id, sentence, files, tests });
    }
    rules
}

impl Rule<'_> {
    /// Checks a row against the files at `root` and the existing tests.
    fn check(&self, root: &Path, tests: &BTreeSet<&str>, findings: &mut Vec<String>) {
        let Self { line, id, .. } = self;
        let mut find = |what: String| findings.push(format!("{RULES}:{line}: {id} {what}"));
        if !self.sentence.ends_with('.') {
            find("has no sentence; say in one what holds".to_owned());
        }
        if self.files.is_empty() {
            find("names no file that keeps it; add its path from the root in backticks".to_owned());
        }
        for file in self.files.iter().filter(|file| !root.join(file).is_file()) {
            find(format!(
                "is kept by `{file}`, which is not there; write the path that it has now"
            ));
        }
        let prefix = id.prefix();
        if self.tests.is_empty() {
            find(format!("has no test; write one whose name begins with `{prefix}`, and name it"));
        }
        for test in &self.tests {
            if !tests.contains(test) {
                find(format!("is proved by `{test}`, which is no test; name one that exists"));
            }
            if !named_after(test).contains(id) {
                find(format!(
                    "is proved by `{test}`, whose name does not say so; begin it with `{prefix}`"
                ));
            }
        }
    }
}

/// All Rust files and documents, by their paths from the root.
fn sources(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).expect("the directory can be read") {
            let path = entry.expect("the directory can be read").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let extension = path.extension().and_then(|extension| extension.to_str());
            if name.starts_with('.') || ["target", "CHANGELOG.md"].contains(&name) {
                continue;
            }
            if path.is_dir() {
                directories.push(path);
            } else if matches!(extension, Some("rs" | "md")) {
                let text = fs::read_to_string(&path).expect("sources are text");
                found.insert(path.strip_prefix(root).expect("it is below").to_owned(), text);
            }
        }
    }
    found
}

#[test]
fn tests_are_found_by_their_attribute() {
    let text = "#[test]\n#[cfg(unix)]\nfn x1_a() {\n}\nfn x2_b() {}\npub fn x3_c() {}\n\
                checks! {\n    x3_c\n}\n// fn x4_d()";
    assert_eq!(tests(text), [(3, "x1_a"), (8, "x3_c")]);
}

#[test]
fn rows_say_what_is_wrong_with_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = "| id | rule | kept by | proved by |\n|---|---|---|---|\n\
                 | X8 | It holds. | `Cargo.toml` | `x8_a` |\n\
                 | X8 | It holds | `none.rs` | `x9_b`, `x8_c` |\n\
                 | pitfall 1 | It holds. | | |\n\
                 | pitfal 1 | It holds. | `Cargo.toml` | `x8_a` |\n\
                 | Q1 | It holds. | `Cargo.toml` | `q1_d` |";
    let mut findings = Vec::new();
    let rules = rules(table, &mut findings);
    let tests = ["x8_a", "x9_b", "q1_d"].into();
    for rule in &rules {
        rule.check(root, &tests, &mut findings);
    }
    let found: Vec<_> =
        findings.iter().map(|found| found.split([';', ',']).next().unwrap()).collect();
    let expected = [
        "docs/rules.md:4: X8 has two rows",
        "docs/rules.md:6: `pitfal 1` begins no row",
        "docs/rules.md:7: Q1 is of a family that the test does not look for",
        "docs/rules.md:4: X8 has no sentence",
        "docs/rules.md:4: X8 is kept by `none.rs`",
        "docs/rules.md:4: X8 is proved by `x9_b`",
        "docs/rules.md:4: X8 is proved by `x8_c`",
        "docs/rules.md:5: pitfall 1 names no file that keeps it",
        "docs/rules.md:5: pitfall 1 has no test",
        "docs/rules.md:7: Q1 is proved by `q1_d`",
    ];
    assert_eq!(found, expected);
}

#[test]
fn rules_files_tests_and_citations_fit_together() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("it is in the workspace");
    let sources = sources(root);
    let mut findings = Vec::new();
    let rules = rules(&sources[Path::new(RULES)], &mut findings);
    let known: BTreeSet<Id> = rules.iter().map(|rule| rule.id).collect();
    let mut all = BTreeSet::new();
    for (path, text) in &sources {
        let place = |line| format!("{}:{line}", path.display());
        for (line, id) in citations(path, text).into_iter().filter(|(_, id)| !known.contains(id)) {
            let place = place(line);
            findings.push(format!(
                "{place}: {id} is cited and is no rule; correct the number, or add a row to {RULES}"
            ));
        }
        for (line, name) in tests(text) {
            all.insert(name);
            for id in named_after(name).into_iter().filter(|id| !known.contains(id)) {
                let place = place(line);
                findings.push(format!(
                    "{place}: `{name}` is named after {id}, which is no rule; rename it, or add a \
                     row to {RULES}"
                ));
            }
        }
    }
    for rule in &rules {
        rule.check(root, &all, &mut findings);
    }
    let has_row =
        |family| known.iter().any(|id| matches!(id, Id::Rule(other, _) if *other == family));
    for family in FAMILIES.chars().filter(|family| !has_row(*family)) {
        findings.push(format!("{RULES}:1: family {family} has no row; add its table"));
    }
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}
