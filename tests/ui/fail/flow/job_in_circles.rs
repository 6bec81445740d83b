//! A job's step leads to itself, which is a loop.
//! Plants fsm::E082.

use fsm_runtime::prelude::*;

#[state_machine(start = Sum, job = Vec<u64>, reply = u64)]
enum Adder {
    #[run]
    #[to(Sum | Done)]
    //~ #[to(Done)]
    Sum { numbers: Vec<u64> },
    #[end]
    Done,
}

struct Adding {
    sum: u64,
}

impl adder::Handler for Adding {
    fn sum(&mut self, numbers: &mut Vec<u64>, _: &mut JobCx<'_>) -> adder::AfterSum {
        if let Some(number) = numbers.pop() {
            //~ while let Some(number) = numbers.pop() {
            self.sum += number;
            return adder::AfterSum::Sum;
            //~-
        }
        adder::AfterSum::Done { reply: self.sum }
    }
}

fn main() {}
