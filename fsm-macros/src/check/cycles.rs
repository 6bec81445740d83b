use proc_macro2::Ident;

use crate::ast::{self, Event, WaitKind};
use crate::code::Code;
use crate::errors::Errors;
use crate::graph::{Edge, Graph};

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

/// Checks that every cycle waits for something. The edges by a `refused` name have a finding already.
pub(crate) fn check(
    machine: &ast::Machine,
    graph: &Graph<'_>,
    refused: &[&Ident],
    errors: &mut Errors,
) {
    cycles(machine, graph, errors, &BUSY, |state, edge| {
        repeats_at_once(machine, state, edge) && !edge.is_among(refused)
    });
    cycles(machine, graph, errors, &ONLY_FLUSHES, |state, edge| {
        flushes(machine, state) && flushes(machine, edge.target) && !edge.is_deadline()
    });
    repeating_cycles(machine, graph, refused, errors);
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
        let sources = std::iter::once(state).chain(cycle.iter().map(|edge| edge.target));
        let mut by_itself = cycle.iter().zip(sources);
        let by_itself = by_itself.find_map(|(edge, source)| Some((edge, source, edge.event()?)));
        let (edge, remedy) = match by_itself {
            // Nothing of the input is refused there.
            Some((edge, source, Event::Refused)) if machine.states[source].connects() => {
                (Some(edge), Event::Gone.way_out().replace("gone", "refused"))
            }
            Some((edge, _, event)) => (Some(edge), event.way_out()),
            None if cycle.len() == 1 && machine.runs_jobs() && runs(machine, state) => {
                let text = "; loop inside the handler, or add a state that waits";
                (cycle.first(), text.to_owned())
            }
            None => {
                let path = std::iter::once(state).chain(cycle.iter().map(|edge| edge.target));
                let peeks = path.map(|state| &machine.states[state]).find(|state| state.peeks());
                let remedy = match peeks {
                    Some(state) => {
                        format!("; add a state that reads what `{}` looks at", state.name)
                    }
                    None => "; add a state that waits".to_owned(),
                };
                (cycle.first(), remedy)
            }
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
            Self::Within
            | Self::Idle
            | Self::Begun
            | Self::HalfClosed
            | Self::Drain
            | Self::Budget => {
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
    if edge.other {
        return matches!(edge.event(), Some(Event::Eof | Event::Limit | Event::Refused));
    }
    if wait.kind.peeks() && edge.event().is_none() {
        return true;
    }
    matches!(
        (&wait.kind, edge.event()),
        (WaitKind::Run { .. }, _)
            | (
                WaitKind::Read { .. }
                    | WaitKind::Message
                    | WaitKind::Job
                    | WaitKind::Discard { .. }
                    | WaitKind::Call(_),
                Some(Event::Eof | Event::Limit),
            )
            | (WaitKind::Call(_) | WaitKind::HandOff(_), Some(Event::Full | Event::Gone))
            | (WaitKind::Read { .. } | WaitKind::Connect, Some(Event::Refused))
            | (WaitKind::Relay(_), Some(Event::Eof | Event::Gone))
            | (WaitKind::Tls { .. }, Some(Event::Error))
    )
}

impl ast::State {
    /// Whether it looks at the input and leaves it unread.
    fn peeks(&self) -> bool {
        self.wait().is_some_and(|wait| wait.kind.peeks())
    }
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
