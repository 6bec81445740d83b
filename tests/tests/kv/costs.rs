//! The costs of a request and a connection in `kv`: system calls, allocations, memory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use fsm_tests::{Connection, Server, TIMEOUT, all_in_ci, client, encode, example, run};

/// A receive and a send, and a small share for opening and closing connections.
const SYSTEM_CALLS: f64 = 2.05;
/// The maximum bytes of user-space memory of an idle connection that did one PING.
const IDLE_BYTES: u64 = 256;

#[test]
fn pitfall_7_two_system_calls_a_request() {
    system_calls("one request at a time", all_in_ci(100_000, 8_000), 1);
}

/// There are fewer batches than requests, so that many are needed for the share of connections to
/// be small.
#[test]
fn two_system_calls_a_batch() {
    system_calls("32 requests at a time", all_in_ci(1_000_000, 256_000), 32);
}

fn system_calls(what: &str, requests: u32, pipelined: u32) {
    let (Some(strace), Some(benchmark)) = (client("strace"), client("redis-benchmark")) else {
        return;
    };
    let table = file(&format!("strace-{pipelined}.txt"));
    // With `-D` `kv` is the child of this process, and strace a descendant of `kv`, which writes
    // its table when `kv` has ended.
    let mut server = Command::new(strace);
    server.args(["-D", "-f", "-c", "-o"]).arg(&table).arg(example("kv")).args(["--port", "0"]);
    let server = Server::start(&mut server);
    let mut benchmark = Command::new(benchmark);
    // Fewer connections where there are fewer requests, for the same share.
    let clients = all_in_ci("50", "10");
    benchmark.args(["-p", &server.port(), "-q", "-t", "get,set", "-c", clients]);
    benchmark.args(["-n", &requests.to_string(), "-P", &pipelined.to_string()]);
    let ran = run(&mut benchmark, Duration::from_secs(180));
    assert!(ran.status.success(), "{ran:?}");
    server.stop();

    let table = fs::read_to_string(table).expect("strace should write its table");
    let calls = |name| calls(&table, name).unwrap_or_else(|| panic!("no `{name}` in:\n{table}"));
    let batches = f64::from(2 * requests / pipelined);
    let per_batch = f64::from(calls("total") - calls("epoll_wait")) / batches;
    println!(
        "{what}: {per_batch:.4} system calls for each beside epoll_wait, of {batches}\n{table}"
    );
    assert!(per_batch <= SYSTEM_CALLS, "{per_batch} system calls\n{table}");
}

/// The number of calls, from a line such as ` 51.03    2.500000          12    200102         3
/// recvfrom`.
fn calls(table: &str, name: &str) -> Option<u32> {
    let lines = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let mut found = lines.filter(|fields| fields.last() == Some(&name));
    found.next()?.get(3)?.parse().ok()
}

#[test]
fn l11_no_allocation_for_a_get() {
    let Some(valgrind) = client("valgrind") else { return };
    let (less, more) = all_in_ci((2_000, 12_000), (100, 600));
    // Each run takes seconds to start.
    for &pipelined in all_in_ci(&[1, 16][..], &[16]) {
        let few = allocations(&valgrind, less, pipelined);
        let many = allocations(&valgrind, more, pipelined);
        println!("GET, {pipelined} at a time: {few} allocations with {less}, {many} with {more}");
        // The start of the server varies by some allocations.
        let grown = many.saturating_sub(few);
        assert!(grown <= 40, "{few} -> {many} allocations for {less} -> {more} GETs");
    }
}

/// The allocations of a run of `kv` in which a connection sends this many GETs.
fn allocations(valgrind: &Path, gets: usize, pipelined: usize) -> u64 {
    let log = file("valgrind.txt");
    let mut server = Command::new(valgrind);
    server.arg("--tool=memcheck").arg("--leak-check=no").arg("--undef-value-errors=no");
    server.arg(format!("--log-file={}", log.display())).arg(example("kv")).args(["--port", "0"]);
    let server = Server::start(&mut server);
    let mut connection = Connection::new(server.address());
    connection.expect(&["SET", "key", "value"], "+OK\r\n");
    let batch = encode(&["GET", "key"]).repeat(pipelined);
    let warm_up = 64 * pipelined;
    for _ in 0..(warm_up + gets) / pipelined {
        connection.send(&batch);
        for _ in 0..pipelined {
            assert_eq!(connection.reply(), b"$5\r\nvalue\r\n");
        }
    }
    drop(connection);
    server.stop();
    let log = fs::read_to_string(log).expect("valgrind should write its log");
    let count = log.split_once("total heap usage: ").and_then(|(_, text)| {
        text.split_once(" allocs").and_then(|(count, _)| count.replace(',', "").parse().ok())
    });
    assert!(log.contains("ERROR SUMMARY: 0 errors"), "valgrind found errors:\n{log}");
    count.unwrap_or_else(|| panic!("no count of allocations in:\n{log}"))
}

/// The example `idle` measures this.
#[test]
fn x13_an_idle_connection_is_small() {
    let wanted = all_in_ci(15_000, 10_000);
    // `idle` holds one end of each connection in its own process, and the server the other.
    let connections = wanted.min(open_files().saturating_sub(200));
    if connections < wanted {
        println!("{connections} connections instead of {wanted}: see `ulimit -Hn`");
    }
    let mut idle = Command::new("sh");
    idle.args(["-c", "ulimit -n $(ulimit -Hn); exec \"$0\" \"$@\""]).arg(example("idle"));
    idle.args(["--connections", &connections.to_string(), "--server"]).arg(example("kv"));
    let ran = run(&mut idle, Duration::from_secs(120));
    assert!(ran.status.success(), "{ran:?}");
    println!("{}({:.1?})", ran.stdout, ran.took);
    let bytes =
        ran.stdout.lines().find_map(|line| line.strip_prefix("bytes per idle connection: "));
    let bytes: u64 = bytes.and_then(|bytes| bytes.parse().ok()).expect("it should say how many");
    assert!(bytes <= IDLE_BYTES, "{bytes} bytes of memory for an idle connection");
    assert!(bytes > 0, "an idle connection cannot take no memory");
}

/// The number of files that a process may open after it has raised its limit.
fn open_files() -> u32 {
    let ran = run(Command::new("sh").args(["-c", "ulimit -Hn"]), TIMEOUT);
    ran.stdout.trim().parse().unwrap_or(u32::MAX) // "unlimited"
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}
