use crate::ast::{self, Event, EventEdge, MachineKind, ShapeKind, WaitKind};
use crate::code::Code;
use crate::errors::Errors;

/// Adds the edges of a state for events that can never happen there, and returns whether there is none.
pub(super) fn check(
    machine: &ast::Machine,
    state: &ast::State,
    wait: &ast::Wait,
    errors: &mut Errors,
) -> bool {
    // The shape of an incomplete `read` is not known.
    let is_unread = match &wait.kind {
        WaitKind::Read { shape, .. } => {
            shape.as_ref().is_none_or(|shape| matches!(shape.kind, ShapeKind::Unknown))
        }
        kind => matches!(kind, WaitKind::End | WaitKind::Sleep(None)),
    };
    if is_unread {
        return true;
    }
    let mut possible = true;
    let machine_kind = machine.kind();
    let machine_kind =
        MachineKind { fails: machine_kind.fails || machine.args.incomplete, ..machine_kind };
    let name = &state.name;
    let never = wait.edges.never.iter().map(|key| (Event::Within, key));
    let written = wait.edges.events.iter().map(|EventEdge { event, key, .. }| (*event, key));
    let is_beside = state.other_read().is_some_and(|beside| std::ptr::eq(beside, wait));
    for (event, key) in written.chain(never) {
        // These are edges of the state, which is another finding.
        if is_beside && matches!(event, Event::Within | Event::Error | Event::Begun) {
            continue;
        }
        if !wait.kind.can(event, machine_kind) {
            let why = why_not(event, wait, machine_kind);
            let remedy = match event {
                Event::Idle
                    if wait.kind.can(Event::Within, machine_kind) && wait.edges.is_only_idle() =>
                {
                    "write `within`"
                }
                Event::Error if wait.kind.decodes() => "write `refused`",
                Event::Gone if matches!(wait.kind, WaitKind::Connect) => "write `refused`",
                Event::Eof | Event::Gone | Event::Refused
                    if matches!(wait.kind, WaitKind::Tls { .. }) =>
                {
                    "write `error`"
                }
                Event::Gone if wait.kind.reads_other() => "write `eof`",
                Event::Refused => "for an error of the handler write `error`",
                _ => "remove it",
            };
            let target = written_target(wait, event);
            let text = if let Some(remedy) = eof_of_relay(wait, event, &target) {
                format!("this `eof` can never happen in state `{name}`: {why}; {remedy}")
            } else if key == "max" {
                format!(
                    "nothing can be larger than this `max` in state `{name}`: {why}; remove its `=>`"
                )
            } else {
                format!("`{key}` can never happen in state `{name}`: {why}; {remedy}")
            };
            errors.at(Code::Impossible, key, text);
            possible = false;
        }
    }
    possible
}

/// The target of an edge, as it is written.
fn written_target(wait: &ast::Wait, event: Event) -> String {
    wait.edges.on(event).map_or_else(String::new, |edge| edge.target.to_string())
}

/// The text to write for an `eof` of a relay that has a time and needs none, or none and needs one.
fn eof_of_relay(wait: &ast::Wait, event: Event, target: &str) -> Option<String> {
    let relay = wait.kind.relay()?;
    match event {
        Event::Eof if relay.is_both() && wait.edges.on(Event::HalfClosed).is_none() => Some(
            format!("write `eof = 30s => {target}`, which bounds the time after the first end"),
        ),
        Event::HalfClosed if relay.is_counted() && wait.edges.on(Event::Eof).is_none() => {
            Some(format!("write `eof => {target}`"))
        }
        _ => None,
    }
}

fn why_not(event: Event, wait: &ast::Wait, machine: MachineKind) -> String {
    match (event, &wait.kind) {
        (Event::Eof, _) if machine.datagrams => "no stream ends where datagrams come".to_owned(),
        (Event::Limit, kind) if kind.reads_datagrams() => {
            "a datagram that is larger than `max` is dropped".to_owned()
        }
        (Event::Begun, kind) if kind.reads_datagrams() => "a datagram comes whole".to_owned(),
        (Event::Limit, WaitKind::Read { shape: Some(shape), .. }) => {
            match shape.key.to_string().as_str() {
                "exact" => format!("`{}` reads so many bytes and no more", shape.text),
                key => format!("`{key}` takes what is there, up to `max`"),
            }
        }
        (Event::Eof | Event::Gone | Event::Refused, WaitKind::Tls { .. }) => {
            "a handshake that breaks off or is refused takes its `error` edge".to_owned()
        }
        (Event::Eof, WaitKind::Relay(relay)) if relay.way.is_some() => {
            "without `exact` it goes on until the stream ends, which completes it".to_owned()
        }
        (Event::Eof, WaitKind::Relay(_)) => {
            "it passes the end of each stream on, and completes after both".to_owned()
        }
        (Event::Eof, WaitKind::Message) => "a job has no peer".to_owned(),
        (Event::Eof, _) => "it neither reads nor waits for a message".to_owned(),
        (Event::Limit, WaitKind::Relay(_)) => "while `max` bytes wait it reads no more".to_owned(),
        (Event::Limit, _) => "it does not read".to_owned(),
        (Event::Gone, WaitKind::Connect) => "a connection that fails is `refused`".to_owned(),
        (Event::Gone, kind) if kind.reads_other() => {
            "a connection that breaks off is the end of its stream".to_owned()
        }
        (Event::Full | Event::Gone, _) => "it waits for no other pool".to_owned(),
        (Event::Error, WaitKind::HandOff(_)) => "it has no handler".to_owned(),
        (Event::Error, kind) if kind.decodes() => {
            "the machine has no `error = Type` for its handlers, and what its decoder refuses is \
             `refused`"
                .to_owned()
        }
        (Event::Error, _) => "the machine has no `error = Type` for its handlers".to_owned(),
        (Event::Refused, _) => "it neither decodes a frame nor connects".to_owned(),
        (Event::Idle, WaitKind::Call(_)) => {
            "it waits for one answer, and `within` bounds that".to_owned()
        }
        (Event::Idle, WaitKind::HandOff(_)) => {
            "it waits for room alone, and `within` bounds that".to_owned()
        }
        (
            Event::Idle,
            WaitKind::Discard { .. }
            | WaitKind::Shutdown
            | WaitKind::Connect
            | WaitKind::Tls { .. },
        ) => "it ends when its wait completes, and `within` bounds that".to_owned(),
        (Event::Begun, WaitKind::Read { shape: Some(shape), .. }) => {
            format!("`{}` completes with its first byte", shape.key)
        }
        (Event::Begun, _) => "it reads no message".to_owned(),
        (Event::HalfClosed, _) => {
            "it passes one stream on, and none is left after its end".to_owned()
        }
        (Event::Drain, _) => "it is no place to rest".to_owned(),
        (Event::Budget, _) => "it is an end".to_owned(),
        (Event::Within | Event::Idle, WaitKind::Sleep(_)) => "its sleep is its deadline".to_owned(),
        (Event::Within | Event::Idle, _) => format!("a `{}` state does not wait", wait.name),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::table;

    #[test]
    fn what_can_not_happen_has_none() {
        table(&[
            (
                "start = A, eof => B",
                "#[read(exact = 8, limit => B, error => B, within = never)] #[to(A)] A, #[end] B",
                &[
                    "`limit` can never happen in state `A`: `exact = 8` reads so many bytes and no \
                     more; remove it",
                    "`error` can never happen in state `A`: the machine has no \
                     `error = Type` for its handlers; remove it",
                ],
            ),
            (
                "start = A, eof => B",
                "#[read(some, max = 8, limit => B, within = never)] #[to(A)] A, #[end] B",
                &["`limit` can never happen in state `A`: `some` takes what is there, up to \
                   `max`; remove it"],
            ),
            (
                "start = A",
                "#[run(eof => B, within = 1s => B)] #[to(B)] A, #[end] B",
                &[
                    "`eof` can never happen in state `A`: it neither reads nor waits for a message; remove it",
                    "`within` can never happen in state `A`: a `run` state does not wait; \
                     remove it",
                ],
            ),
            (
                "start = A",
                "#[sleep(1s, idle = 1s => B)] #[to(B)] A, #[end] B",
                &["`idle` can never happen in state `A`: its sleep is its deadline; remove it"],
            ),
            (
                "start = A",
                "#[flush(within = never, idle = 1s => B)] #[to(B)] A, #[end] B",
                &["state `A` has `idle` and `within = never`; remove one"],
            ),
            (
                "start = A, limit => B, idle = 1s => B",
                "#[run] #[to(B)] A, #[end] B",
                &["no state uses this `limit`; remove it", "no state uses this `idle`; remove it"],
            ),
        ]);
    }
}
