//! Nothing says where a handshake that fails leads.
//! Plants fsm::E062.

use fsm_runtime::prelude::*;

#[state_machine(start = Secure, eof => Gone, within = 5s => Gone)]
enum Mail {
    #[tls(within = 10s => Gone)]
    //~ #[tls(within = 10s => Gone, error => Gone)]
    #[to(Line | Gone)]
    Secure,
    #[read(some, max = 80)]
    #[to(Line)]
    Line,
    #[end]
    Gone,
}

struct Client;

impl mail::Handler for Client {
    fn secure(&mut self, tls: TlsSession<'_>, _: &mut Cx<'_>) -> mail::AfterSecure {
        match tls.alpn() {
            Some(b"mail") => mail::AfterSecure::Line,
            _ => mail::AfterSecure::Gone,
        }
    }

    fn line(&mut self, _: &[u8], _: &mut Cx<'_>) -> mail::AfterLine {
        mail::AfterLine::Line
    }
}

fn main() {}
