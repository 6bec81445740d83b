//! The edges that many states share, found as `Spec::mermaid` finds them.

use std::fmt::Write;

use proc_macro2::Ident;
use syn::ext::IdentExt;

use super::{Edge, Graph, ast, event, name_of};

/// A machine of no more states has all its edges in the picture, because they are read as easily as notes.
const SMALL: usize = 9;
/// More states than this share a target if events lead there.
const FEW: usize = 3;
/// More states than this share a target if verdicts lead there.
const FEW_VERDICTS: usize = 5;
/// A note names so many states that do not share an event of nearly all.
const EXCEPTIONS: usize = 4;

/// The edges from many states to one target, which the picture shows once: a note at the target, and its mark at
/// each of the states, unless the note can name them.
pub(super) struct SharedTarget {
    /// A digit in a circle; none if the note names all states.
    mark: Option<char>,
    target: usize,
    events: Vec<SharedEvent>,
}

struct SharedEvent {
    name: String,
    /// With the time, if that is the same in all states.
    text: String,
    sources: Vec<usize>,
    /// The words of the note that name the states, if these are nearly all or few; otherwise they have its mark.
    from: Option<String>,
}

impl SharedTarget {
    /// The targets that many states share. There are no more than digits in circles, which are twenty.
    pub(super) fn all(machine: &ast::Machine, graph: &Graph<'_>) -> Vec<Self> {
        if machine.states.len() <= SMALL {
            return Vec::new();
        }
        // The edges of all states are looked at for each of these.
        let may_be = |target: &usize| graph.predecessors(*target).nth(FEW).is_some();
        let targets = (0..machine.states.len()).filter(may_be);
        let mut found: Vec<_> =
            targets.filter_map(|target| Self::of(machine, graph, target)).collect();
        found.truncate(20);
        let marked = found.iter_mut().filter(|note| note.marked_events().next().is_some());
        for (mark, note) in ('①'..='⑳').zip(marked) {
            note.mark = Some(mark);
        }
        found
    }

    fn of(machine: &ast::Machine, graph: &Graph<'_>, target: usize) -> Option<Self> {
        let mut shared = Self { mark: None, target, events: Vec::new() };
        for (verdicts, few) in [(true, FEW_VERDICTS), (false, FEW)] {
            let states = graph.edges.iter().enumerate().filter(|(source, _)| *source != target);
            let edges = states.flat_map(|(source, edges)| edges.iter().map(move |it| (source, it)));
            let edges: Vec<_> = edges
                .filter(|(_, edge)| edge.target == target && edge.declared.is_none() == verdicts)
                .collect();
            let mut sources: Vec<usize> = edges.iter().map(|(source, _)| *source).collect();
            sources.dedup();
            if sources.len() > few {
                for (source, edge) in edges {
                    shared.add(source, edge);
                }
            }
        }
        for event in &mut shared.events {
            let others = machine.states.iter().enumerate().filter(|(index, state)| {
                *index != target && !state.is_end() && !event.sources.contains(index)
            });
            let others: Vec<usize> = others.map(|(index, _)| index).collect();
            event.from = match &others[..] {
                [] => Some("from all other states".to_owned()),
                others if others.len() > EXCEPTIONS => None,
                others if event.sources.len() <= 2 * others.len() => None,
                others => Some(format!("from all but {}", names(machine, others))),
            };
        }
        if shared.marked_states().len() <= FEW {
            for event in shared.events.iter_mut().filter(|event| event.from.is_none()) {
                event.from = Some(format!("from {}", names(machine, &event.sources)));
            }
        }
        (!shared.events.is_empty()).then_some(shared)
    }

    fn add(&mut self, source: usize, edge: &Edge<'_>) {
        let (name, text) = (name(edge), text(edge));
        let Some(event) = self.events.iter_mut().find(|event| event.name == name) else {
            let sources = vec![source];
            return self.events.push(SharedEvent { name, text, sources, from: None });
        };
        if event.text != text {
            event.text.clone_from(&event.name);
        }
        if event.sources.last() != Some(&source) {
            event.sources.push(source);
        }
    }

    /// Whether the picture leaves the edge of this state out, because the note stands for it.
    pub(super) fn has(&self, source: usize, edge: &Edge<'_>) -> bool {
        if edge.target != self.target {
            return false;
        }
        let name = name(edge);
        self.events.iter().any(|event| event.name == name && event.sources.contains(&source))
    }

    /// The events that the mark stands for.
    fn marked_events(&self) -> impl Iterator<Item = &SharedEvent> {
        self.events.iter().filter(|event| event.from.is_none())
    }

    /// The states that have the mark, in the order of the enum.
    fn marked_states(&self) -> Vec<usize> {
        let mut states: Vec<usize> =
            self.marked_events().flat_map(|event| &event.sources).copied().collect();
        states.sort_unstable();
        states.dedup();
        states
    }

    /// The name of a state with the marks of the notes that stand for edges of it.
    pub(super) fn marked(all: &[Self], state: usize, name: &Ident) -> String {
        let notes = all.iter().filter(|note| note.marked_states().contains(&state));
        let marks: String = notes.filter_map(|note| note.mark).collect();
        if marks.is_empty() { name.to_string() } else { format!("{name} {marks}") }
    }

    /// The note, and comments that say which state has which event.
    pub(super) fn note(&self, machine: &ast::Machine) -> String {
        let mut note = format!(
            "\n    note right of {}: {}",
            names(machine, &[self.target]),
            self.lines().join("<br>")
        );
        for (mark, event) in
            self.mark.into_iter().flat_map(|mark| self.marked_events().map(move |it| (mark, it)))
        {
            let states = names(machine, &event.sources);
            let _ = write!(note, "\n    %% {mark} {}: {states}", event.text);
        }
        note
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(mark) = self.mark {
            let events: Vec<&str> = self.marked_events().map(|event| &*event.text).collect();
            lines.push(format!("{mark} {}", events.join(", ")));
            lines.push(format!("from {} states", self.marked_states().len()));
        }
        let named = self.events.iter();
        let mut named =
            named.filter_map(|event| Some((&*event.text, event.from.as_ref()?))).peekable();
        while let Some((text, from)) = named.next() {
            let mut texts = vec![text];
            while let Some((text, _)) = named.next_if(|(_, next)| *next == from) {
                texts.push(text);
            }
            lines.extend([texts.join(", "), from.clone()]);
        }
        lines
    }
}

/// The names of states in a list.
fn names(machine: &ast::Machine, states: &[usize]) -> String {
    let names = states.iter().map(|&state| machine.states[state].name.unraw().to_string());
    names.collect::<Vec<_>>().join(", ")
}

/// The word of the attribute.
fn name(edge: &Edge<'_>) -> String {
    edge.declared.map_or_else(|| "verdict".to_owned(), |declared| name_of(declared, edge.other))
}

/// The same with the time. A note of Mermaid has no colons, which a path in an expression may have.
fn text(edge: &Edge<'_>) -> String {
    let text = edge.declared.map(|declared| event(declared, edge.other));
    text.filter(|text| !text.contains([':', ';'])).unwrap_or_else(|| name(edge))
}
