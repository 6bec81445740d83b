//! How `docserver` ends: a drain on SIGTERM loses nothing, and acknowledged documents are there
//! after a restart.

use std::collections::HashMap;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, io};

use fsm_tests::{
    BackgroundClient, Connection, Docserver, Random, Subscriber, TIMEOUT, TempDir, get, put,
    request,
};

/// The time limit of a drain without slow clients, also on a slow disk.
const SHORTLY: Duration = Duration::from_secs(5);

/// Drains three times, or `FSM_DRAINS` times, during uploads and downloads. Each answer that began
/// is complete, each acknowledged document is there afterwards, and the process ends by itself.
#[test]
fn drains_under_load_lose_nothing() {
    const CLIENTS: u64 = 8;

    let rounds = env::var("FSM_DRAINS").map_or(3, |count| count.parse().expect("a number"));
    let mut data = TempDir::new("docs");
    let mut clients: Vec<_> = (0..CLIENTS).map(Client::new).collect();
    let mut slowest = Duration::ZERO;
    for round in 0..rounds {
        let mut docs = Docserver::over(data, &[]);
        let log = docs.server().log();
        assert!(!log.contains("removed"), "the drain before left something:\n{log}");
        check(&docs, &clients);
        let mut subscriber = Subscriber::new(docs.connect());
        let subscription = thread::spawn(move || {
            while let Ok(text) = subscriber.connection().try_line() {
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
            all_ready.recv_timeout(TIMEOUT).expect("all clients should be at work");
        }
        // Vary the moment of the drain.
        thread::sleep(Duration::from_millis(17 * round % 100));
        let start = Instant::now();
        docs.server().signal("TERM");
        let status = docs.server_mut().wait(SHORTLY);
        slowest = slowest.max(start.elapsed());
        assert!(status.success(), "{status}");
        let log = docs.server().log();
        assert!(!log.contains(" ERROR ") && !log.contains("panicked at"), "{log}");
        clients = working.into_iter().map(|client| client.join().expect("see above")).collect();
        assert!(subscription.join().expect("see above"), "the subscriber should see a clean end");
        assert_eq!(docs.temporary(), 0);
        data = docs.into_data();
    }
    let docs = Docserver::over(data, &[]);
    check(&docs, &clients);
    docs.stop();
    let filed: u32 = clients.iter().map(|client| client.filed).sum();
    let resets: u32 = clients.iter().map(|client| client.resets).sum();
    println!(
        "{rounds} drains, the slowest within {slowest:.1?}; {filed} documents were filed, and \
         {resets} requests came too late to be refused politely"
    );
}

/// Checks that each document is one of its possible versions.
fn check(docs: &Docserver, clients: &[Client]) {
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

/// The possible versions of a document: the last acknowledged one, and those sent since; `None` if
/// there is none.
type Versions = Vec<Option<Vec<u8>>>;

/// A client that files and reads its own documents.
struct Client {
    id: u64,
    random: Random,
    versions: HashMap<String, Versions>,
    filed: u32,
    /// The number of connections reset before an answer.
    resets: u32,
}

impl Client {
    fn new(id: u64) -> Self {
        Self { id, random: Random::new(id), versions: HashMap::new(), filed: 0, resets: 0 }
    }

    /// Sends requests until the stream ends, which must be between two answers.
    fn work(mut self, mut connection: Connection, ready: &Sender<()>) -> Self {
        for n in 0.. {
            // Small documents, and some that take many reads.
            let len = if self.random.index(4) == 0 { 400_000 } else { 2000 };
            let body = self.random.next_bytes(len);
            let name = format!("doc{}-{}", self.id, self.random.index(5));
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

    /// Files a document; returns whether the stream has ended.
    fn put(&mut self, connection: &mut Connection, name: &str, body: Vec<u8>) -> io::Result<bool> {
        let request = if self.random.index(3) == 0 {
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
        // Ignore an error until the answer is read, because the server may have closed the
        // connection.
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

    /// Whether the stream ended before the answer. A request that arrives just as the server closes
    /// the connection resets it, before an answer began.
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

/// A drain closes connections at rest cleanly, and lets requests in progress finish.
#[test]
fn requests_in_progress_are_served() {
    let mut docs = Docserver::new(&[]);
    let large = Random::new(9).next_bytes(20_000_000);
    docs.put("large", &large).expect(201);
    let mut idle = docs.connect();
    idle.ask(get("/docs")).expect(200);
    let mut fresh = docs.connect();
    let mut subscriber = Subscriber::new(docs.connect());
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
            // The answer shows that the server has received the first half of the next request.
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
    // The subscriber receives both events, then a goodbye, and its connection closes last.
    let filed = [subscriber.event(), subscriber.event()].map(|event| event["name"].to_string());
    assert_eq!(filed, ["\"sized\"", "\"chunked\""]);
    subscriber.expect_goodbye();
    assert!(docs.server_mut().wait(SHORTLY).success());
    let docs = Docserver::over(docs.into_data(), &[]);
    assert_eq!(docs.get("/docs/sized").expect(200).body, b"a document");
    assert_eq!(docs.get("/docs/chunked").expect(200).body, b"abcde");
    docs.stop();
}

/// A client that always has twenty requests on the way hears that the next answer is the last one, unless the
/// drain finds the connection at rest.
#[test]
fn a_client_that_pipelines_does_not_hold_a_drain_up() {
    for options in [&[][..], &["--single-pool"]] {
        for (method, path) in [("GET", "/docs/a"), ("HEAD", "/docs/none"), ("DELETE", "/docs/none")]
        {
            let mut docs = Docserver::new(options);
            docs.put("a", b"one").expect(201);
            let mut pipelining = docs.connect();
            let one = request(&format!("{method} {path}"), &[]);
            pipelining.send(one.repeat(20));
            for answers in 0.. {
                assert!(answers < 20_000, "{method} {path}: the drain should be noticed");
                // Requests that arrive just as the server closes a connection at rest reset it.
                if !matches!(pipelining.is_at_end(), Ok(false)) {
                    break;
                }
                let answer = match method {
                    "HEAD" => pipelining.answer_to_head(),
                    _ => pipelining.answer(),
                };
                if !answer.keeps_alive() {
                    pipelining.expect_end();
                    break;
                }
                if answers == 100 {
                    docs.server().signal("TERM");
                }
                // The server may have closed the connection.
                let _ = pipelining.try_send(one.as_bytes());
            }
            drop(pipelining);
            assert!(docs.server_mut().wait(SHORTLY).success());
        }
    }
}

/// A second signal ends the server at once, and acknowledged documents are there after a restart.
#[test]
fn x11_a_second_signal_ends_it_at_once() {
    for (second, code) in [("TERM", 143), ("INT", 130)] {
        let mut docs = Docserver::new(&[]);
        docs.put("a", b"one").expect(201);
        let mut slow = docs.connect();
        let put = put("b", b"two");
        slow.ask([get("/docs").as_bytes(), &put[..put.len() - 1]].concat()).expect(200);
        docs.server().signal("TERM");
        // Wait, because the system merges two pending signals.
        docs.server().logs("draining");
        assert!(docs.server_mut().is_running(), "a client has a request in progress");
        docs.server().signal(second);
        let status = docs.server_mut().wait(SHORTLY);
        assert_eq!(status.code(), Some(code), "{status}");
        let docs = Docserver::over(docs.into_data(), &[]);
        assert!(docs.server().log().contains("removed 1 unfinished uploads"));
        assert_eq!(docs.get("/docs/a").expect(200).body, b"one");
        docs.get("/docs/b").expect(404);
        docs.stop();
    }
}

/// After a kill under load all acknowledged documents are there.
#[test]
#[cfg(target_os = "linux")]
fn a_kill_loses_nothing_that_was_acknowledged() {
    let mut docs = Docserver::new(&[]);
    docs.put("a", b"one").expect(201);
    let mut connection = docs.connect();
    for n in 0..20 {
        connection.ask(put(&format!("doc{n}"), format!("{n}").as_bytes())).expect(201);
    }
    connection.send(put("half", b"abc").split_last().expect("it is long").1);
    docs.server().signal("KILL");
    docs.server_mut().wait(SHORTLY);
    let docs = Docserver::over(docs.into_data(), &[]);
    for n in 0..20 {
        assert_eq!(docs.get(&format!("/docs/doc{n}")).expect(200).body, format!("{n}").as_bytes());
    }
    println!("{}", BackgroundClient::on_docserver(docs.server().address()).finish());
    assert_eq!((docs.filed(), docs.temporary()), (22, 0));
    docs.stop();
}
