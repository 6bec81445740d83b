//! Several states read, and the machine has no defaults.
//! Plants fsm::E060, fsm::E061, fsm::E063.

use fsm_runtime::prelude::*;

#[state_machine(start = Name)]
//~ #[state_machine(start = Name, eof => Gone, limit => Gone, within = 30s => Gone)]
enum Login {
    #[read(until = b"\n", max = 80)]
    #[to(Password)]
    Name,
    #[read(until = b"\n", max = 80)]
    #[to(Command)]
    Password,
    #[read(until = b"\n", max = 1KiB)]
    #[to(Command)]
    Command,
    #[end]
    Gone,
}

fn main() {}
