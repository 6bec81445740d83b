//! Names that generated code might have used itself, and a runtime by another path.

use fsm_runtime::prelude::*;

mod rt {
    pub use fsm_runtime::*;
}

#[derive(Debug)]
pub struct H;

#[state_machine(start = A, eof => Z, message = H, crate = self::rt)]
enum Message {
    #[message(within = 1s => Z)]
    #[to(A)]
    A,
    #[end]
    Z,
}

struct Waiting;

impl message::Handler for Waiting {
    fn a(&mut self, message: H, _cx: &mut Cx<'_, H>) -> message::AfterA {
        println!("{message:?}");
        message::AfterA::A
    }
}

#[state_machine(start = A, module = raw)]
enum r#Union {
    #[run]
    #[to(B)]
    A,
    #[sleep(1s)]
    #[to(Z)]
    B { next: Option<Box<Self>> },
    #[end]
    Z,
}

struct Running;

impl raw::Handler for Running {
    fn a(&mut self, _cx: &mut Cx<'_>) -> raw::AfterA {
        raw::AfterA::B { next: Some(Box::new(r#Union::Z)) }
    }
}

fn drives<M: Drive<H>, H>(_: &H) {}

fn main() {
    drives::<Message, _>(&Waiting);
    drives::<r#Union, _>(&Running);
}
