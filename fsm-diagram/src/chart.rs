use std::collections::{HashMap, HashSet};
use std::fmt;

use crate::lines::Lines;

/// A diagram, read from text and within the bounds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Chart {
    /// In the order in which the text first names them.
    pub(crate) nodes: Vec<Node>,
    /// No two have the same source and target, but for one without a label beside one with it.
    pub(crate) edges: Vec<Edge>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// The dot that leads to the first state.
    Start,
    /// The ring that the last states lead to.
    End,
    /// A state: its name, and the text below it.
    State { name: Lines, text: Lines },
    /// A note at a state, which an edge leads to.
    Note { text: Lines },
}

/// Source and target are indexes of nodes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) source: usize,
    pub(crate) target: usize,
    pub(crate) label: Lines,
}

impl Chart {
    const MAX_BYTES: usize = 64 * 1024;
    const MAX_NODES: usize = 80;
    const MAX_EDGES: usize = 300;

    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        if text.len() > Self::MAX_BYTES {
            return Err(Refusal::TooLong);
        }
        let mut reader = Reader::default();
        let statements = text.lines().zip(1..).map(|(line, number)| (line.trim(), number));
        let mut statements =
            statements.filter(|(line, _)| !line.is_empty() && !line.starts_with("%%"));
        let Some(("stateDiagram-v2" | "stateDiagram", _)) = statements.next() else {
            return Err(Refusal::NoHeader);
        };
        for (line, number) in statements {
            reader.statement(line).ok_or(Refusal::Unknown(number))?;
            if reader.chart.nodes.len() > Self::MAX_NODES {
                return Err(Refusal::TooManyStates);
            }
            if reader.chart.edges.len() > Self::MAX_EDGES {
                return Err(Refusal::TooManyEdges);
            }
        }
        if reader.chart.nodes.is_empty() {
            return Err(Refusal::Empty);
        }
        Ok(reader.chart)
    }
}

impl Chart {
    /// The text that is shown to those who point at the node: for a note the states that have its mark, for a
    /// state the notes whose marks it has.
    pub(crate) fn title(&self, node: usize) -> Option<String> {
        let lines: Vec<String> = match &self.nodes[node] {
            Node::Start | Node::End => return None,
            Node::Note { text } => {
                let mark = text.mark()?;
                let names = self.nodes.iter().filter_map(|node| match node {
                    Node::State { name, .. } => {
                        name.marked().1.contains(mark).then(|| name.marked().0)
                    }
                    _ => None,
                });
                vec![format!("{mark} {}", names.collect::<Vec<_>>().join(", "))]
            }
            Node::State { name, .. } => {
                let notes = self.edges.iter().filter_map(|edge| {
                    let Node::Note { text } = &self.nodes[edge.source] else { return None };
                    let Node::State { name: target, .. } = &self.nodes[edge.target] else {
                        return None;
                    };
                    let is_here = text.mark().is_some_and(|mark| name.marked().1.contains(mark));
                    is_here.then(|| format!("{} to {}", text.0.join(" "), target.marked().0))
                });
                notes.collect()
            }
        };
        (!lines.is_empty()).then(|| lines.join("; "))
    }

    /// Whether the edge leads from a note to its state.
    pub(crate) fn is_of_note(&self, edge: &Edge) -> bool {
        matches!(self.nodes[edge.source], Node::Note { .. })
    }
}

/// The reason why a text cannot be drawn.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    NoHeader,
    Empty,
    TooLong,
    TooManyStates,
    TooManyEdges,
    /// The number of the line, from one.
    Unknown(usize),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHeader => write!(f, "its text does not start with `stateDiagram-v2`"),
            Self::Empty => write!(f, "its text has no states"),
            Self::TooLong => write!(f, "its text is longer than {} bytes", Chart::MAX_BYTES),
            Self::TooManyStates => write!(f, "it has more than {} states", Chart::MAX_NODES),
            Self::TooManyEdges => write!(f, "it has more than {} edges", Chart::MAX_EDGES),
            Self::Unknown(line) => write!(f, "line {line} of its text is not understood"),
        }
    }
}

#[derive(Default)]
struct Reader {
    chart: Chart,
    nodes: HashMap<Name, usize>,
    /// The edges by source, target, and whether there is a label.
    edges: HashMap<(usize, usize, bool), usize>,
    /// The states that have another name by now.
    renamed: HashSet<usize>,
}

#[derive(PartialEq, Eq, Hash)]
enum Name {
    Start,
    End,
    State(String),
}

impl Reader {
    /// Reads a statement; `None` if it is not understood.
    fn statement(&mut self, line: &str) -> Option<()> {
        if let Some((source, rest)) = line.split_once("-->") {
            let (target, label) = rest.split_once(':').unwrap_or((rest, ""));
            let source = self.node(end(source, Name::Start)?);
            let target = self.node(end(target, Name::End)?);
            self.edge(source, target, Lines::label(&plain(label)));
            return Some(());
        }
        if let Some(rest) = line.strip_prefix("note ") {
            let (place, text) = rest.split_once(':')?;
            let place = place.trim_start();
            let id = place.strip_prefix("right of ").or_else(|| place.strip_prefix("left of "))?;
            let target = self.node(state(id)?);
            let source = self.chart.nodes.len();
            self.chart.nodes.push(Node::Note { text: Lines::text(&plain(text)) });
            self.chart.edges.push(Edge { source, target, label: Lines::default() });
            return Some(());
        }
        if let Some(direction) = line.strip_prefix("direction ") {
            return matches!(direction.trim(), "TB" | "TD").then_some(());
        }
        if let Some(rest) = line.strip_prefix("state ") {
            let (text, id) = rest.trim().strip_prefix('"')?.split_once('"')?;
            let id = id.trim_start().strip_prefix("as ")?;
            return self.describe(id, text);
        }
        if let Some((id, text)) = line.split_once(':') {
            return self.describe(id, text);
        }
        self.node(state(line)?);
        Some(())
    }

    fn node(&mut self, name: Name) -> usize {
        let next = self.chart.nodes.len();
        let node = match &name {
            Name::Start => Node::Start,
            Name::End => Node::End,
            Name::State(id) => Node::State { name: Lines::name(id), text: Lines::default() },
        };
        let index = *self.nodes.entry(name).or_insert(next);
        if index == next {
            self.chart.nodes.push(node);
        }
        index
    }

    fn edge(&mut self, source: usize, target: usize, mut label: Lines) {
        let next = self.chart.edges.len();
        let key = (source, target, label.is_empty());
        let index = *self.edges.entry(key).or_insert(next);
        match self.chart.edges.get_mut(index) {
            Some(edge) => {
                label.0.retain(|line| !edge.label.0.contains(line));
                edge.label.0.append(&mut label.0);
            }
            None => self.chart.edges.push(Edge { source, target, label }),
        }
    }

    /// Names a state; a second text stands below the name.
    fn describe(&mut self, id: &str, words: &str) -> Option<()> {
        let index = self.node(state(id)?);
        let words = plain(words);
        let Node::State { name, text } = self.chart.nodes.get_mut(index)? else { return None };
        if words.trim().is_empty() {
            return Some(());
        }
        let mut words = Lines::text(&words);
        if self.renamed.insert(index) {
            *name = words;
        } else {
            text.0.append(&mut words.0);
        }
        Some(())
    }
}

/// One end of an edge: a state, or the dot or ring of `[*]`.
fn end(text: &str, star: Name) -> Option<Name> {
    if text.trim() == "[*]" { Some(star) } else { state(text) }
}

fn state(text: &str) -> Option<Name> {
    let id = text.trim();
    let known = !id.is_empty() && id.chars().all(|c| c.is_alphanumeric() || c == '_');
    known.then(|| Name::State(id.to_owned()))
}

/// The text with its escapes resolved: `<br>` breaks a line, `#59;` is a character. Invisible
/// characters are left out.
fn plain(text: &str) -> String {
    let text = text.replace("<br/>", "\n").replace("<br />", "\n").replace("<br>", "\n");
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('#') {
        plain.push_str(before);
        rest = after;
        let code = after.split_once(';').and_then(|(code, after)| Some((character(code)?, after)));
        match code {
            Some((c, after)) => {
                plain.push(c);
                rest = after;
            }
            None => plain.push('#'),
        }
    }
    plain.push_str(rest);
    plain.retain(|c| c == '\n' || !c.is_control());
    plain
}

fn character(code: &str) -> Option<char> {
    match code {
        "quot" => Some('"'),
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        number => number.parse().ok().and_then(char::from_u32).filter(|c| !c.is_control()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(statements: &str) -> Result<Chart, Refusal> {
        Chart::parse(&format!("stateDiagram-v2\n{statements}"))
    }

    fn labels(statements: &str) -> Vec<Vec<String>> {
        parse(statements).unwrap().edges.into_iter().map(|edge| edge.label.0).collect()
    }

    fn names(statements: &str) -> Vec<(Vec<String>, Vec<String>)> {
        let nodes = parse(statements).unwrap().nodes.into_iter();
        let state = |node| match node {
            Node::State { name, text } => Some((name.0, text.0)),
            Node::Start | Node::End | Node::Note { .. } => None,
        };
        nodes.filter_map(state).collect()
    }

    #[test]
    fn stars_are_the_start_and_the_end() {
        let chart = parse("[*] --> A\nA --> [*]\nA --> B\nB-->[*]").unwrap();
        let edges: Vec<_> = chart.edges.iter().map(|edge| (edge.source, edge.target)).collect();
        assert_eq!(edges, [(0, 1), (1, 2), (1, 3), (3, 2)]);
        assert_eq!(chart.nodes[0], Node::Start);
        assert_eq!(chart.nodes[2], Node::End);
    }

    #[test]
    fn labels_between_the_same_states_stand_at_one_edge() {
        let statements = "A --> B: eof\nA --> B\nA --> B: idle 60s\nA --> B: eof\nB --> A: eof";
        assert_eq!(labels(statements), [vec!["eof", "idle 60s"], vec![], vec!["eof"]]);
    }

    #[test]
    fn characters_are_taken_literally_or_by_number() {
        let label = |text| labels(&format!("A --> B: {text}")).concat().concat();
        assert_eq!(label("a:b"), "a:b");
        assert_eq!(label("a#58;b"), "a:b");
        assert_eq!(label("#quot;#lt;#gt;#amp;#quot;"), "\"<>&\"");
        assert_eq!(label("#;#x;#10;#1114112;#"), "#;#x;#10;#1114112;#");
        assert_eq!(label("<b>&amp;"), "<b>&amp;");
        assert_eq!(label("a\u{0}\u{7f}\tb"), "ab");
        assert_eq!(labels("A --> B: a<br>b<br/>c<br />d"), [["a", "b", "c", "d"]]);
    }

    #[test]
    fn a_state_has_a_name_and_a_text() {
        assert_eq!(names("A"), [(vec!["A".into()], vec![])]);
        assert_eq!(names("A: one"), [(vec!["one".into()], vec![])]);
        let both = [(vec!["one".into()], vec!["two".into(), "three".into()])];
        assert_eq!(names("A: one\nA: two\nA: three"), both);
        assert_eq!(names("A: one\nstate \"two<br>three\" as A"), both);
    }

    #[test]
    fn a_note_and_the_states_with_its_mark_know_each_other() {
        let chart = parse(
            "state \"A ①②\" as A\nstate \"B ②\" as B\nA --> C\nB --> C\n\
             note right of C: ② from 2 states<br>eof, idle 5s\nnote left of B: a word",
        )
        .unwrap();
        let titles: Vec<_> = (0..chart.nodes.len()).map(|node| chart.title(node)).collect();
        let from = "② from 2 states eof, idle 5s to C";
        assert_eq!(
            titles.iter().map(Option::as_deref).collect::<Vec<_>>(),
            [Some(from), Some(from), None, Some("② A, B"), None]
        );
        let of_notes = chart.edges.iter().filter(|edge| chart.is_of_note(edge));
        let of_notes: Vec<_> = of_notes.map(|edge| (edge.source, edge.target)).collect();
        assert_eq!(of_notes, [(3, 2), (4, 1)]);
    }

    #[test]
    fn what_is_not_understood_is_named_by_its_line() {
        let unknown = [
            "A -->",
            "--> A",
            "A --> B --> C",
            "A -- B",
            "A --> B C",
            "[*]",
            "[*]: text",
            "note left of A",
            "note over A: text",
            "note right of A B: text",
            "end note",
            "state A {",
            "state \"text\" A",
            "}",
            "direction LR",
            "classDef x fill:#fff",
            "A --> B<br>",
        ];
        for statement in unknown {
            assert_eq!(
                parse(&format!("\nA\n{statement}")),
                Err(Refusal::Unknown(4)),
                "{statement}"
            );
        }
    }

    #[test]
    fn comments_blank_lines_and_indents_do_not_count() {
        let text = "\n  %% a comment\n\n\t stateDiagram-v2  \n   direction TB\n  %%\n A --> B \r\n";
        assert_eq!(Chart::parse(text), parse("A-->B"));
    }

    #[test]
    fn bounds_are_kept() {
        let lines = |count: usize, line: fn(usize) -> String| {
            parse(&(0..count).map(line).collect::<Vec<_>>().join("\n"))
        };
        let state = |i| format!("S{i}");
        assert!(lines(80, state).is_ok());
        assert_eq!(lines(81, state), Err(Refusal::TooManyStates));
        let edge = |i| format!("A{} --> B{}", i % 19, i / 19);
        assert!(lines(300, edge).is_ok());
        assert_eq!(lines(301, edge), Err(Refusal::TooManyEdges));
        assert_eq!(parse(&" ".repeat(1 << 16)), Err(Refusal::TooLong));
        assert_eq!(parse("%% nothing"), Err(Refusal::Empty));
        assert_eq!(Chart::parse(""), Err(Refusal::NoHeader));
        assert_eq!(Chart::parse("flowchart TD\nA --> B"), Err(Refusal::NoHeader));
    }
}
