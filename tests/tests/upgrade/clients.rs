//! Operations of clients of `kv` that are in progress when a new process takes over.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fsm_tests::{Connection, Upgradable};

/// Waits until so many clients are blocked.
fn until_blocked(asking: &mut Connection, clients: usize) {
    let words = format!("blocked_clients:{clients}\r\n");
    while !String::from_utf8_lossy(&asking.command(&["INFO", "clients"])).contains(&words) {}
}

#[test]
fn u11_a_transaction_moves_with_its_queue() {
    let mut kv = Upgradable::start("kv", |_| {});
    let [mut runs, mut discards, mut fails] = [(); 3].map(|()| kv.connect());
    for client in [&mut runs, &mut discards, &mut fails] {
        client.expect(&["MULTI"], "+OK\r\n");
        client.expect(&["SET", "key", "value \r\n with a line"], "+QUEUED\r\n");
        client.expect(&["INCR", "count"], "+QUEUED\r\n");
    }
    assert!(fails.command(&["NOSUCH"]).starts_with(b"-ERR unknown command"));
    for _ in 0..2 {
        kv.upgrade();
        runs.expect(&["GET", "key"], "+QUEUED\r\n");
    }
    let value = "$20\r\nvalue \r\n with a line\r\n";
    runs.expect(&["EXEC"], &format!("*4\r\n+OK\r\n:1\r\n{value}{value}"));
    discards.expect(&["DISCARD"], "+OK\r\n");
    discards.expect(&["GET", "count"], "$1\r\n1\r\n");
    let aborted = "-EXECABORT Transaction discarded because of previous errors.\r\n";
    fails.expect(&["EXEC"], aborted);
    drop((runs, discards, fails));
    kv.stop();
}

#[test]
fn u11_watched_keys_move_with_what_has_become_of_them() {
    let mut kv = Upgradable::start("kv", |_| {});
    let mut other = kv.connect();
    let keys = ["unchanged", "before", "after", "expires"];
    let mut clients = keys.map(|key| (kv.connect(), key));
    for (client, key) in &mut clients {
        other.expect(&["SET", key, "1"], "+OK\r\n");
        client.expect(&["WATCH", "nosuch", key], "+OK\r\n");
    }
    other.expect(&["SET", "before", "2"], "+OK\r\n");
    other.expect(&["PEXPIRE", "expires", "60000"], ":1\r\n");
    let mut late = kv.connect();
    late.expect(&["WATCH", "expires"], "+OK\r\n");
    kv.upgrade();
    other.expect(&["SET", "after", "2"], "+OK\r\n");
    other.expect(&["PEXPIRE", "expires", "-1"], ":1\r\n");
    for (client, key) in &mut clients {
        client.expect(&["MULTI"], "+OK\r\n");
        client.expect(&["PING"], "+QUEUED\r\n");
        let reply = if *key == "unchanged" { "*1\r\n+PONG\r\n" } else { "*-1\r\n" };
        client.expect(&["EXEC"], reply);
    }
    late.expect(&["MULTI"], "+OK\r\n");
    late.expect(&["EXEC"], "*-1\r\n");
    drop((other, clients, late));
    kv.stop();
}

#[test]
fn u11_a_client_that_waits_for_an_element_gets_it_in_the_new_process() {
    let mut kv = Upgradable::start("kv", |_| {});
    let mut pushes = kv.connect();
    let commands: [&[&str]; 5] = [
        &["BLPOP", "none", "list", "0"],
        &["BRPOP", "list", "0"],
        &["BLMOVE", "list", "moved", "RIGHT", "LEFT", "0"],
        &["BZPOPMAX", "zset", "0"],
        &["BLPOP", "never", "0"],
    ];
    let mut blocked = 0;
    let mut clients = commands.map(|command| {
        let mut client = kv.connect();
        client.send(fsm_tests::encode(command));
        blocked += 1;
        until_blocked(&mut pushes, blocked);
        // A command behind it waits, too.
        client.send("PING\r\n");
        client
    });
    for _ in 0..2 {
        kv.upgrade();
        until_blocked(&mut pushes, blocked);
    }
    // In the order in which they came.
    for element in ["a", "b", "c"] {
        pushes.expect(&["RPUSH", "list", element], ":1\r\n");
    }
    pushes.expect(&["ZADD", "zset", "1", "x", "2", "y"], ":2\r\n");
    let replies = [
        "*2\r\n$4\r\nlist\r\n$1\r\na\r\n",
        "*2\r\n$4\r\nlist\r\n$1\r\nb\r\n",
        "$1\r\nc\r\n",
        "*3\r\n$4\r\nzset\r\n$1\r\ny\r\n$1\r\n2\r\n",
    ];
    for (client, reply) in clients.iter_mut().zip(replies) {
        assert_eq!(String::from_utf8_lossy(&client.reply()), reply);
        assert_eq!(client.reply(), b"+PONG\r\n");
    }
    pushes.expect(&["LRANGE", "moved", "0", "-1"], "*1\r\n$1\r\nc\r\n");
    until_blocked(&mut pushes, 1);
    let [.., last] = &mut clients;
    last.shutdown_write();
    last.expect_end();
    until_blocked(&mut pushes, 0);
    drop((clients, pushes));
    kv.stop();
}

#[test]
fn u11_a_client_that_waits_keeps_its_timeout() {
    let mut kv = Upgradable::start("kv", |_| {});
    let (mut client, mut asking) = (kv.connect(), kv.connect());
    let since = Instant::now();
    client.send("BLPOP list 2\r\n");
    until_blocked(&mut asking, 1);
    kv.upgrade();
    assert_eq!(client.reply(), b"*-1\r\n");
    let took = since.elapsed();
    assert!((Duration::from_millis(1900)..Duration::from_secs(10)).contains(&took), "{took:?}");
    asking.expect(&["RPUSH", "list", "a"], ":1\r\n");
    client.expect(&["LLEN", "list"], ":1\r\n");
    drop((client, asking));
    kv.stop();
}

#[test]
fn u11_settings_and_what_is_known_of_a_client_move() {
    let mut kv = Upgradable::start("kv", |_| {});
    let (mut client, mut other) = (kv.connect(), kv.connect());
    for (name, value) in [
        ("timeout", "300"),
        ("maxmemory", "1gb"),
        ("proto-max-bulk-len", "2mb"),
        ("client-output-buffer-limit", "pubsub 1mb 512kb 7"),
    ] {
        other.expect(&["CONFIG", "SET", name, value], "+OK\r\n");
    }
    client.command(&["HELLO", "3", "SETNAME", "ann"]);
    let settings = other.command(&["CONFIG", "GET", "*"]);
    let shown = String::from_utf8_lossy(&settings).into_owned();
    assert!(shown.contains("pubsub 1048576 524288 7") && shown.contains("2097152"), "{shown}");
    let words = |client: &mut Connection, names: &[&str], text: &[&str]| {
        let reply = client.command(text);
        let reply = String::from_utf8_lossy(&reply).into_owned();
        let words = reply.split([' ', '\r', '\n']).map(str::to_owned);
        words.filter(|word| names.iter().any(|name| word.starts_with(name))).collect::<Vec<_>>()
    };
    let of_client = ["id=", "addr=", "name=", "resp="];
    let of_server = ["total_connections_received:", "maxmemory:"];
    let (known, stats) = (
        words(&mut client, &of_client, &["CLIENT", "INFO"]),
        words(&mut other, &of_server, &["INFO"]),
    );
    assert!(known.contains(&"name=ann".to_owned()) && known.contains(&"resp=3".to_owned()));
    kv.upgrade();
    assert_eq!(String::from_utf8_lossy(&other.command(&["CONFIG", "GET", "*"])), shown);
    assert_eq!(words(&mut client, &of_client, &["CLIENT", "INFO"]), known);
    assert_eq!(words(&mut other, &of_server, &["INFO"]), stats);
    // The next client has the next number.
    kv.connect().expect(&["CLIENT", "ID"], ":3\r\n");
    drop((client, other));
    kv.stop();
}

#[test]
fn u14_a_subscriber_hears_every_message_once_and_in_order() {
    let mut kv = Upgradable::start("kv", |_| {});
    let mut subscriber = kv.connect();
    subscriber.send("SUBSCRIBE news\r\n");
    subscriber.reply();
    let stop = Arc::new(AtomicBool::new(false));
    let publishing = thread::spawn({
        let (mut connection, stop) = (kv.connect(), Arc::clone(&stop));
        move || {
            let mut published = 0;
            while !stop.load(Ordering::Relaxed) {
                connection.expect(&["PUBLISH", "news", &published.to_string()], ":1\r\n");
                published += 1;
            }
            published
        }
    });
    for _ in 0..4 {
        kv.upgrade();
    }
    stop.store(true, Ordering::Relaxed);
    let count: usize = publishing.join().unwrap();
    for number in 0..count {
        let heard = subscriber.reply();
        assert!(String::from_utf8_lossy(&heard).ends_with(&format!("\r\n{number}\r\n")));
    }
    drop(subscriber);
    kv.stop();
}
