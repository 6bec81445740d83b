//! The message of a public machine is private.
//! Plants E0446.

use fsm_runtime::prelude::*;

#[derive(Debug)]
struct News;
//~ pub struct News;

#[state_machine(start = Waits, message = News)]
#[allow(private_interfaces)]
pub enum Talk {
    #[message(within = never, eof => Gone)]
    #[to(Waits | Gone)]
    Waits,
    #[end]
    Gone,
}

fn main() {
    println!("{News:?}");
}
