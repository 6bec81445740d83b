//! A short run of `calls`, whose long runs are started by hand.

use std::process::Command;
use std::time::Duration;

use fsm_tests::{one_at_a_time, run};

#[test]
fn l12_x7_no_call_is_lost_or_answered_twice_and_the_counts_add_up() {
    let _exclusive = one_at_a_time();
    let mut calls = Command::new(env!("CARGO_BIN_EXE_calls"));
    calls.args(["--calls", "200000", "--round", "20000"]);
    let ran = run(&mut calls, Duration::from_secs(180));
    assert!(ran.status.success(), "{ran:?}");
    println!("{}", ran.stdout);
    assert!(ran.stdout.starts_with("calls: 200000: "), "{}", ran.stdout);
}
