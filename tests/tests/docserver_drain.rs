//! How `docserver` ends: a drain on SIGTERM loses nothing, and what was acknowledged is there when it
//! starts again.

#![cfg(unix)]

use std::collections::HashMap;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, io};

use fsm_tests::{Connection, Docs, Neighbour, Numbers, SOON, Scratch, Watcher, get, put, request};

/// A drain of clients that are quick takes no longer than this, also on a disk that is slow.
const SHORTLY: Duration = Duration::from_secs(5);

/// Three times, or as often as `FSM_DRAINS` says, in the middle of uploads and downloads: every answer that began is whole, every document that was acknowledged is there afterwards, and the
/// process ends by itself.
#[test]
fn drains_under_load_lose_nothing() {
    const CLIENTS: u64 = 8;

    let rounds = env::var("FSM_DRAINS").map_or(3, |count| count.parse().expect("a number"));
    let mut data = Scratch::new("docs");
    let mut clients: Vec<_> = (0..CLIENTS).map(Client::new).collect();
    let mut slowest = Duration::ZERO;
    for round in 0..rounds {
        let mut docs = Docs::over(data, &[]);
        let log = docs.server().log();
        assert!(!log.contains("removed"), "the drain before left something:\n{log}");
        check(&docs, &clients);
        let mut watcher = Watcher::new(docs.connect());
        let watching = thread::spawn(move || {
            while let Ok(text) = watcher.connection().try_line() {
                if text.is_none() {
                    return true;
                }
            }
            false
        });
        let (ready, all_ready) = channel();
        let working: Vec<_> = clients
            .into_iter()
            .map(|client| {
                let (connection, ready) = (docs.connect(), ready.clone());
                thread::spawn(move || client.work(connection, &ready))
            })
            .collect();
        for _ in &working {
            all_ready.recv_timeout(SOON).expect("all clients should be at work");
        }
        // The drains come at different moments.
        thread::sleep(Duration::from_millis(17 * round % 100));
        let start = Instant::now();
        docs.server().signal("TERM");
        let status = docs.server_mut().wait(SHORTLY);
        slowest = slowest.max(start.elapsed());
        assert!(status.success(), "{status}");
        let log = docs.server().log();
        assert!(!log.contains(" ERROR ") && !log.contains("panicked at"), "{log}");
        clients = working.into_iter().map(|client| client.join().expect("see above")).collect();
        assert!(watching.join().expect("see above"), "the watcher should see a clean end");
        assert_eq!(docs.temporary(), 0);
        data = docs.into_data();
    }
    let docs = Docs::over(data, &[]);
    check(&docs, &clients);
    docs.stop();
    let filed: u32 = clients.iter().map(|client| client.filed).sum();
    let resets: u32 = clients.iter().map(|client| client.resets).sum();
    println!(
        "{rounds} drains, the slowest within {slowest:.1?}; {filed} documents were filed, and \
         {resets} requests came too late to be refused politely"
    );
}

/// Each document is one of those that it may be.
fn check(docs: &Docs, clients: &[Client]) {
    let mut connection = docs.connect();
    let mut files = 0;
    for (name, versions) in clients.iter().flat_map(|client| &client.versions) {
        let answer = connection.ask(get(&format!("/docs/{name}")));
        let found = (answer.status == 200).then_some(answer.body);
        files += usize::from(found.is_some());
        assert!(versions.contains(&found), "`{name}` is lost, or has changed");
    }
    assert_eq!((docs.filed(), docs.temporary()), (files, 0));
}

/// What a document may be: the last version that was acknowledged, or none, and those sent since.
type Versions = Vec<Option<Vec<u8>>>;

/// One that puts documents of its own, and gets them.
struct Client {
    id: u64,
    numbers: Numbers,
    versions: HashMap<String, Versions>,
    filed: u32,
    /// How often the connection was reset in place of an answer.
    resets: u32,
}

impl Client {
    fn new(id: u64) -> Self {
        Self { id, numbers: Numbers::new(id), versions: HashMap::new(), filed: 0, resets: 0 }
    }

    /// Works until the stream ends, which it may do between two answers only.
    fn work(mut self, mut connection: Connection, ready: &Sender<()>) -> Self {
        for n in 0.. {
            // Small ones, and some that take many reads.
            let len = if self.numbers.below(4) == 0 { 400_000 } else { 2000 };
            let body = self.numbers.vec(len);
            let name = format!("doc{}-{}", self.id, self.numbers.below(5));
            if self
                .put(&mut connection, &name, body)
                .expect("the stream should end between answers")
            {
                return self;
            }
            self.filed += 1;
            for _ in 0..2 {
                if self.get(&mut connection, &name).expect("the stream should end between answers")
                {
                    return self;
                }
            }
            if n == 2 {
                ready.send(()).expect("somebody waits for it");
            }
        }
        unreachable!("more rounds than numbers")
    }

    /// Files a document; says whether the stream has ended.
    fn put(&mut self, connection: &mut Connection, name: &str, body: Vec<u8>) -> io::Result<bool> {
        let request = if self.numbers.below(3) == 0 {
            let head = request(&format!("PUT /docs/{name}"), &["Transfer-Encoding: chunked"]);
            let mut request = head.into_bytes();
            for chunk in body.chunks(10_000) {
                request.extend(format!("{:x}\r\n", chunk.len()).bytes());
                request.extend(chunk);
                request.extend(b"\r\n");
            }
            request.extend(b"0\r\n\r\n");
            request
        } else {
            put(name, &body)
        };
        let versions = self.versions.entry(name.to_owned()).or_insert_with(|| vec![None]);
        versions.push(Some(body));
        // The server may have ended the stream before it took all of this.
        let sent = connection.try_send(&request);
        if self.is_over(connection)? {
            return Ok(true);
        }
        let answer = connection.answer();
        assert!(matches!(answer.status, 200 | 201), "{answer:?}");
        sent.expect("what is acknowledged was sent");
        if let Some(versions) = self.versions.get_mut(name) {
            versions.drain(..versions.len() - 1);
        }
        Ok(false)
    }

    /// Whether the stream has ended instead of an answer. A request that comes just when the server
    /// closes the connection resets it; no answer has begun then.
    fn is_over(&mut self, connection: &mut Connection) -> io::Result<bool> {
        match connection.is_at_end() {
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                self.resets += 1;
                Ok(true)
            }
            other => other,
        }
    }

    fn get(&mut self, connection: &mut Connection, name: &str) -> io::Result<bool> {
        let sent = connection.try_send(get(&format!("/docs/{name}")).as_bytes());
        if self.is_over(connection)? {
            return Ok(true);
        }
        let answer = connection.answer();
        sent.expect("what is answered was sent");
        let answer = answer.expect(200);
        assert!(self.versions[name] == [Some(answer.body)], "`{name}` has changed");
        Ok(false)
    }
}

/// Who is at rest sees a clean end, and who is in the middle of something may finish it.
#[test]
fn requests_in_progress_are_served() {
    let mut docs = Docs::new(&[]);
    let large = Numbers::new(9).vec(20_000_000);
    docs.put("large", &large).expect(201);
    let mut idle = docs.connect();
    idle.ask(get("/docs")).expect(200);
    let mut fresh = docs.connect();
    let mut watcher = Watcher::new(docs.connect());
    let halves = [
        put("sized", b"a document"),
        (request("PUT /docs/chunked", &["Transfer-Encoding: chunked"]) + "5\r\nabcde\r\n0\r\n\r\n")
            .into_bytes(),
        get("/docs/sized").into_bytes(),
    ];
    let mut clients: Vec<_> = halves
        .iter()
        .map(|request| {
            let (half, rest) = request.split_at(request.len() - 8);
            let mut connection = docs.connect();
            // Its answer shows that the server has the half behind it, too.
            connection.ask([get("/docs?limit=1").as_bytes(), half].concat()).expect(200);
            (connection, rest)
        })
        .collect();
    let mut reading = docs.connect();
    reading.send(get("/docs/large"));
    assert_eq!(reading.line(), "HTTP/1.1 200 OK\r");
    docs.server().signal("TERM");
    idle.expect_end();
    fresh.expect_end();
    assert!(docs.server_mut().is_running(), "clients have requests in progress");
    for (connection, rest) in &mut clients {
        connection.send(rest);
        let status = connection.answer().status;
        assert!(matches!(status, 200 | 201), "{status}");
        connection.expect_end();
    }
    while reading.line() != "\r" {}
    assert!(reading.bytes(large.len()) == large, "the document has changed");
    reading.expect_end();
    // Who watches is told of all of it, and leaves last.
    let filed = [watcher.event(), watcher.event()].map(|event| event["name"].to_string());
    assert_eq!(filed, ["\"sized\"", "\"chunked\""]);
    watcher.connection().expect_end();
    assert!(docs.server_mut().wait(SHORTLY).success());
    let docs = Docs::over(docs.into_data(), &[]);
    assert_eq!(docs.get("/docs/sized").expect(200).body, b"a document");
    assert_eq!(docs.get("/docs/chunked").expect(200).body, b"abcde");
    docs.stop();
}

/// A second signal waits for nobody; what was acknowledged is there all the same.
#[test]
fn x11_a_second_signal_ends_it_at_once() {
    for (second, code) in [("TERM", 143), ("INT", 130)] {
        let mut docs = Docs::new(&[]);
        docs.put("a", b"one").expect(201);
        let mut slow = docs.connect();
        let put = put("b", b"two");
        slow.ask([get("/docs").as_bytes(), &put[..put.len() - 1]].concat()).expect(200);
        docs.server().signal("TERM");
        // Two that wait at the same time are one to the system.
        docs.server().logs("draining");
        assert!(docs.server_mut().is_running(), "a client has a request in progress");
        docs.server().signal(second);
        let status = docs.server_mut().wait(SHORTLY);
        assert_eq!(status.code(), Some(code), "{status}");
        let docs = Docs::over(docs.into_data(), &[]);
        assert!(docs.server().log().contains("removed 1 unfinished uploads"));
        assert_eq!(docs.get("/docs/a").expect(200).body, b"one");
        docs.get("/docs/b").expect(404);
        docs.stop();
    }
}

/// Killed under load, it has all that it acknowledged when it starts again.
#[test]
#[cfg(target_os = "linux")]
fn a_kill_loses_nothing_that_was_acknowledged() {
    let mut docs = Docs::new(&[]);
    docs.put("a", b"one").expect(201);
    let mut connection = docs.connect();
    for n in 0..20 {
        connection.ask(put(&format!("doc{n}"), format!("{n}").as_bytes())).expect(201);
    }
    connection.send(put("half", b"abc").split_last().expect("it is long").1);
    docs.server().signal("KILL");
    docs.server_mut().wait(SHORTLY);
    let docs = Docs::over(docs.into_data(), &[]);
    for n in 0..20 {
        assert_eq!(docs.get(&format!("/docs/doc{n}")).expect(200).body, format!("{n}").as_bytes());
    }
    println!("{}", Neighbour::of_docs(docs.server().address()).leave());
    assert_eq!((docs.filed(), docs.temporary()), (22, 0));
    docs.stop();
}
