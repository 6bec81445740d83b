//! `docserver`, whose new process shares the directory with the old one until that ends.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use fsm_tests::{
    Answer, Connection, Docserver, Random, Server, Subscriber, TIMEOUT, TempDir, Upgradable, get,
    kill, list, put, request,
};

const ALONE: &str = "this process has the directory for itself";

/// A server with its directory.
struct Docs {
    server: Upgradable,
    data: TempDir,
}

/// The documents that a client expects.
type Documents = BTreeMap<String, Vec<u8>>;

impl Docs {
    fn start() -> Self {
        let data = TempDir::in_memory("docs");
        let server = Upgradable::start("docserver", |command| {
            command.arg("--data").arg(data.path());
        });
        Self { server, data }
    }

    fn ask(&self, request: impl AsRef<[u8]>) -> Answer {
        self.server.connect().ask(request)
    }

    fn body(&self, name: &str) -> Vec<u8> {
        self.ask(get(&format!("/docs/{name}"))).expect(200).body
    }

    /// The number of files of unfinished uploads.
    fn spools(&self) -> usize {
        fs::read_dir(self.data.path().join("tmp")).expect("the server has made it").count()
    }

    /// Begins an upload. Returns its connection and the bytes that are still to be sent.
    fn begin_upload(&self, name: &str, bytes: &[u8]) -> (Connection, Vec<u8>) {
        let (begun, request) = (self.spools() + 1, put(name, bytes));
        let (first, second) = request.split_at(request.len() - bytes.len() / 2);
        let mut connection = self.server.connect();
        connection.send(first);
        self.server.until("the upload has begun", |_| self.spools() == begun);
        (connection, second.to_vec())
    }

    /// Has a new process take over from the first one, until connections at rest are there. It serves then. Returns its
    /// number, and leaves the end of the upgrade to whatever keeps the old process from it.
    fn begin(&self) -> u32 {
        let at_rest: Vec<_> = (0..5)
            .map(|_| {
                let mut connection = self.server.connect();
                connection.ask(get("/docs?limit=1")).expect(200);
                connection
            })
            .collect();
        let before = self.server.first_process().sockets();
        let new = self.server.begin();
        self.server.until("connections at rest have moved", |_| {
            self.server.first_process().sockets() + 1 < before
        });
        drop(at_rest);
        new
    }

    /// Waits until a process has had the directory for itself again so many times.
    fn is_alone(&self, times: usize) {
        self.server.until(ALONE, |log| log.matches(ALONE).count() >= times);
    }

    /// Starts another server in the directory, which must not.
    fn refuses_another(&self) {
        let socket = self.data.path().join("another.sock");
        let socket = socket.to_str().expect("it is UTF-8");
        for options in [&[][..], &["--upgrade", socket]] {
            let started = Server::try_start(Docserver::command(self.data.path()).args(options));
            // One that may have to share the directory listens before it looks.
            let (status, log) = match started {
                Err(failure) => (failure.status, failure.log),
                Ok(mut server) => (server.wait(TIMEOUT), server.log()),
            };
            assert!(!status.success() && log.contains("another process uses"), "{log}");
        }
    }

    /// Stops the server. A new start finds nothing to repair, and these documents.
    fn stop(self, documents: &Documents) {
        self.server.stop();
        check(self.data, documents, false);
    }
}

/// Starts a server without upgrades in a directory, and looks for these documents.
fn check(data: TempDir, documents: &Documents, was_killed: bool) {
    let docs = Docserver::over(data, &[]);
    let log = docs.server().log();
    assert!(was_killed || !log.contains("removed"), "{log}");
    assert!(!log.contains("lost, because"), "{log}");
    let listed: Vec<_> = list(&mut docs.connect()).into_iter().map(|it| it.name).collect();
    assert_eq!(listed, documents.keys().cloned().collect::<Vec<_>>());
    for (name, bytes) in documents {
        assert!(docs.get(&format!("/docs/{name}")).expect(200).body == *bytes, "{name}");
    }
    docs.stop();
}

fn documents(all: &[(&str, &[u8])]) -> Documents {
    all.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())).collect()
}

#[test]
fn u16_an_upload_and_a_download_in_progress_end_in_the_old_process_whole() {
    let mut docs = Docs::start();
    let large = Random::new(1).next_bytes(30_000_000);
    let upload = Random::new(2).next_bytes(3_000_000);
    docs.ask(put("large", &large)).expect(201);
    let mut download = docs.server.connect();
    download.send(get("/docs/large"));
    assert!(!download.is_at_end().unwrap());
    let (mut uploading, rest) = docs.begin_upload("upload", &upload);
    // It takes over when it has waited for those that are busy.
    docs.server.upgrade();
    docs.ask(get("/docs/upload")).expect(404);
    docs.ask(put("new", b"from the new process")).expect(201);
    docs.ask(request("DELETE /docs/large", &[])).expect(204);
    assert_eq!(docs.spools(), 1, "the new process leaves the upload alone");
    assert!(!docs.server.log().contains(ALONE));
    uploading.send(rest);
    uploading.answer().expect(201);
    // At once, while the download keeps the old process.
    assert!(docs.body("upload") == upload);
    assert!(docs.ask(get("/search?q=upload")).expect(200).json()["hits"][0]["name"] == "upload");
    assert!(download.answer().expect(200).body == large);
    docs.is_alone(1);
    docs.stop(&documents(&[("new", b"from the new process"), ("upload", &upload)]));
}

#[test]
fn u16_subscribers_hear_each_event_once_and_in_order_whichever_process_files() {
    let mut docs = Docs::start();
    let mut subscribers: Vec<_> = (0..3).map(|_| Subscriber::new(docs.server.connect())).collect();
    let mut filed = Vec::new();
    let file = |docs: &Docs, filed: &mut Vec<String>| {
        let name = filed.len().to_string();
        docs.ask(put(&name, b"text")).expect(201);
        filed.push(name);
    };
    file(&docs, &mut filed);
    let (mut uploading, rest) = docs.begin_upload("old", b"text");
    let new = docs.begin();
    file(&docs, &mut filed);
    // One that has come to the new process hears what the old one files.
    let mut late = Subscriber::new(docs.server.connect());
    let since = filed.len();
    uploading.send(rest);
    uploading.answer().expect(201);
    filed.push("old".to_owned());
    file(&docs, &mut filed);
    docs.server.taken_over(new);
    file(&docs, &mut filed);
    docs.is_alone(1);
    file(&docs, &mut filed);
    // Their place in the order of this upgrade says nothing in the next one.
    docs.server.upgrade();
    file(&docs, &mut filed);
    docs.is_alone(2);
    for (subscriber, since) in subscribers.iter_mut().map(|it| (it, 0)).chain([(&mut late, since)])
    {
        for name in &filed[since..] {
            assert_eq!(subscriber.event()["name"], **name);
        }
    }
    docs.server.signal("TERM");
    for subscriber in subscribers.iter_mut().chain([&mut late]) {
        subscriber.expect_goodbye();
    }
}

/// A client with its own names.
struct Client {
    number: u64,
    address: SocketAddr,
    connection: Connection,
    documents: Documents,
    requests: usize,
}

impl Client {
    /// A random upload or download, on the connection as long as the server keeps it.
    fn work(&mut self, random: &mut Random) -> io::Result<()> {
        let name = format!("{}-{}", self.number, random.below(8));
        let path = format!("/docs/{name}");
        let uploads = random.below(3) == 0;
        let most = if random.below(8) == 0 { 400_000 } else { 2_000 };
        let size = usize::try_from(random.below(most)).expect("it fits");
        let bytes = random.next_bytes(size);
        let request = if uploads { put(&name, &bytes) } else { get(&path).into_bytes() };
        self.connection.try_send(&request)?;
        let answer = self.connection.try_answer()?.ok_or(io::ErrorKind::UnexpectedEof)?;
        self.requests += 1;
        let keeps_alive = answer.keeps_alive();
        if uploads {
            let status = if self.documents.contains_key(&name) { 200 } else { 201 };
            answer.expect(status);
            self.documents.insert(name, bytes);
        } else if let Some(known) = self.documents.get(&name) {
            assert!(answer.expect(200).body == *known, "{name}");
        } else {
            answer.expect(404);
        }
        if !keeps_alive {
            self.connection = Connection::new(self.address);
        }
        Ok(())
    }
}

/// Three upgrades, or `FSM_UPGRADES`, while clients upload and download.
#[test]
fn u16_clients_see_no_error_during_upgrades_and_all_documents_are_whole() {
    let upgrades = std::env::var("FSM_UPGRADES").map_or(3, |text| text.parse().unwrap());
    let mut docs = Docs::start();
    let address = docs.server.first_process().address();
    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..4)
        .map(|number| {
            let stop = Arc::clone(&stop);
            thread::spawn(move || {
                let (connection, documents) = (Connection::new(address), Documents::new());
                let mut client = Client { number, address, connection, documents, requests: 0 };
                let mut random = Random::new(number);
                while !stop.load(Ordering::Relaxed) {
                    client.work(&mut random).expect("no client sees an error");
                }
                (client.documents, client.requests)
            })
        })
        .collect();
    for upgrade in 1..=upgrades {
        docs.server.upgrade();
        docs.is_alone(upgrade);
    }
    stop.store(true, Ordering::Relaxed);
    let (mut all, mut requests) = (Documents::new(), 0);
    for client in clients {
        let (documents, its) = client.join().unwrap();
        all.extend(documents);
        requests += its;
    }
    println!("{upgrades} upgrades, {requests} requests, {} documents", all.len());
    docs.stop(&all);
}

#[test]
fn u16_after_a_kill_of_the_old_process_the_new_one_has_what_was_acknowledged() {
    let mut docs = Docs::start();
    docs.ask(put("a", b"first")).expect(201);
    let (mut uploading, rest) = docs.begin_upload("lost", b"never acknowledged");
    let (mut ending, its_rest) = docs.begin_upload("old", b"of the old process");
    let new = docs.begin();
    ending.send(its_rest);
    ending.answer().expect(201);
    docs.ask(put("a", b"second")).expect(200);
    kill("KILL", docs.server.process);
    docs.server.process = new;
    docs.is_alone(1);
    let cut = uploading.try_send(&rest).and_then(|()| uploading.try_answer());
    assert!(matches!(cut, Ok(None) | Err(_)), "{cut:?}");
    assert_eq!(docs.spools(), 0, "what the old process had received is removed");
    docs.refuses_another();
    assert_eq!(
        (docs.body("a"), docs.body("old")),
        (b"second".into(), b"of the old process".into())
    );
    docs.ask(get("/docs/lost")).expect(404);
    docs.server.end();
    check(docs.data, &documents(&[("a", b"second"), ("old", b"of the old process")]), false);
}

#[test]
fn u16_after_a_kill_of_the_new_process_the_old_one_has_what_was_acknowledged() {
    let mut docs = Docs::start();
    docs.ask(put("a", b"first")).expect(201);
    for _ in 0..3 {
        assert_eq!(docs.body("a"), b"first", "it has a copy of it");
    }
    let (mut uploading, rest) = docs.begin_upload("upload", b"of the old process");
    for round in 1..=2 {
        let new = docs.begin();
        // By the new process, to which the old one has no connection for it.
        docs.ask(put("a", format!("round {round}").as_bytes())).expect(200);
        let (cut, _) = docs.begin_upload("cut", b"by a kill");
        assert_eq!(docs.spools(), 2);
        kill("KILL", new);
        docs.is_alone(round);
        drop(cut);
        assert_eq!(docs.spools(), 1, "what the new process had received is removed");
        assert_eq!(docs.body("a"), format!("round {round}").as_bytes());
    }
    docs.refuses_another();
    uploading.send(rest);
    uploading.answer().expect(201);
    docs.server.upgrade();
    docs.is_alone(3);
    assert_eq!(docs.body("upload"), b"of the old process");
    docs.server.end();
}

/// While an old process still uses the directory no third one comes in, also not by an upgrade.
#[test]
fn u16_a_process_that_takes_over_while_another_old_one_drains_is_refused() {
    let mut docs = Docs::start();
    let (mut uploading, rest) = docs.begin_upload("upload", b"of the first process");
    docs.server.upgrade();
    docs.refuses_another();
    docs.server.begin();
    docs.server.until("it is refused", |log| log.contains("still uses"));
    docs.ask(put("second", b"process")).expect(201);
    uploading.send(rest);
    uploading.answer().expect(201);
    docs.is_alone(1);
    docs.server.upgrade();
    docs.is_alone(2);
    let all = documents(&[("second", b"process"), ("upload", b"of the first process")]);
    docs.server.end();
    check(docs.data, &all, false);
}
