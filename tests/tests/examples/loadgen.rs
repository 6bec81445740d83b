//! The example `loadgen`, with `kv`, `docserver` and no server at all.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
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

/// Runs it for a number of requests.
fn requests(number: u64, options: &[&str]) -> (Option<i32>, Value, String) {
    let mut program = Command::new(example("loadgen"));
    program.args(["--json", "--requests", &number.to_string()]).args(options);
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

/// Answers each GET of `loadgen` with "no value", and counts them.
fn counting_server() -> (SocketAddr, Arc<AtomicU64>) {
    const GET: usize = "*2\r\n$3\r\nGET\r\n$16\r\nkey:000000000000\r\n".len();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let count = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&count);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, counter) = (stream.expect("a connection"), Arc::clone(&counter));
            thread::spawn(move || {
                while stream.read_exact(&mut [0; GET]).is_ok() {
                    counter.fetch_add(1, Relaxed);
                    if stream.write_all(b"$-1\r\n").is_err() {
                        break;
                    }
                }
            });
        }
    });
    (address, count)
}

#[test]
fn a_number_of_requests_is_exact_in_both_loops() {
    let (address, count) = counting_server();
    let address = address.to_string();
    for (number, options) in [
        (1, &["--connections", "50"][..]),
        (10_001, &["--connections", "7", "--pipeline", "16"]),
        (500, &["--connections", "30", "--rate", "2000"]),
        (500, &["--connections", "3", "--rate", "1000000", "--pipeline", "100"]),
    ] {
        let result = requests(number, &[&["--resp", &address, "--sets", "0"], options].concat());
        assert_eq!(plausible(result), number, "{options:?}");
        assert_eq!(count.swap(0, Relaxed), number, "{options:?}");
    }
}

#[test]
fn a_number_of_requests_is_exact_over_http() {
    let server = Docserver::new(&[]);
    let url = server.url("/");
    for options in [&["--connections", "20"][..], &["--connections", "20", "--rate", "1000"]] {
        let result = requests(300, &[&["--http", &url], options].concat());
        assert_eq!(plausible(result), 300, "{options:?}");
    }
    server.stop();
}

#[test]
fn lost_requests_are_not_sent_again_and_a_server_that_is_gone_ends_the_run() {
    let mut server = Server::kv(&[]);
    let address = server.address().to_string();
    // Each request ends its connection.
    let url = format!("http://{address}/");
    let (code, result, log) = requests(20, &["--http", &url, "--connections", "3"]);
    assert_eq!((code, &result["requests"]), (Some(1), &Value::from(0)), "{result} {log}");
    assert_eq!(result["errors_by_kind"]["unanswered"], 20, "{result} {log}");
    server.signal("TERM");
    server.wait(TIMEOUT);
    let (code, result, log) = requests(20, &["--resp", &address, "--timeout", "300ms"]);
    assert_eq!((code, &result["requests"]), (Some(1), &Value::from(0)), "{result} {log}");
    assert!(result["errors_by_kind"]["connect"].as_u64() > Some(0), "{result} {log}");
}

#[test]
fn a_number_of_requests_has_neither_a_duration_nor_a_warmup() {
    for (word, value) in [("--duration", "1s"), ("--warmup", "1s")] {
        let mut program = Command::new(example("loadgen"));
        program.args(["--resp", "127.0.0.1:1", "--requests", "5", word, value]);
        let ran = run(&mut program, TIMEOUT);
        let words = format!("'--requests <N>' cannot be used with '{word} <TIME>'");
        assert!(ran.status.code() == Some(2) && ran.stderr.contains(&words), "{ran:?}");
    }
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
