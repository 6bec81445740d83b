use proc_macro2::Ident;

use super::events::unanswered;
use super::impossible;
use crate::ast::{self, Event, EventEdge, Time};
use crate::code::Code;
use crate::errors::Errors;
use crate::graph::{Edge, Graph, other_edges};

/// Checks the read of the other socket beside the main wait of a state: its edges, and the clock that it may have
/// (S2). Returns whether no edge but for those in `general` is missing.
pub(super) fn check(
    machine: &ast::Machine,
    graph: &Graph<'_>,
    index: usize,
    general: &[Event],
    errors: &mut Errors,
) -> bool {
    let state = &machine.states[index];
    let Some(wait) = state.other_read() else { return true };
    impossible::check(machine, state, wait, errors);
    edges_of_state(state, wait, errors);
    clock(machine, graph, index, wait, errors);
    if state.incomplete || machine.args.incomplete {
        return true;
    }
    let edges = other_edges(machine, index);
    let mut complete = true;
    for event in [Event::Eof, Event::Limit] {
        let can = wait.kind.can(event, machine.kind()) && wait.kind.must(event);
        let answered = general.contains(&event) || edges.iter().any(|edge| edge.event == event);
        if can && !answered {
            complete = false;
            unanswered(machine, state, wait, event, errors);
        }
    }
    complete
}

/// Refuses edges that are those of the state.
fn edges_of_state(state: &ast::State, wait: &ast::Wait, errors: &mut Errors) {
    let Some(main) = state.wait() else { return };
    let of_state = |edge: &&EventEdge| matches!(edge.event, Event::Within | Event::Error);
    let edges = wait.edges.events.iter().filter(of_state).map(|edge| &edge.key);
    for key in edges.chain(&wait.edges.never) {
        let (name, main) = (&state.name, &main.name);
        let text = format!(
            "`{key}` is an edge of state `{name}` as a whole; write it in the `#[{main}(..)]` that is not \
             `other`"
        );
        errors.at(Code::WrongPlace, key, text);
    }
}

/// Checks the times of the read: `idle` alone, and only where each way out of the state and back completes a read
/// of that socket, because it would begin anew on each other way (T5).
fn clock(
    machine: &ast::Machine,
    graph: &Graph<'_>,
    index: usize,
    wait: &ast::Wait,
    errors: &mut Errors,
) {
    let name = &machine.states[index].name;
    if let Some(begun) = wait.edges.on(Event::Begun) {
        let text = format!(
            "`begun` has no clock beside the main wait of state `{name}`; write `idle`, which counts from the \
             last whole message"
        );
        errors.at(Code::OtherClock, &begun.key, text);
    }
    let Some(idle) = wait.edges.on(Event::Idle) else { return };
    let other_way = |source: usize, edge: &Edge<'_>| {
        edge.target != source && !completes_other(machine, source, edge)
    };
    if let Some(path) = graph.cycle(index, other_way) {
        let path: Vec<String> =
            path.iter().map(|edge| machine.states[edge.target].name.to_string()).collect();
        let text = format!(
            "this `idle` begins anew on the way `{name} -> {}`, which need not read the other socket; bound the \
             state with `within`, or stay in it",
            path.join(" -> ")
        );
        errors.at(Code::OtherClock, &idle.key, text);
        return;
    }
    never(machine, index, idle, errors);
}

/// Whether a verdict follows on a read of the other socket.
fn completes_other(machine: &ast::Machine, source: usize, edge: &Edge<'_>) -> bool {
    let wait = machine.states[source].wait();
    edge.declared.is_none() && wait.is_some_and(|wait| wait.kind.reads_other())
}

/// Refuses an `idle` that is as long as the `within` of the state or the time of its group.
fn never(machine: &ast::Machine, index: usize, idle: &EventEdge, errors: &mut Errors) {
    let state = &machine.states[index];
    let millis = |edge: &EventEdge| edge.time.as_ref().and_then(Time::fixed);
    let within = state.wait().and_then(|main| main.edges.on(Event::Within)).and_then(millis);
    let budget = machine.budget_of(state).and_then(|(_, budget)| millis(&budget.edge));
    let whole: Option<(u64, &str, Option<&Ident>)> = match (within, machine.budget_of(state)) {
        (Some(within), _) => Some((within, "the `within` of the state", None)),
        (None, Some((_, group))) => {
            budget.map(|budget| (budget, "the time of", Some(&group.group)))
        }
        _ => None,
    };
    let Some((whole, what, group)) = whole else { return };
    if whole > 1 && millis(idle).is_some_and(|idle| idle >= whole) {
        let group = group.map(|group| format!(" `{group}`")).unwrap_or_default();
        let text = format!(
            "this `idle` can never happen, because {what}{group} is over by then; make it shorter, or \
             remove it"
        );
        errors.at(Code::IdleNever, &idle.key, text);
    }
}
