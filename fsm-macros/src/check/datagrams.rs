use crate::ast::{self, WaitKind};
use crate::code::Code;
use crate::errors::Errors;

/// Checks that a machine that reads datagrams needs no stream (D4).
pub(super) fn check(machine: &ast::Machine, errors: &mut Errors) {
    let Some(reads) = machine.datagrams() else { return };
    let reads = &reads.name;
    for wait in machine.states.iter().flat_map(|state| &state.waits) {
        let Some((fact, remedy)) = needs(wait) else { continue };
        let text = format!("{fact}, and state `{reads}` reads datagrams; {remedy}");
        errors.at(Code::OnlyDatagrams, &wait.name, text);
    }
    if let Some((seed, _)) = &machine.args.seed {
        let text = format!(
            "`seed` comes with a connection of another pool, and state `{reads}` reads datagrams; remove it"
        );
        errors.at(Code::OnlyDatagrams, seed, text);
    }
}

/// The need of a wait that datagrams do not meet, and the remedy.
fn needs(wait: &ast::Wait) -> Option<(&'static str, &'static str)> {
    Some(match &wait.kind {
        WaitKind::Read { other: true, .. } => {
            ("`read(other, ..)` needs a connection", "make two machines of it")
        }
        WaitKind::Read { shape: Some(_), .. } if !wait.kind.reads_datagrams() => {
            ("this `read` cuts a stream", "write `datagram` here, or make two machines of it")
        }
        WaitKind::Discard { .. } => {
            ("`discard` cuts a stream", "remove it, because what a handler leaves is gone")
        }
        WaitKind::Flush | WaitKind::Writable { .. } => {
            ("output waits for no peer", "remove the state, because output leaves with its turn")
        }
        WaitKind::Shutdown => ("`shutdown` ends a stream", "remove the state"),
        WaitKind::Connect => ("`connect` joins two connections", "make two machines of it"),
        WaitKind::Relay(_) => ("`relay` joins two connections", "make two machines of it"),
        WaitKind::HandOff(_) => {
            ("`handoff` moves a connection", "write `#[call(..)]`, which moves a job")
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{messages, table};

    #[test]
    fn d4_what_reads_datagrams_needs_no_stream() {
        let machine = |state: &str| {
            format!(
                "#[read(datagram, max = 512, idle = 9s => Gone)] #[to(Other)] Ask, {state} Other, #[end] Gone"
            )
        };
        for (state, finding) in [
            ("#[read(datagram, max = 9, within = 1s => Gone)] #[to(Gone)]", ""),
            ("#[run] #[to(Gone)]", ""),
            ("#[sleep(1s)] #[to(Gone)]", ""),
            (
                "#[read(some, max = 9, within = 1s => Gone)] #[to(Gone)]",
                "this `read` cuts a stream, and state `Ask` reads datagrams; write `datagram` here, or make \
                 two machines of it",
            ),
            (
                "#[discard(exact = 9, within = 1s => Gone)] #[to(Gone)]",
                "`discard` cuts a stream, and state `Ask` reads datagrams; remove it, because what a handler \
                 leaves is gone",
            ),
            (
                "#[flush(within = 1s => Gone)] #[to(Gone)]",
                "output waits for no peer, and state `Ask` reads datagrams; remove the state, because output \
                 leaves with its turn",
            ),
            (
                "#[writable(below = 9, within = 1s => Gone)] #[to(Gone)]",
                "output waits for no peer, and state `Ask` reads datagrams; remove the state, because output \
                 leaves with its turn",
            ),
            (
                "#[shutdown(within = 1s => Gone)] #[to(Gone)]",
                "`shutdown` ends a stream, and state `Ask` reads datagrams; remove the state",
            ),
            (
                "#[connect(within = 1s => Gone, refused => Gone)] #[to(Gone)]",
                "`connect` joins two connections, and state `Ask` reads datagrams; make two machines of it",
            ),
            (
                "#[handoff(Pool, within = 1s => Gone, gone => Gone)]",
                "`handoff` moves a connection, and state `Ask` reads datagrams; write `#[call(..)]`, which \
                 moves a job",
            ),
        ] {
            let expected: &[&str] = if finding.is_empty() { &[] } else { &[finding] };
            assert_eq!(messages("start = Ask", &machine(state)), expected, "{state}");
        }
    }

    #[test]
    fn d4_datagrams_have_no_end_and_none_is_too_large() {
        let read = |edges: &str| {
            format!("#[read(datagram, max = 9, idle = 9s => B{edges})] #[to(B)] A, #[end] B")
        };
        table(&[
            (
                "start = A",
                &read(", eof => B"),
                &[
                    "`eof` can never happen in state `A`: no stream ends where datagrams come; remove it",
                ],
            ),
            (
                "start = A",
                &read(", limit => B"),
                &[
                    "`limit` can never happen in state `A`: a datagram that is larger than `max` is dropped; \
                   remove it",
                ],
            ),
            (
                "start = A",
                &read(", begun = 1s => B"),
                &["`begun` can never happen in state `A`: a datagram comes whole; remove it"],
            ),
            (
                "start = A",
                "#[read(datagram, idle = 9s => B)] #[to(B)] A, #[end] B",
                &["nothing bounds what state `A` reads; add `max = 64KiB` to `#[read(..)]`"],
            ),
            (
                "start = A, seed = u8",
                "#[read(datagram, max = 9, idle = 9s => B)] #[to(B)] A { n: u8 }, #[end] B",
                &[
                    "`seed` comes with a connection of another pool, and state `A` reads datagrams; remove it",
                ],
            ),
        ]);
    }

    #[test]
    fn d4_a_client_may_ask_again_and_has_no_stream_either() {
        let client = "#[job(idle = 9s => Gone)] #[to(Answer)] #[rest] Free,
                      #[read(datagram, max = 512, within = 1s => Again)] #[to(Answer | Free)] Answer,
                      #[run] #[to(Answer | Gone)] Again, #[end] Gone";
        let args = "start = Free, job = J, reply = R";
        table(&[
            (args, client, &[]),
            (
                args,
                &client.replace("Gone)] #[to(Answer)]", "Gone, eof => Gone)] #[to(Answer)]"),
                &[
                    "`eof` can never happen in state `Free`: no stream ends where datagrams come; remove it",
                ],
            ),
            (
                args,
                &client.replace("#[run] #[to(Answer |", "#[flush(within = never)] #[to(Answer |"),
                &[
                    "output waits for no peer, and state `Answer` reads datagrams; remove the state, because \
                     output leaves with its turn",
                ],
            ),
        ]);
    }

    #[test]
    fn d4_a_message_needs_no_eof_where_datagrams_come() {
        let states = "#[read(datagram, max = 9, idle = 9s => C)] #[to(B)] A,
                      #[message(within = 9s => C)] #[to(A)] B, #[end] C";
        assert!(messages("start = A, message = M", states).is_empty());
    }
}
