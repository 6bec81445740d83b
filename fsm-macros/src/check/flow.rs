use proc_macro2::Ident;

use crate::ast::{self, Event, WaitKind};
use crate::code::Code;
use crate::errors::Errors;
use crate::graph::{Edge, Graph};
use crate::spelling;

/// A reason to refuse a cycle.
struct CycleFault {
    code: Code,
    fault: &'static str,
}

const BUSY: CycleFault =
    CycleFault { code: Code::BusyCycle, fault: "uses up no input and no time" };
const ONLY_FLUSHES: CycleFault = CycleFault {
    code: Code::OnlyFlushes,
    fault: "has only `flush` states, which do not wait when nothing is queued",
};

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
    cycles(machine, graph, errors, &BUSY, |state, edge| {
        repeats_at_once(machine, state, edge) && !edge.is_among(refused)
    });
    cycles(machine, graph, errors, &ONLY_FLUSHES, |state, edge| {
        flushes(machine, state) && flushes(machine, edge.target) && !edge.is_deadline()
    });
    repeating_cycles(machine, graph, refused, errors);
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

/// Adds the cycles of edges that satisfy `accepts`, each state in one at most.
fn cycles(
    machine: &ast::Machine,
    graph: &Graph<'_>,
    errors: &mut Errors,
    &CycleFault { code, fault }: &CycleFault,
    accepts: impl Fn(usize, &Edge<'_>) -> bool,
) {
    let mut reported = vec![false; machine.states.len()];
    let cyclic = graph.cyclic(|source, edge| accepts(source, edge));
    for state in 0..machine.states.len() {
        if reported[state] || !cyclic[state] {
            continue;
        }
        let Some(cycle) = graph.cycle(state, |source, edge| accepts(source, edge)) else {
            continue;
        };
        let mut path = format!("{}", machine.states[state].name);
        for edge in &cycle {
            reported[edge.target] = true;
            path.push_str(" -> ");
            path.push_str(&machine.states[edge.target].name.to_string());
        }
        let by_itself = cycle.iter().find_map(|edge| Some((edge, edge.event()?)));
        let (edge, remedy) = match by_itself {
            Some((edge, event)) => (Some(edge), event.way_out()),
            None if cycle.len() == 1 && machine.args.is_job() && runs(machine, state) => {
                let text = "; loop inside the handler, or add a state that waits";
                (cycle.first(), text.to_owned())
            }
            None => (cycle.first(), "; add a state that waits".to_owned()),
        };
        if let Some(edge) = edge {
            errors.at(code, edge.name, format!("the cycle `{path}` {fault}{remedy}"));
        }
    }
}

impl Event {
    /// Why a cycle that it leads through goes on, and how to end it.
    fn way_out(self) -> String {
        let name = self.name();
        match self {
            Self::Eof => {
                format!(", because the stream stays ended; lead this `{name}` to an end")
            }
            Self::Limit => format!(
                ", because what is too long is still unread; lead this `{name}` to an end, or to \
                 a state that reads it away"
            ),
            Self::Refused => {
                ", because what was refused is still unread; lead this `refused` to an end, or to a state \
                 that reads it away"
                    .to_owned()
            }
            Self::Full | Self::Gone | Self::Error => {
                format!("; lead this `{name}` to an end, or to a state that waits")
            }
            Self::Within | Self::Idle | Self::Begun | Self::Drain | Self::Budget => {
                "; add a state that waits".to_owned()
            }
        }
    }
}

/// Adds the cycles that write output and come back to the event that started them, such as an
/// answer to refused input that is sent again and again.
fn repeating_cycles(
    machine: &ast::Machine,
    graph: &Graph<'_>,
    refused: &[&Ident],
    errors: &mut Errors,
) {
    let repeats = |source: usize, edge: &Edge<'_>| {
        let at_once = repeats_at_once(machine, source, edge);
        (at_once || (writes(machine, source) && !edge.is_deadline())) && !edge.is_among(refused)
    };
    let cyclic = graph.cyclic(repeats);
    for (state, name) in machine.states.iter().map(|state| &state.name).enumerate() {
        if writes(machine, state) || !cyclic[state] {
            continue;
        }
        let Some(cycle) = graph.cycle(state, repeats) else { continue };
        if cycle.iter().all(|edge| !writes(machine, edge.target)) {
            continue;
        }
        let names = cycle.iter().map(|edge| format!(" -> {}", machine.states[edge.target].name));
        let path: String = std::iter::once(name.to_string()).chain(names).collect();
        if let Some(first) = cycle.first().filter(|first| first.event().is_some()) {
            let text = match first.event() {
                Some(Event::Full | Event::Gone) => format!(
                    "nothing in the cycle `{path}` waits until its cause has passed, so it repeats \
                     for ever; lead it to an end, or add a state that waits"
                ),
                _ => format!(
                    "nothing in the cycle `{path}` uses up its cause, so it repeats for ever; \
                     lead it to an end, or add a state that reads it away"
                ),
            };
            errors.at(Code::RepeatsForEver, first.name, text);
        }
    }
}

impl Edge<'_> {
    /// Whether its name is one of `names`, at the same place.
    fn is_among(&self, names: &[&Ident]) -> bool {
        names.iter().any(|name| std::ptr::eq(*name, self.name))
    }

    fn is_deadline(&self) -> bool {
        self.event().is_some_and(Event::is_deadline)
    }
}

/// Whether the machine may take `edge` again at once when it is back in `source`.
fn repeats_at_once(machine: &ast::Machine, source: usize, edge: &Edge<'_>) -> bool {
    let Some(wait) = machine.states[source].wait() else { return false };
    matches!(
        (&wait.kind, edge.event()),
        (WaitKind::Run { .. }, _)
            | (
                WaitKind::Read { .. }
                    | WaitKind::Message
                    | WaitKind::Discard { .. }
                    | WaitKind::Call(_),
                Some(Event::Eof | Event::Limit),
            )
            | (WaitKind::Call(_) | WaitKind::HandOff(_), Some(Event::Full | Event::Gone))
            | (WaitKind::Read { .. }, Some(Event::Refused))
    )
}

/// Whether the state waits for output alone.
fn writes(machine: &ast::Machine, state: usize) -> bool {
    let wait = machine.states[state].wait();
    wait.is_some_and(|wait| {
        matches!(wait.kind, WaitKind::Flush | WaitKind::Writable { .. } | WaitKind::Shutdown)
    })
}

fn runs(machine: &ast::Machine, state: usize) -> bool {
    machine.states[state].wait().is_some_and(|wait| matches!(wait.kind, WaitKind::Run { .. }))
}

fn flushes(machine: &ast::Machine, state: usize) -> bool {
    let wait = machine.states[state].wait();
    wait.is_some_and(|wait| matches!(wait.kind, WaitKind::Flush | WaitKind::Shutdown))
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
