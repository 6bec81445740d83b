use super::both;
use super::deadlines;
use super::defaults::{self, lacks, waiting};
use super::impossible;
use super::unanswered;
use crate::ast::{self, Event};
use crate::code::Code;
use crate::errors::Errors;
use crate::graph::{Graph, leads_to};

/// Checks that each event has an edge where it can happen, and only there. Returns whether no
/// edge is missing.
pub(crate) fn check(machine: &ast::Machine, graph: &Graph<'_>, errors: &mut Errors) -> bool {
    let mut complete = true;
    let general = defaults::check(machine, errors);
    for (index, state) in machine.states.iter().enumerate() {
        let Some(wait) = waiting(machine, state) else { continue };
        complete &= impossible::check(machine, state, wait, errors);
        if !state.incomplete && !machine.args.incomplete {
            complete &= missing(machine, graph, index, &general, errors);
        }
        deadlines::check(machine, graph, index, errors);
        complete &= both::check(machine, graph, index, &general, errors);
    }
    deadlines::idle_never(&machine.args.defaults, errors);
    deadlines::budgets(machine, errors);
    complete
}

/// Adds the events without an edge but for those in `general`, and returns whether there is none.
fn missing(
    machine: &ast::Machine,
    graph: &Graph<'_>,
    index: usize,
    general: &[Event],
    errors: &mut Errors,
) -> bool {
    let state = &machine.states[index];
    let Some(wait) = waiting(machine, state) else { return true };
    let mut complete = general.is_empty();
    let answered =
        [Event::Eof, Event::Limit, Event::Refused, Event::Error, Event::Gone, Event::HalfClosed];
    for event in answered {
        if lacks(machine, index, wait, event) && !general.contains(&event) {
            complete = false;
            if has_other_eof(wait, event) {
                continue;
            }
            unanswered::check(machine, state, wait, event, errors);
        }
    }
    if lacks(machine, index, wait, Event::Within) && !general.contains(&Event::Within) {
        let name = &state.name;
        complete = false;
        // The time may be that of a group whose name is a typo.
        if machine.args.budgets.iter().any(|budget| graph.unknown.contains(&&budget.group)) {
            return false;
        }
        let mut defaults = machine.args.defaults.events.iter();
        if let Some(default) = defaults.find(|it| it.event.is_deadline() && leads_to(it, name)) {
            let event = default.event.name();
            let text = format!(
                "the machine's `{event}` leads state `{name}` back to itself, so nothing bounds \
                 it; give it a `within` of its own"
            );
            errors.at(Code::DeadlineToItself, name, text);
            return false;
        }
        let can_idle = wait.kind.can(Event::Idle, machine.kind());
        let or_idle = if can_idle { " or `idle = 30s => State`" } else { "" };
        let text = format!(
            "nothing bounds how long state `{name}` may last; \
             add `within = 30s => State`{or_idle}, or say `within = never`"
        );
        errors.at(Code::NoDeadline, name, text);
    }
    complete
}

/// Whether the `eof` of a relay has a time and needs none, or none and needs one, which is a finding already.
fn has_other_eof(wait: &ast::Wait, event: Event) -> bool {
    let other = match event {
        Event::Eof => Event::HalfClosed,
        Event::HalfClosed => Event::Eof,
        _ => return false,
    };
    wait.edges.on(other).is_some()
}

#[cfg(test)]
mod tests {
    use super::super::tests::table;

    #[test]
    fn l2_every_possible_event_has_an_answer() {
        table(&[
            (
                "start = A",
                "#[read(frame = F, max = 9)] #[to(A | B)] A, #[end] B",
                &[
                    "state `A` reads but nothing says where end of stream leads; \
                     add `eof => State` here or on `#[state_machine(..)]`",
                    "state `A` reads at most `max` bytes but nothing says where more leads; \
                     add `limit => State` here or on `#[state_machine(..)]`",
                    "nothing bounds how long state `A` may last; add `within = 30s => State` \
                     or `idle = 30s => State`, or say `within = never`",
                ],
            ),
            (
                "start = A, error = Fault",
                "#[run] #[to(B)] A, #[end] B",
                &["no handler may fail, because nothing says where that leads; add \
                   `error => State` here or on the states whose handlers fail"],
            ),
            ("start = A, error = Fault, error => B", "#[run] #[to(B)] A, #[end] B", &[]),
            ("start = A, idle = 1s => B", "#[flush] #[to(B)] A, #[end] B", &[]),
            (
                "start = A, eof => B",
                "#[read(frame = 8, max = 9, limit => B, refused => B, idle = 1s => B)] #[to(A)] A,
                 #[end] B",
                &["`frame` needs the type of a decoder; write `frame = Type`"],
            ),
        ]);
    }

    #[test]
    fn what_leads_out_has_a_deadline_and_says_where_gone_leads() {
        table(&[
            (
                "start = A",
                "#[run] #[to(B | C)] A, #[call(S)] #[to(D)] B, #[handoff(M)] C, #[end] D",
                &[
                    "state `B` calls a pool but nothing says where it leads when that is gone; \
                     add `gone => State` here or on `#[state_machine(..)]`",
                    "nothing bounds how long state `B` may last; \
                     add `within = 30s => State`, or say `within = never`",
                    "state `C` hands its connection to a pool but nothing says where it leads \
                     when that is gone; add `gone => State` here or on `#[state_machine(..)]`",
                    "nothing bounds how long state `C` may last; \
                     add `within = 30s => State`, or say `within = never`",
                ],
            ),
            (
                "start = A, gone => D, idle = 1s => D, error = E, error => D",
                "#[flush] #[to(B | C)] A, #[call(S, idle = 1s => D)] #[to(D)] B,
                 #[handoff(M, within = 1s => D, idle = 1s => D, eof => D, limit => D, error => D)] C,
                 #[end] D",
                &[
                    "`idle` can never happen in state `B`: it waits for one answer, and `within` \
                     bounds that; write `within`",
                    "`idle` can never happen in state `C`: it waits for room alone, and `within` \
                     bounds that; remove it",
                    "`eof` can never happen in state `C`: it neither reads nor waits for a \
                     message; remove it",
                    "`limit` can never happen in state `C`: it does not read; remove it",
                    "`error` can never happen in state `C`: it has no handler; remove it",
                ],
            ),
            (
                "start = A, full => B, gone => B",
                "#[flush(full => B, gone => B, within = never)] #[to(B)] A, #[end] B",
                &[
                    "`full` can never happen in state `A`: it waits for no other pool; remove it",
                    "`gone` can never happen in state `A`: it waits for no other pool; remove it",
                ],
            ),
            (
                "start = A, gone => C",
                "#[run] #[to(B)] A, #[call(S, within = 1s => B)] #[to(C)] B, #[end] C",
                &[
                    "`within` leads state `B` back to itself, so nothing bounds it; \
                     lead it elsewhere, or say `within = never`",
                    "`within` leads to `B` and nothing gives its job then; \
                     lead it to a state that does, such as a `run`",
                ],
            ),
        ]);
    }

    #[test]
    fn a_deadline_leads_elsewhere() {
        table(&[
            (
                "start = A, eof => B",
                "#[read(some, max = 9, within = 9s => A)] #[to(A)] A, #[end] B",
                &["`within` leads state `A` back to itself, so nothing bounds it; \
                   lead it elsewhere, or say `within = never`"],
            ),
            (
                "start = A, eof => B, within = 9s => A",
                "#[read(some, max = 9)] #[to(A)] A, #[end] B",
                &["the machine's `within` leads state `A` back to itself, so nothing bounds it; \
                   give it a `within` of its own"],
            ),
            (
                "start = A, eof => B",
                "#[read(some, max = 9, within = 9s => B, idle = 1s => A)] #[to(A)] A, #[end] B",
                &[],
            ),
        ]);
    }
}
