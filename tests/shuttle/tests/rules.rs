//! Runs the checks.

macro_rules! checks {
    ($($rule:ident)*) => {
        $(#[test] fn $rule() { fsm_shuttle::rules::$rule(); })*
    };
}

checks! {
    r1_r2_r6_and_x1_all_that_is_posted_is_run
    r3_r4_the_active_are_counted_right_whoever_blocks
    r3_who_blocks_holds_nobody_up
    r5_what_is_posted_is_run_or_the_port_is_closed
    x5_what_is_for_the_dead_reaches_nobody
    x7_books_balance_whoever_waits_leaves_or_closes
}
