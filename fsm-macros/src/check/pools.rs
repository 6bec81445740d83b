use proc_macro2::Ident;
use syn::Type;

use crate::ast::{self, Event, WaitKind};
use crate::code::Code;
use crate::errors::Errors;
use crate::graph::Graph;

/// Checks the states that lead to another pool, and the edges to them. Returns the names of the
/// edges that it refuses.
pub(crate) fn check<'a>(
    machine: &ast::Machine,
    graph: &Graph<'a>,
    errors: &mut Errors,
) -> Vec<&'a Ident> {
    for state in &machine.states {
        if let Some(payload) = state.payload_name() {
            names(state, payload, errors);
        }
        if let (Some(to), true) = (&state.to, state.is_handoff()) {
            let text = "a hand-off leads out of the machine; remove `#[to(..)]`";
            errors.at(Code::HandOffGoesOn, &to.key, text);
        }
    }
    for index in 0..machine.states.len() {
        itself(machine, graph, index, errors);
    }
    given(machine, graph, errors)
}

/// Checks that a state does not call its own machine and wait for room in its pool: the jobs that fill
/// the pool would wait for each other.
fn itself(machine: &ast::Machine, graph: &Graph<'_>, index: usize, errors: &mut Errors) {
    let state = &machine.states[index];
    let Some(WaitKind::Call(Some(pool))) = state.wait().map(|wait| &wait.kind) else { return };
    let Type::Path(path) = &pool.ty else { return };
    if !path.path.get_ident().is_some_and(|name| name == "Self" || *name == machine.name) {
        return;
    }
    if !machine.runs_jobs() || graph.on(index, Event::Full).is_some() {
        return;
    }
    let (name, own) = (&state.name, &machine.name);
    let text = format!(
        "the jobs of `{own}` that fill its pool would wait for each other in `{name}`; \
         call another machine, or add `full => State`"
    );
    errors.at(Code::CallsItself, &pool.ty, text);
}

/// Checks that no field has the name of the payload.
fn names(state: &ast::State, payload: &str, errors: &mut Errors) {
    if let Some(field) = state.fields.iter().find(|field| field.name == payload) {
        let (name, what) = (&state.name, noun(payload));
        let text = format!(
            "the verdict that enters `{name}` has its {what} as `{payload}` already; \
             remove the field, or rename it if it is other data"
        );
        errors.at(Code::NameTaken, &field.name, text);
    }
}

/// The payload of this name, in words.
fn noun(payload: &str) -> &str {
    if payload == "to" { "target" } else { payload }
}

/// Checks that only verdicts lead to such states, because only a handler can give a job or a seed.
fn given<'a>(machine: &ast::Machine, graph: &Graph<'a>, errors: &mut Errors) -> Vec<&'a Ident> {
    if let Some(start) = graph.start {
        let state = &machine.states[start.index];
        if let Some(payload) = state.payload_name() {
            let (name, payload) = (&state.name, noun(payload));
            let text = format!(
                "the machine starts in `{name}` and nothing gives its {payload} then; \
                 start in another state"
            );
            errors.at(Code::NothingFills, start.name, text);
        }
    }
    let mut reported: Vec<&'a Ident> = Vec::new();
    for edge in graph.edges.iter().flatten() {
        let Some(event) = edge.event() else { continue };
        let target = &machine.states[edge.target];
        let Some(payload) = target.payload_name() else { continue };
        // A default is one token for many edges.
        if reported.iter().any(|name| std::ptr::eq(*name, edge.name)) {
            continue;
        }
        reported.push(edge.name);
        let (event, name, payload) = (event.name(), &target.name, noun(payload));
        let text = format!(
            "`{event}` leads to `{name}` and nothing gives its {payload} then; \
             lead it to a state that does, such as a `run`"
        );
        errors.at(Code::NothingFills, edge.name, text);
    }
    reported
}

#[cfg(test)]
mod tests {
    use super::super::tests::table;

    #[test]
    fn a_call_and_a_handoff_are_silent() {
        table(&[(
            "start = A, gone => D",
            "#[run] #[to(B | C)] A,
             #[call(S, within = 1s => D, full => E)] #[to(B | D)] B { x: u8 },
             #[handoff(M, within = never, full => F)] C { y: u8 },
             #[run] #[to(D)] E { #[carry] x: u8, #[job] j: J },
             #[run] #[to(D)] F { #[carry] y: u8, #[seed] s: S }, #[end] D",
            &[],
        )]);
    }

    #[test]
    fn the_verdict_has_its_names() {
        table(&[(
            "start = A, gone => D",
            "#[run] #[to(B | C)] A, #[call(S, within = 1s => D)] #[to(D)] B { job: u8, seed: u8 },
             #[handoff(M, within = 1s => D)] C { seed: u8 }, #[end] D",
            &[
                "the verdict that enters `B` has its job as `job` already; \
                 remove the field, or rename it if it is other data",
                "the verdict that enters `C` has its seed as `seed` already; \
                 remove the field, or rename it if it is other data",
            ],
        )]);
    }

    #[test]
    fn a_pool_does_not_wait_for_itself() {
        let waits = "the jobs of `M` that fill its pool would wait for each other in `B`; \
                     call another machine, or add `full => State`";
        let job = "start = A, job = J, reply = R, gone => C, within = 1s => C";
        table(&[
            (job, "#[run] #[to(B)] A { x: u8 }, #[call(Self)] #[to(C)] B, #[run] #[to(D)] C, #[end] D",
                &[waits]),
            (
                job,
                "#[run] #[to(B)] A { x: u8 }, #[call(Self, full => C)] #[to(C)] B, #[run] #[to(D)] C,
                 #[end] D",
                &[],
            ),
        ]);
    }

    #[test]
    fn a_handoff_leads_out() {
        table(&[(
            "start = A, gone => D",
            "#[run] #[to(C)] A, #[handoff(M, within = 1s => D)] #[to(A)] C, #[end] D",
            &["a hand-off leads out of the machine; remove `#[to(..)]`"],
        )]);
    }

    #[test]
    fn only_a_handler_gives_a_job() {
        table(&[(
            "start = B, gone => D, within = 1s => B",
            "#[flush] #[to(B | C | D)] A,
             #[call(S, within = 1s => D)] #[to(A)] B,
             #[handoff(M, full => B)] C, #[end] D",
            &[
                "the machine starts in `B` and nothing gives its job then; start in another state",
                "`within` leads to `B` and nothing gives its job then; \
                 lead it to a state that does, such as a `run`",
                "`full` leads to `B` and nothing gives its job then; \
                 lead it to a state that does, such as a `run`",
            ],
        )]);
    }
}
