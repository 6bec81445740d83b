//! A handler with parameters.

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

#[state_machine(start = Talk, eof => Gone)]
enum Echo {
    #[read(some, max = 16KiB, idle = 60s => Gone)]
    #[to(Talk)]
    #[rest]
    Talk,
    #[end]
    Gone,
}

struct Client<'a, T: Fn(&[u8]) -> Vec<u8>, const N: usize> {
    make: &'a T,
}

impl<T: Fn(&[u8]) -> Vec<u8>, const N: usize> echo::Handler for Client<'_, T, N> {
    fn talk(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> echo::AfterTalk {
        for _ in 0..N {
            cx.write(&(self.make)(bytes));
        }
        echo::AfterTalk::Talk
    }
}

fn main() {
    let make = |bytes: &[u8]| bytes.to_ascii_uppercase();
    let mut session = Session::<Echo, _>::new(Client::<_, 2> { make: &make });
    session.send(b"ab");
    assert_eq!(session.receive(), b"ABAB");
}
