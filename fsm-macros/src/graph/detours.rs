//! Ways out of a state that reads, and back, without a read.

use super::{Edge, Graph};
use crate::ast::{self, Event};

impl Graph<'_> {
    /// Whether the machine can leave a state that has a time for its reads and come back without a read.
    /// Then these times must go on meanwhile (T5).
    pub(crate) fn has_detours(&self, machine: &ast::Machine) -> bool {
        let has_time = |state: usize| {
            let timed = |event: &Event| self.on(state, *event).is_some();
            reads(machine, state) && [Event::Idle, Event::Begun].iter().any(timed)
        };
        (0..machine.states.len()).any(|state| {
            // The end of a read's time elsewhere does not begin that of this state anew.
            let is_other = |source: usize, edge: &Edge<'_>| {
                source != state && matches!(edge.event(), Some(Event::Idle | Event::Begun))
            };
            let detour = |source, edge: &Edge<'_>| {
                is_detour(machine, source, edge) || is_other(source, edge)
            };
            has_time(state) && self.cycle(state, detour).is_some()
        })
    }

    /// Whether the deadline `event` of a state leads back to it without a read.
    pub(crate) fn returns(&self, machine: &ast::Machine, state: usize, event: Event) -> bool {
        let Some(edge) = self.on(state, event) else { return false };
        let mut reached = vec![false; machine.states.len()];
        let mut pending = vec![edge.target];
        while let Some(at) = pending.pop() {
            if at == state {
                return true;
            }
            if !std::mem::replace(&mut reached[at], true) {
                let detours = self.edges[at].iter().filter(|edge| is_detour(machine, at, edge));
                pending.extend(detours.map(|edge| edge.target));
            }
        }
        false
    }
}

/// Whether an edge leads to another state for another reason than a read.
fn is_detour(machine: &ast::Machine, source: usize, edge: &Edge<'_>) -> bool {
    let without_read = match edge.event() {
        None => !reads(machine, source) || machine.states[source].beside().next().is_some(),
        Some(Event::Within | Event::Budget) => true,
        Some(_) => edge.other || !reads(machine, source),
    };
    edge.target != source && without_read
}

fn reads(machine: &ast::Machine, state: usize) -> bool {
    machine.states[state].wait().is_some_and(|wait| wait.kind.takes_input())
}
