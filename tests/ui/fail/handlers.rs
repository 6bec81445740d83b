use fsm_runtime::prelude::*;

#[state_machine(start = TooLong)]
enum Handlers {
    #[run]
    #[to(TOOLong)]
    TooLong,
    #[run]
    #[to(Super)]
    TOOLong,
    #[run]
    #[to(Gone)]
    Super,
    #[end]
    Gone,
}

#[state_machine(start = A)]
enum Crate {
    #[run]
    #[to(B)]
    A,
    #[end]
    B,
}

fn main() {}
