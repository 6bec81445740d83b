use crate::ast::{self, WaitKind};
use crate::code::Code;
use crate::errors::Errors;
use crate::graph::{Edge, Graph};

/// Checks that a state that uses the other socket is reached through one that connects it (S2).
pub(crate) fn check(machine: &ast::Machine, graph: &Graph<'_>, errors: &mut Errors) {
    let Some(start) = graph.start else { return };
    if !machine.states.iter().any(ast::State::uses_other) {
        return;
    }
    if !machine.states.iter().any(ast::State::connects) {
        return never_connected(machine, errors);
    }
    let mut reached = vec![false; machine.states.len()];
    let mut pending = vec![start.index];
    if machine.states[start.index].uses_other() {
        let text = format!(
            "state `{}` uses the other socket, which is not connected at the start; start in a state that \
             leads to a `#[connect(..)]` state",
            start.name
        );
        return errors.at(Code::NotConnected, start.name, text);
    }
    // The states that are reached without the other socket, and the first edge to each that needs it.
    while let Some(source) = pending.pop() {
        if std::mem::replace(&mut reached[source], true) {
            continue;
        }
        let connects = machine.states[source].connects();
        let edges = graph.edges[source].iter();
        for edge in edges.filter(|edge| !connects || edge.event().is_some()) {
            if !machine.states[edge.target].uses_other() {
                pending.push(edge.target);
            } else if !std::mem::replace(&mut reached[edge.target], true) {
                not_connected(&machine.states[source], edge, errors);
            }
        }
    }
}

/// Reports the first state that uses the other socket of a machine that connects none.
fn never_connected(machine: &ast::Machine, errors: &mut Errors) {
    let Some(state) = machine.states.iter().find(|state| state.uses_other()) else { return };
    let Some(wait) = state.waits.first() else { return };
    let text = format!(
        "state `{}` uses the other socket, and no state connects it; lead there from a state with \
         `#[connect(within = 5s => State, refused => State)]`",
        state.name
    );
    errors.at(Code::NotConnected, &wait.name, text);
}

/// Reports an edge from a state without the other socket.
fn not_connected(source: &ast::State, edge: &Edge<'_>, errors: &mut Errors) {
    let (name, from) = (edge.name, &source.name);
    let text = match edge.event() {
        Some(event) if source.connects() => format!(
            "state `{name}` uses the other socket, which is not connected after `{}` of `{from}`; lead this \
             elsewhere",
            event.name()
        ),
        _ => format!(
            "state `{name}` uses the other socket, which is not connected yet in `{from}`; lead this to a \
             `#[connect(..)]` state first"
        ),
    };
    errors.at(Code::NotConnected, name, text);
}

impl ast::State {
    /// Whether the state reads the other socket, or passes bytes on.
    pub(crate) fn uses_other(&self) -> bool {
        self.waits.iter().any(|wait| {
            matches!(wait.kind, WaitKind::Read { other: true, .. } | WaitKind::Relay(_))
        })
    }

    pub(crate) fn connects(&self) -> bool {
        self.waits.iter().any(|wait| matches!(wait.kind, WaitKind::Connect))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{messages, table};

    #[test]
    fn s1_s2_a_forwarder_and_a_proxy_are_silent() {
        table(&[
            (
                "start = Hello",
                "#[run] #[to(Dial)] Hello,
                 #[connect(within = 5s => Gone, refused => Gone)] #[to(Tunnel)] Dial,
                 #[relay(max = 64KiB, idle = 1h => Gone, eof = 30s => Gone, gone => Gone)]
                 #[to(Gone)] Tunnel, #[end] Gone",
                &[],
            ),
            (
                "start = Head, eof => Gone, limit => Gone, refused => Gone, gone => Gone, idle = 9s => Gone",
                "#[read(frame = F, max = 9)] #[to(Dial)] #[rest] Head,
                 #[connect(within = 5s => Gone)] #[to(Request)] Dial { body: u64 },
                 #[relay(out, exact = body, max = 64KiB)] #[to(Answer)] Request { #[carry] body: u64 },
                 #[read(other, frame = F, max = 9)] #[to(Response | Rest | Head)] Answer,
                 #[relay(back, exact = left, max = 64KiB)] #[to(Head)] Response { left: u64 },
                 #[relay(back, max = 64KiB)] #[to(Gone)] Rest, #[end] Gone",
                &[],
            ),
        ]);
    }

    #[test]
    fn s2_the_other_socket_is_connected_before_it_is_used() {
        table(&[
            (
                "start = Head, eof => Gone, within = 9s => Gone, gone => Gone",
                "#[read(exact = 1)] #[to(Dial | Answer)] Head,
                 #[connect(refused => Tunnel)] #[to(Answer)] Dial,
                 #[read(other, exact = 1)] #[to(Gone)] Answer,
                 #[relay(max = 1KiB, idle = 9s => Gone, eof = 9s => Gone)] #[to(Gone)] Tunnel,
                 #[end] Gone",
                &[
                    "state `Answer` uses the other socket, which is not connected yet in `Head`; lead this \
                     to a `#[connect(..)]` state first",
                    "state `Tunnel` uses the other socket, which is not connected after `refused` of \
                     `Dial`; lead this elsewhere",
                ],
            ),
            (
                "start = Tunnel",
                "#[relay(max = 1KiB, idle = 9s => Gone, eof = 9s => Gone, gone => Gone)]
                 #[to(Gone)] Tunnel, #[end] Gone",
                &["state `Tunnel` uses the other socket, and no state connects it; lead there from a state \
                   with `#[connect(within = 5s => State, refused => State)]`"],
            ),
            (
                "start = Tunnel, within = 9s => Gone",
                "#[relay(max = 1KiB, eof = 9s => Gone, gone => Dial2)] #[to(Dial)] Tunnel,
                 #[run] #[to(Dial)] Dial2, #[connect(refused => Gone)] #[to(Tunnel)] Dial, #[end] Gone",
                &["state `Tunnel` uses the other socket, which is not connected at the start; start in a \
                   state that leads to a `#[connect(..)]` state"],
            ),
        ]);
    }

    #[test]
    fn what_connects_and_relays_has_all_its_edges() {
        table(&[
            (
                "start = Hello",
                "#[run] #[to(Dial)] Hello, #[connect] #[to(Tunnel)] Dial,
                 #[relay] #[to(Gone)] Tunnel, #[end] Gone",
                &[
                    "nothing bounds how many bytes wait in state `Tunnel` while one side takes none; add \
                     `max = 64KiB` to `#[relay(..)]`",
                    "state `Dial` connects but nothing says where it leads if that fails; \
                     add `refused => State` here or on `#[state_machine(..)]`",
                    "nothing bounds how long state `Dial` may last; \
                     add `within = 30s => State`, or say `within = never`",
                    "state `Tunnel` passes bytes on but nothing says where it leads when the other side \
                     breaks off; add `gone => State` here or on `#[state_machine(..)]`",
                    "nothing bounds how long state `Tunnel` may go on after one side has ended; add \
                     `eof = 30s => State`, which counts from that end and again from each byte after it",
                    "nothing bounds how long state `Tunnel` may last; add `within = 30s => State` or \
                     `idle = 30s => State`, or say `within = never`",
                ],
            ),
            (
                "start = Hello, refused => Hello",
                "#[run] #[to(Dial)] Hello, #[connect(within = 1s => Gone)] #[to(Gone)] Dial, #[end] Gone",
                &[
                    "the cycle `Hello -> Dial -> Hello` uses up no input and no time; lead this `refused` to \
                   an end, or to a state that waits",
                ],
            ),
            (
                "start = A, job = J, reply = R",
                "#[run] #[to(B)] A { x: u8 }, #[connect] #[to(C)] B, #[end] C",
                &["a job has no connection to join to another one; \
                   make state `B` one that waits by `call`, `message`, `sleep` or `run`, or let \
                   connections answer the jobs, which wait for them in a `#[job]` state"],
            ),
        ]);
    }

    #[test]
    fn an_eof_of_a_relay_has_a_time_where_both_streams_pass() {
        let dial =
            "#[run] #[to(Dial)] Hello, #[connect(refused => Gone)] #[to(Tunnel)] Dial { n: u64 },";
        let machine = |relay: &str| {
            let fields = if relay.contains("= n") { "{ #[carry] n: u64 }" } else { "" };
            format!("{dial} #[relay({relay}, max = 1KiB)] #[to(Gone)] Tunnel {fields}, #[end] Gone")
        };
        let args = "start = Hello, within = 9s => Gone, gone => Gone";
        for (relay, finding) in [
            ("eof = 30s => Gone", ""),
            ("out, exact = n, eof => Gone", ""),
            ("back", ""),
            (
                "eof => Gone",
                "this `eof` can never happen in state `Tunnel`: it passes the end of each stream on, and \
                 completes after both; write `eof = 30s => Gone`, which bounds the time after the first end",
            ),
            (
                "out, exact = n, eof = 9s => Gone",
                "this `eof` can never happen in state `Tunnel`: it passes one stream on, and none is left \
                 after its end; write `eof => Gone`",
            ),
            (
                "out, exact = n",
                "state `Tunnel` passes a number of bytes on but nothing says where an end of stream before \
                 that leads; add `eof => State` here or on `#[state_machine(..)]`",
            ),
            (
                "back, eof => Gone",
                "`eof` can never happen in state `Tunnel`: without `exact` it goes on until the stream ends, \
                 which completes it; remove it",
            ),
            (
                "out, back, eof = 9s => Gone",
                "`out` and `back` each name one way; remove both words to pass bytes both ways, or one of \
                 them",
            ),
            ("exact = n, eof => Gone", "`exact` counts the bytes of one way; add `out` or `back`"),
        ] {
            let expected: &[&str] = if finding.is_empty() { &[] } else { &[finding] };
            assert_eq!(messages(args, &machine(relay)), expected, "{relay}");
        }
    }

    #[test]
    fn what_reads_the_other_socket_does_not_rest() {
        let args = "start = Hello, within = 9s => Gone, eof => Gone, refused => Gone, message = M";
        let machine = |waits: &str| {
            format!(
                "#[message] #[to(Dial)] Hello, #[connect] #[to(Answer)] Dial, {waits} #[to(Gone)] Answer,
                 #[end] Gone"
            )
        };
        for (waits, finding) in [
            (
                "#[read(other, some, max = 9)] #[rest]",
                "a state that reads the other socket is no place to rest, because something is in progress; \
                 remove `#[rest]`",
            ),
            (
                "#[read(other, some, max = 9)] #[message]",
                "state `Answer` waits for two things, `read` and `message`; it stands beside a `read` of \
                 the first socket; make two states of it",
            ),
            (
                "#[read(other, some, max = 9, gone => Gone)]",
                "`gone` can never happen in state `Answer`: a connection that breaks off is the end of its \
                 stream; write `eof`",
            ),
        ] {
            assert_eq!(messages(args, &machine(waits)), [finding], "{waits}");
        }
    }
}
