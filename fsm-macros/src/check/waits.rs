use proc_macro2::Ident;

use crate::ast::{self, WaitKind};
use crate::code::Code;
use crate::errors::Errors;

/// Checks that the waits of a state go together, and returns whether there are such.
pub(super) fn check(state: &ast::State, errors: &mut Errors) -> bool {
    let name = &state.name;
    if let Some(main) = state.wait() {
        edges_beside(state, main, errors);
        return true;
    }
    match &state.waits[..] {
        [tick] => {
            // A tick beside nothing.
            let text = format!(
                "a tick alone is a sleep; write `#[sleep(..)]`, or add what state `{name}` waits for"
            );
            errors.at(Code::TwoWaits, &tick.name, text);
        }
        [_, _, ..] => two_waits(state, errors),
        [] if state.incomplete => {}
        [] => errors.at(
            Code::NoWait,
            name,
            format_args!(
                "nothing says what state `{name}` waits for; \
                 add `#[read(..)]`, `#[message]`, `#[job]`, `#[flush]`, `#[writable(..)]`, `#[shutdown]`, \
                 `#[discard(..)]`, `#[connect(..)]`, `#[relay(..)]`, `#[tls(..)]`, `#[sleep(..)]`, \
                 `#[call(..)]`, `#[handoff(..)]`, `#[run]` or `#[end]`"
            ),
        ),
    }
    false
}

/// Adds the waits that do not go with the first one.
fn two_waits(state: &ast::State, errors: &mut Errors) {
    let Some(main) = state.main() else { return };
    let mut seen: Vec<(&Ident, bool)> = Vec::new();
    for wait in &state.waits {
        let (name, reads_other) = (&wait.name, wait.kind.reads_other());
        if seen.contains(&(name, reads_other)) {
            let text = format!("`{name}` is here twice; join them or remove one");
            errors.at(Code::Twice, name, text);
            continue;
        }
        seen.push((name, reads_other));
        let fits = std::ptr::eq(wait, main) || wait.kind.stands_beside(&main.kind);
        if !fits {
            errors.at(Code::TwoWaits, name, apart(&state.name, main, wait));
        }
    }
}

fn apart(state: &Ident, main: &ast::Wait, other: &ast::Wait) -> String {
    let (first, name) = (&main.name, &other.name);
    let also = match other.kind {
        WaitKind::Message | WaitKind::Tick(_) if main.kind.reads_other() => {
            "; it stands beside a `read` of the first socket"
        }
        WaitKind::Read { other: true, .. } if main.kind.relay().is_some() => {
            "; a `read` of the other socket stands beside `relay(out, ..)`"
        }
        WaitKind::Message => "; a `message` stands beside a `read` alone",
        WaitKind::Tick(_) => "; a `tick` stands beside a `read`, a `message` or a `call` alone",
        _ => "",
    };
    format!(
        "state `{state}` waits for two things, `{first}` and `{name}`{also}; make two states of it"
    )
}

/// Refuses edges on a wait beside the main one, which has the edges of the state.
fn edges_beside(state: &ast::State, main: &ast::Wait, errors: &mut Errors) {
    let beside = state.beside().filter(|wait| !wait.kind.reads_other());
    for wait in beside {
        let edges = wait.edges.events.iter().map(|edge| &edge.key).chain(&wait.edges.never);
        for key in edges {
            let (name, main) = (&state.name, &main.name);
            let text = format!(
                "`{key}` is an edge of state `{name}`, whose edges are in `#[{main}(..)]`; \
                 write it there"
            );
            errors.at(Code::WrongPlace, key, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::table;

    #[test]
    fn w1_only_what_goes_together_stands_on_one_state() {
        table(&[
            (
                "start = A",
                "#[run] #[flush(within = never)] #[to(B)] A, #[end] B",
                &["state `A` waits for two things, `run` and `flush`; make two states of it"],
            ),
            (
                "start = A, message = M, eof => C, within = 1s => C",
                "#[tick(1s)] #[read(some, max = 9)] #[message] #[to(B)] A,
                 #[message] #[tick(1s)] #[to(C)] B, #[end] C",
                &[],
            ),
            (
                "start = A, message = M, eof => B, within = 1s => B, gone => B",
                "#[read(some, max = 9)] #[message] #[message] #[to(B)] A,
                 #[message] #[flush] #[to(C)] D, #[call(S)] #[tick(1s)] #[message] #[to(D)] C,
                 #[tick(1s)] #[to(A)] F, #[sleep(1s)] #[tick(1s)] #[to(F)] E, #[end] B",
                &[
                    "`message` is here twice; join them or remove one",
                    "state `D` waits for two things, `flush` and `message`; a `message` stands beside a \
                     `read` alone; make two states of it",
                    "state `C` waits for two things, `call` and `message`; a `message` stands beside a \
                     `read` alone; make two states of it",
                    "a tick alone is a sleep; write `#[sleep(..)]`, or add what state `F` waits for",
                    "state `E` waits for two things, `sleep` and `tick`; a `tick` stands beside a \
                     `read`, a `message` or a `call` alone; make two states of it",
                ],
            ),
            (
                "start = A, message = M, eof => B",
                "#[read(some, max = 9)] #[message(idle = 1s => B)] #[to(B)] A, #[end] B",
                &[
                    "`idle` is an edge of state `A`, whose edges are in `#[read(..)]`; write it there",
                ],
            ),
            (
                "start = A",
                "#[to(B)] A, #[end] B",
                &["nothing says what state `A` waits for; \
                   add `#[read(..)]`, `#[message]`, `#[job]`, `#[flush]`, `#[writable(..)]`, `#[shutdown]`, \
                   `#[discard(..)]`, `#[connect(..)]`, `#[relay(..)]`, `#[tls(..)]`, `#[sleep(..)]`, \
                   `#[call(..)]`, `#[handoff(..)]`, `#[run]` or `#[end]`"],
            ),
            (
                "start = A",
                "#[run] A, #[end] B",
                &["nothing says where state `A` leads; add `#[to(State)]`"],
            ),
            (
                "start = A",
                "#[run] #[to(A)] A",
                &[
                    "no state is an end; add one with `#[end]`",
                    "the cycle `A -> A` uses up no input and no time; add a state that waits",
                ],
            ),
            (
                "start = A",
                "#[raed(some)] #[to(B)] A, #[end] B",
                &["unknown attribute `raed`; did you mean `read`?"],
            ),
        ]);
    }

    #[test]
    fn w7_a_tick_is_no_deadline() {
        table(&[(
            "start = A, eof => B",
            "#[read(some, max = 9)] #[tick(1s)] #[to(A)] A, #[end] B",
            &["nothing bounds how long state `A` may last; add `within = 30s => State` \
               or `idle = 30s => State`, or say `within = never`"],
        )]);
    }
}
