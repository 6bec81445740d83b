//! An error that no field takes is logged, and has no words.
//! Plants E0277.

use fsm_runtime::prelude::*;

#[derive(Debug)]
struct Fault;
//~+ impl std::fmt::Display for Fault {
//~+     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
//~+         f.write_str("fault")
//~+     }
//~+ }

#[state_machine(start = Length, eof => Closed, error = Fault, error => Closed)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Closed)]
    Length,
    #[end]
    Closed,
}

fn main() {}
