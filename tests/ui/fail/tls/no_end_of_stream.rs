//! A handshake has no edge for the end of the stream.
//! Plants fsm::E064.

use fsm_runtime::prelude::*;

#[state_machine(start = Secure)]
enum Mail {
    #[tls(within = 10s => Gone, error => Gone, eof => Gone)]
    //~ #[tls(within = 10s => Gone, error => Gone)]
    #[to(Gone)]
    Secure,
    #[end]
    Gone,
}

struct Client;

impl mail::Handler for Client {
    fn secure(&mut self, _: TlsSession<'_>, cx: &mut Cx<'_>) -> mail::AfterSecure {
        cx.write(b"hello and goodbye\n");
        mail::AfterSecure::Gone
    }
}

fn main() {}
