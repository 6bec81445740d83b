use fsm_runtime::prelude::*;

#[state_machine(
    start = A,
    Some = B | More,
    More = Some,
    B = A,
    Unused = A,
    Twice = C | C,
)]
enum Groups {
    #[run]
    #[to(Some | Twice)]
    A,
    #[sleep(1s)]
    #[to(A | C)]
    B,
    #[end]
    C,
}

fn main() {}
