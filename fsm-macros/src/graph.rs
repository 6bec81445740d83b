mod busy;
mod detours;

use proc_macro2::Ident;
use syn::ext::IdentExt;

pub(crate) use self::busy::Busy;
use crate::ast::{self, Event, EventEdge};

/// The edges of a machine, with names looked up.
pub(crate) struct Graph<'a> {
    pub(crate) start: Option<NamedState<'a>>,
    /// For each state: verdicts, then the edges of events in the order of [`Event::ALL`].
    pub(crate) edges: Vec<Vec<Edge<'a>>>,
    /// For each state the other states with an edge to it.
    sources: Vec<Vec<usize>>,
    /// The states with a job in hand.
    pub(crate) busy: Busy,
    /// Unknown names. rustc reports them, because it can suggest the right ones.
    pub(crate) unknown: Vec<&'a Ident>,
    /// Some name is a group's where a state is expected, or a typo of a group's.
    pub(crate) misnamed: bool,
    /// Two variants have the same name, which rustc reports.
    pub(crate) duplicates: bool,
}

/// A state, with the name that stands for it in an attribute.
#[derive(Clone, Copy)]
pub(crate) struct NamedState<'a> {
    pub(crate) index: usize,
    pub(crate) name: &'a Ident,
}

#[derive(Clone, Copy)]
pub(crate) struct Edge<'a> {
    pub(crate) target: usize,
    /// The target's name, with the span of the edge.
    pub(crate) name: &'a Ident,
    /// The event edge as declared; `None` for a verdict.
    pub(crate) declared: Option<&'a EventEdge>,
    /// The event is one of the read of the other socket beside the main wait.
    pub(crate) other: bool,
}

impl Edge<'_> {
    pub(crate) fn event(&self) -> Option<Event> {
        self.declared.map(|edge| edge.event)
    }
}

impl<'a> Graph<'a> {
    pub(crate) fn new(start: Option<NamedState<'a>>, edges: Vec<Vec<Edge<'a>>>) -> Self {
        let mut sources = vec![Vec::new(); edges.len()];
        for (source, edges) in edges.iter().enumerate() {
            for edge in edges.iter().filter(|edge| edge.target != source) {
                if sources[edge.target].last() != Some(&source) {
                    sources[edge.target].push(source);
                }
            }
        }
        let (unknown, busy) = (Vec::new(), Busy::default());
        Self { start, edges, sources, busy, unknown, misnamed: false, duplicates: false }
    }

    /// Finds the states with a job in hand.
    pub(crate) fn find_busy(&mut self, machine: &ast::Machine) {
        self.busy = Busy::new(machine, self);
    }

    /// Whether rustc has no name to report.
    pub(crate) fn is_sound(&self) -> bool {
        self.unknown.is_empty() && !self.duplicates
    }

    pub(crate) fn verdicts(&self, state: usize) -> impl Iterator<Item = &Edge<'a>> {
        self.edges[state].iter().filter(|edge| edge.declared.is_none())
    }

    pub(crate) fn on(&self, state: usize, event: Event) -> Option<&Edge<'a>> {
        self.edges[state].iter().find(|edge| edge.event() == Some(event) && !edge.other)
    }

    /// The same for an event of the read of the other socket beside the main wait.
    pub(crate) fn on_other(&self, state: usize, event: Event) -> Option<&Edge<'a>> {
        self.edges[state].iter().find(|edge| edge.event() == Some(event) && edge.other)
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
        let mut pending: Vec<usize> = first.into_iter().collect();
        while let Some(state) = pending.pop() {
            if std::mem::replace(&mut reached[state], true) {
                continue;
            }
            if backwards {
                pending.extend(self.predecessors(state));
            } else {
                pending.extend(self.edges[state].iter().map(|edge| edge.target));
            }
        }
        reached
    }

    /// The states that may be on a cycle of edges that satisfy `accepts`: those that remain when the
    /// states without an incoming edge are removed again and again.
    pub(crate) fn cyclic(&self, accepts: impl Fn(usize, &Edge<'a>) -> bool) -> Vec<bool> {
        let targets = |source: usize| {
            let edges = self.edges[source].iter().filter(|edge| accepts(source, edge));
            edges.map(|edge| edge.target).collect::<Vec<_>>()
        };
        let mut leading = vec![0_usize; self.edges.len()];
        for target in (0..self.edges.len()).flat_map(targets) {
            leading[target] += 1;
        }
        let mut pending: Vec<usize> =
            (0..leading.len()).filter(|state| leading[*state] == 0).collect();
        let mut left = vec![true; leading.len()];
        while let Some(state) = pending.pop() {
            left[state] = false;
            for target in targets(state) {
                leading[target] -= 1;
                if leading[target] == 0 {
                    pending.push(target);
                }
            }
        }
        left
    }

    /// A shortest path from `state` back to it over edges that satisfy `accepts`, `state` first and
    /// last.
    pub(crate) fn cycle(
        &self,
        state: usize,
        accepts: impl Fn(usize, &Edge<'a>) -> bool,
    ) -> Option<Vec<Edge<'a>>> {
        let mut reached_by: Vec<Option<(usize, Edge<'a>)>> = vec![None; self.edges.len()];
        let mut pending = std::collections::VecDeque::from([state]);
        while let Some(source) = pending.pop_front() {
            for edge in self.edges[source].iter().filter(|edge| accepts(source, edge)) {
                if reached_by[edge.target].is_some() {
                    continue;
                }
                reached_by[edge.target] = Some((source, *edge));
                pending.push_back(edge.target);
            }
        }
        let mut path = Vec::new();
        let mut at = state;
        while let Some((source, edge)) = reached_by[at] {
            path.push(edge);
            at = source;
            if at == state {
                path.reverse();
                return Some(path);
            }
        }
        None
    }
}

pub(crate) fn leads_to(edge: &EventEdge, state: &Ident) -> bool {
    edge.target.unraw() == state.unraw()
}

/// The event edges of a state: for each event its own edge, or else the default of the machine,
/// which is none for the state that it leads to.
pub(crate) fn event_edges(machine: &ast::Machine, state: usize) -> Vec<&EventEdge> {
    let state = &machine.states[state];
    let Some(wait) = state.wait() else { return Vec::new() };
    let machine_kind = machine.kind();
    let budget = machine.budget_of(state);
    let in_group = budget.is_some();
    let mut edges = Vec::new();
    for event in Event::ALL {
        let drains = event == Event::Drain;
        if !wait.kind.can(event, machine_kind) || (drains && state.rest.is_none()) {
            continue;
        }
        let own = if drains { &state.rest_edges } else { &wait.edges };
        // A state's own `idle` also replaces the machine's `within`, and so does the time of its group.
        let settled = event.is_deadline() && (wait.edges.bounds_time() || in_group);
        let default = machine.args.defaults.on(event).filter(|_| !settled);
        let default = default
            .filter(|default| wait.kind.takes_default(event) && !leads_to(default, &state.name));
        // An edge on a wait beside the main one is a finding, and should cause no other.
        let is_of_state =
            |wait: &&ast::Wait| !wait.kind.reads_other() || !Event::OF_OTHER_READ.contains(&event);
        let beside = || state.beside().filter(is_of_state).find_map(|wait| wait.edges.on(event));
        edges.extend(own.on(event).or_else(beside).or(default));
    }
    edges.extend(wait.edges.on(Event::HalfClosed));
    edges.extend(budget.map(|(_, budget)| &budget.edge));
    edges
}

/// The edges of the read of the other socket beside the main wait of a state: its own, or else the defaults of
/// the machine, but for times.
pub(crate) fn other_edges(machine: &ast::Machine, state: usize) -> Vec<&EventEdge> {
    let state = &machine.states[state];
    let Some(wait) = state.other_read() else { return Vec::new() };
    let edge = |event: &Event| {
        if !wait.kind.can(*event, machine.kind()) {
            return None;
        }
        let default = machine.args.defaults.on(*event).filter(|default| {
            !event.is_timed() && wait.kind.takes_default(*event) && !leads_to(default, &state.name)
        });
        wait.edges.on(*event).or(default)
    };
    Event::OF_OTHER_READ.iter().filter_map(edge).collect()
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
