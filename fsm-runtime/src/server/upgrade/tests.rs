//! Two processes in one: an upgrade needs only their sockets. What one of them does wrong is played by a script.

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
use super::{Upgrade, UpgradeData};
use crate::net::fd_channel::FdChannel;
use crate::prelude::*;
use crate::{Address, Moves, MovesHandler, Pipeline, Running};

mod kept;

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
        Upgrade::new(self.path()).ready_within(PATIENCE).rest_within(Duration::from_millis(50))
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
    assert!(TcpStream::connect(at).is_err(), "nobody listens any more");
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
    assert!(TcpStream::connect(other).is_err(), "its listener went with the old process");
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

/// A script that plays the new process up to some step.
struct NewProcess(FdChannel);

impl NewProcess {
    fn connect(path: &Path) -> Self {
        let channel = FdChannel::new(UnixStream::connect(path).unwrap());
        channel.set_patience(PATIENCE).unwrap();
        Self(channel)
    }

    fn hello(&self) {
        let pools = vec!["front".to_owned()];
        Message::Hello { version: VERSION, process: 1, pools }.send(&self.0).unwrap();
    }

    fn next(&self) -> Message {
        Message::receive(&self.0).unwrap().expect("a message should come")
    }

    fn refusal(&self) -> String {
        loop {
            match self.next() {
                Message::Refused { why } => return why,
                Message::Welcome { .. } | Message::Listeners { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Does the first steps of an upgrade. There are [`STEPS`](Self::STEPS).
    fn steps(&self, steps: usize) {
        let all: [&dyn Fn(); Self::STEPS] = [
            &|| self.hello(),
            &|| assert!(matches!(self.next(), Message::Welcome { listeners: 1, .. })),
            &|| assert!(matches!(self.next(), Message::Listeners { .. })),
            &|| Message::Ready.send(&self.0).unwrap(),
            &|| assert!(matches!(self.next(), Message::Go)),
            &|| assert!(matches!(self.next(), Message::Commit)),
        ];
        all[..steps].iter().for_each(|step| step());
    }

    const STEPS: usize = 6;
}

#[test]
fn u8_if_the_new_process_dies_at_any_step_the_old_one_goes_on_and_the_next_upgrade_works() {
    for steps in 0..=NewProcess::STEPS {
        let place = Place::new();
        let old = place.start("old").unwrap();
        let at = address(&old);
        let mut before = Asker::new(at);
        assert_eq!(before.ask(), "old");
        let new = NewProcess::connect(&place.path());
        new.steps(steps);
        drop(new);
        assert_eq!(before.ask(), "old", "after {steps} steps");
        assert_eq!(who(at), "old", "after {steps} steps");
        // The old process may not have noticed yet.
        let mut next = None;
        until("the next upgrade begins", || {
            match place.start("new") {
                Ok(new) => next = Some(new),
                Err(error) => assert!(error.to_string().contains("another upgrade"), "{error}"),
            }
            next.is_some()
        });
        assert_eq!(who(at), "new", "after {steps} steps");
        old.join().unwrap();
        next.unwrap().drain().unwrap();
    }
}

#[test]
fn u8_if_the_new_process_is_silent_at_any_step_the_old_one_goes_on_and_says_so() {
    for steps in 0..=NewProcess::STEPS {
        let place = Place::new();
        let patience = Duration::from_millis(30);
        let old = pipeline("old").upgradable(place.upgrade().ready_within(patience));
        let old = old.start().unwrap();
        let at = address(&old);
        let new = NewProcess::connect(&place.path());
        new.steps(steps);
        if steps < NewProcess::STEPS {
            // After the third step it waits for `Ready`, and until then for `Hello`.
            let why = loop {
                match Message::receive(&new.0) {
                    Ok(Some(Message::Refused { why })) => break why,
                    Ok(Some(_)) => {}
                    // It was cut off, so that it cannot answer any more.
                    Ok(None) => break "the new process is silent".to_owned(),
                    other => panic!("{other:?}"),
                }
            };
            assert!(why.contains("the new process is silent"), "{why}");
        } else {
            assert!(Message::receive(&new.0).unwrap().is_none(), "it is cut off");
            assert!(Message::Committed.send(&new.0).is_err(), "and knows that it is too late");
        }
        assert_eq!(who(at), "old", "after {steps} steps");
        old.drain().unwrap();
    }
}

/// What becomes of a connection for which the new process has done this much.
#[test]
fn u8_a_connection_is_here_or_there_whatever_the_new_process_does_with_it() {
    let nothing: &[Message] = &[];
    let refused = vec![(0, "I do not like it".to_owned())];
    let cases: [(&[Message], bool); 4] = [
        (nothing, true),
        (&[Message::Have], false),
        (&[Message::Have, Message::Taken { refused }], true),
        (&[Message::Have, Message::Taken { refused: Vec::new() }], false),
    ];
    for (says, goes_on) in cases {
        for is_silent in [false, true] {
            let place = Place::new();
            let patience = if is_silent { Duration::from_millis(50) } else { PATIENCE };
            let rest = Duration::from_secs(5);
            let upgrade = place.upgrade().ready_within(patience).rest_within(rest);
            let old = movers("old").upgradable(upgrade).start().unwrap();
            let mut client = Asker::new(address(&old));
            assert_eq!(client.ask(), "old");
            let new = NewProcess::connect(&place.path());
            new.steps(5);
            let Message::Parcels { parcels, sockets } = new.next() else { panic!() };
            assert_eq!((parcels.len(), sockets.len()), (1, 1));
            for message in says {
                message.send(&new.0).unwrap();
            }
            drop(sockets);
            if is_silent {
                // Until it is cut off, or would be the one that serves.
                while !matches!(Message::receive(&new.0), Ok(None | Some(Message::Commit)) | Err(_))
                {
                }
                if says.is_empty() {
                    assert!(Message::Have.send(&new.0).is_err(), "it is too late");
                }
            }
            drop(new);
            let case = format!("{says:?}, silent: {is_silent}");
            if goes_on {
                assert_eq!(client.ask(), "old", "{case}");
            } else {
                assert!(client.is_closed(), "{case}");
            }
            assert_eq!(who(address(&old)), "old", "{case}");
            old.drain().unwrap();
        }
    }
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

#[test]
fn u10_connections_that_move_stand_still_for_the_data() {
    let place = Place::new();
    let (sent, _events) = Text::new("a", "b");
    let old = movers("old").upgradable(place.upgrade().data(sent)).start().unwrap();
    let mut client = Asker::new(address(&old));
    assert_eq!(client.ask(), "old");
    let (received, events) = Text::new("", "");
    let new = movers("new").upgradable(place.upgrade().data(received)).start().unwrap();
    assert_eq!(events.try_iter().collect::<Vec<_>>(), ["1 bytes a", "last b"]);
    assert_eq!(client.ask(), "new");
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
    assert!(stranger.refusal().contains("versions 1 and 7"), "{}", VERSION);
    // It speaks nonsense.
    let stranger = NewProcess::connect(&place.path());
    stranger.0.send(99, b"GET / HTTP/1.1", &[]).unwrap();
    assert!(stranger.refusal().contains("no message"));
    let impatient = NewProcess::connect(&place.path());
    Message::Committed.send(&impatient.0).unwrap();
    assert!(impatient.refusal().contains("out of order"));
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

/// A script that plays the old process, and then dies or says why it goes on.
struct OldProcess {
    meeting: UnixListener,
    path: PathBuf,
}

impl OldProcess {
    const STEPS: usize = 5;

    /// Does the first steps of an upgrade.
    fn steps(self, steps: usize, listener: &std::net::TcpListener, refuses: bool) {
        let (stream, _) = self.meeting.accept().unwrap();
        let channel = FdChannel::new(stream);
        channel.set_patience(PATIENCE).unwrap();
        let receive = || Message::receive(&channel).unwrap().unwrap();
        let all: [&dyn Fn(); Self::STEPS] = [
            &|| assert!(matches!(receive(), Message::Hello { .. })),
            &|| {
                let data = false;
                let welcome = Message::Welcome { version: VERSION, process: 1, listeners: 1, data };
                welcome.send(&channel).unwrap();
            },
            &|| {
                let mut body = Vec::new();
                vec![("front".to_owned(), "127.0.0.1:0".to_owned())].pack(&mut body);
                channel.send(LISTENERS, &body, &[listener.as_fd()]).unwrap();
            },
            &|| assert!(matches!(receive(), Message::Ready)),
            &|| Message::Go.send(&channel).unwrap(),
        ];
        all[..steps].iter().for_each(|step| step());
        if refuses {
            Message::Refused { why: "I go on".to_owned() }.send(&channel).unwrap();
            // It lives until the other one has read that.
            let mut rest = Vec::new();
            while let Ok(Some(message)) = Message::receive(&channel) {
                rest.push(message);
            }
        } else {
            // A process that is killed closes all at once: what is later here may be seen as first there.
            let Self { meeting, path } = self;
            drop(meeting);
            std::fs::remove_file(path).unwrap();
        }
    }

    fn start(place: &Place) -> Self {
        let path = place.path();
        Self { meeting: UnixListener::bind(&path).unwrap(), path }
    }
}

#[test]
fn u8_if_the_old_process_dies_at_any_step_the_new_one_serves() {
    for steps in 0..=OldProcess::STEPS {
        let place = Place::new();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        let old = OldProcess::start(&place);
        let old = thread::spawn(move || {
            old.steps(steps, &listener, false);
            drop(listener);
        });
        let new = place.start("new").unwrap();
        old.join().unwrap();
        if steps >= 3 {
            assert_eq!(address(&new), at, "it has the listener of the old process");
        }
        assert_eq!(who(address(&new)), "new", "after {steps} steps");
        // It waits for the next one now.
        until("the socket is there", || place.path().exists());
        let third = place.start("third").unwrap();
        assert_eq!(who(address(&third)), "third");
        new.join().unwrap();
        third.drain().unwrap();
    }
}

#[test]
fn u8_if_the_old_process_goes_on_at_any_step_the_new_one_ends() {
    for steps in 1..=OldProcess::STEPS {
        let place = Place::new();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let copy = listener.try_clone().unwrap();
        let old = OldProcess::start(&place);
        let old = thread::spawn(move || old.steps(steps, &copy, true));
        match place.start("new") {
            Err(error) => {
                assert_eq!(error.to_string(), "the upgrade has failed: I go on");
                assert!(steps < OldProcess::STEPS);
            }
            // It has served already, so it drains.
            Ok(new) => {
                assert_eq!(steps, OldProcess::STEPS);
                new.join().unwrap();
            }
        }
        old.join().unwrap();
    }
}

/// Text that grows, and a copy of what was received.
struct Text {
    first: String,
    last: String,
    fails: bool,
    events: mpsc::Sender<String>,
}

impl Text {
    fn new(first: &str, last: &str) -> (Self, Receiver<String>) {
        let (events, received) = mpsc::channel();
        let text = Self { first: first.to_owned(), last: last.to_owned(), fails: false, events };
        (text, received)
    }
}

impl UpgradeData for Text {
    fn send(&mut self, to: &mut dyn Write) -> io::Result<()> {
        to.write_all(self.first.as_bytes())
    }

    fn send_last(&mut self, to: &mut dyn Write) -> io::Result<()> {
        if self.fails {
            return Err(io::Error::other("it is broken"));
        }
        to.write_all(self.last.as_bytes())
    }

    fn cancel(&mut self) {
        self.events.send("cancelled".to_owned()).unwrap();
    }

    fn receive(&mut self, from: &mut dyn Read) -> io::Result<()> {
        let mut text = String::new();
        from.read_to_string(&mut text)?;
        self.events.send(format!("{} bytes {}", text.len(), &text[..1])).unwrap();
        Ok(())
    }

    fn receive_last(&mut self, from: &mut dyn Read) -> io::Result<()> {
        let mut first = [0];
        from.read_exact(&mut first)?;
        // The rest is skipped.
        self.events.send(format!("last {}", char::from(first[0]))).unwrap();
        Ok(())
    }
}

#[test]
fn u10_data_arrives_in_two_parts_before_the_new_process_serves() {
    let place = Place::new();
    let (sent, _events) = Text::new(&"a".repeat(3_000_000), &"b".repeat(1_000_000));
    let old = pipeline("old").upgradable(place.upgrade().data(sent)).start().unwrap();
    let (received, events) = Text::new("", "");
    let new = pipeline("new").upgradable(place.upgrade().data(received)).start().unwrap();
    let events: Vec<_> = events.try_iter().collect();
    assert_eq!(events, ["3000000 bytes a", "last b"]);
    assert_eq!(who(address(&new)), "new");
    old.join().unwrap();
    new.drain().unwrap();
}

#[test]
fn u10_without_its_data_no_process_takes_over() {
    let place = Place::new();
    let (mut sent, events) = Text::new("a", "b");
    sent.fails = true;
    let old = pipeline("old").upgradable(place.upgrade().data(sent)).start().unwrap();
    let error = place.start("new").unwrap_err().to_string();
    assert!(error.contains("this one takes none"), "{error}");
    assert_eq!(events.recv_timeout(PATIENCE).unwrap(), "cancelled");
    let (received, _received) = Text::new("", "");
    let take = place.upgrade().data(received);
    let error = pipeline("new").upgradable(take).start().unwrap_err().to_string();
    assert!(error.contains("it is broken"), "{error}");
    assert_eq!(events.recv_timeout(PATIENCE).unwrap(), "cancelled");
    assert_eq!(who(address(&old)), "old");
    old.drain().unwrap();
}

#[test]
fn u10_a_connection_that_cannot_come_to_rest_keeps_the_data_where_it_is() {
    let place = Place::new();
    let (sent, events) = Text::new("a", "b");
    let upgrade = place.upgrade().still_within(Duration::from_millis(20)).data(sent);
    let old = pipeline("old").upgradable(upgrade).start().unwrap();
    // Its machine does not move, so that it would be served with the data of the old process.
    let mut client = Asker::new(address(&old));
    assert_eq!(client.ask(), "old");
    let (received, _received) = Text::new("", "");
    let take = place.upgrade().data(received);
    let error = pipeline("new").upgradable(take).start().unwrap_err().to_string();
    assert!(error.contains("1 connections or jobs did not come to rest"), "{error}");
    assert_eq!(events.recv_timeout(PATIENCE).unwrap(), "cancelled");
    assert_eq!((client.ask().as_str(), who(address(&old)).as_str()), ("old", "old"));
    old.drain().unwrap();
}
