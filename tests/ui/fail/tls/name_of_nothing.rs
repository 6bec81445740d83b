//! A state names a server and does not say which.
//! Plants fsm::E013.

use fsm_runtime::prelude::*;

#[state_machine(start = Secure, within = 5s => Gone)]
enum Mail {
    #[tls(name, error => Gone)]
    //~ #[tls(error => Gone)]
    #[to(Gone)]
    Secure,
    #[end]
    Gone,
}

struct Client;

impl mail::Handler for Client {
    fn secure(&mut self, _: TlsSession<'_>, _: &mut Cx<'_>) -> mail::AfterSecure {
        mail::AfterSecure::Gone
    }
}

fn main() {}
