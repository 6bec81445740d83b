//! Reports about jobs: to operators, and to the functions that run them.

use std::time::{Duration, Instant};

use fsm_runtime::Python;
use serde_json::json;

use crate::acts::{Act, Acts, has_python};

#[test]
fn p9_jobs_that_fail_are_counted_apart() {
    if !has_python() {
        return;
    }
    let acts = Acts::start(|python| python.processes(2));
    for act in ["raise", "pid", "exit", "nan", "pid", "pid"] {
        acts.act(json!({ "do": act }));
    }
    let stats = acts.running.drain().expect("it drains");
    assert_eq!((stats.failed, stats.done), (3, 3));
    assert_eq!((stats.accepted, stats.ended(), stats.open), (6, 6, 0));
}

#[test]
fn p10_a_function_knows_the_time_that_is_left_for_its_job() {
    if !has_python() {
        return;
    }
    let left = |settings: fn(Python<Act>) -> Python<Act>| {
        let acts = Acts::start(settings);
        let left = acts.is("left");
        acts.drain();
        left.as_f64()
    };
    assert_eq!(left(|python| python), None);
    assert_eq!(left(|python| python.deadline_of(|_| None)), None);
    let of_the_kill = left(|python| python.kill_after(Duration::from_secs(3600)));
    assert!(of_the_kill.is_some_and(|left| left > 3000.0 && left <= 3600.0), "{of_the_kill:?}");
    let of_the_job = left(|python| {
        python.deadline_of(|_| Instant::now().checked_add(Duration::from_secs(3600)))
    });
    assert!(of_the_job.is_some_and(|left| left > 3000.0 && left <= 3600.0), "{of_the_job:?}");
    // The earlier one counts, and one that is over leaves nothing.
    let earlier = left(|python| {
        python
            .kill_after(Duration::from_secs(7200))
            .deadline_of(|_| Instant::now().checked_add(Duration::from_secs(3600)))
    });
    assert!(earlier.is_some_and(|left| left <= 3600.0), "{earlier:?}");
    assert_eq!(left(|python| python.deadline_of(|_| Some(Instant::now()))), Some(0.0));
}
