#[cfg(feature = "transitions")]
use super::Trigger;
use super::{Edge, Spec, State};

impl Spec {
    /// All edges of the graph with the states that they leave: those of the first state first. An edge's place
    /// in this order is the number by which transitions are counted.
    ///
    /// ```
    /// use fsm_runtime::prelude::*;
    ///
    /// #[state_machine(start = Talk, eof => Gone)]
    /// enum Echo {
    ///     #[read(some, max = 16KiB, idle = 60s => Gone)]
    ///     #[to(Talk)]
    ///     #[rest]
    ///     Talk,
    ///     #[end]
    ///     Gone,
    /// }
    ///
    /// let edges = Echo::SPEC.edges().map(|(state, edge)| format!("{} {}", state.name, edge.on.name()));
    /// assert_eq!(edges.collect::<Vec<_>>(), ["Talk verdict", "Talk idle", "Talk eof"]);
    /// ```
    pub fn edges(&self) -> impl Iterator<Item = (&'static State, &'static Edge)> + use<> {
        self.states.iter().flat_map(|state| state.edges.iter().map(move |edge| (state, edge)))
    }
}

#[cfg(feature = "transitions")]
impl Spec {
    /// The number of the edge of a state that an event takes.
    pub(crate) fn edge_of(&self, state: usize, is_it: &dyn Fn(&Trigger) -> bool) -> Option<usize> {
        let first: usize = self.states[..state].iter().map(|state| state.edges.len()).sum();
        let place = self.states[state].edges.iter().position(|edge| is_it(&edge.on))?;
        Some(first + place)
    }
}
