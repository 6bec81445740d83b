//! `docserver` sends an event to each subscriber when a document changes.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use fsm_tests::{
    Connection, Docserver, MemoryGrowth, Received, Subscriber, client, eventually, get,
    one_at_a_time, put, request,
};
use socket2::{Domain, Protocol, Socket, Type};

#[test]
fn curl_receives_events() {
    let Some(curl) = client("curl") else { return };
    let docs = Docserver::new(&[]);
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
    // A drain says goodbye and ends the stream.
    docs.stop();
    let bye = ["retry: 5000", "event: bye", "data: \"the server shuts down\"", ""];
    assert_eq!([line(), line(), line(), line()], bye);
    assert!(lines.next().is_none(), "the stream should have ended");
    assert!(curl.wait().expect("it can be waited for").success());
}

#[test]
fn all_subscribers_receive_the_same_events() {
    let docs = Docserver::new(&[]);
    let mut subscribers: Vec<_> = (0..20).map(|_| Subscriber::new(docs.connect())).collect();
    let mut connection = docs.connect();
    for n in 0..50 {
        connection.ask(put(&format!("doc{n}"), format!("{n}").as_bytes())).expect(201);
    }
    for subscriber in &mut subscribers {
        for n in 0..50 {
            let event = subscriber.event();
            assert_eq!(
                (&event["event"], &event["len"]),
                (&"filed".into(), &(if n < 10 { 1 } else { 2 }).into())
            );
            assert_eq!(event["name"], format!("doc{n}"));
        }
        assert!(subscriber.connection().is_silent_for(Duration::ZERO), "there is no more to tell");
    }
    // A request that fails causes no event.
    connection.ask(request("DELETE /docs/none", &[])).expect(404);
    connection.ask(request("DELETE /docs/doc0", &["If-Match: \"x\""])).expect(412);
    connection.ask(request("DELETE /docs/doc0", &[])).expect(204);
    for subscriber in &mut subscribers {
        assert_eq!(subscriber.event()["event"], "deleted");
    }
    docs.stop();
}

/// A subscriber that leaves, in whatever way, is removed without a trace.
#[test]
fn subscribers_may_leave() {
    let docs = Docserver::new(&[]);
    let sockets = docs.server().sockets();
    docs.put("a", b"one").expect(201);
    let mut stays = Subscriber::new(docs.connect());
    for leave in [(|_| {}) as fn(&mut Connection), Connection::shutdown_write, |connection| {
        connection.send("GET / HTTP/1.1\r\n");
    }] {
        let mut leaving: Vec<_> = (0..20).map(|_| Subscriber::new(docs.connect())).collect();
        for subscriber in &mut leaving {
            leave(subscriber.connection());
        }
        drop(leaving);
        eventually("they are gone", || docs.server().sockets() == sockets + 1);
        docs.put("a", b"one").expect(200);
        assert_eq!(stays.event()["replaced"], true);
    }
    docs.stop();
}

/// A drain says goodbye once to each subscriber, after the events that it has, also to one that sends something.
#[test]
fn a_drain_says_goodbye_to_subscribers() {
    let docs = Docserver::in_memory(&[]);
    let mut subscribers: Vec<_> = (0..20).map(|_| Subscriber::new(docs.connect())).collect();
    docs.put("a", b"one").expect(201);
    subscribers[0].connection().send("?");
    docs.server().signal("TERM");
    for subscriber in &mut subscribers {
        assert_eq!(subscriber.event()["event"], "filed");
        subscriber.expect_goodbye();
    }
    docs.ended();
}

/// Comments go on at their pace however many events there are between them.
#[test]
fn comments_keep_a_stream_alive() {
    let docs = Docserver::in_memory(&["--keep-alive", "100ms"]);
    let mut connection = Subscriber::new(docs.connect());
    let mut lines = || connection.connection().line();
    let mut filing = docs.connect();
    let start = Instant::now();
    let mut events = 0;
    for _ in 0..5 {
        filing.ask(put("a", b"one"));
        // A comment comes although events come, too.
        while lines() != ":" {
            events += 1;
            assert_eq!(lines(), "");
        }
        assert_eq!(lines(), "");
    }
    assert!(events <= 5, "{events}");
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(450), "{took:?}");
    docs.stop();
}

/// A client that leaves is noticed although nothing is sent to it, also if it has sent something.
#[test]
fn a_subscriber_that_leaves_is_noticed_at_once() {
    let docs = Docserver::in_memory(&["--keep-alive", "1440min"]);
    let sockets = docs.server().sockets();
    for sends in ["", "?", &"?".repeat(100_000)] {
        let mut leaving: Vec<_> = (0..20).map(|_| Subscriber::new(docs.connect())).collect();
        for subscriber in &mut leaving {
            subscriber.connection().send(sends);
            subscriber.connection().shutdown_write();
            subscriber.connection().expect_end();
        }
        eventually("they are gone", || docs.server().sockets() == sockets);
    }
    docs.stop();
}

/// After `GET /events` further bytes on the connection are not requests.
#[test]
fn bytes_after_the_request_are_not_requests() {
    let docs = Docserver::new(&[]);
    let sockets = docs.server().sockets();
    docs.put("a", b"one").expect(201);
    let delete = request("DELETE /docs/a", &[]);
    for behind in [&*delete, "\r\n", "\0", &delete.repeat(500), &delete.repeat(10_000)] {
        let events = get("/docs/a") + &get("/events");
        let mut connection = docs.connect();
        connection.send(events + &behind[..behind.len().min(100_000)]);
        connection.answer().expect(200);
        let mut subscriber = Subscriber::with(connection, "");
        // Nor are bytes that arrive later.
        subscriber.connection().send(&delete);
        assert!(subscriber.connection().is_silent_for(Duration::from_millis(50)));
        docs.put("a", b"one").expect(200);
        assert_eq!(subscriber.event()["event"], "filed");
        drop(subscriber);
        eventually("they are gone", || docs.server().sockets() == sockets);
    }
    docs.get("/docs/a").expect(200);
    docs.stop();
}

/// A subscriber that does not read delays nobody: others receive events at once, the server buffers
/// little for it, and later it learns how many events it missed.
#[test]
fn a_subscriber_that_never_reads_delays_no_other_client() {
    const DEAF: usize = 3;
    const EVENTS: u64 = 9000;

    let _exclusive = one_at_a_time();
    let docs = Docserver::in_memory(&[]);
    let name = "%22".repeat(255);
    docs.put(&name, b"one").expect(201);
    let unread: Vec<_> = (0..DEAF).map(|_| Subscriber::new(small_buffer(&docs))).collect();
    let mut subscriber = Subscriber::new(docs.connect());
    let told = thread::spawn(move || {
        (0..EVENTS).for_each(|_| drop(subscriber.event()));
    });
    let mut connection = docs.connect();
    let growth = MemoryGrowth::of(docs.server(), || {
        // In batches, because each answer waits for the disk.
        let batch = put(&name, b"one").repeat(50);
        for _ in 0..EVENTS / 50 {
            connection.send(&batch);
            (0..50).for_each(|_| drop(connection.answer().expect(200)));
        }
        told.join().expect("see above");
    });
    println!("{EVENTS} events in {:.1?}; memory grew by {} kB", growth.took, growth.grown / 1024);
    assert!(growth.grown < 8 * 1024 * 1024, "memory grew by {} bytes", growth.grown);
    // It learns the number when its mailbox has room for another event.
    let reading: Vec<_> =
        unread.into_iter().map(|unread| thread::spawn(|| receive_all(unread))).collect();
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

/// The number of events before that of the document `end`, and the number of missed ones.
fn receive_all(mut subscriber: Subscriber) -> (u64, u64) {
    let (mut events, mut missed) = (0, 0);
    loop {
        match subscriber.receive() {
            Received::Event(event) if event["name"] == "end" => return (events, missed),
            Received::Event(_) => events += 1,
            Received::Missed(count) => missed += count,
            Received::Bye => panic!("the server runs"),
        }
    }
}

/// A connection with a small receive buffer. With an even smaller one Linux sometimes waits for
/// more room in it, for longer and longer.
fn small_buffer(docs: &Docserver) -> Connection {
    let address = docs.server().address();
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP));
    let socket = socket.expect("a socket");
    socket.set_recv_buffer_size(64 * 1024).expect("a socket takes options");
    socket.connect(&address.into()).expect("it should connect");
    Connection::from_stream(socket.into())
}
