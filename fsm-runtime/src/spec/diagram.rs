use std::fmt::Write;

use super::shared::SharedTarget;
use super::{Edge, Spec, Trigger, Wait};

impl Spec {
    /// The graph in the DOT language of Graphviz. Edges that many states have to one target are one edge from a
    /// note, as in [`mermaid`](Self::mermaid); the tooltip of the note lists the states.
    pub fn dot(&self) -> String {
        let shared = self.shared();
        let mut text = format!("digraph {} {{\n    rankdir=LR;\n", self.name);
        for (index, state) in self.states.iter().enumerate() {
            let shape = if state.is_end() { "doublecircle" } else { "box" };
            let style = if state.rest { "bold" } else { "solid" };
            let (name, label) = (state.name, marked(&shared, index, state.name));
            let waits: Vec<String> = state.waits.iter().map(Wait::to_string).collect();
            let waits = waits.join("\n").escape_default().to_string();
            let _ = writeln!(
                text,
                "    {name} [shape={shape}, style={style}, label=\"{label}\\n{waits}\"];"
            );
        }
        for (number, note) in shared.iter().enumerate() {
            let (label, tooltip) = (note.lines().join("\\n"), note.lists(self).join("\\n"));
            let target = self.states[note.target].name;
            let _ = writeln!(
                text,
                "    \"note {number}\" [shape=note, style=dashed, label=\"{label}\", \
                 tooltip=\"{tooltip}\"];\n    \"note {number}\" -> {target} [style=dashed];"
            );
        }
        for (index, state) in self.states.iter().enumerate() {
            for edge in state.edges.iter().filter(|edge| !is_shared(&shared, index, edge)) {
                let target = self.states[edge.target].name;
                let _ = writeln!(text, "    {} -> {target} [label=\"{}\"];", state.name, edge.on);
            }
        }
        text + "}\n"
    }

    /// The graph as a Mermaid state diagram, which the docs of the machine show. Between two states
    /// it has one arrow for verdicts, and one for all events together.
    ///
    /// In a machine of ten states or more, some edges are no arrows: events that lead from more than three states to
    /// one target, and verdicts that lead from more than five. A note at the target names them, and its mark, a digit
    /// in a circle, stands at each of the states. A comment below the note says which state has which. Events of nearly
    /// all states, or of very few, have no marks, because their note names the states.
    pub fn mermaid(&self) -> String {
        let shared = self.shared();
        let mut text = format!("stateDiagram-v2\n    [*] --> {}\n", self.states[self.start].name);
        for (index, state) in self.states.iter().enumerate() {
            let name = state.name;
            let label = marked(&shared, index, name);
            if label != name {
                let _ = writeln!(text, "    state \"{label}\" as {name}");
            }
            let mut targets: Vec<usize> = Vec::new();
            for edge in state.edges {
                if !targets.contains(&edge.target) {
                    targets.push(edge.target);
                }
            }
            for target in targets {
                let arrow = format!("    {name} --> {}", self.states[target].name);
                let edges = state.edges.iter().filter(|edge| edge.target == target);
                let edges = edges.filter(|edge| !is_shared(&shared, index, edge));
                if edges.clone().any(|edge| edge.on == Trigger::Verdict) {
                    let _ = writeln!(text, "{arrow}");
                }
                let events = edges.filter(|edge| edge.on != Trigger::Verdict);
                let events: Vec<String> = events.map(|edge| edge.on.to_string()).collect();
                if !events.is_empty() {
                    let _ = writeln!(text, "{arrow}: {}", events.join(", "));
                }
            }
            if state.is_end() {
                let _ = writeln!(text, "    {name} --> [*]");
            }
        }
        for note in &shared {
            let target = self.states[note.target].name;
            let lines = note.lines().join("<br>");
            let _ = writeln!(text, "    note right of {target}: {lines}");
            for list in note.lists(self) {
                let _ = writeln!(text, "    %% {list}");
            }
        }
        text
    }
}

/// The name of a state with the marks of the notes that stand for edges of it.
fn marked(shared: &[SharedTarget], state: usize, name: &str) -> String {
    let notes = shared.iter().filter(|note| note.marked_states().contains(&state));
    let marks: String = notes.filter_map(|note| note.mark).collect();
    if marks.is_empty() { name.to_owned() } else { format!("{name} {marks}") }
}

/// Whether a note stands for the edge.
fn is_shared(shared: &[SharedTarget], state: usize, edge: &Edge) -> bool {
    shared.iter().any(|note| note.target == edge.target && note.has(state, edge.on))
}
