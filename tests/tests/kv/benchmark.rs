//! `redis-benchmark` runs without errors against `kv`: with one request at a time, with 32, and
//! over a Unix socket.

use std::process::Command;
use std::time::Duration;

use fsm_tests::{RunOutput, Server, all_in_ci, client, run};

const TESTS: &str =
    "ping,set,get,incr,lpush,rpush,lpop,rpop,sadd,hset,spop,zadd,zpopmin,lrange,mset";

/// The results that it prints for these tests. `LPUSH` occurs twice because it also creates the
/// list for `LRANGE`.
const REPORTS: [&str; 20] = [
    "PING_INLINE",
    "PING_MBULK",
    "SET",
    "GET",
    "INCR",
    "LPUSH",
    "RPUSH",
    "LPOP",
    "RPOP",
    "SADD",
    "HSET",
    "SPOP",
    "ZADD",
    "ZPOPMIN",
    "LPUSH (needed to benchmark LRANGE)",
    "LRANGE_100 (first 100 elements)",
    "LRANGE_300 (first 300 elements)",
    "LRANGE_500 (first 500 elements)",
    "LRANGE_600 (first 600 elements)",
    "MSET (10 keys)",
];

#[test]
fn one_request_at_a_time() {
    over_tcp(&["-n", &requests(20_000, 300)]);
}

#[test]
fn thirty_two_requests_at_a_time() {
    over_tcp(&["-n", &requests(100_000, 2_000), "-P", "32"]);
}

/// `FSM_BENCHMARK`, or else so many in CI, and fewer without it.
fn requests(in_ci: u32, fewer: u32) -> String {
    std::env::var("FSM_BENCHMARK").unwrap_or_else(|_| all_in_ci(in_ci, fewer).to_string())
}

/// Without `-t` it runs all tests that it has.
#[test]
fn all_that_it_has() {
    let Some(program) = client("redis-benchmark") else { return };
    let server = Server::kv(&[]);
    let mut command = Command::new(program);
    command.args(["-p", &server.port(), "-n", all_in_ci("1000", "300"), "-q"]);
    check(&run(&mut command, Duration::from_secs(120)));
    server.stop();
}

#[test]
fn over_a_unix_socket() {
    let path = std::env::temp_dir().join(format!("fsm-kv-benchmark-{}.sock", std::process::id()));
    let path = path.to_str().expect("a path in UTF-8");
    let address = format!("unix:{path}");
    let requests = all_in_ci("20000", "600");
    benchmark(&["--listen", &address], |_| vec!["-s".into(), path.into()], &["-n", requests]);
    benchmark(
        &["--listen", &address],
        |_| vec!["-s".into(), path.into()],
        &["-n", requests, "-P", "32"],
    );
}

fn over_tcp(options: &[&str]) {
    benchmark(&[], |server| vec!["-p".into(), server.port()], options);
}

fn benchmark(server: &[&str], address: impl Fn(&Server) -> Vec<String>, options: &[&str]) {
    let Some(program) = client("redis-benchmark") else { return };
    let server = Server::kv(server);
    let mut command = Command::new(program);
    command.args(address(&server)).args(["-t", TESTS, "-q"]).args(options);
    let ran = run(&mut command, Duration::from_secs(300));
    println!("redis-benchmark {}: {:.1?}", options.join(" "), ran.took);
    check(&ran);
    server.stop();
}

/// Checks that each test has its line and that no other line is printed, because errors and
/// warnings are lines, too.
fn check(ran: &RunOutput) {
    assert!(ran.status.success() && ran.stderr.is_empty(), "{ran:?}");
    // Progress is overwritten after a carriage return.
    let lines = ran.stdout.lines().filter_map(|line| line.trim_end().rsplit('\r').next());
    let lines: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
    let names = lines.iter().map(|line| {
        println!("  {line}");
        let (name, figures) = line.split_once(": ").unwrap_or((line, ""));
        let rate = figures.split_once(" requests per second, p50=").map(|(rate, _)| rate.parse());
        assert!(matches!(rate, Some(Ok(1.0_f64..))), "not a result: {line}");
        name
    });
    assert_eq!(names.collect::<Vec<_>>(), REPORTS);
}
