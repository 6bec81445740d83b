use crate::ast::{self, Edges, Event, EventEdge, GroupBudget, Time};
use crate::code::Code;
use crate::errors::Errors;
use crate::graph::{Graph, event_edges};

/// Checks that the deadlines of a state bound it, and do not contradict each other.
pub(crate) fn check(machine: &ast::Machine, graph: &Graph<'_>, index: usize, errors: &mut Errors) {
    let state = &machine.states[index];
    let Some(wait) = state.wait() else { return };
    contradiction(state, wait, errors);
    endless(machine, index, errors);
    // A `within` that leads back begins anew, and `idle` goes on.
    let leads_back = graph.returns(machine, index, Event::Within);
    if wait.kind.can(Event::Idle, machine.kind()) && !leads_back {
        idle_never(&wait.edges, errors);
    }
}

/// Refuses an `idle` or a `begun` that is as long as the `within` beside it, which is always over
/// before.
pub(crate) fn idle_never(edges: &Edges, errors: &mut Errors) {
    let millis = |edge: &EventEdge| edge.time.as_ref().and_then(Time::fixed);
    let Some(within) = edges.on(Event::Within).and_then(millis) else { return };
    for shorter in [Event::Idle, Event::Begun].iter().filter_map(|event| edges.on(*event)) {
        // An unreadable time is 1.
        if within <= 1 || millis(shorter).is_none_or(|shorter| shorter < within) {
            continue;
        }
        let key = &shorter.key;
        let text = format!(
            "this `{key}` can never happen, because the `within` beside it is over by then; \
             make it shorter, or remove it"
        );
        errors.at(Code::IdleNever, key, text);
    }
}

/// Checks the times of groups: each leads out of its group, and no state is in two of them.
pub(crate) fn budgets(machine: &ast::Machine, errors: &mut Errors) {
    let budgets = &machine.args.budgets;
    for (at, GroupBudget { group, edge }) in budgets.iter().enumerate() {
        if machine.holds(group, &edge.target, 0) {
            let target = &edge.target;
            let text = format!(
                "the time of `{group}` is over in `{target}`, too; lead it to a state outside of `{group}`"
            );
            errors.at(Code::BudgetInside, target, text);
        }
        let shared = machine.states.iter().find_map(|state| {
            let holds = |other: &&GroupBudget| machine.holds(&other.group, &state.name, 0);
            let other = budgets[..at].iter().find(holds)?;
            machine.holds(group, &state.name, 0).then_some((&state.name, &other.group))
        });
        if let Some((state, other)) = shared {
            let text = format!(
                "state `{state}` is in `{group}` and in `{other}`, which both have a time; \
                 take it out of one"
            );
            errors.at(Code::BudgetTwice, group, text);
        }
    }
    for state in &machine.states {
        let (Some((_, budget)), Some(wait)) = (machine.budget_of(state), state.wait()) else {
            continue;
        };
        let whole = budget.edge.time.as_ref().and_then(Time::fixed);
        for edge in wait.edges.events.iter().filter(|edge| edge.event.is_timed()) {
            let time = edge.time.as_ref().and_then(Time::fixed);
            if whole.zip(time).is_some_and(|(whole, time)| whole > 1 && time >= whole) {
                let (key, group) = (&edge.key, &budget.group);
                let text = format!(
                    "this `{key}` can never happen, because the time of `{group}` is over by then; \
                     make it shorter, or remove it"
                );
                errors.at(Code::IdleNever, key, text);
            }
        }
    }
}

/// Refuses deadlines that lead back to their state, because they bound nothing.
fn endless(machine: &ast::Machine, index: usize, errors: &mut Errors) {
    let name = &machine.states[index].name;
    let edges = event_edges(machine, index);
    // The time of a group that leads back has a finding of its own.
    let bounds = |edge: &&&EventEdge| edge.event.is_deadline() && edge.event != Event::Budget;
    let mut deadlines = edges.iter().filter(bounds).peekable();
    let Some(first) = deadlines.peek().copied() else { return };
    if !deadlines.all(|edge| edge.target == *name) {
        return;
    }
    let event = first.event.name();
    let text = format!(
        "`{event}` leads state `{name}` back to itself, so nothing bounds it; \
         lead it elsewhere, or say `within = never`"
    );
    errors.at(Code::DeadlineToItself, &first.target, text);
}

fn contradiction(state: &ast::State, wait: &ast::Wait, errors: &mut Errors) {
    let Some(never) = &wait.edges.never else { return };
    if let Some(edge) = wait.edges.events.iter().find(|edge| edge.event.is_deadline()) {
        let (name, event) = (&state.name, edge.event.name());
        let text = format!("state `{name}` has `{event}` and `within = never`; remove one");
        errors.at(Code::DeadlineAndNever, never, text);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::table;

    #[test]
    fn t4_the_time_of_a_group_leads_out_of_it_once() {
        let states = "#[read(exact = 1)] #[to(B)] A, #[flush] #[to(A | C)] B, #[end] C";
        table(&[
            ("start = A, eof => C, G = A | B, within(G) = 1s => C", states, &[]),
            ("start = A, eof => C, within(A) = 1s => C, within(B) = T => C", states, &[]),
            (
                "start = A, eof => C, G = A | B, within(G) = 1s => B",
                states,
                &["the time of `G` is over in `B`, too; lead it to a state outside of `G`"],
            ),
            (
                "start = A, eof => C, G = A | B, H = B | C, within(G) = 1s => C, within(H) = 1s => C",
                states,
                &[
                    "the time of `H` is over in `C`, too; lead it to a state outside of `H`",
                    "state `B` is in `H` and in `G`, which both have a time; take it out of one",
                ],
            ),
            (
                "start = A, eof => C, G = A | B, within(G) = 2s => C",
                "#[read(exact = 1, within = 2s => C, idle = 1s => C)] #[to(B)] A,
                 #[flush(within = 1min => C)] #[to(A | C)] B, #[end] C",
                &[
                    "this `within` can never happen, because the time of `G` is over by then; \
                     make it shorter, or remove it",
                    "this `within` can never happen, because the time of `G` is over by then; \
                     make it shorter, or remove it",
                ],
            ),
            ("start = A, eof => C, within(D) = 1s => C, within = 1s => C", states, &[]),
            (
                "start = A, eof(B) = 1s => C, within = 1s => C",
                states,
                &["`eof` takes nothing in parentheses; write `eof = 1s => C`"],
            ),
        ]);
    }

    #[test]
    fn t5_an_idle_that_goes_on_over_a_detour_may_be_longer_than_a_deadline() {
        table(&[
            (
                "start = A, eof => C",
                "#[read(exact = 1, within = 2s => B, idle = 3s => C)] #[to(A)] A,
                 #[sleep(1s)] #[to(A)] B, #[end] C",
                &[],
            ),
            (
                "start = A, eof => C",
                "#[read(exact = 1, within = 2s => B, idle = 3s => C)] #[to(A)] A,
                 #[sleep(1s)] #[to(C)] B, #[end] C",
                &["this `idle` can never happen, because the `within` beside it is over by then; \
                   make it shorter, or remove it"],
            ),
        ]);
    }
}
