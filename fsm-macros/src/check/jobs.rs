use crate::ast::{self, Event, WaitKind};
use crate::code::Code;
use crate::errors::Errors;
use crate::graph::{Edge, Graph};
use crate::spelling;

/// Checks the keys, states and edges of a machine that runs jobs.
pub(crate) fn check(machine: &ast::Machine, graph: &Graph<'_>, errors: &mut Errors) {
    keys(machine, errors);
    if machine.runs_jobs() {
        for state in &machine.states {
            connected(state, errors);
        }
        replies(machine, graph, errors);
    }
}

/// Checks that `job` and `reply` come together, and not beside `seed`.
fn keys(machine: &ast::Machine, errors: &mut Errors) {
    let args = &machine.args;
    match (&args.job, &args.reply) {
        (Some((key, _)), None) if !args.incomplete => {
            let text = "nothing says what the `job` is answered with; add `reply = Type`";
            errors.at(Code::JobWithoutReply, key, text);
        }
        (None, Some((key, _))) if !args.incomplete => {
            let text = "nothing says what the `reply` answers; add `job = Type`";
            errors.at(Code::JobWithoutReply, key, text);
        }
        _ => {}
    }
    if let (Some((key, _)), true) = (&args.seed, args.is_job()) {
        let text = if machine.answers_jobs() {
            "the pool opens the connections that answer jobs, and no seed comes with them; remove `seed`"
        } else {
            "a machine is started by a job or by a hand-off with a seed; \
             remove `seed`, or `job` and `reply`"
        };
        errors.at(Code::SeedAndJob, key, text);
    }
}

/// Checks that a state needs no connection, because a job has none.
fn connected(state: &ast::State, errors: &mut Errors) {
    let name = &state.name;
    for wait in state.waits.iter().filter(|wait| wait.kind.needs_connection()) {
        let why = match wait.kind {
            WaitKind::Read { .. } | WaitKind::Discard { .. } => "to read from",
            WaitKind::HandOff(_) => "to hand off",
            WaitKind::Connect | WaitKind::Relay(_) => "to join to another one",
            WaitKind::Tls { .. } => "to encrypt",
            _ => "to write to",
        };
        let or = match wait.kind {
            WaitKind::HandOff(_) => "",
            _ => ", or let connections answer the jobs, which wait for them in a `#[job]` state",
        };
        let text = format!(
            "a job has no connection {why}; \
             make state `{name}` one that waits by `call`, `message`, `sleep` or `run`{or}"
        );
        errors.at(Code::NoConnection, &wait.name, text);
    }
    if let Some(rest) = state.rest.as_ref().filter(|_| !state.is_end()) {
        let text = "a job has no connection that could be closed here; remove `#[rest]`";
        errors.at(Code::NoConnection, rest, text);
    }
}

/// Checks that only verdicts lead to an end, because only a handler can give the reply.
fn replies(machine: &ast::Machine, graph: &Graph<'_>, errors: &mut Errors) {
    let mut reported: Vec<&proc_macro2::Ident> = Vec::new();
    for edges in &graph.edges {
        let mut ends: Vec<(Event, &Edge<'_>)> = Vec::new();
        for edge in edges {
            // A default is one token for many edges.
            let is_new = || !reported.iter().any(|name| std::ptr::eq(*name, edge.name));
            let is_over = machine.states[edge.target].is_end() && is_new();
            ends.extend(edge.event().filter(|_| is_over).map(|event| (event, edge)));
        }
        let Some((_, first)) = ends.first() else { continue };
        reported.extend(ends.iter().map(|(_, edge)| edge.name));
        let (leads, it) = if ends.len() == 1 { ("leads", "it") } else { ("lead", "them") };
        let events = spelling::list(ends.iter().map(|(event, _)| event.name()));
        let name = &machine.states[first.target].name;
        let text = format!(
            "{events} {leads} to the end `{name}` and nothing gives the reply then; \
             lead {it} to a state that does, such as a `run`"
        );
        errors.at(Code::NoReply, first.name, text);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::table;

    #[test]
    fn a_job_has_a_reply_and_no_seed() {
        let states = "#[run] #[to(B)] A { x: u8 }, #[end] B";
        table(&[
            ("start = A, job = J, reply = R", states, &[]),
            ("start = A, seed = S", states, &[]),
            (
                "start = A, job = J",
                states,
                &["nothing says what the `job` is answered with; add `reply = Type`"],
            ),
            (
                "start = A, reply = R",
                states,
                &["nothing says what the `reply` answers; add `job = Type`"],
            ),
            (
                "start = A, reply = R, jobb = J",
                states,
                &["unknown key `jobb` on `state_machine`; did you mean `job`?"],
            ),
            (
                "start = A, job = J, reply = R, seed = S",
                states,
                &["a machine is started by a job or by a hand-off with a seed; \
                   remove `seed`, or `job` and `reply`"],
            ),
        ]);
    }

    #[test]
    fn a_job_has_no_connection() {
        table(&[
            (
                "start = A, job = J, reply = R",
                "#[run] #[to(B | C | D | E | F)] A { x: u8 }, #[read(some, max = 1)] #[to(F)] B,
                 #[flush] #[to(F)] C, #[writable(below = 1)] #[to(F)] D, #[handoff(M)] E, #[end] F",
                &[
                    "a job has no connection to read from; \
                     make state `B` one that waits by `call`, `message`, `sleep` or `run`, or let \
                     connections answer the jobs, which wait for them in a `#[job]` state",
                    "a job has no connection to write to; \
                     make state `C` one that waits by `call`, `message`, `sleep` or `run`, or let \
                     connections answer the jobs, which wait for them in a `#[job]` state",
                    "a job has no connection to write to; \
                     make state `D` one that waits by `call`, `message`, `sleep` or `run`, or let \
                     connections answer the jobs, which wait for them in a `#[job]` state",
                    "a job has no connection to hand off; \
                     make state `E` one that waits by `call`, `message`, `sleep` or `run`",
                ],
            ),
            (
                "start = A, job = J, reply = R",
                "#[run] #[to(B)] A { x: u8 }, #[sleep(1s)] #[to(C)] #[rest] B, #[end] C",
                &["a job has no connection that could be closed here; remove `#[rest]`"],
            ),
            (
                "start = A, job = J, reply = R, message = M",
                "#[run] #[to(B)] A { x: u8 },
                 #[message(within = 1s => A2)] #[to(C)] B, #[run] #[to(C)] A2, #[end] C",
                &[],
            ),
            (
                "start = A, job = J, reply = R, message = M",
                "#[run] #[to(B)] A { x: u8 },
                 #[message(within = never, eof => D)] #[to(C)] B, #[run] #[to(C)] D, #[end] C",
                &["`eof` can never happen in state `B`: a job has no peer; remove it"],
            ),
        ]);
    }

    #[test]
    fn only_a_handler_gives_the_reply() {
        table(&[(
            "start = A, job = J, reply = R, gone => D, error = E, error => D",
            "#[call(S, within = 1s => D)] #[to(D)] B, #[call(S, within = 1s => C)] #[to(D)] C2,
             #[run(error => C)] #[to(B | C2)] A { x: u8 }, #[run] #[to(D)] C, #[end] D",
            &[
                "`within`, `error` and `gone` lead to the end `D` and nothing gives the reply then; \
                 lead them to a state that does, such as a `run`",
            ],
        )]);
    }
}
