//! Two processes in one: an upgrade needs only their sockets. A script takes the part of the one that fails.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::message::{LISTENERS, Message, VERSION};
use super::{Upgrade, UpgradeData, socket};
use crate::net::fd_channel::FdChannel;
use crate::prelude::*;
use crate::{Address, Moves, MovesHandler, Pipeline, Running};

mod counts;
mod data;
mod kept;
mod new_serves;
mod old_goes_on;
mod scripts;
mod text;
mod together;

use scripts::{NewProcess, OldProcess};
use text::Text;

const PATIENCE: Duration = Duration::from_secs(20);

#[state_machine(start = Line, eof => Gone, limit => Gone)]
enum Name {
    #[read(until = b"\n", max = 80, idle = 60s => Gone)]
    #[to(Line)]
    #[rest]
    Line,
    #[end]
    Gone,
}

/// Answers each line with the name of its process.
struct Client(&'static str);

impl name::Handler for Client {
    fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> name::AfterLine {
        writeln!(cx, "{} {}", self.0, String::from_utf8_lossy(line));
        name::AfterLine::Line
    }
}

/// The same, and its connections move.
#[state_machine(start = Line, moves, eof => Gone, limit => Gone)]
enum Mover {
    #[read(until = b"\n", max = 80, idle = 60s => Gone)]
    #[to(Line)]
    #[rest]
    Line,
    #[end]
    Gone,
}

impl mover::Handler for Client {
    fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> mover::AfterLine {
        writeln!(cx, "{} {}", self.0, String::from_utf8_lossy(line));
        mover::AfterLine::Line
    }
}

impl MovesHandler for Client {
    fn pack(&self, _: &mut Vec<u8>) {}

    fn unpack(&mut self, _: &mut &[u8]) -> Option<()> {
        Some(())
    }
}

fn movers(name: &'static str) -> Pipeline {
    let pool = Pool::builder::<Mover>("front").listen("127.0.0.1:0");
    Pipeline::new().pool(pool.handler(move |_peer| Client(name)))
}

/// A folder with the socket of the upgrades.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("upgrade.sock")
    }

    fn upgrade(&self) -> Upgrade {
        Upgrade::new(self.path())
            .ready_within(PATIENCE)
            .answer_within(PATIENCE)
            .rest_within(Duration::from_millis(50))
    }

    /// Waits until a process is there for the next one, which would find nobody to take over from before.
    fn until_met(&self) {
        until("a process waits for the next one", || socket::is_alive(&self.path()));
    }

    fn start(&self, name: &'static str) -> Result<Running, PoolError> {
        pipeline(name).upgradable(self.upgrade()).start()
    }
}

fn pipeline(name: &'static str) -> Pipeline {
    let pool = Pool::builder::<Name>("front").listen("127.0.0.1:0");
    Pipeline::new().pool(pool.handler(move |_peer| Client(name)))
}

fn address(running: &Running) -> SocketAddr {
    match running.addresses() {
        [Address::Tcp(address)] => *address,
        other => panic!("{other:?}"),
    }
}

/// A client that asks who answers.
struct Asker(BufReader<TcpStream>);

impl Asker {
    fn new(to: SocketAddr) -> Self {
        let stream = TcpStream::connect(to).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(BufReader::new(stream))
    }

    fn ask(&mut self) -> String {
        self.0.get_mut().write_all(b"?\n").unwrap();
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.strip_suffix(" ?\n").unwrap_or(&line).to_owned()
    }

    fn is_closed(&mut self) -> bool {
        matches!(self.0.read(&mut [0]), Ok(0))
    }
}

fn who(to: SocketAddr) -> String {
    Asker::new(to).ask()
}

/// Waits for what another thread does, and has no other sign.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < PATIENCE, "not so: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn u6_a_new_process_takes_the_listeners_over_and_the_old_one_drains() {
    let place = Place::new();
    let old = place.start("old").unwrap();
    let at = address(&old);
    let mut at_rest = Asker::new(at);
    assert_eq!(at_rest.ask(), "old");
    let new = place.start("new").unwrap();
    assert_eq!(address(&new), at, "port 0 is the port of the old one");
    assert_eq!(who(at), "new");
    // The machine is none that moves, so its connections drain in the old process.
    assert!(at_rest.is_closed());
    assert_eq!(old.join().unwrap().drained, 1);
    assert_eq!(who(at), "new");
    // The next one is no different.
    let third = place.start("third").unwrap();
    assert_eq!(who(at), "third");
    new.join().unwrap();
    third.drain().unwrap();
    assert!(!place.path().exists());
    until("nobody listens any more", || TcpStream::connect(at).is_err());
}

/// Its listeners have no event any more, and no connection ends.
#[test]
fn u6_an_old_process_without_connections_ends_at_once() {
    for _ in 0..5 {
        let place = Place::new();
        let start = |name| {
            let pool = Pool::builder::<Name>("front").listen("127.0.0.1:0").threads(8);
            let pool = pool.handler(move |_peer| Client(name));
            Pipeline::new().pool(pool).upgradable(place.upgrade()).start().unwrap()
        };
        let (old, new) = (start("old"), start("new"));
        let since = Instant::now();
        old.join().unwrap();
        assert!(since.elapsed() < PATIENCE, "it has not waited for the end of the drain");
        new.drain().unwrap();
    }
}

#[test]
fn u6_no_client_is_refused_or_reset_while_processes_follow_each_other() {
    let place = Place::new();
    let mut running = place.start("p").unwrap();
    let at = address(&running);
    let stop = Arc::new(Mutex::new(false));
    let clients: Vec<_> = (0..3)
        .map(|_| {
            let stop = Arc::clone(&stop);
            thread::spawn(move || {
                let mut answers = 0;
                while !*stop.lock().unwrap() {
                    assert_eq!(who(at), "p");
                    answers += 1;
                }
                answers
            })
        })
        .collect();
    for _ in 0..5 {
        let next = place.start("p").unwrap();
        running.join().unwrap();
        place.until_met();
        running = next;
    }
    *stop.lock().unwrap() = true;
    let answers: Vec<i32> = clients.into_iter().map(|client| client.join().unwrap()).collect();
    assert!(answers.iter().all(|answers| *answers > 0), "{answers:?}");
    running.drain().unwrap();
}

#[test]
fn u6_the_file_of_a_unix_socket_passes_to_the_new_process() {
    let place = Place::new();
    let path = place.0.path().join("front.sock");
    let listen = format!("unix:{}", path.display());
    let start = |name| {
        let pool = Pool::builder::<Name>("front").listen(&listen);
        let pool = pool.handler(move |_peer| Client(name));
        Pipeline::new().pool(pool).upgradable(place.upgrade()).start().unwrap()
    };
    let old = start("old");
    let new = start("new");
    old.join().unwrap();
    let mut client = UnixStream::connect(&path).unwrap();
    client.write_all(b"?\n").unwrap();
    let mut answer = [0; 6];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"new ?\n");
    drop(client);
    new.drain().unwrap();
    assert!(!path.exists());
}

#[test]
fn u6_what_the_new_process_does_not_know_stays_and_drains() {
    let place = Place::new();
    let other = Pool::builder::<Name>("other").listen("127.0.0.1:0");
    let old = pipeline("old").pool(other.handler(|_peer| Client("other")));
    let old = old.upgradable(place.upgrade()).start().unwrap();
    let [_, Address::Tcp(other)] = *old.addresses() else { panic!() };
    let new = place.start("new").unwrap();
    old.join().unwrap();
    until("its listener went with the old process", || TcpStream::connect(other).is_err());
    assert_eq!(who(address(&new)), "new");
    new.drain().unwrap();
}

#[test]
fn u6_pools_that_would_lose_connections_cannot_be_upgradable() {
    let place = Place::new();
    let pool = Pool::builder::<Name>("front").listen("127.0.0.1:0").shards(2).reuse_port();
    let pipeline = Pipeline::new().pool(pool.handler(|_peer| Client("x")));
    let error = pipeline.upgradable(place.upgrade()).start().unwrap_err();
    assert!(error.to_string().contains("leave `reuse_port` out"), "{error}");
    assert!(!place.path().exists());
}

#[test]
fn u11_connections_at_rest_go_on_in_the_new_process() {
    let place = Place::new();
    let old = movers("old").upgradable(place.upgrade()).start().unwrap();
    let mut clients: Vec<_> = (0..600).map(|_| Asker::new(address(&old))).collect();
    for client in &mut clients {
        assert_eq!(client.ask(), "old");
    }
    // One has half a line here, and the rest of it there.
    clients[0].0.get_mut().write_all(b"half ").unwrap();
    let new = movers("new").upgradable(place.upgrade()).start().unwrap();
    assert_eq!(old.join().unwrap().moved, 600);
    clients[0].0.get_mut().write_all(b"a line\n").unwrap();
    let mut line = String::new();
    clients[0].0.read_line(&mut line).unwrap();
    assert_eq!(line, "new half a line\n");
    for client in &mut clients {
        assert_eq!(client.ask(), "new");
    }
    new.drain().unwrap();
}

/// Its lines are long, and so are the parts of them that wait.
#[state_machine(start = Line, moves, eof => Gone, limit => Gone)]
enum Long {
    #[read(until = b"\n", max = 64MiB, idle = 60s => Gone)]
    #[to(Line)]
    #[rest]
    Line,
    #[end]
    Gone,
}

impl long::Handler for Client {
    fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> long::AfterLine {
        writeln!(cx, "{} {}", self.0, line.len());
        long::AfterLine::Line
    }
}

#[test]
fn u4_a_connection_with_more_than_fits_into_a_frame_stays() {
    const MANY: usize = 18_000_000;
    let place = Place::new();
    let start = |name| {
        let builder = Pool::builder::<Long>("front").listen("127.0.0.1:0");
        let handle = builder.handle();
        let pool = builder.handler(move |_peer| Client(name));
        let running = Pipeline::new().pool(pool).upgradable(place.upgrade()).start().unwrap();
        (running, handle)
    };
    let (old, handle) = start("old");
    let (mut large, mut small) = (Asker::new(address(&old)), Asker::new(address(&old)));
    small.0.get_mut().write_all(b"?").unwrap();
    large.0.get_mut().write_all(&vec![b'x'; MANY]).unwrap();
    until("all of it is there", || {
        handle.snapshot(PATIENCE).tasks.iter().any(|task| task.unread == MANY)
    });
    let (new, _) = start("new");
    until("the small one has moved", || handle.stats().moved == 1);
    let answer = |client: &mut Asker| {
        client.0.get_mut().write_all(b"\n").unwrap();
        let mut line = String::new();
        client.0.read_line(&mut line).unwrap();
        line
    };
    assert_eq!(answer(&mut small), "new 1\n");
    assert_eq!(answer(&mut large), format!("old {MANY}\n"));
    assert_eq!(old.join().unwrap().moved, 1);
    new.drain().unwrap();
}

#[test]
fn u9_what_cannot_be_is_refused_with_a_sentence_and_the_old_process_goes_on() {
    let place = Place::new();
    let old = place.start("old").unwrap();
    let at = address(&old);
    let first = NewProcess::connect(&place.path());
    first.hello();
    assert!(matches!(first.next(), Message::Welcome { .. }));
    let second = NewProcess::connect(&place.path());
    second.hello();
    assert_eq!(second.refusal(), "another upgrade is under way");
    let error = place.start("new").unwrap_err().to_string();
    assert_eq!(error, "the upgrade has failed: another upgrade is under way");
    drop(first);
    // It speaks another version.
    let stranger = NewProcess::connect(&place.path());
    Message::Hello { version: 7, process: 1, pools: Vec::new() }.send(&stranger.0).unwrap();
    assert!(stranger.refusal().contains(&format!("versions {VERSION} and 7")));
    // It speaks nonsense.
    let stranger = NewProcess::connect(&place.path());
    stranger.0.send(99, b"GET / HTTP/1.1", &[]).unwrap();
    assert!(stranger.refusal().contains("no message"));
    let impatient = NewProcess::connect(&place.path());
    Message::Committed.send(&impatient.0).unwrap();
    assert!(impatient.refusal().contains("out of order"));
    // It would take nothing over.
    let foreigner = NewProcess::connect(&place.path());
    let pools = vec!["other".to_owned()];
    Message::Hello { version: VERSION, process: 1, pools }.send(&foreigner.0).unwrap();
    assert!(foreigner.refusal().contains("none of the pools"));
    assert_eq!(who(at), "old");
    old.drain().unwrap();
}

#[test]
fn u9_an_upgrade_while_the_pools_drain_is_refused() {
    let place = Place::new();
    let builder = Pool::builder::<Name>("front").listen("127.0.0.1:0");
    let handle = builder.handle();
    let pool = builder.handler(|_peer| Client("old"));
    let old = Pipeline::new().pool(pool).upgradable(place.upgrade()).start().unwrap();
    let mut busy = Asker::new(address(&old));
    assert_eq!(busy.ask(), "old");
    // Half a line keeps the drain from its end.
    busy.0.get_mut().write_all(b"half").unwrap();
    until("the half line is there", || {
        handle.snapshot(PATIENCE).tasks.iter().any(|task| task.to_string().contains("unread"))
    });
    handle.drain();
    let new = NewProcess::connect(&place.path());
    new.hello();
    assert_eq!(new.refusal(), "the old process drains");
    drop(busy);
    old.join().unwrap();
}
