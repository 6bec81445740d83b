// cargo run --release -p benches -- all
//! What the ports and the machines cost, beside what else there is.

mod figure;

fn main() {}
