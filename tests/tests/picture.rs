//! The picture in a machine's docs and `Spec::mermaid` show the same graph, also where many states share edges.

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

/// The machine of the example `echo`.
#[state_machine(start = Talk, eof => Gone)]
enum Echo {
    #[read(some, max = 16KiB, idle = 60s => Gone)]
    #[to(Talk)]
    #[rest]
    Talk,
    #[end]
    Gone,
}

struct Client;

impl echo::Handler for Client {
    fn talk(&mut self, _: &[u8], _: &mut Cx<'_>) -> echo::AfterTalk {
        echo::AfterTalk::Talk
    }
}

#[test]
fn l9_the_docs_show_the_same_graph() {
    let expanded = include_str!("../../examples/src/bin/echo_expanded.rs");
    let shown = expanded.split("__picture ! (\"").nth(1).and_then(|rest| rest.split("\")").next());
    let shown = shown.expect("the docs have a picture").replace("\\n", "\n");
    assert_eq!(Echo::SPEC.mermaid().trim_end(), shown);
    assert_eq!(Session::<Echo, _>::new(Client).state(), Some("Talk"));
}

/// A machine of forty states.
#[expect(
    dead_code,
    clippy::enum_variant_names,
    reason = "only its graph is looked at, and `MailFrom` is SMTP's"
)]
mod mail {
    use fsm_runtime::Service;
    use fsm_runtime::prelude::*;

    #[frame(Verbs, line = b"\r\n", max = 512)]
    enum Verb {
        #[is("QUIT")]
        Quit,
    }

    #[derive(Debug)]
    struct Fault;

    impl std::fmt::Display for Fault {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("no room")
        }
    }

    impl std::error::Error for Fault {}

    struct Accounts;
    struct Scanner;
    struct Spooler;

    impl Service for Accounts {
        type Job = u8;
        type Reply = u8;
    }

    impl Service for Scanner {
        type Job = u8;
        type Reply = u8;
    }

    impl Service for Spooler {
        type Job = u8;
        type Reply = u8;
    }

    include!("../../fsm-macros/src/lower/picture/mail.rs");

    pub(super) fn spec() -> &'static fsm_runtime::Spec {
        Mail::SPEC
    }
}

#[test]
fn l9_the_docs_show_edges_that_many_states_share_once() {
    let drawn = mail::spec().mermaid();
    // The picture that the macro makes of the same source, and the one that the tests of the drawing draw.
    assert_eq!(drawn, include_str!("../../fsm-macros/src/lower/picture/mail.mmd"));
    assert_eq!(drawn, include_str!("../../fsm-diagram/src/sample/mail.mmd"));
    assert_eq!(mail::spec().states.len(), 40);
    let edges: usize = mail::spec().states.iter().map(|state| state.edges.len()).sum();
    let arrows = drawn.matches("-->").count();
    assert!(edges > 140 && arrows < 50, "{edges} edges, {arrows} arrows");
}

#[test]
fn l9_the_graph_in_dot_has_a_note_for_edges_that_many_states_share() {
    let drawn = mail::spec().dot();
    for line in [
        r#""note 1" [shape=note, style=dashed, label="② gone\nfrom 8 states", "#,
        r#"tooltip="② gone: AuthCheck, MailFrom, RcptTo, Scan, Queue, Vrfy, Expn, Etrn"];"#,
        r#""note 1" -> Unavailable [style=dashed];"#,
        r#"Scan [shape=box, style=solid, label="Scan ②③\ncall(Scanner)"];"#,
        r#"label="error\nfrom all but TooLong, Late, Quit""#,
        r#"Scan -> Denied [label="verdict"];"#,
    ] {
        assert!(drawn.contains(line), "no {line} in {drawn}");
    }
    assert!(!drawn.contains("Scan -> Unavailable"), "{drawn}");
}
