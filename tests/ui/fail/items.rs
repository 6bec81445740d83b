use fsm_runtime::prelude::*;

#[state_machine(start = A)]
struct Struct {
    a: u8,
}

#[state_machine(start = A)]
fn function() {}

#[state_machine(start = A)]
enum Generic<'a, T> {
    #[run]
    #[to(B)]
    A,
    #[run]
    #[to(C)]
    B { x: &'a T },
    #[end]
    C,
}

#[state_machine(start = A)]
enum Numbers {
    #[run]
    #[to(C)]
    A = 1,
    #[end]
    C = 2,
}

#[state_machine(start = A)]
enum Tuples {
    #[run]
    #[to(B)]
    A,
    #[run]
    #[to(C)]
    B(u8, u8),
    #[end]
    C,
}

#[state_machine(start = A)]
enum Twins {
    #[run]
    #[to(B)]
    A,
    #[run]
    #[to(B)]
    A,
    #[end]
    B,
}

fn main() {
    let _ = Struct { a: 1 }.a;
    function();
}
