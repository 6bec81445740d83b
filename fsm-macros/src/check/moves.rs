use crate::ast;
use crate::code::Code;
use crate::errors::Errors;

/// Checks that some connection of a machine with `moves` can move (U2).
pub(super) fn check(machine: &ast::Machine, complete: bool, errors: &mut Errors) {
    let Some(moves) = &machine.args.moves else { return };
    let text = if machine.runs_jobs() {
        "a job has no connection that could move to another process; remove `moves`".to_owned()
    } else if let Some(state) = machine.datagrams() {
        format!(
            "the peers of datagrams share a socket, so no session can move, and state `{}` reads datagrams; \
             remove `moves`",
            state.name
        )
    } else if machine.answers_jobs() {
        "a connection that answers jobs is opened by its pool, and each process opens its own; remove `moves`"
            .to_owned()
    } else if complete && machine.states.iter().all(|state| state.rest.is_none()) {
        "a connection moves from a state at rest, and there is none; add `#[rest]` to the states in which nothing \
         is in progress, or remove `moves`"
            .to_owned()
    } else {
        return;
    };
    errors.at(Code::NeverMoves, moves, text);
}

#[cfg(test)]
mod tests {
    use super::super::tests::{messages, table};

    #[test]
    fn u2_a_machine_with_moves_has_a_state_from_which_connections_move() {
        let line = |rest: &str| {
            format!(
                "#[read(until = b\"\\n\", max = 80, limit => Gone, within = 9s => Gone)] #[to(Line)] {rest} Line, \
                 #[end] Gone"
            )
        };
        let args = "start = Line, moves, eof => Gone";
        assert_eq!(messages(args, &line("#[rest]")), [""; 0]);
        assert_eq!(
            messages(args, &line("")),
            [
                "a connection moves from a state at rest, and there is none; add `#[rest]` to the states in which \
                 nothing is in progress, or remove `moves`"
            ]
        );
    }

    #[test]
    fn u2_no_job_and_no_session_of_datagrams_moves() {
        table(&[
            (
                "start = Work, moves, job = J, reply = R",
                "#[run] #[to(Done)] Work { job: J }, #[end] Done",
                &["a job has no connection that could move to another process; remove `moves`"],
            ),
            (
                "start = Ask, moves",
                "#[read(datagram, max = 512, idle = 9s => Gone)] #[to(Ask)] #[rest] Ask, #[end] Gone",
                &[
                    "the peers of datagrams share a socket, so no session can move, and state `Ask` reads datagrams; \
                   remove `moves`",
                ],
            ),
            (
                "start = Free, moves, job = J, reply = R, eof => Gone",
                "#[job(idle = 9s => Gone)] #[to(Wait)] #[rest] Free,
                 #[read(exact = 1, within = 9s => Lost, eof => Lost)] #[to(Free)] Wait,
                 #[run] #[to(Gone)] Lost, #[end] Gone",
                &[
                    "a connection that answers jobs is opened by its pool, and each process opens its own; remove \
                   `moves`",
                ],
            ),
            (
                "start = A, moves = 3",
                "#[sleep(1s)] #[to(Gone)] #[rest] A, #[end] Gone",
                &["`moves` takes nothing; write `#[state_machine(moves)]`"],
            ),
        ]);
    }
}
