//! A frame with two lifetimes.
//! Plants fsm::E101.

use fsm_runtime::prelude::*;

#[frame(Pairs)]
pub struct Pair<'a, 'b> {
//~ pub struct Pair<'a> {
    #[until(b"=", max = 64)]
    pub key: &'a str,
    #[until(b";", max = 64)]
    pub value: &'b str,
    //~ pub value: &'a str,
}

fn main() {}
