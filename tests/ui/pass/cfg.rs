//! What is there under a condition: states, fields, attributes.

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

#[state_machine(start = Talk, eof => Gone, size <= 16)]
#[derive(Debug)]
enum Echo {
    #[read(some, max = 16KiB, idle = 60s => Gone)]
    #[cfg_attr(all(), to(Talk | Count))]
    #[cfg_attr(any(), to(Nowhere))]
    Talk,
    #[cfg(all())]
    #[run]
    #[to(Talk | Kept)]
    Count {
        #[cfg(any())]
        absent: u64,
        #[cfg(all())]
        count: u8,
    },
    #[run]
    #[to(Talk)]
    Kept {
        #[cfg_attr(all(), carry)]
        count: u8,
    },
    #[cfg(any())]
    #[run]
    #[to(Nowhere)]
    Nowhere,
    #[end]
    Gone,
}

struct Client;

impl echo::Handler for Client {
    fn talk(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> echo::AfterTalk {
        cx.write(bytes);
        match bytes.len() {
            1 => echo::AfterTalk::Count { count: bytes[0] },
            _ => echo::AfterTalk::Talk,
        }
    }

    fn count(&mut self, count: &mut u8, _: &mut Cx<'_>) -> echo::AfterCount {
        if *count == b'k' { echo::AfterCount::Kept } else { echo::AfterCount::Talk }
    }

    fn kept(&mut self, count: &mut u8, cx: &mut Cx<'_>) -> echo::AfterKept {
        cx.write(&[*count, *count]);
        echo::AfterKept::Talk
    }
}

fn main() {
    let mut session = Session::<Echo, _>::new(Client);
    session.send(b"k");
    assert_eq!(session.receive(), b"kkk");
    assert_eq!(Echo::SPEC.states.len(), 4);
}
