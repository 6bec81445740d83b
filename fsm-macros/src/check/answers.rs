use proc_macro2::Ident;

use crate::ast::{self, Event, WaitKind};
use crate::code::Code;
use crate::errors::Errors;
use crate::graph::{Edge, Graph};

/// Checks a machine whose connections answer jobs (C1, C2).
pub(crate) fn check(machine: &ast::Machine, graph: &Graph<'_>, errors: &mut Errors) {
    if !machine.answers_jobs() {
        return;
    }
    declared(machine, errors);
    for (index, state) in machine.states.iter().enumerate() {
        if graph.busy.is_mixed(index) {
            mixed(state, errors);
        } else if graph.busy.has_job(index) {
            at_rest(state, errors);
        }
        for wait in state.waits.iter().filter(|wait| matches!(wait.kind, WaitKind::HandOff(_))) {
            let text = "a connection that answers jobs stays in its pool; remove this state";
            errors.at(Code::AnswersAndLeaves, &wait.name, text);
        }
    }
    replies(machine, graph, errors);
    late_answers(machine, graph, errors);
}

/// Checks that the machine says of which types the jobs and replies are.
fn declared(machine: &ast::Machine, errors: &mut Errors) {
    if machine.args.is_job() || machine.args.incomplete {
        return;
    }
    for wait in machine.states.iter().flat_map(|state| &state.waits) {
        if matches!(wait.kind, WaitKind::Job) {
            let text = "nothing says which jobs come and what answers them; add `job = Type` and \
                        `reply = Type` to `#[state_machine(..)]`";
            errors.at(Code::NoJob, &wait.name, text);
        }
    }
}

fn mixed(state: &ast::State, errors: &mut Errors) {
    let name = &state.name;
    let text = format!(
        "`{name}` is reached with a job in hand and without one, so it cannot say whether it replies; \
         make two states of it"
    );
    errors.at(Code::WithAndWithoutJob, name, text);
}

fn at_rest(state: &ast::State, errors: &mut Errors) {
    if let Some(rest) = &state.rest {
        let name = &state.name;
        let text = format!(
            "state `{name}` is no place to rest: a job is in hand, and would be lost; remove `#[rest]`"
        );
        errors.at(Code::NoRest, rest, text);
    }
}

/// Checks that a job in hand ends by a verdict, because only a handler can give the reply.
fn replies(machine: &ast::Machine, graph: &Graph<'_>, errors: &mut Errors) {
    let mut reported: Vec<&Ident> = Vec::new();
    for (index, edge) in edges(graph) {
        let source = &machine.states[index];
        let in_hand = graph.busy.has_job(index) || (source.waits_for_job() && edge.has_job());
        let target = &machine.states[edge.target];
        let (Some(event), true) = (edge.event(), in_hand) else { continue };
        let is_over = target.is_end() || target.waits_for_job();
        if !is_over || is_among(&reported, edge.name) {
            continue;
        }
        reported.push(edge.name);
        let (event, name, source) = (event.name(), &target.name, &source.name);
        let text = format!(
            "`{event}` leads from `{source}`, which has a job in hand, to `{name}`, and nothing gives the \
             reply then; lead it to a state that does, such as a `run`"
        );
        errors.at(Code::NoReply, edge.name, text);
    }
}

/// Checks that a connection whose answer may still come takes no other job.
fn late_answers(machine: &ast::Machine, graph: &Graph<'_>, errors: &mut Errors) {
    let mut reported: Vec<&Ident> = Vec::new();
    for (index, edge) in edges(graph) {
        let Some(event) = edge.event().filter(|event| event.leaves_an_answer()) else { continue };
        let target = &machine.states[edge.target];
        if !graph.busy.has_job(index)
            || graph.busy.is_mixed(index)
            || target.is_end()
            || target.waits_for_job()
            || is_among(&reported, edge.name)
        {
            continue;
        }
        let reached = graph.reach([edge.target], false);
        let again = (0..machine.states.len())
            .find(|state| reached[*state] && machine.states[*state].waits_for_job());
        let Some(again) = again else { continue };
        reported.push(edge.name);
        let (event, source) = (event.name(), &machine.states[index].name);
        let (name, again) = (&target.name, &machine.states[again].name);
        let text = format!(
            "after this `{event}` the answer that `{source}` waits for may still come, and `{name}` leads \
             to `{again}`, where the next job would get it; lead it to a state that leads to an end alone"
        );
        errors.at(Code::LateAnswer, edge.name, text);
    }
}

fn edges<'a>(graph: &'a Graph<'_>) -> impl Iterator<Item = (usize, &'a Edge<'a>)> {
    graph
        .edges
        .iter()
        .enumerate()
        .flat_map(|(index, edges)| edges.iter().map(move |edge| (index, edge)))
}

/// Whether a name was reported at this place: a default is one token for many edges.
fn is_among(reported: &[&Ident], name: &Ident) -> bool {
    reported.iter().any(|other| std::ptr::eq(*other, name))
}

impl Event {
    /// Whether an answer that was waited for may still come, or is unread, after this event.
    fn leaves_an_answer(self) -> bool {
        match self {
            Self::Within
            | Self::Idle
            | Self::Begun
            | Self::Budget
            | Self::Eof
            | Self::Limit
            | Self::Refused
            | Self::Error
            | Self::HalfClosed => true,
            Self::Full | Self::Gone | Self::Drain => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::table;

    const ARGS: &str = "start = Free, job = J, reply = R, eof => Cut, limit => Cut";

    #[test]
    fn a_machine_that_answers_jobs_is_silent() {
        table(&[
            (
                ARGS,
                "#[job(idle = 50s => Gone, eof => Gone)] #[to(Answer)] #[rest] Free,
                 #[read(until = b\";\", max = 9, within = 30s => Cut)] #[to(Free | Gone)] Answer,
                 #[run] #[to(Gone)] Cut, #[end] Gone",
                &[],
            ),
            // A greeting before the first job, and one that is answered without the peer.
            (
                "start = Hello, job = J, reply = R, eof => Gone, limit => Gone, within = 9s => Gone",
                "#[read(until = b\";\", max = 9)] #[to(Free | Gone)] Hello,
                 #[job] #[to(Answer | Free | Gone)] #[rest] Free,
                 #[read(until = b\";\", max = 9, eof => Cut, limit => Cut, within = 9s => Cut)]
                 #[to(Free | Gone)] Answer,
                 #[run] #[to(Gone)] Cut, #[end] Gone",
                &[],
            ),
        ]);
    }

    #[test]
    fn c1_a_state_has_a_job_in_hand_or_none() {
        table(&[
            (
                "start = Hello, job = J, reply = R, eof => Cut, limit => Cut, within = 9s => Cut",
                "#[read(until = b\";\", max = 9)] #[to(Free)] Hello,
                 #[job] #[to(Hello)] #[rest] Free, #[run] #[to(Gone)] Cut, #[end] Gone",
                &[
                    "`Hello` is reached with a job in hand and without one, so it cannot say whether it \
                     replies; make two states of it",
                    "`Cut` is reached with a job in hand and without one, so it cannot say whether it \
                     replies; make two states of it",
                ],
            ),
            (
                ARGS,
                "#[job(idle = 50s => Gone, eof => Gone)] #[to(Answer)] Free,
                 #[read(until = b\";\", max = 9, within = 30s => Cut)] #[to(Free)] #[rest] Answer,
                 #[run] #[to(Gone)] Cut, #[end] Gone",
                &["state `Answer` is no place to rest: a job is in hand, and would be lost; \
                   remove `#[rest]`"],
            ),
        ]);
    }

    #[test]
    fn c1_only_a_handler_gives_the_reply() {
        table(&[(
            "start = Free, job = J, reply = R, eof => Gone, limit => Free, error = E",
            "#[job(within = never, error => Gone)] #[to(Answer)] #[rest] Free,
             #[read(until = b\";\", max = 9, within = 30s => Gone)] #[to(Free)] Answer, #[end] Gone",
            &[
                "`error` leads from `Free`, which has a job in hand, to `Gone`, and nothing gives the \
                 reply then; lead it to a state that does, such as a `run`",
                "`within` leads from `Answer`, which has a job in hand, to `Gone`, and nothing gives the \
                 reply then; lead it to a state that does, such as a `run`",
                "`eof` leads from `Answer`, which has a job in hand, to `Gone`, and nothing gives the \
                 reply then; lead it to a state that does, such as a `run`",
                "`limit` leads from `Answer`, which has a job in hand, to `Free`, and nothing gives the \
                 reply then; lead it to a state that does, such as a `run`",
            ],
        )]);
    }

    #[test]
    fn c2_a_late_answer_meets_no_other_job() {
        table(&[(
            "start = Free, job = J, reply = R, eof => Cut, limit => Cut",
            "#[job(within = never, eof => Gone)] #[to(Answer)] #[rest] Free,
             #[read(until = b\";\", max = 9, within = 30s => Late)] #[to(Free)] Answer,
             #[run] #[to(Free | Gone)] Late, #[run] #[to(Gone)] Cut, #[end] Gone",
            &[
                "after this `within` the answer that `Answer` waits for may still come, and `Late` leads to \
               `Free`, where the next job would get it; lead it to a state that leads to an end alone",
            ],
        )]);
    }

    #[test]
    fn jobs_are_declared_and_their_connections_stay() {
        table(&[
            (
                "start = Free, eof => Gone",
                "#[job(within = never)] #[to(Gone)] #[rest] Free, #[end] Gone",
                &["nothing says which jobs come and what answers them; add `job = Type` and \
                   `reply = Type` to `#[state_machine(..)]`"],
            ),
            (
                "start = Free, job = J, reply = R, eof => Gone, gone => Free",
                "#[job(within = 9s => Leave)] #[to(Gone)] #[rest] Free,
                 #[run] #[to(Away)] Leave, #[handoff(M, within = 9s => Gone)] Away, #[end] Gone",
                &["a connection that answers jobs stays in its pool; remove this state"],
            ),
        ]);
    }
}
