use proc_macro2::Ident;

use super::cycles;
use crate::ast;
use crate::code::Code;
use crate::errors::Errors;
use crate::graph::Graph;
use crate::spelling;

/// Checks the graph as a whole; reachability only if it is `complete`. The edges by a `refused` name
/// have a finding already.
pub(crate) fn check(
    machine: &ast::Machine,
    graph: &Graph<'_>,
    refused: &[&Ident],
    complete: bool,
    errors: &mut Errors,
) {
    let start = graph.start.map(|start| &machine.states[start.index]);
    if complete && !start.is_some_and(ast::State::is_end) {
        let reached = match graph.start {
            Some(start) => {
                let reached = graph.reach([start.index], false);
                unreachable(machine, &reached, errors);
                reached
            }
            None => vec![true; machine.states.len()],
        };
        endless(machine, graph, &reached, errors);
    }
    cycles::check(machine, graph, refused, errors);
}

fn unreachable(machine: &ast::Machine, reached: &[bool], errors: &mut Errors) {
    let states = names(machine, |state| !reached[state]);
    let Some(first) = states.first() else { return };
    let (states, are) = described(&states);
    let text = format!(
        "nothing leads to {states}; \
         name {are} in some `#[to(..)]` or on an edge, or remove {are}"
    );
    errors.at(Code::Unreachable, first, text);
}

fn endless(machine: &ast::Machine, graph: &Graph<'_>, reached: &[bool], errors: &mut Errors) {
    // A hand-off is an end of this machine, too.
    let is_end = |state: &ast::State| state.is_end() || state.is_handoff();
    let ends: Vec<usize> =
        (0..machine.states.len()).filter(|state| is_end(&machine.states[*state])).collect();
    // Another finding says that nothing leads to an end.
    if !ends.iter().any(|end| reached[*end]) {
        return;
    }
    let ending = graph.reach(ends, true);
    let states = names(machine, |state| !ending[state] && reached[state]);
    let Some(first) = states.first() else { return };
    let (states, are) = described(&states);
    let text = format!("no end can be reached from {states}; lead {are} to one");
    errors.at(Code::Endless, first, text);
}

fn names(machine: &ast::Machine, wanted: impl Fn(usize) -> bool) -> Vec<&Ident> {
    let states = machine.states.iter().enumerate();
    states.filter(|(index, _)| wanted(*index)).map(|(_, state)| &state.name).collect()
}

fn described(names: &[&Ident]) -> (String, &'static str) {
    match names {
        [_] => (format!("state {}", spelling::list(names)), "it"),
        _ => (format!("states {}", spelling::list(names)), "them"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::table;

    #[test]
    fn l4_every_state_is_on_a_way_from_start_to_end() {
        table(&[
            (
                "start = A",
                "#[run] #[to(C)] A, #[run] #[to(C)] B, #[end] C, #[end] D",
                &["nothing leads to states `B` and `D`; \
                     name them in some `#[to(..)]` or on an edge, or remove them"],
            ),
            (
                "start = A, eof => B, within = 1s => B",
                "#[read(some, max = 1)] #[to(A | N)] A, #[sleep(1s)] #[to(N)] N, #[end] B",
                &["no end can be reached from state `N`; lead it to one"],
            ),
            (
                "start = A",
                "#[sleep(1s)] #[to(A)] A, #[end] B",
                &["nothing leads to state `B`; \
                   name it in some `#[to(..)]` or on an edge, or remove it"],
            ),
        ]);
    }

    #[test]
    fn a_connection_that_leaves_is_at_an_end() {
        table(&[(
            "start = A, eof => D, within = 1s => D, gone => A",
            "#[read(some, max = 1)] #[to(B)] A, #[sleep(1s)] #[to(C)] B,
             #[handoff(M)] C, #[end] D",
            &[],
        )]);
    }

    #[test]
    fn a_pool_that_is_full_or_gone_is_not_asked_again_at_once() {
        table(&[
            (
                "start = A, eof => Z",
                "#[read(peek = 4, idle = 5s => Z)] #[to(A | Z)] A, #[end] Z",
                &[
                    "the cycle `A -> A` uses up no input and no time; add a state that reads what `A` \
                   looks at",
                ],
            ),
            (
                "start = A, eof => Z",
                "#[read(peek = 4, idle = 5s => Z)] #[to(B)] A, #[run] #[to(A | Z)] B, #[end] Z",
                &[
                    "the cycle `A -> B -> A` uses up no input and no time; add a state that reads what `A` \
                   looks at",
                ],
            ),
            (
                "start = A, eof => Z",
                "#[read(peek = 4, idle = 5s => Z)] #[to(B)] A,
                 #[read(exact = 4, idle = 5s => Z)] #[to(A | Z)] B, #[end] Z",
                &[],
            ),
            (
                "start = A, within = 1s => D, gone => D",
                "#[run] #[to(B)] A, #[call(S, full => A)] #[to(D)] B, #[end] D",
                &["the cycle `A -> B -> A` uses up no input and no time; \
                   lead this `full` to an end, or to a state that waits"],
            ),
            (
                "start = A, within = 1s => D, gone => A",
                "#[run] #[to(B)] A, #[handoff(M)] B, #[end] D",
                &["the cycle `A -> B -> A` uses up no input and no time; \
                   lead this `gone` to an end, or to a state that waits"],
            ),
            (
                "start = A, within = 1s => D, gone => D",
                "#[flush] #[to(B)] A, #[call(S, full => A)] #[to(D)] B, #[end] D",
                &["nothing in the cycle `B -> A -> B` waits until its cause has passed, so it \
                   repeats for ever; lead it to an end, or add a state that waits"],
            ),
            (
                "start = A, within = 1s => D, gone => A",
                "#[sleep(1s)] #[to(B)] A, #[call(S, full => A)] #[to(C | D)] B,
                 #[run] #[to(B)] C, #[end] D",
                &[],
            ),
        ]);
    }

    #[test]
    fn what_is_missing_explains_what_is_not_reached() {
        table(&[(
            "start = A, eof => Gon",
            "#[read(some, max = 1, within = never)] #[to(A)] A, #[end] Gone",
            &[],
        )]);
    }

    #[test]
    fn a_job_loops_in_its_handler() {
        let states = "#[run] #[to(A | B)] A { x: u8 }, #[end] B";
        table(&[
            (
                "start = A, job = J, reply = R",
                states,
                &["the cycle `A -> A` uses up no input and no time; \
                   loop inside the handler, or add a state that waits"],
            ),
            (
                "start = A, seed = S",
                states,
                &["the cycle `A -> A` uses up no input and no time; \
                   add a state that waits"],
            ),
            (
                "start = A, job = J, reply = R",
                "#[run] #[to(B | C)] A { x: u8 }, #[run] #[to(A)] B, #[end] C",
                &["the cycle `A -> B -> A` uses up no input and no time; \
                   add a state that waits"],
            ),
        ]);
    }

    #[test]
    fn l4_no_cycle_spins() {
        table(&[
            (
                "start = A",
                "#[run] #[to(B | D)] A, #[run] #[to(C)] B, #[run] #[to(A)] C, #[end] D",
                &["the cycle `A -> B -> C -> A` uses up no input and no time; \
                   add a state that waits"],
            ),
            (
                "start = A",
                "#[read(until = b\";\", max = 9, eof => A, limit => B, within = never)] #[to(A)] A,
                 #[run] #[to(A | C)] B, #[end] C",
                &[
                    "the cycle `A -> A` uses up no input and no time, because the stream stays \
                     ended; lead this `eof` to an end",
                    "the cycle `B -> A -> B` uses up no input and no time, because what is too \
                     long is still unread; lead this `limit` to an end, or to a state that reads \
                     it away",
                ],
            ),
            (
                "start = A, error = E, eof => C",
                "#[read(exact = 9, error => A, within = never)] #[to(A)] A, #[end] C",
                &[],
            ),
            (
                "start = A, eof => C, limit => C",
                "#[read(frame = F, max = 9, refused => A, within = never)] #[to(A)] A, #[end] C",
                &["the cycle `A -> A` uses up no input and no time, because what was refused is \
                   still unread; lead this `refused` to an end, or to a state that reads it away"],
            ),
            (
                "start = A, eof => D, limit => D, error = E, error => B",
                "#[read(until = b\";\", max = 9, within = 1s => D)] #[to(A | D)] A,
                 #[run] #[to(A)] B, #[end] D",
                &[],
            ),
            (
                "start = A, within = 1s => C",
                "#[flush] #[to(B | C)] A, #[flush] #[to(A)] B, #[end] C",
                &[
                    "the cycle `A -> B -> A` has only `flush` states, which do not wait when nothing \
                   is queued; add a state that waits",
                ],
            ),
            (
                "start = A, within = 1s => C",
                "#[run] #[to(B)] A, #[flush] #[to(A | C)] B, #[end] C",
                &[],
            ),
            (
                "start = A, eof => D, limit => D, within = 1s => D",
                "#[read(frame = F, max = 9, refused => B)] #[to(A)] A,
                 #[run] #[to(C)] B, #[flush] #[to(A | D)] C, #[end] D",
                &["nothing in the cycle `A -> B -> C -> A` uses up its cause, so it repeats \
                   for ever; lead it to an end, or add a state that reads it away"],
            ),
            (
                "start = A, eof => D, limit => D, within = 1s => D, error = E",
                "#[read(frame = F, max = 9, refused => C)] #[to(A)] A,
                 #[flush(error => A)] #[to(D)] C, #[end] D",
                &["nothing in the cycle `A -> C -> A` uses up its cause, so it repeats \
                   for ever; lead it to an end, or add a state that reads it away"],
            ),
            (
                "start = A, eof => D, limit => D, within = 1s => D",
                "#[read(frame = F, max = 9, refused => B)] #[to(A)] A,
                 #[run] #[to(C)] B, #[read(some, max = 9)] #[to(A | D)] C, #[end] D",
                &[],
            ),
        ]);
    }
}
