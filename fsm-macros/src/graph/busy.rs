//! States with a job in hand, in a machine whose connections answer jobs.

use super::{Edge, Graph};
use crate::ast::{self, Event, WaitKind};

/// The states of a machine that are reached with a job in hand, and those that are reached without one. Ends are
/// neither, and states that wait for a job are only the second.
#[derive(Default)]
pub(crate) struct Busy {
    with_job: Vec<bool>,
    without_job: Vec<bool>,
}

impl Busy {
    pub(super) fn new(machine: &ast::Machine, graph: &Graph<'_>) -> Self {
        if !machine.answers_jobs() {
            return Self::default();
        }
        let states = 0..machine.states.len();
        let waiting = || states.clone().filter(|state| machine.states[*state].waits_for_job());
        let takes = waiting().flat_map(|state| &graph.edges[state]).filter(|edge| edge.has_job());
        let leaves = waiting().flat_map(|state| &graph.edges[state]).filter(|edge| !edge.has_job());
        let start = graph.start.iter().map(|start| start.index);
        let reach = |first: Vec<usize>| {
            let mut reached = vec![false; machine.states.len()];
            let mut pending = first;
            while let Some(state) = pending.pop() {
                let ends = machine.states[state].is_end() || machine.states[state].waits_for_job();
                if !ends && !std::mem::replace(&mut reached[state], true) {
                    pending.extend(graph.edges[state].iter().map(|edge| edge.target));
                }
            }
            reached
        };
        let with_job = reach(takes.map(|edge| edge.target).collect());
        let without_job = reach(leaves.map(|edge| edge.target).chain(start).collect());
        Self { with_job, without_job }
    }

    /// Whether the connection has a job in hand in this state.
    pub(crate) fn has_job(&self, state: usize) -> bool {
        self.with_job.get(state) == Some(&true)
    }

    /// Whether the state is reached with a job in hand and without one.
    pub(crate) fn is_mixed(&self, state: usize) -> bool {
        self.has_job(state) && self.without_job[state]
    }
}

impl Edge<'_> {
    /// Whether the connection has a job in hand when this edge out of a state that waits for one is taken:
    /// the handler has got it.
    pub(crate) fn has_job(&self) -> bool {
        matches!(self.event(), None | Some(Event::Error))
    }
}

impl ast::State {
    /// Whether the state waits for a job, which its connection then answers.
    pub(crate) fn waits_for_job(&self) -> bool {
        self.waits.iter().any(|wait| matches!(wait.kind, WaitKind::Job))
    }
}

impl ast::Machine {
    /// Whether connections of the machine answer jobs.
    pub(crate) fn answers_jobs(&self) -> bool {
        self.states.iter().any(ast::State::waits_for_job)
    }

    /// Whether the machine runs jobs, and has no connection.
    pub(crate) fn runs_jobs(&self) -> bool {
        self.args.is_job() && !self.answers_jobs()
    }
}
