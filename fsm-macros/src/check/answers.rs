use proc_macro2::Ident;

use crate::ast::{self, Event, WaitKind};
use crate::code::Code;
use crate::errors::Errors;
use crate::graph::{Edge, Graph};
use crate::spelling;

/// Checks a machine whose connections answer jobs (C1, C2).
pub(crate) fn check(machine: &ast::Machine, graph: &Graph<'_>, errors: &mut Errors) {
    if !machine.answers_jobs() {
        return;
    }
    declared(machine, errors);
    for (index, state) in machine.states.iter().enumerate() {
        if graph.busy.is_mixed(index) {
            mixed(machine, graph, index, errors);
        } else if graph.busy.has_job(index) {
            at_rest(state, errors);
        }
        for wait in state.waits.iter().filter(|wait| matches!(wait.kind, WaitKind::HandOff(_))) {
            let name = &state.name;
            let text = format!(
                "a connection that answers jobs stays in the pool that has opened it; remove state `{name}`"
            );
            errors.at(Code::AnswersAndLeaves, &wait.name, text);
        }
    }
    replies(machine, graph, errors);
    // A datagram tells by its id which question it answers, and a question that was lost is asked again.
    if machine.datagrams().is_none() {
        late_answers(machine, graph, errors);
    }
}

/// Checks that the machine says of which types the jobs and replies are.
fn declared(machine: &ast::Machine, errors: &mut Errors) {
    if machine.args.is_job() || machine.args.incomplete {
        return;
    }
    for wait in machine.states.iter().flat_map(|state| &state.waits) {
        if matches!(wait.kind, WaitKind::Job) {
            let text = "nothing says of which types the jobs and their replies are; add `job = Type` and \
                        `reply = Type` to `#[state_machine(..)]`";
            errors.at(Code::NoJob, &wait.name, text);
        }
    }
}

/// Reports a state that is reached with a job in hand and without one, unless only such states lead to it: to
/// mend those mends it.
fn mixed(machine: &ast::Machine, graph: &Graph<'_>, index: usize, errors: &mut Errors) {
    let is_start = graph.start.as_ref().is_some_and(|start| start.index == index);
    if !is_start && graph.predecessors(index).all(|source| graph.busy.is_mixed(source)) {
        return;
    }
    let way = |has_job: bool| {
        let into = edges(graph).filter(|(source, edge)| {
            edge.target == index
                && (*source != index)
                && leads_with(machine, graph, *source, edge, has_job)
        });
        // A state of one kind alone tells more.
        let (source, edge) = into.min_by_key(|(source, _)| graph.busy.is_mixed(*source))?;
        let source = &machine.states[source].name;
        Some(match edge.event() {
            Some(event) => format!("by `{}` of `{source}`", event.name()),
            None => format!("from `{source}`"),
        })
    };
    let with = way(true).unwrap_or_default();
    let without = way(false).filter(|_| !is_start).unwrap_or_else(|| "at the start".to_owned());
    let name = &machine.states[index].name;
    let text = format!(
        "`{name}` is reached {with} with a job in hand, and {without} without one, so its handler cannot know \
         whether to reply; lead one of the two to another state"
    );
    errors.at(Code::WithAndWithoutJob, name, text);
}

/// Whether an edge out of state `source` may be taken with a job in hand, or without one.
fn leads_with(
    machine: &ast::Machine,
    graph: &Graph<'_>,
    source: usize,
    edge: &Edge<'_>,
    has_job: bool,
) -> bool {
    if machine.states[source].waits_for_job() {
        return edge.has_job() == has_job;
    }
    graph.busy.is_mixed(source) || graph.busy.has_job(source) == has_job
}

fn at_rest(state: &ast::State, errors: &mut Errors) {
    if let Some(rest) = state.rest.as_ref().filter(|_| !state.is_never_at_rest()) {
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
    for (index, source) in machine.states.iter().enumerate() {
        let has_taken = |edge: &Edge<'_>| source.waits_for_job() && edge.has_job();
        let ends: Vec<(Event, &Edge<'_>)> = graph.edges[index]
            .iter()
            .filter_map(|edge| {
                let target = &machine.states[edge.target];
                let is_over = target.is_end() || target.waits_for_job();
                let event = edge.event().filter(|_| graph.busy.has_job(index) || has_taken(edge));
                Some((event?, edge)).filter(|_| is_over && !is_among(&reported, edge.name))
            })
            .collect();
        let Some((_, first)) = ends.first() else { continue };
        reported.extend(ends.iter().map(|(_, edge)| edge.name));
        let which = if has_taken(first) {
            "whose handler has taken a job"
        } else {
            "which has a job in hand"
        };
        // Elsewhere than at an end the next finding would be that a late answer meets another job.
        let leaves_an_answer = ends.iter().any(|(event, _)| event.leaves_an_answer());
        let such = if leaves_an_answer { "a `run` that leads to an end" } else { "a `run`" };
        let (leads, it) = if ends.len() == 1 { ("leads", "it") } else { ("lead", "them") };
        let events = spelling::list(ends.iter().map(|(event, _)| event.name()));
        let mut targets: Vec<&Ident> = Vec::new();
        for (_, edge) in &ends {
            let target = &machine.states[edge.target].name;
            targets.extend((!targets.contains(&target)).then_some(target));
        }
        let (name, targets) = (&source.name, spelling::list(targets));
        let text = format!(
            "{events} {leads} from `{name}`, {which}, to {targets}, and nothing gives the reply then; \
             lead {it} to a state that does, such as {such}"
        );
        errors.at(Code::NoReply, first.name, text);
    }
}

/// Checks that a connection whose answer may still come takes no other job.
fn late_answers(machine: &ast::Machine, graph: &Graph<'_>, errors: &mut Errors) {
    let mut reported: Vec<usize> = Vec::new();
    for (index, edge) in edges(graph) {
        let Some(event) = edge.event().filter(|event| event.leaves_an_answer()) else { continue };
        let target = &machine.states[edge.target];
        if !graph.busy.has_job(index)
            || graph.busy.is_mixed(index)
            || target.is_end()
            || target.waits_for_job()
            || reported.contains(&edge.target)
        {
            continue;
        }
        let reached = graph.reach([edge.target], false);
        let again = (0..machine.states.len())
            .find(|state| reached[*state] && machine.states[*state].waits_for_job());
        let Some(again) = again else { continue };
        // To mend the target mends all edges to it.
        reported.push(edge.target);
        let (left, meets) = match event {
            Event::Eof => ("nothing more comes from the peer", "get no answer"),
            Event::Limit | Event::Refused => ("the rest of the answer is unread", "get it"),
            _ => ("the answer may still come", "get it"),
        };
        let (event, name, again) = (event.name(), &target.name, &machine.states[again].name);
        let text = format!(
            "after this `{event}` {left}, and `{name}` leads to `{again}`, where the next job would {meets}; \
             let `{name}` lead to an end alone, or lead this to a state that does"
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
                    "`Hello` is reached from `Free` with a job in hand, and at the start without one, so its \
                     handler cannot know whether to reply; lead one of the two to another state",
                    "`Cut` is reached by `within` of `Hello` with a job in hand, and by `within` of `Free` \
                     without one, so its handler cannot know whether to reply; lead one of the two to another state",
                ],
            ),
            // Nothing is said about `Sorry`, which only `Cut` leads to.
            (
                ARGS,
                "#[job(idle = 50s => Gone)] #[to(Answer)] #[rest] Free,
                 #[read(until = b\";\", max = 9, within = 30s => Gone2)] #[to(Free)] Answer,
                 #[run] #[to(Sorry)] Cut, #[run] #[to(Gone)] Sorry, #[run] #[to(Gone)] Gone2,
                 #[end] Gone",
                &[
                    "`Cut` is reached by `eof` of `Answer` with a job in hand, and by `eof` of `Free` without \
                   one, so its handler cannot know whether to reply; lead one of the two to another state",
                ],
            ),
        ]);
    }

    #[test]
    fn c1_a_drain_closes_no_connection_with_a_job_in_hand() {
        table(&[
            (
                ARGS,
                "#[job(idle = 50s => Gone, eof => Gone)] #[to(Answer)] Free,
                 #[read(until = b\";\", max = 9, within = 30s => Cut)] #[to(Free)] #[rest] Answer,
                 #[run] #[to(Gone)] Cut, #[end] Gone",
                &["state `Answer` is no place to rest: a job is in hand, and would be lost; \
                   remove `#[rest]`"],
            ),
            (
                "start = Free, job = J, reply = R",
                "#[job(idle = 50s => Gone, eof => Gone)] #[to(Sent)] #[rest] Free,
                 #[flush(within = 30s => Cut)] #[to(Free)] #[rest] Sent,
                 #[run] #[to(Gone)] Cut, #[end] Gone",
                &["a `flush` state is no place to rest; \
                   remove `#[rest]`, it is for `read`, `message`, `job` and `sleep`"],
            ),
        ]);
    }

    #[test]
    fn c1_only_a_handler_gives_the_reply() {
        table(&[(
            "start = Free, job = J, reply = R, eof => Gone, limit => Free, error = E",
            "#[job(within = never, error => Gone)] #[to(Asked)] #[rest] Free,
             #[call(S, within = never, gone => Gone)] #[to(Answer)] Asked,
             #[read(until = b\";\", max = 9, within = 30s => Gone)] #[to(Free)] Answer, #[end] Gone",
            &[
                "`error` leads from `Free`, whose handler has taken a job, to `Gone`, and nothing gives the \
                 reply then; lead it to a state that does, such as a `run` that leads to an end",
                "`gone` leads from `Asked`, which has a job in hand, to `Gone`, and nothing gives the \
                 reply then; lead it to a state that does, such as a `run`",
                "`within`, `eof` and `limit` lead from `Answer`, which has a job in hand, to `Gone` and \
                 `Free`, and nothing gives the reply then; lead them to a state that does, such as a `run` that \
                 leads to an end",
            ],
        )]);
    }

    #[test]
    fn c2_a_late_answer_meets_no_other_job() {
        table(&[(
            "start = Free, job = J, reply = R, eof => Ended, limit => Long",
            "#[job(within = never, eof => Gone)] #[to(Answer)] #[rest] Free,
             #[read(until = b\";\", max = 9, within = 30s => Late)] #[to(Free)] Answer,
             #[run] #[to(Free | Gone)] Late, #[run] #[to(Free)] Long, #[run] #[to(Free)] Ended,
             #[end] Gone",
            &[
                "after this `within` the answer may still come, and `Late` leads to `Free`, where the next job \
                 would get it; let `Late` lead to an end alone, or lead this to a state that does",
                "after this `eof` nothing more comes from the peer, and `Ended` leads to `Free`, where the next \
                 job would get no answer; let `Ended` lead to an end alone, or lead this to a state that does",
                "after this `limit` the rest of the answer is unread, and `Long` leads to `Free`, where the \
                 next job would get it; let `Long` lead to an end alone, or lead this to a state that does",
            ],
        )]);
    }

    #[test]
    fn jobs_are_declared_and_their_connections_stay() {
        table(&[
            (
                "start = Free, eof => Gone",
                "#[job(within = never)] #[to(Gone)] #[rest] Free, #[end] Gone",
                &[
                    "nothing says of which types the jobs and their replies are; add `job = Type` and \
                   `reply = Type` to `#[state_machine(..)]`",
                ],
            ),
            (
                "start = Free, job = J, reply = R, eof => Gone, gone => Free",
                "#[job(within = 9s => Leave)] #[to(Gone)] #[rest] Free,
                 #[run] #[to(Away)] Leave, #[handoff(M, within = 9s => Gone)] Away, #[end] Gone",
                &[
                    "a connection that answers jobs stays in the pool that has opened it; remove state `Away`",
                ],
            ),
            (
                "start = Free, job = J, reply = R, seed = S, eof => Gone",
                "#[job(within = never)] #[to(Gone)] #[rest] Free, #[end] Gone",
                &["the pool opens the connections that answer jobs, and no seed comes with them; \
                   remove `seed`"],
            ),
        ]);
    }
}
