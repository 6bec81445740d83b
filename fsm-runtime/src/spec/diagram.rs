use std::fmt::Write;

use super::{Spec, Trigger, Wait};

impl Spec {
    /// The graph in the DOT language of Graphviz.
    pub fn dot(&self) -> String {
        let mut text = format!("digraph {} {{\n    rankdir=LR;\n", self.name);
        for state in self.states {
            let shape = if state.is_end() { "doublecircle" } else { "box" };
            let style = if state.rest { "bold" } else { "solid" };
            let name = state.name;
            let waits: Vec<String> = state.waits.iter().map(Wait::to_string).collect();
            let waits = waits.join("\n").escape_default().to_string();
            let _ = writeln!(
                text,
                "    {name} [shape={shape}, style={style}, label=\"{name}\\n{waits}\"];"
            );
        }
        for state in self.states {
            for edge in state.edges {
                let target = self.states[edge.target].name;
                let _ = writeln!(text, "    {} -> {target} [label=\"{}\"];", state.name, edge.on);
            }
        }
        text + "}\n"
    }

    /// The graph as a Mermaid state diagram, which the docs of the machine show. Between two states
    /// it has one arrow for verdicts, and one for all events together.
    pub fn mermaid(&self) -> String {
        let mut text = format!("stateDiagram-v2\n    [*] --> {}\n", self.states[self.start].name);
        for state in self.states {
            let mut targets: Vec<usize> = Vec::new();
            for edge in state.edges {
                if !targets.contains(&edge.target) {
                    targets.push(edge.target);
                }
            }
            for target in targets {
                let arrow = format!("    {} --> {}", state.name, self.states[target].name);
                let edges = state.edges.iter().filter(|edge| edge.target == target);
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
                let _ = writeln!(text, "    {} --> [*]", state.name);
            }
        }
        text
    }
}
