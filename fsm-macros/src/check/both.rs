use proc_macro2::Ident;

use super::impossible;
use super::unanswered;
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
            unanswered::check(machine, state, wait, event, errors);
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

#[cfg(test)]
mod tests {
    use super::super::tests::{messages, table};

    /// A machine whose state `Both` has these waits and targets, and the states that follow.
    fn machine(waits: &str, to: &str, others: &str) -> String {
        format!(
            "#[run] #[to(Dial)] Hello, #[connect(within = 5s => Gone, refused => Gone)] #[to(Both)] Dial,
             {waits} #[to({to})] Both, {others} #[end] Gone"
        )
    }

    const ARGS: &str = "start = Hello, eof => Gone, limit => Gone";

    #[test]
    fn s2_what_reads_both_sockets_is_silent() {
        let read = "#[read(exact = 8, within = 50s => Gone)]";
        let relay = "#[relay(out, exact = 8, max = 1KiB, idle = 9s => Gone, gone => Gone)]";
        let other = "#[read(other, frame = F, max = 9, idle = 9s => Gone, refused => Gone)]";
        for waits in
            [format!("{read} {other}"), format!("{other} {read}"), format!("{other} {relay}")]
        {
            table(&[(ARGS, &machine(&waits, "Both | Gone", ""), &[])]);
        }
        let waits = format!("#[tick(1s)] {read} #[message] {other}");
        let args = format!("{ARGS}, message = M");
        table(&[(&args, &machine(&waits, "Both | Gone", ""), &[])]);
    }

    #[test]
    fn s2_each_read_has_its_edges_and_the_state_has_the_rest() {
        let read = "#[read(exact = 8, within = 50s => Gone, eof => Gone)]";
        for (other, expected) in [
            (
                "#[read(other, until = b\"x\", max = 9)]",
                &[
                    "state `Both` reads the other socket but nothing says where the end of its stream leads; add \
                     `eof => State` to `#[read(other, ..)]` or on `#[state_machine(..)]`",
                    "state `Both` reads at most `max` bytes of the other socket but nothing says where more \
                     leads; add `limit => State` to `#[read(other, ..)]` or on `#[state_machine(..)]`",
                ][..],
            ),
            (
                "#[read(other, exact = 9, eof => Gone, within = 9s => Gone)]",
                &[
                    "`within` is an edge of state `Both` as a whole; write it in the `#[read(..)]` that is not \
                   `other`",
                ],
            ),
            (
                "#[read(other, exact = 9, eof => Gone, gone => Gone)]",
                &[
                    "`gone` can never happen in state `Both`: a connection that breaks off is the end of its \
                   stream; write `eof`",
                ],
            ),
            (
                "#[read(other, exact = 9, eof => Gone)] #[rest]",
                &[
                    "a state that reads the other socket is no place to rest, because something is in progress; \
                   remove `#[rest]`",
                ],
            ),
        ] {
            let machine = machine(&format!("{read} {other}"), "Both | Gone", "");
            assert_eq!(messages("start = Hello", &machine), expected, "{other}");
        }
    }

    #[test]
    fn t5_the_clock_of_the_other_read_is_never_dead() {
        let read = "#[read(exact = 8, within = 50s => Gone)]";
        for (other, to, others, expected) in [
            (
                "idle = 9s => Gone",
                "Both | Answer",
                "#[read(other, exact = 1, within = 1s => Gone)] #[to(Both)] Answer,",
                vec![],
            ),
            (
                "idle = 9s => Gone",
                "Pause",
                "#[sleep(1s)] #[to(Both)] Pause,",
                vec![
                    "this `idle` begins anew on the way `Both -> Pause -> Both`, which need not read the other \
                     socket; bound the state with `within`, or stay in it",
                ],
            ),
            (
                "begun = 9s => Gone",
                "Both",
                "",
                vec![
                    "`begun` has no clock beside the main wait of state `Both`; write `idle`, which counts from \
                     the last whole message",
                ],
            ),
            (
                "idle = 50s => Gone",
                "Both",
                "",
                vec![
                    "this `idle` can never happen, because the `within` of the state is over by then; make it \
                     shorter, or remove it",
                ],
            ),
        ] {
            let waits = format!("{read} #[read(other, exact = 2, {other})]");
            assert_eq!(
                messages("start = Hello, eof => Gone", &machine(&waits, to, others)),
                expected
            );
        }
    }

    #[test]
    fn s2_a_read_of_the_other_socket_stands_beside_a_way_out_alone() {
        let other = "#[read(other, exact = 9)]";
        for (waits, expected) in [
            (
                format!("#[relay(back, max = 1KiB, idle = 9s => Gone, gone => Gone)] {other}"),
                "state `Both` waits for two things, `relay` and `read`; a `read` of the other socket stands \
                 beside `relay(out, ..)`; make two states of it",
            ),
            (
                "#[relay(back, max = 1KiB, idle = 9s => Gone, gone => Gone)] #[read(exact = 9)]"
                    .to_owned(),
                "state `Both` waits for two things, `relay` and `read`; make two states of it",
            ),
            (
                format!("#[read(exact = 9, within = 9s => Gone)] {other} {other}"),
                "`read` is here twice; join them or remove one",
            ),
        ] {
            assert_eq!(messages(ARGS, &machine(&waits, "Gone", "")), [expected], "{waits}");
        }
    }
}
