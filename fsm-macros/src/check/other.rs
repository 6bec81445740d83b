use crate::ast::{self, WaitKind};
use crate::code::Code;
use crate::errors::Errors;
use crate::graph::Graph;

/// Checks that a state that uses the other socket is reached through one that connects it (S2).
pub(crate) fn check(machine: &ast::Machine, graph: &Graph<'_>, errors: &mut Errors) {
    let Some(start) = graph.start else { return };
    if !machine.states.iter().any(ast::State::uses_other) {
        return;
    }
    // Where a state was reached from without the other socket.
    let mut reached_from: Vec<Option<usize>> = vec![None; machine.states.len()];
    let mut pending = vec![(start.index, start.index)];
    while let Some((source, state)) = pending.pop() {
        if reached_from[state].is_some() {
            continue;
        }
        reached_from[state] = Some(source);
        if machine.states[state].uses_other() {
            continue;
        }
        let connects = machine.states[state].connects();
        let edges = graph.edges[state].iter();
        let without = edges.filter(|edge| !connects || edge.event().is_some());
        pending.extend(without.map(|edge| (state, edge.target)));
    }
    for (index, state) in machine.states.iter().enumerate() {
        let (Some(source), true) = (reached_from[index], state.uses_other()) else { continue };
        let Some(wait) = state.waits.first() else { continue };
        let name = &state.name;
        let from = if source == index {
            "the machine starts there".to_owned()
        } else {
            format!("`{}` leads there without one", machine.states[source].name)
        };
        let text = format!(
            "`{name}` needs the other socket, which a `#[connect(..)]` state opens, and {from}; \
             lead it through such a state"
        );
        errors.at(Code::NotConnected, &wait.name, text);
    }
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
    use super::super::tests::table;

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
                    "`Answer` needs the other socket, which a `#[connect(..)]` state opens, and `Head` \
                     leads there without one; lead it through such a state",
                    "`Tunnel` needs the other socket, which a `#[connect(..)]` state opens, and `Dial` \
                     leads there without one; lead it through such a state",
                ],
            ),
            (
                "start = Tunnel",
                "#[relay(max = 1KiB, idle = 9s => Gone, eof = 9s => Gone, gone => Gone)]
                 #[to(Gone)] Tunnel, #[end] Gone",
                &[
                    "`Tunnel` needs the other socket, which a `#[connect(..)]` state opens, and the \
                   machine starts there; lead it through such a state",
                ],
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
                    "`relay` lacks the most bytes that wait on one side; write `max = 64KiB`",
                    "state `Dial` connects but nothing says where it leads when it cannot; \
                     add `refused => State` here or on `#[state_machine(..)]`",
                    "nothing bounds how long state `Dial` may last; \
                     add `within = 30s => State`, or say `within = never`",
                    "state `Tunnel` passes bytes on but nothing says where it leads when the other side \
                     is gone; add `gone => State` here or on `#[state_machine(..)]`",
                    "nothing bounds how long state `Tunnel` may go on after one side has ended; add \
                     `eof = 30s => State`, which counts from there and again from each byte",
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
                   make state `B` one that waits by `call`, `message`, `sleep` or `run`"],
            ),
        ]);
    }
}
