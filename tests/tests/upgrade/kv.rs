use std::env;
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

use fsm_tests::{
    Latencies, Restart, RestartLoad, Server, TIMEOUT, TempDir, Upgradable, UpgradeLoad, kill,
    redis_py,
};

fn size(name: &str, default: usize) -> usize {
    env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// A server with an address for clients that use TLS, and the folder of its certificate.
fn with_tls() -> (TempDir, Upgradable) {
    let folder = TempDir::new("certificate");
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let chain = folder.write("chain.pem", made.cert.pem());
    let key = folder.write("key.pem", made.signing_key.serialize_pem());
    let kv = Upgradable::start("kv", |command| {
        command.args(["--tls-port", "0", "--tls-cert"]).arg(&chain).arg("--tls-key").arg(&key);
    });
    (folder, kv)
}

/// Three upgrades, or `FSM_UPGRADES`, under clients of three kinds and `redis-benchmark`: no answer is lost, doubled or
/// an error. The program `upgrade_load` does the same at full size.
#[test]
fn u11_upgrades_under_load_lose_and_double_nothing() {
    let python = redis_py(Path::new(env!("CARGO_TARGET_TMPDIR")));
    let load = UpgradeLoad {
        counters: 60,
        cli: 4,
        // The fourth publishes, to the eighth.
        python: python.map(|python| (8, python)),
        benchmark: 2,
        requests: 1_600,
        pause: Duration::from_millis(5),
        at_rest: 20,
        keys: 2_000,
        upgrades: size("FSM_UPGRADES", 3),
        apart: Duration::from_millis(200),
    };
    let report = load.run();
    println!("{report}");
    assert_eq!(report.faults, [""; 0]);
    let longest = report.longest().map(Latencies::longest).expect("there are raw clients");
    assert!(longest < TIMEOUT / 4, "{longest:?}");
}

/// The load of the comparison with other servers, which close connections.
#[test]
fn u11_an_upgrade_closes_no_connection() {
    let load = RestartLoad {
        at_rest: 50,
        busy: 20,
        newcomers: 10,
        pause: Duration::from_millis(5),
        restarts: 2,
        apart: Duration::from_millis(200),
        tools: false,
    };
    let report = load.run(Restart::KvUpgrade).unwrap();
    println!("{report}");
    assert_eq!((report.failed(), report.closed()), (0, 0), "{:?}", report.examples().next());
}

/// 200 connections at rest, or `FSM_AT_REST`, move.
#[test]
fn u11_connections_at_rest_move_together() {
    let mut kv = Upgradable::start("kv", |command| {
        command.args(["--max-connections", "20000"]);
    });
    let count = size("FSM_AT_REST", 200);
    let mut clients: Vec<_> = (0..count).map(|_| kv.connect()).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.expect(&["CLIENT", "SETNAME", &format!("c{number}")], "+OK\r\n");
    }
    let within = kv.upgrade();
    println!("{count} connections at rest moved within {within:?}");
    for (number, client) in clients.iter_mut().enumerate() {
        let name = format!("c{number}");
        client.expect(&["CLIENT", "GETNAME"], &format!("${}\r\n{name}\r\n", name.len()));
    }
    assert!(kv.log().contains(&format!("moved={count} ")), "{}", kv.log());
    kv.stop();
}

#[test]
fn u8_a_new_process_that_is_killed_while_it_takes_over_changes_nothing() {
    let mut kv = Upgradable::start("kv", |_| {});
    let mut client = kv.connect();
    // Enough that it takes a moment to copy them.
    for some in 0..20 {
        let sets: Vec<_> = (0..1000).map(|key| format!("SET {some}:{key} value\r\n")).collect();
        client.send(sets.concat());
        for _ in 0..1000 {
            assert_eq!(client.reply(), b"+OK\r\n");
        }
    }
    for kills in 1..4 {
        let process = kv.begin();
        let begun = format!("a process begins to take over process={process}");
        kv.until(&begun, |log| log.contains(&begun));
        kill("KILL", process);
        kv.until("the upgrade has failed", |log| {
            log.matches("SIGUSR2 has changed nothing").count() == kills
        });
        client.expect(&["DBSIZE"], ":20000\r\n");
        kv.connect().expect(&["PING"], "+PONG\r\n");
    }
    // The next one works.
    kv.upgrade();
    client.expect(&["DBSIZE"], ":20000\r\n");
    kv.signal("TERM");
}

#[test]
fn u8_a_killed_server_leaves_its_clients_to_the_one_that_takes_over() {
    let (_folder, mut kv) = with_tls();
    let log = kv.log();
    let address = log.split("address=").nth(2).and_then(|rest| rest.split_whitespace().next());
    // A connection that uses TLS keeps the old process from its commit for the time of `Upgrade::still_within`.
    let stays = TcpStream::connect(address.expect("two addresses")).unwrap();
    let mut asking = kv.connect();
    asking.expect(&["SET", "key", "value"], "+OK\r\n");
    asking.send("INFO clients\r\n");
    while !String::from_utf8_lossy(&asking.reply()).contains("connected_clients:2") {
        asking.send("INFO clients\r\n");
    }
    let new = kv.begin();
    kv.until("the new process has the listeners", |log| {
        log.matches("listening pool=").count() == 4
    });
    kill("KILL", kv.process);
    kv.process = new;
    kv.until("the new process serves", |log| {
        log.contains("the old process has died; this one goes on")
            && log.matches("a new process can take over").count() == 2
    });
    kv.connect().expect(&["GET", "key"], "$5\r\nvalue\r\n");
    drop((asking, stays));
    kv.stop();
}

#[test]
fn u10_a_server_with_data_whose_connections_stay_says_so_at_the_start() {
    const WARNING: &str = "connections of this pool do not move";

    let (_folder, kv) = with_tls();
    let log = kv.log();
    let warning = log.lines().find(|line| line.contains(WARNING)).expect("a warning");
    assert!(warning.contains("it uses TLS"), "{warning}");
    kv.stop();
    let kv = Upgradable::start("kv", |_| {});
    assert!(!kv.log().contains(WARNING), "{}", kv.log());
    kv.stop();
}

/// The variables that name the socket are of the first process alone, so that only the old process can give it to the
/// next one.
#[test]
fn u6_a_socket_that_was_passed_goes_to_the_next_process() {
    let Some(mut kv) = Upgradable::start_on_passed_socket("kv") else { return };
    let mut client = kv.connect();
    client.expect(&["SET", "key", "value"], "+OK\r\n");
    for _ in 0..2 {
        kv.upgrade();
        client.expect(&["GET", "key"], "$5\r\nvalue\r\n");
        kv.connect().expect(&["GET", "key"], "$5\r\nvalue\r\n");
    }
    drop(client);
    kv.stop();
}

#[test]
fn u12_the_service_manager_hears_which_process_serves() {
    let folder = TempDir::new("notify");
    let path = folder.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(TIMEOUT)).unwrap();
    let hear = || {
        let mut buffer = [0; 100];
        let length = manager.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    let mut kv = Upgradable::start("kv", |command| {
        command.env("NOTIFY_SOCKET", &path);
    });
    assert_eq!(hear(), "READY=1");
    kv.upgrade();
    let mut heard = [hear(), hear()];
    heard.sort();
    assert_eq!(heard, [format!("MAINPID={}", kv.process), "READY=1".to_owned()]);
    kv.stop();
}

#[test]
fn u13_a_server_without_upgrades_has_no_thread_and_no_descriptor_for_them() {
    let without = Server::kv(&[]);
    let with = Upgradable::start("kv", |_| {});
    let threads = |process| {
        let tasks = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
        let names =
            tasks.map(|it| std::fs::read_to_string(it.unwrap().path().join("comm")).unwrap());
        names.filter(|name| name.starts_with("upgrade")).count()
    };
    assert_eq!((threads(without.pid()), threads(with.process)), (0, 1));
    let descriptors = |process| std::fs::read_dir(format!("/proc/{process}/fd")).unwrap().count();
    assert!(descriptors(without.pid()) < descriptors(with.process));
    without.stop();
    with.stop();
}
