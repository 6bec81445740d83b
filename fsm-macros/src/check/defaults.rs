use crate::ast::{self, Event, EventEdge};
use crate::code::Code;
use crate::errors::Errors;
use crate::graph::{event_edges, other_edges};
use crate::spelling;

/// Adds one finding for each event that several states lack, because one default is the remedy, and
/// returns these events.
pub(super) fn check(machine: &ast::Machine, errors: &mut Errors) -> Vec<Event> {
    const SEVERAL: usize = 3;
    let mut found = Vec::new();
    for event in [Event::Eof, Event::Limit, Event::Gone, Event::Within] {
        let lacking = machine.states.iter().enumerate().filter(|(index, state)| {
            let wait = waiting(machine, state).filter(|_| !state.incomplete);
            wait.is_some_and(|wait| lacks(machine, *index, wait, event))
        });
        let names: Vec<String> = lacking.map(|(_, state)| state.name.to_string()).collect();
        let mut defaults = machine.args.defaults.events.iter();
        let has_default = defaults.any(|default| {
            default.event == event || (event == Event::Within && default.event.is_deadline())
        });
        if names.len() < SEVERAL || has_default || machine.args.incomplete {
            continue;
        }
        let names = spelling::list(names.iter().map(String::as_str));
        let (code, text) = general(event);
        errors.at(
            code,
            &machine.name,
            format_args!("{text} in the states {names}; {}", remedy(event)),
        );
        found.push(event);
    }
    found
}

/// The part that is missing in the states that have no answer to `event`.
fn general(event: Event) -> (Code, &'static str) {
    match event {
        Event::Eof => (Code::NoEof, "nothing says where end of stream leads"),
        Event::Limit => (Code::NoLimit, "nothing says where more than `max` bytes lead"),
        Event::Gone => (Code::NoGone, "nothing says where it leads when the other pool is gone"),
        _ => (Code::NoDeadline, "nothing bounds the time"),
    }
}

fn remedy(event: Event) -> String {
    let time = if event == Event::Within { " = 30s" } else { "" };
    format!("add `{}{time} => State` on `#[state_machine(..)]`, or on each", event.name())
}

/// The wait of a state, unless no job can have it, which is another finding.
pub(super) fn waiting<'a>(machine: &ast::Machine, state: &'a ast::State) -> Option<&'a ast::Wait> {
    state.wait().filter(|wait| !machine.runs_jobs() || !wait.kind.needs_connection())
}

/// Whether `event` can happen in a state, must have an edge there and has none; `Within` stands for both
/// deadlines.
pub(super) fn lacks(machine: &ast::Machine, index: usize, wait: &ast::Wait, event: Event) -> bool {
    if !wait.kind.must(event) || !wait.kind.can(event, machine.kind()) {
        return false;
    }
    let given = event_edges(machine, index);
    match event {
        Event::Within => {
            !wait.edges.bounds_time() && !given.iter().any(|edge| edge.event.is_deadline())
        }
        event => !given.iter().any(|edge| edge.event == event),
    }
}

/// Adds the defaults of the machine that no state uses, and an error type without an edge.
pub(crate) fn unused(machine: &ast::Machine, errors: &mut Errors) {
    if let Some((key, _)) = &machine.args.error {
        let fails = |state| event_edges(machine, state).iter().any(|it| it.event == Event::Error);
        if !(0..machine.states.len()).any(fails) {
            let text = "no handler may fail, because nothing says where that leads; add \
                        `error => State` here or on the states whose handlers fail";
            errors.at(Code::NoError, key, text);
        }
    }
    for default in &machine.args.defaults.events {
        if !is_used(machine, default) {
            let key = &default.key;
            let remedy = match default.event {
                Event::Drain => {
                    "add `#[rest]` to a state in which nothing is in progress, or remove it"
                }
                _ => "remove it",
            };
            errors.at(
                Code::DefaultUnused,
                key,
                format_args!("no state uses this `{key}`; {remedy}"),
            );
        }
    }
}

/// Whether the default is the answer of some state.
pub(super) fn is_used(machine: &ast::Machine, default: &EventEdge) -> bool {
    (0..machine.states.len()).any(|state| {
        let mut edges = event_edges(machine, state).into_iter().chain(other_edges(machine, state));
        edges.any(|edge| std::ptr::eq(edge, default))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::table;

    #[test]
    fn several_states_lack_one_default() {
        let states = "#[read(until = b\"x\", max = 9)] #[to(B)] A,
                      #[read(until = b\"x\", max = 9)] #[to(C)] B,
                      #[read(until = b\"x\", max = 9)] #[to(D)] C, #[end] D";
        table(&[
            (
                "start = A",
                states,
                &[
                    "nothing says where end of stream leads in the states `A`, `B` and `C`; \
                     add `eof => State` on `#[state_machine(..)]`, or on each",
                    "nothing says where more than `max` bytes lead in the states `A`, `B` and `C`; \
                     add `limit => State` on `#[state_machine(..)]`, or on each",
                    "nothing bounds the time in the states `A`, `B` and `C`; \
                     add `within = 30s => State` on `#[state_machine(..)]`, or on each",
                ],
            ),
            ("start = A, eof => D, limit => D, within = 1s => D", states, &[]),
        ]);
    }
}
