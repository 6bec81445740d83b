use proc_macro2::Ident;

use crate::ast::{self, Expr, ShapeKind, WaitKind};
use crate::code::Code;
use crate::errors::Errors;
use crate::spelling;

/// Checks each state by itself, and returns whether no wait, verdict or end is missing.
pub(crate) fn check(machine: &ast::Machine, errors: &mut Errors) -> bool {
    let mut complete = true;
    for state in &machine.states {
        complete &= one_wait(state, errors);
        if state.is_end() {
            end(state, errors);
        } else {
            complete &= state.is_handoff() || verdicts(state, errors);
            if !machine.args.is_job() {
                rest(state, errors);
            }
        }
        if let Some(wait) = state.wait() {
            bounds(state, wait, errors);
        }
    }
    if !machine.incomplete && !machine.states.iter().any(may_end) {
        let text = "no state is an end; add one with `#[end]`";
        errors.at(Code::NoEnd, &machine.name, text);
        complete = false;
    }
    messages(machine, errors);
    complete
}

/// Whether a state is an end, or may be one when other findings about it are mended.
fn may_end(state: &ast::State) -> bool {
    state.is_end() || state.incomplete || state.waits.is_empty()
}

fn one_wait(state: &ast::State, errors: &mut Errors) -> bool {
    let name = &state.name;
    match &state.waits[..] {
        [_] => return true,
        [first, others @ ..] => {
            for other in others {
                if first.name == other.name {
                    let other = &other.name;
                    let text = format!("`{other}` is here twice; join them or remove one");
                    errors.at(Code::Twice, other, text);
                    continue;
                }
                errors.at(Code::TwoWaits, &other.name, two_waits(name, first, other));
            }
        }
        [] if state.incomplete => {}
        [] => errors.at(
            Code::NoWait,
            name,
            format_args!(
                "nothing says what state `{name}` waits for; \
                 add `#[read(..)]`, `#[flush]`, `#[writable(..)]`, `#[message]`, `#[sleep(..)]`, \
                 `#[call(..)]`, `#[handoff(..)]`, `#[run]` or `#[end]`"
            ),
        ),
    }
    false
}

fn two_waits(state: &Ident, first: &ast::Wait, other: &ast::Wait) -> String {
    match (&first.kind, &other.kind) {
        // "Make two states of it" does not help a user who wants both at once.
        (WaitKind::Read { .. }, WaitKind::Message) | (WaitKind::Message, WaitKind::Read { .. }) => {
            format!(
                "state `{state}` cannot wait for input and for a message at once; read in one state \
             and take messages in another, or hand the connection off to a machine that only waits"
            )
        }
        _ => {
            let (first, other) = (&first.name, &other.name);
            format!(
                "state `{state}` waits for two things, `{first}` and `{other}`; \
                 make two states of it"
            )
        }
    }
}

fn end(state: &ast::State, errors: &mut Errors) {
    if !state.fields.is_empty() {
        let names = spelling::list(state.fields.iter().map(|field| &field.name));
        let text = format!("an end has no data; remove {names}");
        errors.at(Code::EndWithData, &state.fields[0].name, text);
    }
    if let Some(to) = &state.to {
        errors.at(Code::EndGoesOn, &to.key, "an end leads nowhere; remove `#[to(..)]`");
    }
    if let Some(rest) = &state.rest {
        errors.at(Code::EndGoesOn, rest, "the machine is done at an end; remove `#[rest]`");
    }
}

fn verdicts(state: &ast::State, errors: &mut Errors) -> bool {
    if state.to.is_none() && !state.incomplete && !state.waits.is_empty() {
        let name = &state.name;
        let text = format!("nothing says where state `{name}` leads; add `#[to(State)]`");
        errors.at(Code::NoVerdicts, name, text);
    }
    state.to.is_some()
}

fn rest(state: &ast::State, errors: &mut Errors) {
    let (Some(rest), Some(wait)) = (&state.rest, state.wait()) else { return };
    if !matches!(wait.kind, WaitKind::Read { .. } | WaitKind::Message | WaitKind::Sleep(_)) {
        let kind = &wait.name;
        let text = format!(
            "a `{kind}` state is no place to rest; \
             remove `#[rest]`, it is for `read`, `message` and `sleep`"
        );
        errors.at(Code::NoRest, rest, text);
        return;
    }
    let WaitKind::Read { shape: Some(shape), .. } = &wait.kind else { return };
    if let Some(field) = shape.announced(state) {
        let (name, text) = (&state.name, &shape.text);
        let text = format!(
            "state `{name}` is no place to rest: `{text}` reads what `{field}` says, \
             so something is in progress; remove `#[rest]`"
        );
        errors.at(Code::NoRest, rest, text);
    }
}

impl ast::Shape {
    /// The field of `state` that holds the length of the next input.
    fn announced<'a>(&self, state: &'a ast::State) -> Option<&'a Ident> {
        match &self.kind {
            ShapeKind::ExactOf(length) | ShapeKind::Upto(length) => {
                let fields: Vec<Ident> =
                    state.fields.iter().map(|field| field.name.clone()).collect();
                let found = Expr::new(length, &fields).fields.into_iter().next()?;
                state.field(&found).map(|field| &field.name)
            }
            _ => None,
        }
    }
}

fn bounds(state: &ast::State, wait: &ast::Wait, errors: &mut Errors) {
    let name = &state.name;
    match &wait.kind {
        WaitKind::Read { shape: None, .. } if !state.incomplete => {
            let text = "`read` lacks what it reads; write `exact = 8`, `until = b\"\\n\"`, `some`, \
                        `upto = left` or `frame = Type`";
            errors.at(Code::NothingToRead, &wait.name, text);
        }
        WaitKind::Read {
            shape: Some(ast::Shape { kind: ShapeKind::Exact(_), text, .. }),
            max: Some((key, _)),
        } => {
            errors.at(
                Code::NeedlessBound,
                key,
                format_args!("`max` has no effect beside `{text}`; remove it"),
            );
        }
        WaitKind::Read {
            shape: Some(ast::Shape { kind: ShapeKind::Exact(_) | ShapeKind::Unknown, .. }),
            ..
        } => {}
        WaitKind::Read { shape: Some(_), max: None } if !state.incomplete => {
            let text = format!(
                "nothing bounds what state `{name}` reads; add `max = 64KiB` to `#[read(..)]`"
            );
            errors.at(Code::Unbounded, name, text);
        }
        WaitKind::Writable { below: None } if !state.incomplete => {
            let text = "`writable` lacks its mark; write `#[writable(below = 64KiB)]`";
            errors.at(Code::ValueMissing, &wait.name, text);
        }
        _ => {}
    }
}

fn messages(machine: &ast::Machine, errors: &mut Errors) {
    let waits = machine.states.iter().flat_map(|state| &state.waits);
    let waiting: Vec<_> = waits.filter(|wait| matches!(wait.kind, WaitKind::Message)).collect();
    let incomplete = machine.incomplete || machine.states.iter().any(|state| state.incomplete);
    match &machine.args.message {
        None if !machine.args.incomplete => {
            for wait in waiting {
                let text = "the machine has no messages to wait for; \
                            add `message = Type` to `#[state_machine(..)]`";
                errors.at(Code::NoMessage, &wait.name, text);
            }
        }
        Some((key, _)) if waiting.is_empty() && !incomplete && !machine.args.incomplete => {
            let text = "no state waits for a message; add one with `#[message]`, or remove this";
            errors.at(Code::NobodyWaits, key, text);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::table;

    #[test]
    fn each_state_waits_once() {
        table(&[
            (
                "start = A",
                "#[run] #[flush(within = never)] #[to(B)] A, #[end] B",
                &["state `A` waits for two things, `run` and `flush`; make two states of it"],
            ),
            (
                "start = A, message = M, eof => B, within = 1s => B",
                "#[read(some, max = 9)] #[message] #[to(B | C)] A, #[message] #[read(exact = 1)] #[to(B)] C,
                 #[end] B",
                &[
                    "state `A` cannot wait for input and for a message at once; read in one state \
                     and take messages in another, or hand the connection off to a machine that only waits",
                    "state `C` cannot wait for input and for a message at once; read in one state \
                     and take messages in another, or hand the connection off to a machine that only waits",
                ],
            ),
            (
                "start = A",
                "#[to(B)] A, #[end] B",
                &["nothing says what state `A` waits for; \
                   add `#[read(..)]`, `#[flush]`, `#[writable(..)]`, `#[message]`, `#[sleep(..)]`, \
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
    fn what_is_damaged_may_hold_what_is_missing() {
        table(&[
            ("start = A", "#[8] #[to(B)] A, #[end] B", &[]),
            (
                "start = A, eof => B",
                "#[read(some, max =, within = 1s => B)] #[to(A)] A, #[end] B",
                &["`max` lacks its value; write `max = 64KiB`"],
            ),
            (
                "start = A",
                "#[writable(below =, within = 1s => B)] #[to(A)] A, #[end] B",
                &["`below` lacks its value; write `below = 64KiB`"],
            ),
            (
                "start = A, eof => B",
                "#[read(exat = 8, within = 1s => B)] #[to(A)] A, #[end] B",
                &["unknown key `exat` on `read`; did you mean `exact`?"],
            ),
            ("start = A, message = News", "#[8] #[to(B)] A, #[end] B", &[]),
            ("start = A, message = News", "#[run] #[to(B)] A, #[end] B, fn", &[]),
            (
                "start = A, mesage = News",
                "#[message(within = 1s => B, eof => B)] #[to(A)] A, #[end] B",
                &["unknown key `mesage` on `state_machine`; did you mean `message`?"],
            ),
        ]);
    }

    #[test]
    fn an_end_is_the_end() {
        table(&[(
            "start = A",
            "#[run] #[to(B)] A, #[end] #[to(A)] #[rest] B { x: u8, y: u8 }",
            &[
                "an end has no data; remove `x` and `y`",
                "an end leads nowhere; remove `#[to(..)]`",
                "the machine is done at an end; remove `#[rest]`",
            ],
        )]);
    }

    #[test]
    fn only_what_waits_may_rest() {
        table(&[(
            "start = A",
            "#[run] #[to(B)] #[rest] A, #[end] B",
            &["a `run` state is no place to rest; \
               remove `#[rest]`, it is for `read`, `message` and `sleep`"],
        )]);
        table(&[(
            "start = A, eof => C, within = 1s => C",
            "#[run] #[to(B)] A, #[end] C,
             #[read(upto = LEFT + left, max = 9)] #[to(C)] #[rest] B { left: u8 }",
            &["state `B` is no place to rest: `upto = LEFT + left` reads what `left` says, so \
               something is in progress; remove `#[rest]`"],
        )]);
    }

    #[test]
    fn l3_what_is_read_is_bounded() {
        table(&[
            (
                "start = A, eof => B, within = 1s => B",
                "#[read(some)] #[to(A)] A, #[end] B",
                &["nothing bounds what state `A` reads; add `max = 64KiB` to `#[read(..)]`"],
            ),
            (
                "start = A, eof => B, within = 1s => B",
                "#[read(exact = 8, max = 9)] #[to(A)] A, #[end] B",
                &["`max` has no effect beside `exact = 8`; remove it"],
            ),
            (
                "start = A, eof => B, within = 1s => B",
                "#[read(max = 9)] #[to(A)] A, #[end] B",
                &["`read` lacks what it reads; write `exact = 8`, `until = b\"\\n\"`, `some`, \
                   `upto = left` or `frame = Type`"],
            ),
            (
                "start = A",
                "#[writable(within = 1s => B)] #[to(A)] A, #[end] B",
                &["`writable` lacks its mark; write `#[writable(below = 64KiB)]`"],
            ),
        ]);
    }

    #[test]
    fn messages_are_declared_and_waited_for() {
        table(&[
            (
                "start = A",
                "#[message(within = 1s => B, eof => B)] #[to(A)] A, #[end] B",
                &["the machine has no messages to wait for; \
                   add `message = Type` to `#[state_machine(..)]`"],
            ),
            (
                "start = A, message = News",
                "#[run] #[to(B)] A, #[end] B",
                &["no state waits for a message; add one with `#[message]`, or remove this"],
            ),
        ]);
    }
}
