use fsm_runtime::prelude::*;

#[state_machine(eof => Talk, message = String)]
enum Endless {
    #[read(some, max = 1KiB, within = never)]
    #[to(Talk)]
    Talk,
}

fn main() {}
