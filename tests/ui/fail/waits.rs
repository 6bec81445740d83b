use fsm_runtime::prelude::*;

#[state_machine(start = Nothing, within = 5s => Gone)]
enum Waits {
    #[to(Both)]
    Nothing,
    #[run]
    #[flush]
    #[to(Nowhere)]
    Both,
    #[flush]
    Nowhere,
    #[flush]
    #[to(Gone)]
    #[rest]
    Busy,
    #[wait(eof => Gone)]
    #[to(Gone)]
    Deaf,
    #[end]
    #[to(Busy)]
    #[rest]
    Gone,
    #[end(eof => Gone)]
    Full { left: u8, right: u8 },
}

fn main() {}
