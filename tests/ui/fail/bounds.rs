//! Every wait is bounded.

use fsm_runtime::prelude::*;

#[state_machine(start = A, eof => Gone, limit => Gone, within = 0s => Gone)]
enum Bounds {
    #[read(some)]
    #[to(B)]
    A,
    #[read(exact = 0)]
    #[to(C)]
    B,
    #[read(exact = 8, max = 9)]
    #[to(D)]
    C,
    #[read(upto = 8, max = 8)]
    #[to(E)]
    D,
    #[read(until = "\n", max = 99999999999GiB)]
    #[to(F)]
    E,
    #[sleep(later)]
    #[to(G)]
    F,
    #[sleep(30)]
    #[to(H)]
    G,
    #[drain]
    #[to(I)]
    H,
    #[read(max = 1KiB)]
    #[to(J)]
    I,
    #[flush(within = 36501d => Gone)]
    #[to(Gone)]
    J,
    #[end]
    Gone,
}

fn main() {}
