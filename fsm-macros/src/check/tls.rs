use crate::ast::{self, WaitKind};
use crate::code::Code;
use crate::errors::Errors;
use crate::graph::Graph;

/// Checks that TLS can begin in each state that begins it: that a connection can get there on which it has not
/// begun before (E1).
pub(crate) fn check(machine: &ast::Machine, graph: &Graph<'_>, errors: &mut Errors) {
    let Some(start) = graph.start else { return };
    let mut reached = vec![false; machine.states.len()];
    let mut pending = vec![start.index];
    // The states that are reached before TLS begins.
    while let Some(source) = pending.pop() {
        if !std::mem::replace(&mut reached[source], true) && !machine.states[source].begins_tls() {
            pending.extend(graph.edges[source].iter().map(|edge| edge.target));
        }
    }
    let states = machine.states.iter().zip(reached);
    for (state, _) in states.filter(|(state, reached)| !reached && state.begins_tls()) {
        let text = format!(
            "state `{}` is only reached when TLS has begun before, and there is no TLS within TLS; lead the \
             connection on to a state without `#[tls(..)]`",
            state.name
        );
        errors.at(Code::TlsWithinTls, &state.name, text);
    }
}

impl ast::State {
    /// Whether the state begins TLS.
    fn begins_tls(&self) -> bool {
        self.waits.iter().any(|wait| matches!(wait.kind, WaitKind::Tls { .. }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{messages, table};

    #[test]
    fn e1_a_server_with_starttls_is_silent() {
        table(&[
            (
                "start = Command, eof => Gone, limit => Gone, within = 9s => Gone, error => Gone",
                "#[read(until = b\"\\n\", max = 80)] #[to(Command | Secure)] Command,
                 #[tls] #[to(Command | Gone)] Secure, #[end] Gone",
                &[],
            ),
            (
                "start = Secure, error = Fault",
                "#[tls(within = 9s => Gone, error => Sorry)] #[to(Gone)] Secure,
                 #[run] #[to(Gone)] Sorry { #[error] why: Fault }, #[end] Gone",
                &[],
            ),
        ]);
    }

    #[test]
    fn e1_there_is_no_tls_within_tls() {
        let twice = "state `Again` is only reached when TLS has begun before, and there is no TLS within TLS; lead \
                     the connection on to a state without `#[tls(..)]`";
        table(&[
            (
                "start = Secure, within = 9s => Gone, error => Gone",
                "#[tls] #[to(Again)] Secure, #[tls] #[to(Gone)] Again, #[end] Gone",
                &[twice],
            ),
            (
                "start = Secure, error => Gone",
                "#[tls(within = 9s => Next)] #[to(Gone)] Secure, #[run] #[to(Again)] Next,
                 #[tls(within = 9s => Gone)] #[to(Gone)] Again, #[end] Gone",
                &[twice],
            ),
        ]);
    }

    #[test]
    fn e1_a_handshake_has_all_its_edges() {
        table(&[
            (
                "start = Secure",
                "#[tls] #[to(Gone)] Secure, #[end] Gone",
                &[
                    "state `Secure` begins TLS but nothing says where it leads if the handshake fails; add \
                     `error => State` here or on `#[state_machine(..)]`",
                    "nothing bounds how long state `Secure` may last; add `within = 30s => State`, or say \
                     `within = never`",
                ],
            ),
            (
                "start = Secure",
                "#[tls(idle = 9s => Gone, error => Gone, eof => Gone, limit => Gone)] #[to(Gone)] Secure,
                 #[end] Gone",
                &[
                    "`idle` can never happen in state `Secure`: it ends when its wait completes, and \
                     `within` bounds that; write `within`",
                    "`eof` can never happen in state `Secure`: a handshake that breaks off or is refused takes \
                     its `error` edge; write `error`",
                    "`limit` can never happen in state `Secure`: it does not read; remove it",
                ],
            ),
            (
                "start = A, reply = R, job = J",
                "#[tls(within = 9s => C, error => C)] #[to(C)] A { x: J }, #[run] #[to(B)] C, #[end] B",
                &["a job has no connection to encrypt; \
                   make state `A` one that waits by `call`, `message`, `sleep` or `run`, or let \
                   connections answer the jobs, which wait for them in a `#[job]` state"],
            ),
        ]);
    }

    #[test]
    fn l5_a_handshake_that_fails_again_and_again_is_a_cycle() {
        assert_eq!(
            messages(
                "start = Secure",
                "#[tls(within = 9s => Gone, error => Sorry)] #[to(Gone)] Secure,
                 #[run] #[to(Secure)] Sorry, #[end] Gone",
            ),
            [
                "the cycle `Secure -> Sorry -> Secure` uses up no input and no time; lead this `error` to an end, \
              or to a state that waits"
            ]
        );
    }
}
