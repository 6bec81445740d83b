//! Nothing says how many frames there are.
//! Plants fsm::E105.

use fsm_runtime::prelude::*;

#[frame(Points)]
pub struct Point {
    pub x: i32,
    pub y: i32,
}

#[frame(Lines)]
pub struct Line<'a> {
    count: u16,
    //~+ #[times(count <= 64)]
    pub points: Times<'a, Points>,
}

fn main() {}
