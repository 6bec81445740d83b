use proc_macro2::Ident;

use crate::ast::{self, Answer, Event};

/// The edges of a machine, with names looked up.
pub(crate) struct Graph<'a> {
    pub(crate) start: Option<(usize, &'a Ident)>,
    /// For each state, in the order: verdicts, `within`, `idle`, `eof`, `limit`, `error`,
    /// `full`, `gone`.
    pub(crate) edges: Vec<Vec<Edge<'a>>>,
    /// For each state the other states with an edge to it.
    sources: Vec<Vec<usize>>,
    /// Unknown names. rustc reports them, because it can suggest the right ones.
    pub(crate) unknown: Vec<&'a Ident>,
    /// Some name is a group's where a state is expected, or a typo of a group's.
    pub(crate) misnamed: bool,
    /// Two variants have the same name, which rustc reports.
    pub(crate) duplicates: bool,
}

#[derive(Clone, Copy)]
pub(crate) struct Edge<'a> {
    pub(crate) target: usize,
    /// The target's name, with the span of the edge.
    pub(crate) name: &'a Ident,
    /// The answer that takes the edge; `None` for a verdict.
    pub(crate) answer: Option<&'a Answer>,
}

impl Edge<'_> {
    pub(crate) fn event(&self) -> Option<Event> {
        self.answer.map(|answer| answer.event)
    }
}

impl<'a> Graph<'a> {
    pub(crate) fn new(start: Option<(usize, &'a Ident)>, edges: Vec<Vec<Edge<'a>>>) -> Self {
        let mut sources = vec![Vec::new(); edges.len()];
        for (source, edges) in edges.iter().enumerate() {
            for edge in edges.iter().filter(|edge| edge.target != source) {
                if sources[edge.target].last() != Some(&source) {
                    sources[edge.target].push(source);
                }
            }
        }
        Self { start, edges, sources, unknown: Vec::new(), misnamed: false, duplicates: false }
    }

    /// Whether rustc has no name to report.
    pub(crate) fn is_sound(&self) -> bool {
        self.unknown.is_empty() && !self.duplicates
    }

    pub(crate) fn verdicts(&self, state: usize) -> impl Iterator<Item = &Edge<'a>> {
        self.edges[state].iter().filter(|edge| edge.answer.is_none())
    }

    pub(crate) fn on(&self, state: usize, event: Event) -> Option<&Edge<'a>> {
        self.edges[state].iter().find(|edge| edge.event() == Some(event))
    }

    /// The other states with an edge to `state`.
    pub(crate) fn predecessors(&self, state: usize) -> impl Iterator<Item = usize> {
        self.sources[state].iter().copied()
    }

    /// The states that `first` reach, or with `backwards` that reach them, `first` included.
    pub(crate) fn reach(
        &self,
        first: impl IntoIterator<Item = usize>,
        backwards: bool,
    ) -> Vec<bool> {
        let mut reached = vec![false; self.edges.len()];
        let mut open: Vec<usize> = first.into_iter().collect();
        while let Some(state) = open.pop() {
            if std::mem::replace(&mut reached[state], true) {
                continue;
            }
            if backwards {
                open.extend(self.predecessors(state));
            } else {
                open.extend(self.edges[state].iter().map(|edge| edge.target));
            }
        }
        reached
    }

    /// The states that may be on a cycle of edges that `taken` accepts: those that remain when the
    /// states without an incoming edge are removed again and again.
    pub(crate) fn cyclic(&self, taken: impl Fn(usize, &Edge<'a>) -> bool) -> Vec<bool> {
        let targets = |source: usize| {
            let edges = self.edges[source].iter().filter(|edge| taken(source, edge));
            edges.map(|edge| edge.target).collect::<Vec<_>>()
        };
        let mut leading = vec![0_usize; self.edges.len()];
        for target in (0..self.edges.len()).flat_map(targets) {
            leading[target] += 1;
        }
        let mut open: Vec<usize> =
            (0..leading.len()).filter(|state| leading[*state] == 0).collect();
        let mut left = vec![true; leading.len()];
        while let Some(state) = open.pop() {
            left[state] = false;
            for target in targets(state) {
                leading[target] -= 1;
                if leading[target] == 0 {
                    open.push(target);
                }
            }
        }
        left
    }

    /// A shortest way from `state` back to it over edges that `taken` accepts, `state` first and
    /// last.
    pub(crate) fn cycle(
        &self,
        state: usize,
        taken: impl Fn(usize, &Edge<'a>) -> bool,
    ) -> Option<Vec<Edge<'a>>> {
        let mut came: Vec<Option<(usize, Edge<'a>)>> = vec![None; self.edges.len()];
        let mut open = std::collections::VecDeque::from([state]);
        while let Some(source) = open.pop_front() {
            for edge in self.edges[source].iter().filter(|edge| taken(source, edge)) {
                if came[edge.target].is_some() {
                    continue;
                }
                came[edge.target] = Some((source, *edge));
                open.push_back(edge.target);
            }
        }
        let mut way = Vec::new();
        let mut at = state;
        while let Some((source, edge)) = came[at] {
            way.push(edge);
            at = source;
            if at == state {
                way.reverse();
                return Some(way);
            }
        }
        None
    }
}

/// The answers of a state: for each event its own, or else the default of the machine.
pub(crate) fn answers(machine: &ast::Machine, state: usize) -> Vec<&Answer> {
    let Some(wait) = machine.states[state].wait() else { return Vec::new() };
    let nature = machine.nature();
    let mut answers = Vec::new();
    for event in Event::ALL {
        if !wait.kind.can(event, nature) {
            continue;
        }
        // A state's own `idle` also replaces the machine's `within`.
        let settled = event.is_deadline() && wait.edges.bounds_time();
        let default = machine.args.defaults.answer(event).filter(|_| !settled);
        answers.extend(wait.edges.answer(event).or(default));
    }
    answers
}

#[cfg(test)]
mod tests {
    use crate::errors::Errors;

    #[test]
    fn only_what_may_be_on_a_cycle_is_looked_at() {
        let mut errors = Errors::default();
        let machine = crate::parse::tests::machine(
            "start = A",
            "enum M {
                #[run] #[to(B | D)] A, #[sleep(1s)] #[to(C)] B, #[run] #[to(B | E)] C,
                #[run] #[to(E)] D, #[end] E,
            }",
            &mut errors,
        );
        let graph = crate::check::check(&machine, &mut errors);
        assert_eq!(graph.cyclic(|_, _| true), [false, true, true, false, true]);
        assert_eq!(graph.cyclic(|source, _| source != 1), [false; 5]);
        assert_eq!(graph.predecessors(4).collect::<Vec<_>>(), [2, 3]);
    }
}
