//! The picture in a machine's docs and `Spec::mermaid` show the same graph.

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
