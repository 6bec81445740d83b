//! `docserver` under the attacks of slowhttptest: no connection outlives its budget, and a well-behaved
//! client is served meanwhile.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fsm_tests::{
    BackgroundClient, Docserver, Random, all_in_ci, client, eventually, get, one_at_a_time, skip,
};

const CONNECTIONS: usize = 100;

/// A running attack.
struct Attack(Child);

impl Attack {
    /// Starts one that goes on for a minute if the server lets it.
    fn start(program: &Path, docs: &Docserver, path: &str, options: &[&str]) -> Self {
        let child = Command::new(program)
            .args(["-c", &CONNECTIONS.to_string(), "-r", "500", "-i", "1", "-l", "60"])
            .args(options)
            .args(["-u", &docs.url(path)])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(child.expect("slowhttptest should start"))
    }
}

impl Drop for Attack {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs an attack and checks that its connections last between `least` and `most`.
fn expect_end(path: &str, options: &[&str], least: Duration, most: Duration) {
    let Some(program) = client("slowhttptest") else { return };
    let _exclusive = one_at_a_time();
    let docs =
        Docserver::in_memory(&["--head-timeout", "3s", "--stall", "2s", "--body-rate", "4kB"]);
    // Before there are clients, because that of the upload may go at any moment.
    let sockets = docs.server().sockets();
    docs.put("large", &Random::new(3).next_bytes(4_000_000)).expect(201);
    let background = BackgroundClient::on_docserver(docs.server().address());
    let start = Instant::now();
    let attack = Attack::start(&program, &docs, path, options);
    eventually("all attack", || docs.server().sockets() >= sockets + CONNECTIONS);
    eventually("all but the background client are gone", || docs.server().sockets() <= sockets + 1);
    let took = start.elapsed();
    drop(attack);
    println!("the attack lasted {took:.1?}; {}", background.finish());
    assert!(took >= least && took < most, "{took:?}");
    docs.get("/docs/slow").expect(404);
    assert_eq!(docs.ask(get("/docs/large")).expect(200).body.len(), 4_000_000);
    eventually("their documents are gone", || docs.temporary() == 0);
    docs.stop();
}

#[test]
fn slow_heads_end_within_their_time() {
    expect_end("/docs", &["-H"], Duration::from_secs(3), Duration::from_secs(8));
}

/// The budget of 4,096 bytes is 2 s and a second.
#[test]
fn slow_bodies_end_within_their_budget() {
    let options = ["-B", "-t", "PUT", "-s", "4096"];
    expect_end("/docs/slow", &options, Duration::from_secs(3), Duration::from_secs(8));
}

/// After the stall a client has the time of the linger to take the rest, each time that it takes some. That is
/// twelve seconds, in which no other test may load the machine, so it is waited for only with `CI`.
#[test]
fn slow_readers_are_disconnected() {
    if !all_in_ci(true, false) {
        return skip("set `CI` to wait for the end of slow readers");
    }
    let options = ["-X", "-n", "1", "-z", "32", "-w", "512", "-y", "1024"];
    expect_end("/docs/large", &options, Duration::from_secs(2), Duration::from_secs(20));
}
