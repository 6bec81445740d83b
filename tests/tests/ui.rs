//! What the macro accepts, and what it says about the rest: each `.stderr` in `ui/fail` is what a
//! user reads.

use std::process::Command;

/// The compiler whose messages the `.stderr` files hold, beside ours.
const COMPILER: &str = "rustc 1.95.";

#[test]
fn ui() {
    let tests = trybuild::TestCases::new();
    tests.pass("ui/pass/*.rs");
    let compiler = Command::new("rustc").arg("--version").output().expect("rustc should run");
    let compiler = String::from_utf8_lossy(&compiler.stdout).into_owned();
    if compiler.starts_with(COMPILER) {
        tests.compile_fail("ui/fail/*.rs");
    } else {
        println!("the messages in ui/fail are those of {COMPILER}x; this is {compiler}");
        println!("that they are refused is tested in fsm-macros, by stage");
    }
}
