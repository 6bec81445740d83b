use proc_macro2::Ident;

use super::waits;
use crate::ast::{self, Event, Expr, ShapeKind, Time, WaitKind};
use crate::code::Code;
use crate::errors::Errors;
use crate::spelling;

/// Checks each state by itself, and returns whether no wait, verdict or end is missing.
pub(crate) fn check(machine: &ast::Machine, errors: &mut Errors) -> bool {
    let mut complete = true;
    for state in &machine.states {
        complete &= waits::check(state, errors);
        if state.is_end() {
            end(state, errors);
        } else {
            complete &= state.is_handoff() || verdicts(state, errors);
            if !machine.runs_jobs() {
                rest(state, errors);
            }
        }
        if let Some(wait) = state.wait() {
            for wait in std::iter::once(wait).chain(state.other_read()) {
                bounds(state, wait, errors);
            }
        }
        expressions(state, errors);
    }
    settings(machine, errors);
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
    if state.waits.iter().any(|wait| wait.kind.reads_other()) {
        let text = "a state that reads the other socket is no place to rest, because something is in \
                    progress; remove `#[rest]`";
        errors.at(Code::NoRest, rest, text);
        return;
    }
    if !wait.kind.rests() {
        let kind = &wait.name;
        let text = format!(
            "a `{kind}` state is no place to rest; \
             remove `#[rest]`, it is for `read`, `message`, `job` and `sleep`"
        );
        errors.at(Code::NoRest, rest, text);
        return;
    }
    if let Some((shape, field)) = state.announced() {
        let (name, text) = (&state.name, &shape.text);
        let text = format!(
            "state `{name}` is no place to rest: `{text}` reads what `{field}` says, \
             so something is in progress; remove `#[rest]`"
        );
        errors.at(Code::NoRest, rest, text);
    }
}

impl ast::State {
    /// Whether no state with such a wait is a place to rest, whatever is around it.
    pub(super) fn is_never_at_rest(&self) -> bool {
        self.wait().is_some_and(|wait| !wait.kind.rests())
            || self.other_read().is_some()
            || self.announced().is_some()
    }

    /// The shape that the state reads, and its field that holds the length.
    fn announced(&self) -> Option<(&ast::Shape, &Ident)> {
        let WaitKind::Read { shape: Some(shape), .. } = &self.wait()?.kind else { return None };
        Some((shape, shape.announced(self)?))
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
        WaitKind::Discard { shape: None } if !state.incomplete => {
            let text =
                "`discard` lacks what it throws away; write `until = b\"\\n\"` or `exact = 8`";
            errors.at(Code::NothingToRead, &wait.name, text);
        }
        WaitKind::Read { shape: None, .. } if !state.incomplete => {
            let text = "`read` lacks what it reads; write `exact = 8`, `until = b\"\\n\"`, `some`, \
                        `upto = left` or `frame = Type`";
            errors.at(Code::NothingToRead, &wait.name, text);
        }
        WaitKind::Read {
            shape: Some(ast::Shape { kind: ShapeKind::Exact(_) | ShapeKind::Peek(_), text, .. }),
            max: Some((key, _)),
            ..
        } => {
            errors.at(
                Code::NeedlessBound,
                key,
                format_args!("`max` has no effect beside `{text}`; remove it"),
            );
        }
        WaitKind::Read {
            shape:
                Some(ast::Shape {
                    kind: ShapeKind::Exact(_) | ShapeKind::Peek(_) | ShapeKind::Unknown,
                    ..
                }),
            ..
        } => {}
        kind if kind.is_bounded_by_frame() => {
            let mut edges = wait.edges.events.iter();
            if let Some(limit) = edges.find(|edge| edge.event == Event::Limit) {
                let text = "no frame is larger than its declaration says, so this leads nowhere; add \
                            `max = 64KiB`, or remove it";
                errors.at(Code::Unbounded, &limit.key, text);
            }
        }
        WaitKind::Read { shape: Some(_), max: None, .. } if !state.incomplete => {
            let text = format!(
                "nothing bounds what state `{name}` reads; add `max = 64KiB` to `#[read(..)]`"
            );
            errors.at(Code::Unbounded, name, text);
        }
        WaitKind::Relay(relay) if relay.way.is_none() && relay.is_counted() => {
            let text = "`exact` counts the bytes of one way; add `out` or `back`";
            errors.at(Code::ValueMissing, &relay.exact, text);
        }
        WaitKind::Relay(relay) if relay.max.is_none() && !state.incomplete => {
            let text = format!(
                "nothing bounds how many bytes wait in state `{name}` while one side takes none; add \
                 `max = 64KiB` to `#[relay(..)]`"
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

/// Checks that the expressions of a state name settings only if there are some, and that a time that is a
/// field has a bound.
fn expressions(state: &ast::State, errors: &mut Errors) {
    let fields = state.field_names();
    for time in state.waits.iter().flat_map(ast::Wait::times) {
        let Time::Constant(path) = time else { continue };
        if let Ok(field) = syn::parse2::<Ident>(path.clone()) {
            if fields.contains(&field) {
                let text = format!("nothing bounds this time; write `{field} <= 5min`");
                errors.at(Code::Unbounded, &field, text);
            }
        }
    }
}

/// Adds one finding about all uses of settings that the machine lacks.
fn settings(machine: &ast::Machine, errors: &mut Errors) {
    if machine.args.settings.is_some() || machine.args.incomplete {
        return;
    }
    let first = machine.states.iter().find_map(|state| {
        let fields = state.field_names();
        let mut expressions = state.waits.iter().flat_map(ast::Wait::expressions);
        expressions.find_map(|it| ast::settings(it).filter(|name| !fields.contains(name)))
    });
    if let Some(first) = first {
        let text = "the machine has no settings; add `settings = Type` to `#[state_machine(..)]`";
        errors.at(Code::NoSettings, first, text);
    }
}

fn messages(machine: &ast::Machine, errors: &mut Errors) {
    let waits = machine.states.iter().flat_map(|state| &state.waits);
    let waiting: Vec<_> = waits.filter(|wait| matches!(wait.kind, WaitKind::Message)).collect();
    let incomplete = machine.incomplete || machine.states.iter().any(|state| state.incomplete);
    match &machine.args.message {
        None if !machine.args.incomplete => {
            // The type may be in what could not be read of the state.
            let read = machine.states.iter().filter(|state| !state.incomplete);
            let waits = read.flat_map(|state| &state.waits);
            for wait in waits.filter(|wait| matches!(wait.kind, WaitKind::Message)) {
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
               remove `#[rest]`, it is for `read`, `message`, `job` and `sleep`"],
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
