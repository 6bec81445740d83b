use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use fsm_tests::Message;

/// A program with a mistake, and what is said about it.
pub(crate) struct Case {
    /// Such as `fail/events/no_eof`.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    /// What is wrong, in words.
    pub(crate) title: String,
    /// The numbers of the errors.
    pub(crate) plants: Vec<String>,
    /// The lines of the program, without the words.
    lines: Vec<String>,
    stderr: String,
}

/// A line of a case, before and after it is mended.
pub(crate) enum Line {
    Same(String),
    Out(String),
    In(String),
}

/// The programs in a directory, and in those in it.
pub(crate) fn programs(directory: &str) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let mut found = Vec::new();
    for entry in fs::read_dir(&directory).expect("the directory should be there") {
        let path = entry.expect("the directory can be read").path();
        if path.is_dir() {
            found.extend(programs(path.to_str().expect("paths here are text")));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

impl Case {
    /// All cases, by name.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let paths = programs("ui/fail").into_iter().chain(programs("ui/recover"));
        paths.map(|path| Self::read(&path))
    }

    fn read(path: &Path) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui");
        let name = path.strip_prefix(root).expect("cases are in ui").with_extension("");
        let name = name.to_str().expect("paths here are text").to_owned();
        let text = fs::read_to_string(path).expect("a case can be read");
        let (head, lines): (Vec<&str>, Vec<&str>) =
            text.lines().partition(|line| line.starts_with("//! "));
        let head: Vec<&str> = head.iter().map(|line| &line[4..]).collect();
        let (plants, title): (Vec<&str>, Vec<&str>) =
            head.iter().partition(|line| line.starts_with("Plants "));
        let plants = plants.first().and_then(|line| line.strip_prefix("Plants "));
        let plants = plants.unwrap_or_else(|| panic!("{name}: it does not say what it plants"));
        let plants = plants.trim_end_matches('.').split(", ").map(str::to_owned).collect();
        assert!(!title.is_empty(), "{name}: it does not say what is wrong");
        let lines = lines.into_iter().skip_while(|line| line.is_empty()).map(str::to_owned);
        let stderr = fs::read_to_string(path.with_extension("stderr")).unwrap_or_default();
        Self {
            path: path.to_owned(),
            title: title.join(" "),
            plants,
            lines: lines.collect(),
            stderr,
            name,
        }
    }

    /// Whether it is of those that nobody would leave so.
    pub(crate) fn is_half_typed(&self) -> bool {
        self.name.starts_with("recover/")
    }

    /// The errors that a user reads, by number.
    pub(crate) fn errors(&self) -> Vec<String> {
        self.stderr.lines().filter_map(number).collect()
    }

    /// The findings of ours that a user reads.
    pub(crate) fn ours(&self) -> BTreeSet<Message> {
        let mut lines = self.stderr.lines().peekable();
        let mut found = BTreeSet::new();
        while let Some(line) = lines.next() {
            let Some(text) = line.strip_prefix("error").filter(|_| line.contains("[fsm::")) else {
                continue;
            };
            let text = text.split_once(": ").map_or(text, |(_, text)| text);
            let text = text.strip_prefix("evaluation panicked: ").unwrap_or(text).to_owned();
            let place = lines.peek().and_then(|line| line.trim().strip_prefix("--> "));
            let place = place.and_then(|place| place.split_once(".rs:")).map(|(_, place)| place);
            let place = place.unwrap_or_default().to_owned();
            found.insert(Message { level: "error".to_owned(), text, place });
        }
        found
    }

    /// The lines of our own crates that the messages of rustc quote, each with its file below the workspace.
    pub(crate) fn quotes(&self) -> Vec<(&str, &str)> {
        let mut quotes = Vec::new();
        let mut file = None;
        for line in self.stderr.lines() {
            if let Some((_, path)) = line.split_once("$WORKSPACE/") {
                file = Some(path);
            } else if line.contains("--> ") || line.is_empty() {
                file = None;
            } else if let (Some(file), Some((_, code))) = (file, line.split_once("| ")) {
                let code = code.trim();
                // The line with the carets under the code, and what is said beside them.
                if !code.is_empty() && !code.starts_with(['^', '-']) {
                    quotes.push((file, code));
                }
            }
        }
        quotes
    }

    /// The text of the first finding, without the lines that mend it.
    pub(crate) fn first(&self) -> String {
        let first = self.stderr.split("\n\nerror").next().unwrap_or_default();
        let lines = first.lines().filter(|line| !line.contains("| ") || !line.contains("//~"));
        lines.map(|line| line.to_owned() + "\n").collect()
    }

    /// The program line by line, as it is and as it should be.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let mut lines: Vec<Line> = Vec::new();
        for line in &self.lines {
            let Some(remedy) = line.trim_start().strip_prefix("//~") else {
                lines.push(Line::Same(line.clone()));
                continue;
            };
            let mut indent = indent(line).to_owned();
            let added = remedy.strip_prefix('+').map(str::trim_end);
            if added.is_none() {
                let before = lines.iter().rposition(|line| !matches!(line, Line::In(_)));
                if let Some(Line::Same(text)) = before.map(|before| lines.remove(before)) {
                    self::indent(&text).clone_into(&mut indent);
                    lines.push(Line::Out(text));
                }
            }
            let text = added.unwrap_or(remedy);
            let text = text.strip_prefix(' ').unwrap_or(text);
            if text != "-" {
                lines.push(Line::In(format!("{indent}{text}")));
            }
        }
        lines
    }

    /// The program with its remedy, if it has one.
    pub(crate) fn mended(&self) -> Option<String> {
        let lines = self.lines();
        lines.iter().any(|line| !matches!(line, Line::Same(_))).then(|| {
            let kept = lines.into_iter().filter_map(|line| match line {
                Line::Same(text) | Line::In(text) => Some(text + "\n"),
                Line::Out(_) => None,
            });
            kept.collect()
        })
    }
}

/// The blanks that a line begins with.
fn indent(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

/// The number in the first line of an error: of ours, or of rustc's, or none.
fn number(line: &str) -> Option<String> {
    let rest = line.strip_prefix("error")?;
    if let Some((_, ours)) = rest.split_once("[fsm::") {
        return ours.strip_suffix(']').map(|number| format!("fsm::{number}"));
    }
    match rest.strip_prefix('[') {
        Some(rustc) => rustc.split_once(']').map(|(number, _)| number.to_owned()),
        None => rest.starts_with(": ").then(|| "syntax".to_owned()),
    }
}
