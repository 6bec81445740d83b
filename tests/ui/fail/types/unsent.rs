//! A state holds what must stay on its thread; rustc says so of both traits.
//! Plants E0277, E0277.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Body | Closed)]
    Length,
    #[run]
    #[to(Length)]
    Body { name: std::rc::Rc<str> },
    //~ Body { name: std::sync::Arc<str> },
    #[end]
    Closed,
}

fn main() {}
