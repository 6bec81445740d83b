use super::defaults::is_used;
use crate::ast::{self, Event, WaitKind};
use crate::code::Code;
use crate::errors::Errors;
use crate::graph::leads_to;

/// Reports an event that can happen in a state, and that nothing answers.
pub(super) fn check(
    machine: &ast::Machine,
    state: &ast::State,
    wait: &ast::Wait,
    event: Event,
    errors: &mut Errors,
) {
    let name = &state.name;
    if event == Event::HalfClosed {
        let text = format!(
            "nothing bounds how long state `{name}` may go on after one side has ended; add \
             `eof = 30s => State`, which counts from that end and again from each byte after it"
        );
        errors.at(Code::NoEof, name, text);
        return;
    }
    let (code, fact) = lacking(state, wait, event);
    let event_name = event.name();
    let default = machine.args.defaults.on(event).filter(|default| leads_to(default, name));
    match default {
        Some(default) if !is_used(machine, default) => {
            let text = format!(
                "`{event_name}` leads state `{name}` back to itself, and no other state uses it; \
                 lead it elsewhere"
            );
            errors.at(code, &default.target, text);
        }
        Some(_) => {
            let text = format!(
                "the machine's `{event_name}` leads to state `{name}`, which needs an \
                 `{event_name}` of its own; add `{event_name} => State` to it"
            );
            errors.at(code, name, text);
        }
        None => {
            // The default is for states with a job in hand: there it leads to a reply.
            let place = match wait.kind {
                WaitKind::Job => "to `#[job(..)]`",
                _ if wait.kind.reads_other() && state.other_read().is_some() => {
                    "to `#[read(other, ..)]` or on `#[state_machine(..)]`"
                }
                _ => "here or on `#[state_machine(..)]`",
            };
            let text = format!("{fact}; add `{event_name} => State` {place}");
            errors.at(code, name, text);
        }
    }
}

/// The text that says which part a state without an answer to `event` lacks.
fn lacking(state: &ast::State, wait: &ast::Wait, event: Event) -> (Code, String) {
    let name = &state.name;
    match (event, &wait.kind) {
        (Event::Eof, WaitKind::Message) => (
            Code::NoEof,
            format!(
                "state `{name}` waits for a message but nothing says where end of stream leads"
            ),
        ),
        (Event::Eof, WaitKind::Job) => (
            Code::NoEof,
            format!("state `{name}` waits for a job but nothing says where end of stream leads"),
        ),
        (Event::Eof, WaitKind::Relay(_)) => (
            Code::NoEof,
            format!(
                "state `{name}` passes a number of bytes on but nothing says where an end of stream \
                 before that leads"
            ),
        ),
        (Event::Eof, kind) if kind.reads_other() && state.other_read().is_some() => (
            Code::NoEof,
            format!(
                "state `{name}` reads the other socket but nothing says where the end of its stream leads"
            ),
        ),
        (Event::Limit, kind) if kind.reads_other() && state.other_read().is_some() => (
            Code::NoLimit,
            format!(
                "state `{name}` reads at most `max` bytes of the other socket but nothing says where more \
                 leads"
            ),
        ),
        (Event::Eof, _) => (
            Code::NoEof,
            format!("state `{name}` reads but nothing says where end of stream leads"),
        ),
        (Event::Limit, _) => (
            Code::NoLimit,
            format!("state `{name}` reads at most `max` bytes but nothing says where more leads"),
        ),
        (Event::Refused, _) => (
            Code::NoGone,
            format!("state `{name}` connects but nothing says where it leads if that fails"),
        ),
        (Event::Error, _) => (
            Code::NoError,
            format!(
                "state `{name}` begins TLS but nothing says where it leads if the handshake fails"
            ),
        ),
        (Event::Gone, WaitKind::Relay(_)) => (
            Code::NoGone,
            format!(
                "state `{name}` passes bytes on but nothing says where it leads when the other side breaks off"
            ),
        ),
        (Event::Gone, kind) => {
            let does = if matches!(kind, WaitKind::HandOff(_)) {
                "hands its connection to"
            } else {
                "calls"
            };
            let text = format!(
                "state `{name}` {does} a pool but nothing says where it leads when that is gone"
            );
            (Code::NoGone, text)
        }
        _ => (Code::NoError, format!("nothing says where `{}` leads", event.name())),
    }
}
