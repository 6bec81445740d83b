//! The name of a server is a number.
//! Plants E0277.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone, limit => Gone, within = 5s => Gone)]
enum Mail {
    #[read(until = b"\n", max = 80)]
    #[to(Secure)]
    Line,
    #[tls(name = host, error => Gone)]
    #[to(Gone)]
    Secure { host: u32 },
    //~ Secure { host: String },
    #[end]
    Gone,
}

struct Client;

impl mail::Handler for Client {
    fn line(&mut self, _: &[u8], _: &mut Cx<'_>) -> mail::AfterLine {
        mail::AfterLine::Secure { host: Default::default() }
    }

    fn secure(&mut self, _: &mut u32, _: TlsSession<'_>, _: &mut Cx<'_>) -> mail::AfterSecure {
        //~ fn secure(&mut self, _: &mut String, _: TlsSession<'_>, _: &mut Cx<'_>) -> mail::AfterSecure {
        mail::AfterSecure::Gone
    }
}

fn main() {}
