//! The last transitions of a connection.

use fsm_runtime::{Filter, Key, TaskSnapshot};

use super::*;

fn one(handle: &Handle<Ways>, key: Key) -> TaskSnapshot {
    let filter = Filter::new().key(key);
    handle.snapshot_of(&filter, WITHIN).tasks.pop().unwrap()
}

/// The states that a connection came from, with the events that led on.
fn steps(task: &TaskSnapshot) -> Vec<(&'static str, &'static str, &'static str)> {
    let steps = task.history.iter().map(|step| {
        (step.from.name, Ways::SPEC.states[step.edge.target].name, step.edge.on.name())
    });
    steps.collect()
}

#[test]
fn v9_the_last_transitions_of_each_connection_are_kept_in_order() {
    for threads in [1, 2] {
        let builder = Pool::builder::<Ways>("ways").listen("127.0.0.1:0").threads(threads);
        let builder = builder.history(3);
        let handle = builder.handle();
        let running = builder.handler(|_peer| Client).start().unwrap();
        let mut first = Peer::new(&running);
        first.ask("a\n", 1);
        let key = handle.snapshot(WITHIN).tasks[0].key.unwrap();
        assert_eq!(steps(&one(&handle, key)), [("Line", "Line", "verdict")]);

        // Another connection has a history of its own.
        let mut second = Peer::new(&running);
        second.ask("body\n", 1);
        first.ask("run\n", 1);
        first.ask("slow\n", 1);
        let moved = |pool: &PoolSnapshot| taken(pool, "Slow", "Line", "within") == 1;
        until(|| handle.snapshot(WITHIN), moved);
        let task = one(&handle, key);
        let expected =
            [("Run", "Line", "verdict"), ("Line", "Slow", "verdict"), ("Slow", "Line", "within")];
        assert_eq!(steps(&task), expected);
        assert!(task.history.is_sorted_by(|older, newer| older.ago >= newer.ago));
        assert!(task.history[1].ago >= task.history[2].ago + Duration::from_millis(19));
        let other = handle.snapshot_of(&Filter::new().state("Body"), WITHIN).tasks.pop().unwrap();
        assert!(other.history.is_empty(), "it was not asked for by its key");
        assert_eq!(steps(&one(&handle, other.key.unwrap())), [("Line", "Body", "verdict")]);
        drop((first, second));
        until(|| handle.snapshot(WITHIN), |pool| pool.stats.open == 0);
        running.drain().unwrap();
    }
}

#[test]
fn v9_a_pool_keeps_no_history_by_default() {
    let builder = Pool::builder::<Ways>("ways").listen("127.0.0.1:0");
    let handle = builder.handle();
    let running = builder.handler(|_peer| Client).start().unwrap();
    let mut peer = Peer::new(&running);
    peer.ask("a\n", 1);
    let key = handle.snapshot(WITHIN).tasks[0].key.unwrap();
    assert!(one(&handle, key).history.is_empty());
    running.drain().unwrap();
}

#[test]
fn v9_a_history_that_is_too_long_is_refused() {
    let builder = Pool::builder::<Ways>("ways").listen("127.0.0.1:0").history(1_025);
    let error = builder.handler(|_peer| Client).start().unwrap_err().to_string();
    assert!(error.contains("history") && error.contains("from 0 to 1024"), "{error}");
}
