use super::{Edge, Spec, State, Trigger};

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

impl Trigger {
    /// The kind of event without its time, as labels of metrics have it: `verdict`, `within`, `idle`, `begun`,
    /// `group_within`, `half_closed`, `eof`, `limit`, `refused`, `error`, `full`, `gone` or `drain`, and the same
    /// after `other_` for the read of the other socket.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Verdict => "verdict",
            Self::Within(_) => "within",
            Self::Idle(_) => "idle",
            Self::Begun(_) => "begun",
            Self::Budget(_) => "group_within",
            Self::HalfClosed(_) => "half_closed",
            Self::Eof => "eof",
            Self::Limit => "limit",
            Self::Refused => "refused",
            Self::Error => "error",
            Self::Full => "full",
            Self::Gone => "gone",
            Self::Drain => "drain",
            Self::Other(Self::Idle(_)) => "other_idle",
            Self::Other(Self::Eof) => "other_eof",
            Self::Other(Self::Limit) => "other_limit",
            Self::Other(Self::Refused) => "other_refused",
            Self::Other(_) => "other",
        }
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
