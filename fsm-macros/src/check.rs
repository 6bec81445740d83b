//! Finds everything that is wrong with a machine.
//!
//! A machine without findings has a start and an end, one wait in every state, an answer to every
//! event that can happen, only known names, a source for all data on every edge, and a wait in
//! every cycle. If its connections answer jobs, each job gets one reply.

mod answers;
mod both;
mod cycles;
mod data;
mod datagrams;
mod deadlines;
mod defaults;
mod events;
mod flow;
mod groups;
mod impossible;
mod jobs;
mod moves;
mod names;
mod other;
mod pools;
mod states;
mod tls;
mod unanswered;
mod waits;

use crate::ast;
use crate::errors::Errors;
use crate::graph::Graph;

/// Adds the findings to `errors` and returns the known edges.
pub(crate) fn check<'a>(machine: &'a ast::Machine, errors: &mut Errors) -> Graph<'a> {
    let graph = names::resolve(machine, errors);
    // A missing item may be the one that leads to a state or uses a default.
    let mut complete =
        graph.is_sound() && !graph.misnamed && !machine.incomplete && !machine.args.incomplete;
    complete &= machine.states.iter().all(|state| !state.incomplete);
    complete &= states::check(machine, errors);
    complete &= events::check(machine, &graph, errors);
    let mut refused = data::check(machine, &graph, errors);
    refused.extend(pools::check(machine, &graph, errors));
    jobs::check(machine, &graph, errors);
    answers::check(machine, &graph, errors);
    datagrams::check(machine, errors);
    moves::check(machine, complete, errors);
    if complete {
        other::check(machine, &graph, errors);
        tls::check(machine, &graph, errors);
    }
    flow::check(machine, &graph, &refused, complete, errors);
    let starts_at_end = graph.start.is_some_and(|start| machine.states[start.index].is_end());
    if complete && !starts_at_end {
        if refused.is_empty() {
            data::unused(machine, &graph, errors);
        }
        defaults::unused(machine, errors);
        groups::unused(machine, errors);
    }
    graph
}

#[cfg(test)]
pub(crate) mod tests {
    use crate::errors::Errors;

    /// The messages about a machine.
    pub(crate) fn messages(args: &str, states: &str) -> Vec<String> {
        let mut errors = Errors::default();
        let item = format!("enum M {{ {states} }}");
        let machine = crate::parse::tests::machine(args, &item, &mut errors);
        let _ = super::check(&machine, &mut errors);
        errors.messages()
    }

    /// Checks a table of (arguments, states, messages).
    pub(crate) fn table(rows: &[(&str, &str, &[&str])]) {
        for (args, states, expected) in rows {
            assert_eq!(messages(args, states), *expected, "{args} {states}");
        }
    }

    #[test]
    fn a_sound_machine_is_silent() {
        table(&[
            (
                "start = Length, eof => Closed, within = 5min => Closed, Next = Body | Closed",
                "#[read(exact = 8)] #[to(Next)] #[rest] Length,
                 #[read(upto = left, max = 64KiB)] #[to(Body | Stored)] Body { left: u64 },
                 #[run] #[to(Sent)] Stored { #[carry] left: u64 },
                 #[flush(within = 30s => Closed)] #[to(Length)] Sent,
                 #[end] Closed",
                &[],
            ),
            (
                "start = Line, eof => Closed, error = Fault, error => Failed, message = News",
                "#[read(frame = Codec, max = 1KiB, limit => Closed, idle = 1h => Closed)]
                 #[to(Line | Waiting | Nap)] Line,
                 #[message(within = never)] #[to(Waiting | Line)] #[rest] Waiting,
                 #[sleep(1s)] #[to(Line)] Nap,
                 #[writable(below = 1KiB, within = 1s => Closed, error => Closed)] #[to(Closed)]
                 Failed { #[error] why: Fault },
                 #[end] Closed",
                &[],
            ),
        ]);
    }

    #[test]
    fn l4_all_findings_come_at_once() {
        table(&[(
            "start = A",
            "#[read(exact = 8, limit => Gone)] #[to(A | A)] A,
             #[flush] #[to(B)] B { #[error] a: u8, #[error] b: u8 },
             #[end] Gone { x: u8 }",
            &[
                "`A` is named twice; remove one",
                "an end has no data; remove `x`",
                "`limit` can never happen in state `A`: `exact = 8` reads so many bytes and no \
                 more; remove it",
                "state `A` reads but nothing says where end of stream leads; \
                 add `eof => State` here or on `#[state_machine(..)]`",
                "nothing bounds how long state `A` may last; \
                 add `within = 30s => State` or `idle = 30s => State`, or say `within = never`",
                "nothing bounds how long state `B` may last; \
                 add `within = 30s => State` or `idle = 30s => State`, or say `within = never`",
                "state `B` has two fields for an error, `a` and `b`; remove one `#[error]`",
                "the cycle `B -> B` has only `flush` states, which do not wait when nothing is \
                 queued; add a state that waits",
            ],
        )]);
    }
}
