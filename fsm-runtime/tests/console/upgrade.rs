use std::os::unix::net::UnixStream;

use fsm_runtime::{MovesHandler, Upgrade};

use super::*;

/// Answers each line, and its connections move.
#[state_machine(start = Line, moves, eof => Gone, limit => Gone)]
enum Mover {
    #[read(until = b"\n", max = 80, idle = 60s => Gone)]
    #[to(Line)]
    #[rest]
    Line,
    #[end]
    Gone,
}

struct Client;

impl mover::Handler for Client {
    fn line(&mut self, _: &[u8], cx: &mut Cx<'_>) -> mover::AfterLine {
        cx.write(b"ok\n");
        mover::AfterLine::Line
    }
}

impl MovesHandler for Client {
    fn pack(&self, _: &mut Vec<u8>) {}

    fn unpack(&mut self, _: &mut &[u8]) -> Option<()> {
        Some(())
    }
}

fn get(running: &Running, path: &str) -> Answer {
    let at = running.console().unwrap().to_string();
    ask(&at, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n"))
}

#[test]
fn u15_the_console_shows_what_becomes_of_an_upgrade() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("upgrade.sock");
    let start = || {
        let pool = Pool::builder::<Mover>("lines").listen("127.0.0.1:0").handler(|_peer| Client);
        let upgrade = Upgrade::new(&path).rest_within(Duration::from_millis(50));
        let pipeline = Pipeline::new().pool(pool).upgradable(upgrade);
        pipeline.console(Console::new("127.0.0.1:0")).start().unwrap()
    };
    let old = start();
    let metrics = get(&old, "/metrics").body;
    for line in [
        "fsm_upgradable 1",
        "fsm_upgrade_step{step=\"waits\"} 1",
        "fsm_upgrade_step{step=\"moves\"} 0",
        "fsm_upgrades_total{outcome=\"succeeded\"} 0",
    ] {
        assert!(metrics.lines().any(|it| it == line), "{line}: {metrics}");
    }
    // A process that speaks nonsense takes nothing over.
    UnixStream::connect(&path).unwrap().write_all(&[255; 64]).unwrap();
    let failed = "fsm_upgrades_total{outcome=\"failed\"} 1";
    let metrics = eventually(|| get(&old, "/metrics").body, |it| it.contains(failed));
    assert!(metrics.contains(failed), "{metrics}");
    let last = get(&old, "/pools").json()["upgrade"]["last"].to_string();
    assert!(last.contains("has not taken over"), "{last}");

    let mut client = TcpStream::connect(old.addresses()[0].to_string()).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut say = || {
        client.write_all(b"?\n").unwrap();
        client.read_exact(&mut [0; 3]).unwrap();
    };
    say();
    let new = start();
    old.join().unwrap();
    say();
    let upgrade = get(&new, "/pools").json()["upgrade"].clone();
    assert_eq!(upgrade["moved_in"], 1, "{upgrade}");
    assert_eq!((&upgrade["succeeded"], &upgrade["failed"]), (&1.into(), &0.into()), "{upgrade}");
    let metrics = get(&new, "/metrics").body;
    assert!(
        metrics.contains("fsm_upgrade_connections_moved_total{direction=\"in\"} 1"),
        "{metrics}"
    );
    new.drain().unwrap();
}

#[test]
fn u15_a_process_without_upgrades_says_so() {
    let served = Served::new(console());
    let metrics = served.get("/metrics").body;
    assert!(metrics.contains("fsm_upgradable 0\n") && !metrics.contains("fsm_upgrade_step"));
    assert!(served.get("/pools").json()["upgrade"].is_null());
}
