//! What the macro accepts, and what it says about the rest: each `.stderr` in `ui/fail` is what a
//! user reads.

#[test]
fn ui() {
    let tests = trybuild::TestCases::new();
    tests.pass("ui/pass/*.rs");
    tests.compile_fail("ui/fail/*.rs");
}
