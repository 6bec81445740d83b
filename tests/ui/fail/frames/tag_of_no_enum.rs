//! A tag for a frame that has none.
//! Plants E0277.

use fsm_runtime::prelude::*;

#[frame(Points)]
pub struct Point {
    pub x: i32,
    pub y: i32,
}

#[frame(Moves)]
pub struct Move {
    pub kind: u8,
    #[tag(kind)]
    //~-
    pub to: Point,
}

fn main() {}
