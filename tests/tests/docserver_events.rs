//! `docserver` tells whoever watches what happens to its documents.

#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use fsm_tests::{
    Connection, Docs, Growth, Told, Watcher, client, eventually, get, one_at_a_time, put, request,
};
use socket2::{Domain, Protocol, Socket, Type};

#[test]
fn curl_is_told_what_happens() {
    let Some(curl) = client("curl") else { return };
    let docs = Docs::new(&[]);
    let mut curl = Command::new(curl)
        .args(["--silent", "--no-buffer", "--max-time", "20", &docs.url("/events")])
        .stdout(Stdio::piped())
        .spawn()
        .expect("curl should start");
    let mut lines = BufReader::new(curl.stdout.take().expect("it is piped")).lines();
    let mut line = || lines.next().expect("the stream should go on").expect("it is UTF-8");
    assert_eq!((line(), line()), ("retry: 1000".into(), String::new()));
    docs.put("a%22", b"one").expect(201);
    docs.put("a%22", b"two").expect(200);
    docs.ask(request("DELETE /docs/a%22", &[])).expect(204);
    for (event, more) in [
        ("filed", "\"replaced\":false"),
        ("filed", "\"replaced\":true"),
        ("deleted", "\"name\":\"a\\\"\""),
    ] {
        let data = line();
        assert!(data.starts_with(&format!("data: {{\"event\":\"{event}\"")), "{data}");
        assert!(data.contains(more) && data.contains("\"a\\\"\""), "{data}");
        assert_eq!(line(), "");
    }
    // A drain ends the stream.
    docs.stop();
    assert!(lines.next().is_none(), "the stream should have ended");
    assert!(curl.wait().expect("it can be waited for").success());
}

#[test]
fn all_are_told_the_same() {
    let docs = Docs::new(&[]);
    let mut watchers: Vec<_> = (0..20).map(|_| Watcher::new(docs.connect())).collect();
    let mut connection = docs.connect();
    for n in 0..50 {
        connection.ask(put(&format!("doc{n}"), format!("{n}").as_bytes())).expect(201);
    }
    for watcher in &mut watchers {
        for n in 0..50 {
            let event = watcher.event();
            assert_eq!(
                (&event["event"], &event["len"]),
                (&"filed".into(), &(if n < 10 { 1 } else { 2 }).into())
            );
            assert_eq!(event["name"], format!("doc{n}"));
        }
        assert!(watcher.connection().is_silent_for(Duration::ZERO), "there is no more to tell");
    }
    // What was not done is not told.
    connection.ask(request("DELETE /docs/none", &[])).expect(404);
    connection.ask(request("DELETE /docs/doc0", &["If-Match: \"x\""])).expect(412);
    connection.ask(request("DELETE /docs/doc0", &[])).expect(204);
    for watcher in &mut watchers {
        assert_eq!(watcher.event()["event"], "deleted");
    }
    docs.stop();
}

/// Whoever leaves is forgotten, however it leaves, and with nothing of it left.
#[test]
fn watchers_may_leave() {
    let _turn = one_at_a_time();
    let docs = Docs::new(&[]);
    let sockets = docs.server().sockets();
    docs.put("a", b"one").expect(201);
    let mut stays = Watcher::new(docs.connect());
    for leave in [(|_| {}) as fn(&mut Connection), Connection::shut, |connection| {
        connection.send("GET / HTTP/1.1\r\n");
    }] {
        let mut leaving: Vec<_> = (0..20).map(|_| Watcher::new(docs.connect())).collect();
        for watcher in &mut leaving {
            leave(watcher.connection());
        }
        drop(leaving);
        eventually("they are gone", || docs.server().sockets() == sockets + 1);
        docs.put("a", b"one").expect(200);
        assert_eq!(stays.event()["replaced"], true);
    }
    docs.stop();
}

/// After `GET /events` the connection is the stream's: what comes behind it is no request.
#[test]
fn nothing_behind_the_request_is_one() {
    let _turn = one_at_a_time();
    let docs = Docs::new(&[]);
    let sockets = docs.server().sockets();
    docs.put("a", b"one").expect(201);
    let delete = request("DELETE /docs/a", &[]);
    for behind in [&*delete, "\r\n", "\0", &delete.repeat(500), &delete.repeat(10_000)] {
        let events = get("/docs/a") + &get("/events");
        let mut connection = docs.connect();
        connection.send(events + &behind[..behind.len().min(100_000)]);
        connection.answer().expect(200);
        let mut watcher = Watcher::with(connection, "");
        // Nor is what comes later.
        watcher.connection().send(&delete);
        assert!(watcher.connection().is_silent_for(Duration::from_millis(50)));
        docs.put("a", b"one").expect(200);
        assert_eq!(watcher.event()["event"], "filed");
        drop(watcher);
        eventually("they are gone", || docs.server().sockets() == sockets);
    }
    docs.get("/docs/a").expect(200);
    docs.stop();
}

/// Who does not read is not waited for: others are told at once, little is kept for the one who
/// does not read, and later it learns how much it missed.
#[test]
fn who_never_reads_keeps_nobody_waiting() {
    const DEAF: usize = 3;
    const EVENTS: u64 = 9000;

    let _turn = one_at_a_time();
    let docs = Docs::in_memory(&[]);
    let name = "%22".repeat(255);
    docs.put(&name, b"one").expect(201);
    let deaf: Vec<_> = (0..DEAF).map(|_| Watcher::new(small_buffer(&docs))).collect();
    let mut watcher = Watcher::new(docs.connect());
    let told = thread::spawn(move || {
        (0..EVENTS).for_each(|_| drop(watcher.event()));
    });
    let mut connection = docs.connect();
    let growth = Growth::of(docs.server(), || {
        // In batches, since each answer waits for the disk.
        let batch = put(&name, b"one").repeat(50);
        for _ in 0..EVENTS / 50 {
            connection.send(&batch);
            (0..50).for_each(|_| drop(connection.answer().expect(200)));
        }
        told.join().expect("see above");
    });
    println!("{EVENTS} events in {:.1?}; memory grew by {} kB", growth.took, growth.grown / 1024);
    assert!(growth.grown < 8 * 1024 * 1024, "memory grew by {} bytes", growth.grown);
    // It learns what it missed when there is room for something new.
    let reading: Vec<_> = deaf.into_iter().map(|deaf| thread::spawn(|| all_told(deaf))).collect();
    let mut ends = 0;
    eventually("all have read what there is", || {
        ends += 1;
        docs.put("end", b"");
        reading.iter().all(thread::JoinHandle::is_finished)
    });
    for reading in reading {
        let (events, missed) = reading.join().expect("see above");
        println!("one was told of {events} and missed {missed}");
        assert!((EVENTS..EVENTS + ends).contains(&(events + missed)), "{events} + {missed}");
        assert!(missed > 0, "all was kept for one who did not read");
    }
    docs.stop();
}

/// How many events come before that of the document `end`, and how many were missed.
fn all_told(mut watcher: Watcher) -> (u64, u64) {
    let (mut events, mut missed) = (0, 0);
    loop {
        match watcher.told() {
            Told::Event(event) if event["name"] == "end" => return (events, missed),
            Told::Event(_) => events += 1,
            Told::Missed(count) => missed += count,
        }
    }
}

/// A connection into whose buffer little fits. With one that is still smaller Linux waits for more
/// room in it now and then, for longer and longer.
fn small_buffer(docs: &Docs) -> Connection {
    let address = docs.server().address();
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP));
    let socket = socket.expect("a socket");
    socket.set_recv_buffer_size(64 * 1024).expect("a socket takes options");
    socket.connect(&address.into()).expect("it should connect");
    Connection::over(socket.into())
}
