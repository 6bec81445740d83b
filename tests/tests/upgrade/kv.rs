use std::env;
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use fsm_tests::{Server, TIMEOUT, TempDir};

use super::upgradable::{Upgradable, kill};

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

/// Three upgrades, or `FSM_UPGRADES`, while clients count: no answer is lost, doubled or an error.
#[test]
fn u11_upgrades_under_load_lose_and_double_nothing() {
    const CLIENTS: usize = 8;
    let mut kv = Upgradable::start("kv", |_| {});
    let mut subscriber = kv.connect();
    subscriber.send("SUBSCRIBE news\r\n");
    subscriber.reply();
    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let (mut connection, stop) = (kv.connect(), Arc::clone(&stop));
            thread::spawn(move || {
                let mut times = Vec::new();
                let mut counted = 0;
                while !stop.load(Ordering::Relaxed) {
                    let since = Instant::now();
                    connection.send(format!("INCR count:{client}\r\n").repeat(3));
                    for _ in 0..3 {
                        counted += 1;
                        let reply = connection.reply();
                        assert_eq!(String::from_utf8_lossy(&reply), format!(":{counted}\r\n"));
                    }
                    times.push(since.elapsed());
                }
                (counted, times)
            })
        })
        .collect();
    let upgrades = size("FSM_UPGRADES", 3);
    for number in 0..upgrades {
        kv.upgrade();
        // A new client, and one that has been there from the beginning.
        let mut publisher = kv.connect();
        publisher.expect(&["PUBLISH", "news", &number.to_string()], ":1\r\n");
        let heard = subscriber.reply();
        assert!(String::from_utf8_lossy(&heard).ends_with(&format!("\r\n{number}\r\n")));
    }
    stop.store(true, Ordering::Relaxed);
    let mut times = Vec::new();
    let mut asking = kv.connect();
    for (client, thread) in clients.into_iter().enumerate() {
        let (counted, its) = thread.join().unwrap();
        let length = counted.to_string().len();
        let reply = format!("${length}\r\n{counted}\r\n");
        asking.expect(&["GET", &format!("count:{client}")], &reply);
        times.extend(its);
    }
    times.sort_unstable();
    let (p99, longest) = (times[times.len() * 99 / 100], times[times.len() - 1]);
    println!("{upgrades} upgrades, {} pipelines: p99 {p99:?}, longest {longest:?}", times.len());
    assert!(longest < TIMEOUT / 4, "{longest:?}");
    kv.stop();
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
