//! A type that is no frame.
//! Plants E0277.

use fsm_runtime::prelude::*;

pub struct Point {
    //~ #[frame(Points)] pub struct Point {
    pub x: i32,
    pub y: i32,
}

#[frame(Moves)]
pub struct Move {
    pub pen: u8,
    pub to: Point,
}

fn main() {}
