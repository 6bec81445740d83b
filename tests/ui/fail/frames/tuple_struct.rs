//! Fields without names.
//! Plants fsm::E003.

use fsm_runtime::prelude::*;

#[frame(Points)]
pub struct Point(i32, i32);
//~ pub struct Point { x: i32, y: i32 }

fn main() {
    let _ = Points::default();
}
