//! Runs the checks.

macro_rules! checks {
    ($($rule:ident)*) => {
        $(#[test] fn $rule() { fsm_loom::rules::$rule(); })*
    };
}

checks! {
    r1_what_a_poll_finds_runs_on_as_many_threads_as_may
    r3_the_thread_that_polls_runs_when_another_one_blocks
    r3_the_thread_that_polls_runs_when_another_one_is_seen_to_block
    r4_the_count_is_right_however_a_turn_ends
    r4_the_count_is_right_if_who_blocks_says_so
    r5_close_ends_all
    r6_a_post_is_not_lost_on_the_way_to_the_poll
    r6_a_post_wakes_a_thread
    x1_no_post_is_lost_while_its_key_runs
    x2_somebody_polls_while_a_handler_runs
    x6_a_thread_that_goes_to_sleep_has_interrupted_the_poll
    x7_a_credit_for_one_who_leaves_goes_to_the_next
    x7_a_credit_that_is_free_wakes_who_waits
    x7_close_wakes_all_who_wait
}
