//! A pool whose connections come from another one has an address.
//! Plants E0277.

use fsm_runtime::prelude::*;

#[state_machine(start = Enter, seed = String)]
enum Room {
    #[run]
    #[to(Gone)]
    Enter { name: String },
    #[end]
    Gone,
}

struct Client;

impl room::Handler for Client {
    fn enter(&mut self, _: &mut String, _: &mut Cx<'_>) -> room::AfterEnter {
        room::AfterEnter::Gone
    }
}

fn main() {
    let room = Pool::builder::<Room>("room").listen("127.0.0.1:0");
    //~ let room = Pool::builder::<Room>("room");
    let _ = room.handler(|_peer| Client);
}
