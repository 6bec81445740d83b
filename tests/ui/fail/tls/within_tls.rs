//! A state begins TLS on connections that have it already.
//! Plants fsm::E126.

use fsm_runtime::prelude::*;

#[state_machine(start = Secure, eof => Gone, limit => Gone, within = 5s => Gone)]
enum Mail {
    #[tls(error => Gone)]
    #[to(Line)]
    Secure,
    #[read(until = b"\n", max = 80)]
    #[to(Line | Again)]
    //~ #[to(Line)]
    #[rest]
    Line,
    #[tls(error => Gone)]
    //~-
    #[to(Line)]
    //~-
    Again,
    //~-
    #[end]
    Gone,
}

struct Client;

impl mail::Handler for Client {
    fn secure(&mut self, _: TlsSession<'_>, _: &mut Cx<'_>) -> mail::AfterSecure {
        mail::AfterSecure::Line
    }

    fn line(&mut self, _: &[u8], _: &mut Cx<'_>) -> mail::AfterLine {
        mail::AfterLine::Line
    }

    fn again(&mut self, _: TlsSession<'_>, _: &mut Cx<'_>) -> mail::AfterAgain {
    //~-
        mail::AfterAgain::Line
        //~-
    }
    //~-
}

fn main() {}
