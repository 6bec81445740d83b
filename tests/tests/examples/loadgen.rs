//! The example `loadgen`, with `kv`, `docserver` and no server at all.

use std::process::Command;
use std::thread;
use std::time::Duration;

use fsm_tests::{Docserver, RunOutput, Server, TIMEOUT, example, run, run_with_input};
use serde_json::Value;

/// Runs it for a short time, and returns its exit code, its result and its standard error.
fn load(options: &[&str]) -> (Option<i32>, Value, String) {
    let mut program = Command::new(example("loadgen"));
    program.args(["--json", "--warmup", "300ms", "--timeout", "5s"]).args(options);
    result(&run(&mut program, TIMEOUT))
}

fn result(ran: &RunOutput) -> (Option<i32>, Value, String) {
    let result =
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    (ran.status.code(), result, ran.stderr.clone())
}

/// Checks that there were requests, that all were answered, and that the times are in order.
fn plausible((code, result, log): (Option<i32>, Value, String)) -> u64 {
    assert_eq!((code, &result["errors"]), (Some(0), &Value::from(0)), "{result} {log}");
    let requests = result["requests"].as_u64().expect("a number");
    assert!(requests > 0, "{result}");
    let times = ["p50", "p90", "p99", "p99.9", "max"];
    let times = times.map(|name| result["latency_us"][name].as_u64().expect("a number"));
    assert!(times.is_sorted() && times[0] > 0, "{result}");
    requests
}

#[test]
fn kv_answers_all_commands() {
    let server = Server::kv(&[]);
    let address = server.address().to_string();
    for options in [&["--connections", "100"][..], &["--pipeline", "16", "--sets", "50"]] {
        let requests = load(&[&["--resp", &address, "--duration", "1s"], options].concat());
        println!("{options:?}: {}", plausible(requests));
    }
    server.stop();
}

#[test]
fn docserver_answers_all_requests() {
    let server = Docserver::new(&[]);
    server.put("large", "x".repeat(200_000).as_bytes()).expect(201);
    for path in ["/", "/docs/large", "/search?q=x"] {
        let url = server.url(path);
        let requests = load(&["--http", &url, "--duration", "1s", "--connections", "20"]);
        println!("{path}: {}", plausible(requests));
    }
    let url = server.url("/docs/none");
    let (_, result, _) = load(&["--http", &url, "--duration", "300ms"]);
    let refused = &result["errors_by_kind"]["refused"];
    assert!(refused.as_u64() > Some(0) && *refused == result["errors"], "{result}");
    server.stop();
}

#[test]
fn the_rate_is_kept() {
    let server = Server::kv(&[]);
    let address = server.address().to_string();
    let options = ["--resp", &address, "--rate", "500", "--duration", "2s", "--connections", "7"];
    let requests = plausible(load(&options));
    assert!((950..=1050).contains(&requests), "{requests} of 1000");
    server.stop();
}

#[test]
fn a_server_that_is_not_there_is_an_error_and_no_panic() {
    let mut server = Server::kv(&[]);
    let address = server.address().to_string();
    server.signal("TERM");
    server.wait(TIMEOUT);
    let options = ["--resp", &address, "--duration", "500ms", "--rate", "100"];
    let (code, result, log) = load(&options);
    assert_eq!((code, &result["requests"]), (Some(1), &Value::from(0)), "{result}");
    let errors = &result["errors_by_kind"];
    assert!(errors["connect"].as_u64() > Some(0), "{result}");
    assert_eq!(errors["unsent"], 50, "{result}");
    assert!(!log.contains("panicked"), "{log}");
}

#[test]
fn a_server_that_speaks_something_else_is_an_error() {
    let server = Server::kv(&[]);
    let url = format!("http://{}/", server.address());
    let (code, result, log) = load(&["--http", &url, "--duration", "300ms"]);
    assert_eq!(code, Some(1), "{result}");
    assert!(result["errors_by_kind"]["unexpected"].as_u64() > Some(0), "{result}");
    assert!(!log.contains("panicked"), "{log}");
}

#[test]
fn a_signal_ends_it_with_its_result() {
    let server = Server::kv(&[]);
    let mut program = Command::new("sh");
    let line =
        "\"$0\" --json --resp $1 --warmup 100ms --duration 10min & read line; kill -TERM $!; wait";
    program.args(["-c", line]).arg(example("loadgen")).arg(server.address().to_string());
    let ran = run_with_input(&mut program, TIMEOUT, |stdin| {
        thread::sleep(Duration::from_millis(1500));
        stdin.write_all(b"stop\n")
    });
    let (_, result, log) = result(&ran);
    assert!(result["requests"].as_u64() > Some(0), "{result} {log}");
    let seconds = result["seconds"].as_f64().expect("a number");
    assert!((0.5..60.0).contains(&seconds), "{result}");
    assert!(log.contains("connections, "), "{log}");
    server.stop();
}
