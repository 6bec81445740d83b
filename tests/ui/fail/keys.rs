use fsm_runtime::prelude::*;

#[state_machine(strat = A, start = A, start = A, module = a::b, within = never)]
enum Keys {
    #[read(some, mx = 64KiB, eof = Gone, within = 5s)]
    #[to(A, Gone)]
    A,
    #[read(exact = 8, some, max =, eof => Gone => Gone)]
    #[to()]
    B,
    #[flush(within = never => Gone, idle = never)]
    #[to(Gone | Gone)]
    C,
    #[run = 5]
    #[to(Gone)]
    #[rest(now)]
    D,
    #[end]
    Gone,
}

fn main() {}
