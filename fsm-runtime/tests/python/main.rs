//! Pools of worker processes that run Python. They need `python3` in `PATH`.
#![cfg(unix)]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use fsm_runtime::prelude::*;
use fsm_runtime::{Json, PoolError, Python};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

mod acts;
mod reports;

use self::acts::{Acts, Bytes, MODULES, Text, has_python, lives, python, wait_for_the_end_of};

#[test]
fn p1_jobs_and_results_arrive_as_they_were_sent() {
    if !has_python() {
        return;
    }
    let pool = python::<Text>("upper").build();
    let texts = pool.submitter::<Text>().expect("text");
    let running = pool.start().expect("it starts");
    for text in ["", "é and ß", &"long ".repeat(300_000)] {
        let reply = texts.submit(text.to_owned()).expect("room").wait();
        assert_eq!(reply, Some(Ok(text.to_uppercase())));
    }
    running.drain().expect("it drains");

    let pool = python::<Bytes>("reverse").build();
    let blocks = pool.submitter::<Bytes>().expect("bytes");
    let running = pool.start().expect("it starts");
    // Around the sizes of the buffers on the way.
    for length in [0, 1, 8_183, 8_192, 16_375, 16_383, 16_384, 65_527, 65_536, 65_545, 5_000_000] {
        let block: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).expect("below")).collect();
        let reply = blocks.submit(block.clone()).expect("room").wait();
        let reversed: Vec<u8> = block.into_iter().rev().collect();
        assert_eq!(reply, Some(Ok(reversed)), "{length} bytes");
    }
    running.drain().expect("it drains");

    let acts = Acts::start(|python| python);
    for value in
        [json!(null), json!([1, 2.5, "three", { "four": [true] }]), json!("\u{0}\n\u{1F980}")]
    {
        let reply = acts.act(json!({ "do": "echo", "value": value }));
        assert_eq!(reply, Some(Ok(value)));
    }
    acts.drain();
}

#[test]
fn p2_an_exception_is_a_reply_and_the_process_lives_on() {
    if !has_python() {
        return;
    }
    let acts = Acts::start(|python| python);
    let process = acts.pid();
    let raised = |act: &str| acts.act(json!({ "do": act })).expect("a reply").expect_err("raised");
    let error = raised("raise");
    assert_eq!(error.kind, "ValueError");
    assert_eq!(error.to_string(), "ValueError: invalid literal for int() with base 10: 'nine'");
    assert!(error.traceback.contains("jobs.py"), "{}", error.traceback);
    // It begins in the function, not in the loop of the process.
    assert!(!error.traceback.contains("<string>"), "{}", error.traceback);
    // An exception that cannot say what it is, and one that is of no module.
    assert_eq!(raised("odd").kind, "jobs.Odd");
    assert_eq!(raised("homeless").kind, "None.Homeless");
    // JSON has no such number, and no such act is there.
    assert_eq!(raised("nan").kind, "ValueError");
    assert_eq!(raised("fly").kind, "KeyError");
    assert_eq!(acts.pid(), process);
    acts.drain();

    // The result is of another type than the pool wants.
    let pool = python::<Text>("wrong").build();
    let texts = pool.submitter::<Text>().expect("text");
    let running = pool.start().expect("it starts");
    let error = texts.submit(String::new()).expect("room").wait().expect("a reply").unwrap_err();
    assert_eq!(error.to_string(), "TypeError: the result is int, and the pool wants str");
    assert_eq!(error.traceback, "");
    running.drain().expect("it drains");
}

#[test]
fn p3_a_process_that_ends_in_a_job_is_one_gone_and_another_one_does_the_next() {
    if !has_python() {
        return;
    }
    let acts = Acts::start(|python| python);
    let mut before = acts.pid();
    for act in ["exit", "abort", "kill", "close", "answer"] {
        assert_eq!(acts.act(json!({ "do": act })), None, "{act}");
        let process = acts.pid();
        assert_ne!(process, before, "{act}");
        assert!(!lives(before), "{act}");
        before = process;
    }
    acts.drain();
}

#[test]
fn p3_each_job_has_one_reply_or_is_gone_whatever_processes_do() {
    if !has_python() {
        return;
    }
    let acts = Acts::start(|python| python.processes(3));
    let jobs: Vec<_> = (0_u64..150)
        .map(|number| {
            // Every eleventh kills its process.
            let job = match number % 11 {
                7 => json!({ "do": "kill" }),
                _ => json!({ "do": "echo", "value": number }),
            };
            (number, acts.jobs.submit(Json(job)).expect("room for all"))
        })
        .collect();
    for (number, job) in jobs {
        let expected = (number % 11 != 7).then_some(Ok(Json(json!(number))));
        assert_eq!(job.wait(), expected, "job {number}");
    }
    acts.drain();
}

#[test]
fn p3_a_process_that_was_killed_while_idle_costs_no_job() {
    if !has_python() {
        return;
    }
    let acts = Acts::start(|python| python);
    for _ in 0..3 {
        let process = acts.pid();
        kill_process(process, Signal::KILL).expect("it is ours");
        // Nobody has waited for it, so its first thread stays. It has closed its socket when the others have ended.
        let process_of = format!("/proc/{}", process.as_raw_nonzero());
        let is_open = || {
            let stat = std::fs::read_to_string(format!("{process_of}/stat"));
            let threads = std::fs::read_dir(format!("{process_of}/task")).map(Iterator::count);
            stat.is_ok_and(|stat| !stat.contains(") Z ")) || threads.is_ok_and(|count| count > 1)
        };
        while is_open() {
            std::thread::yield_now();
        }
        assert_ne!(acts.pid(), process);
    }
    acts.drain();
}

#[test]
fn p3_a_process_that_ends_while_idle_is_reaped_without_another_job() {
    if !has_python() {
        return;
    }
    let acts = Acts::start(|python| python.processes(2));
    for _ in 0..3 {
        let process = acts.pid();
        kill_process(process, Signal::KILL).expect("it is ours");
        // A process that nobody has waited for would still be there.
        wait_for_the_end_of(process);
        assert_ne!(acts.pid(), process);
    }
    let stats = acts.running.drain().expect("it drains");
    assert_eq!((stats.done, stats.failed), (6, 0));
}

#[test]
fn p3_a_process_whose_child_keeps_the_socket_is_known_to_have_ended() {
    if !has_python() {
        return;
    }
    let acts = Acts::start(|python| python);
    let began = Instant::now();
    assert_eq!(acts.act(json!({ "do": "abandon" })), None);
    assert!(began.elapsed() < Duration::from_secs(10), "the child was waited for");
    acts.pid();
    acts.drain();
}

#[test]
fn p4_printing_and_reading_cannot_break_the_protocol() {
    if !has_python() {
        return;
    }
    let acts = Acts::start(|python| python);
    assert_eq!(acts.is("stdin"), json!(""));
    assert_eq!(acts.is("print"), Value::Null);
    // Signals for the whole group of the server leave the end of the process to the pool.
    assert_eq!(acts.is("signals"), json!("alive"));
    acts.drain();
}

#[test]
fn p5_a_pool_starts_only_with_its_function() {
    if !has_python() {
        return;
    }
    let why = |pool: Python<Text>| match pool.build().start() {
        Err(PoolError::Handler { pool, error }) if pool == "work" => error,
        other => panic!("{other:?}"),
    };
    let function = |name: &str| Pool::python::<Text>("work", name).path(MODULES).processes(2);
    let error = why(function("broken:upper"));
    assert!(error.starts_with("ValueError: not today"), "{error}");
    assert!(error.contains("broken.py"), "{error}");
    assert!(why(function("jobs:lower")).contains("has no attribute 'lower'"));
    assert!(why(function("jobs:kept")).contains("`jobs:kept` is no function"));
    assert!(why(function("nowhere:upper")).contains("No module named 'nowhere'"));
    for target in ["jobs", "jobs:", ":upper"] {
        assert!(why(function(target)).contains(&format!("`{target}` names no function")));
    }
    let nobody = function("jobs:upper").interpreter("/nowhere/python3");
    assert!(why(nobody).starts_with("cannot start `/nowhere/python3`"));
    let slow =
        function("time:sleep").interpreter("/bin/cat").start_within(Duration::from_millis(1));
    assert!(!why(slow).is_empty());
}

#[test]
fn p5_a_file_is_named_by_its_path() {
    if !has_python() {
        return;
    }
    let target = format!("{MODULES}/jobs.py:upper");
    let pool = Pool::python::<Text>("work", target).processes(1).build();
    let texts = pool.submitter::<Text>().expect("text");
    let running = pool.start().expect("it starts");
    assert_eq!(texts.submit("x".to_owned()).expect("room").wait(), Some(Ok("X".to_owned())));
    running.drain().expect("it drains");
}

#[test]
fn p6_a_job_that_takes_too_long_is_gone_with_its_process() {
    if !has_python() {
        return;
    }
    let acts = Acts::start(|python| python.kill_after(Duration::from_millis(300)));
    let process = acts.pid();
    let began = Instant::now();
    assert_eq!(acts.act(json!({ "do": "sleep", "seconds": 60 })), None);
    assert!(began.elapsed() >= Duration::from_millis(300));
    assert!(!lives(process));
    acts.pid();
    acts.drain();
}

#[test]
fn p6_a_program_that_a_job_has_started_is_killed_with_its_process() {
    if !has_python() {
        return;
    }
    let acts = Acts::start(|python| python.kill_after(Duration::from_secs(1)));
    let path = std::env::temp_dir().join(format!("fsm-program-{}", std::process::id()));
    assert_eq!(acts.act(json!({ "do": "program", "path": path })), None);
    let program = std::fs::read_to_string(&path).expect("the job wrote it");
    std::fs::remove_file(&path).expect("it is ours");
    let program = program.parse().ok().and_then(Pid::from_raw).expect("a number");
    wait_for_the_end_of(program);
    acts.drain();
}

#[test]
fn p6_a_result_over_the_most_is_gone_with_its_process() {
    if !has_python() {
        return;
    }
    let acts = Acts::start(|python| python.max_reply(1_000));
    let process = acts.pid();
    let large = |bytes: u64| acts.act(json!({ "do": "large", "bytes": bytes }));
    // With its quotes it has 1,000 bytes.
    assert!(large(998).is_some());
    assert_eq!(acts.pid(), process);
    assert_eq!(large(999), None);
    assert_ne!(acts.pid(), process);
    acts.drain();
}

#[test]
fn p7_a_process_is_replaced_after_its_last_job_and_no_job_is_lost() {
    if !has_python() {
        return;
    }
    let acts = Acts::start(|python| python.recycle_after(3));
    let processes: Vec<Pid> = (0..9).map(|_| acts.pid()).collect();
    for three in processes.chunks(3) {
        assert!(three.iter().all(|process| *process == three[0]), "{processes:?}");
    }
    assert!(processes[0] != processes[3] && processes[3] != processes[6], "{processes:?}");
    acts.drain();
    for process in processes {
        assert!(!lives(process), "{process:?} is left");
    }
}

#[test]
fn p7_a_process_that_has_grown_is_replaced() {
    if !has_python() {
        return;
    }
    let acts = Acts::start(|python| python.recycle_above(100 << 20));
    let process = acts.pid();
    assert_eq!(acts.act(json!({ "do": "keep", "bytes": 1_000 })), Some(Ok(Value::Null)));
    assert_eq!(acts.pid(), process);
    assert_eq!(acts.act(json!({ "do": "keep", "bytes": 120 << 20 })), Some(Ok(Value::Null)));
    assert_ne!(acts.pid(), process);
    acts.drain();
}

#[test]
fn p8_no_process_is_left_after_a_drain() {
    if !has_python() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let note = directory.path().join("note");
    let pool = Pool::python::<Text>("work", "jobs:at_exit").path(MODULES).processes(1);
    // The result is a number, which is raised as an exception; the process goes on to its end.
    let pool = pool.build();
    let texts = pool.submitter::<Text>().expect("text");
    let running = pool.start().expect("it starts");
    let path = note.to_str().expect("text").to_owned();
    texts.submit(path).expect("room").wait().expect("a reply").expect_err("a number is no text");
    running.drain().expect("it drains");
    // It had the time for its exit handlers.
    assert_eq!(std::fs::read_to_string(&note).expect("the note"), "ended");
}

#[test]
fn p8_a_job_that_hangs_does_not_outlive_the_drain() {
    if !has_python() {
        return;
    }
    let acts = Acts::start(|python| python.drain_within(Duration::from_millis(100)));
    let process = acts.pid();
    let job = acts.jobs.submit(Json(json!({ "do": "sleep", "seconds": 60 }))).expect("room");
    let began = Instant::now();
    // How a drain whose time is over ends is not what this test looks at.
    let _ = acts.running.drain();
    assert_eq!(job.wait(), None);
    wait_for_the_end_of(process);
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[test]
fn p8_a_server_that_is_killed_leaves_no_process() {
    kill_a_server_whose_process_is("idle");
}

#[test]
fn p8_a_server_that_is_killed_leaves_no_process_with_a_job_that_hangs() {
    kill_a_server_whose_process_is("hanging");
}

fn kill_a_server_whose_process_is(what: &str) {
    if !has_python() || !Path::new("/proc/self").exists() {
        return;
    }
    let mut server = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "a_server_for_the_test_that_kills_it", "--nocapture"])
        .env(SERVER, what)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let lines = std::io::BufReader::new(server.stdout.take().expect("piped"));
    let process = std::io::BufRead::lines(lines)
        .filter_map(|line| line.ok()?.split_once("process ")?.1.parse().ok())
        .find_map(Pid::from_raw)
        .expect("it says which process it has");
    assert!(lives(process));
    server.kill().expect("it is ours");
    server.wait().expect("it ends");
    wait_for_the_end_of(process);
}

/// The variable that makes a server of the following test.
const SERVER: &str = "FSM_TEST_SERVER";

/// Does something only in the process that the test above starts.
#[test]
fn a_server_for_the_test_that_kills_it() {
    if let Some(what) = std::env::var_os(SERVER) {
        let acts = Acts::start(|python| python);
        let process = acts.pid();
        // A process that hangs says its number itself.
        let hangs = json!({ "do": "hang" });
        let _job = (what == "hanging").then(|| acts.jobs.submit(Json(hangs)).expect("room"));
        if what == "idle" {
            println!("\nprocess {}", process.as_raw_nonzero());
        }
        // Until it is killed, or the test has ended.
        let _ = std::io::stdin().read_line(&mut String::new());
    }
}
