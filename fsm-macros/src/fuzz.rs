//! For any input the passes neither panic nor hang, and the item stays.
//!
//! `FSM_INPUTS` is the number of inputs: `FSM_INPUTS=1000000 cargo test --release -p fsm-macros fuzz`.
//! The initial items and the inserted words are the corpus; a seed names an input.

mod edits;
mod frames;
mod machines;

/// The number of inputs.
fn inputs() -> u64 {
    std::env::var("FSM_INPUTS").map_or(3_000, |inputs| inputs.parse().unwrap())
}
