//! The listeners that the old process keeps, and those that pass to the new one.

use super::*;

/// The address of a pool that listens at a Unix socket in the folder.
fn unix(place: &Place) -> (PathBuf, String) {
    let path = place.0.path().join("front.sock");
    let listen = format!("unix:{}", path.display());
    (path, listen)
}

fn who_is_at(path: &Path) -> String {
    let mut client = UnixStream::connect(path).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.write_all(b"?\n").unwrap();
    let mut line = String::new();
    BufReader::new(client).read_line(&mut line).unwrap();
    line
}

#[test]
fn u6_the_file_of_a_unix_socket_is_the_old_process_s_until_it_has_committed() {
    let place = Place::new();
    let (path, listen) = unix(&place);
    let front = |name| {
        let pool = Pool::builder::<Name>("front").listen(&listen);
        pool.handler(move |_peer| Client(name))
    };
    let upgrade = || place.upgrade().still_within(Duration::from_millis(1));
    let (sent, _events) = Text::new("a", "b");
    let old = Pipeline::new().pool(front("old")).upgradable(upgrade().data(sent)).start().unwrap();
    // One whose machine does not move, so that the pools do not stand still.
    let mut open = UnixStream::connect(&path).unwrap();
    open.set_read_timeout(Some(PATIENCE)).unwrap();
    open.write_all(b"?\n").unwrap();
    open.read_exact(&mut [0; 6]).unwrap();
    let (received, _events) = Text::new("", "");
    let new = Pipeline::new().pool(front("new")).upgradable(upgrade().data(received)).start();
    assert!(new.unwrap_err().to_string().contains("did not come to rest"));
    assert_eq!(who_is_at(&path), "old ?\n");
    // One that fails to bind another address has inherited the file, too.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let other = Pool::builder::<Name>("other").listen(taken.local_addr().unwrap().to_string());
    let (received, _events) = Text::new("", "");
    let new = Pipeline::new().pool(front("new")).pool(other.handler(|_peer| Client("other")));
    assert!(new.upgradable(upgrade().data(received)).start().is_err());
    assert_eq!(who_is_at(&path), "old ?\n");
    drop(open);
    old.drain().unwrap();
    assert!(!path.exists());
}

#[test]
fn u6_a_new_process_that_drains_for_the_old_one_leaves_its_file() {
    let place = Place::new();
    let (path, listen) = unix(&place);
    let (front, OldProcess { meeting, .. }) =
        (UnixListener::bind(&path).unwrap(), OldProcess::start(&place));
    let text = listen.clone();
    let old = thread::spawn(move || {
        let channel = FdChannel::new(meeting.accept().unwrap().0);
        channel.set_patience(PATIENCE).unwrap();
        let receive = || Message::receive(&channel).unwrap().unwrap();
        assert!(matches!(receive(), Message::Hello { .. }));
        let welcome = Message::Welcome {
            version: VERSION,
            process: 1,
            listeners: 1,
            data: false,
            still: false,
        };
        welcome.send(&channel).unwrap();
        let mut body = Vec::new();
        vec![("front".to_owned(), text, 0_u32)].pack(&mut body);
        channel.send(LISTENERS, &body, &[front.as_fd()]).unwrap();
        assert!(matches!(receive(), Message::Ready));
        Message::Go.send(&channel).unwrap();
        Message::Refused { why: "I go on".to_owned() }.send(&channel).unwrap();
        // It listens until the other one has ended.
        while let Ok(Some(_)) = Message::receive(&channel) {}
        (meeting, front)
    });
    let pool = Pool::builder::<Name>("front").listen(&listen);
    let pool = pool.handler(move |_peer| Client("new"));
    let new = Pipeline::new().pool(pool).upgradable(place.upgrade()).start().unwrap();
    new.join().unwrap();
    let _listens = old.join().unwrap();
    assert!(UnixStream::connect(&path).is_ok(), "the old process listens there");
}

/// Waits until a listener has accepted all who have connected.
#[cfg(target_os = "linux")]
fn until_accepted(at: SocketAddr) {
    let port = format!(":{:04X}", at.port());
    until("the backlog is empty", || {
        let sockets = std::fs::read_to_string("/proc/net/tcp").unwrap();
        sockets.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).any(|fields| {
            fields[1].ends_with(&port) && fields[3] == "0A" && fields[4].ends_with(":00000000")
        })
    });
}

/// A full pool, its client, and a newcomer that it has accepted and has no place for.
#[cfg(target_os = "linux")]
fn full_pool(upgrade: Upgrade) -> (Running, Asker, Asker) {
    let pool = Pool::builder::<Mover>("front").listen("127.0.0.1:0");
    let pool = pool.max_connections(1).shed_at_rest().handler(|_peer| Client("old"));
    let old = Pipeline::new().pool(pool).upgradable(upgrade).start().unwrap();
    let mut client = Asker::new(address(&old));
    assert_eq!(client.ask(), "old");
    let newcomer = Asker::new(address(&old));
    until_accepted(address(&old));
    (old, client, newcomer)
}

/// Starts the new process. The client asks until that one answers, because a newcomer would take the place of one
/// that rests for a second.
#[cfg(target_os = "linux")]
fn upgraded_by(new: Pipeline, client: &mut Asker) -> Running {
    thread::scope(|scope| {
        let client = scope.spawn(|| while client.ask() != "new" {});
        let new = new.start().unwrap();
        client.join().unwrap();
        new
    })
}

#[test]
#[cfg(target_os = "linux")]
fn u6_a_newcomer_that_the_old_process_has_accepted_gets_its_place() {
    let place = Place::new();
    let (old, mut client, mut newcomer) = full_pool(place.upgrade());
    let new = upgraded_by(movers("new").upgradable(place.upgrade()), &mut client);
    // It moves, too, if it comes to rest before it has a turn.
    let served = newcomer.ask();
    assert!(["old", "new"].contains(&&*served), "{served}");
    let stats = old.join().unwrap();
    assert_eq!((stats.accepted, stats.shed), (2, 0));
    new.drain().unwrap();
}

#[test]
#[cfg(target_os = "linux")]
fn u10_nobody_gets_a_place_where_the_data_is_old() {
    let place = Place::new();
    let (sent, _events) = Text::new("a", "b");
    let (old, mut client, mut newcomer) = full_pool(place.upgrade().data(sent));
    let (received, _events) = Text::new("", "");
    let new = upgraded_by(movers("new").upgradable(place.upgrade().data(received)), &mut client);
    assert!(newcomer.is_closed());
    assert_eq!(old.join().unwrap().accepted, 1);
    new.drain().unwrap();
}

/// Sends much, and then waits until the peer has taken it.
#[state_machine(start = Line, moves, eof => Gone, limit => Gone)]
enum Sender {
    #[read(until = b"\n", max = 80, idle = 60s => Gone)]
    #[to(Line | Leaving | Lagging | Gone)]
    #[rest]
    Line,
    #[flush(within = 1h => Gone)]
    #[to(Gone)]
    Leaving,
    #[writable(below = 1KiB, within = 1h => Gone)]
    #[to(Line)]
    Lagging,
    #[end]
    Gone,
}

impl sender::Handler for Client {
    fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> sender::AfterLine {
        if line == b"?" {
            writeln!(cx, "{} ?", self.0);
            return sender::AfterLine::Line;
        }
        cx.write(&vec![b'x'; 1 << 24]);
        match line {
            b"leave" => sender::AfterLine::Leaving,
            b"lag" => sender::AfterLine::Lagging,
            _ => sender::AfterLine::Gone,
        }
    }

    fn leaving(&mut self, _: &mut Cx<'_>) -> sender::AfterLeaving {
        sender::AfterLeaving::Gone
    }

    fn lagging(&mut self, _: &mut Cx<'_>) -> sender::AfterLagging {
        sender::AfterLagging::Line
    }
}

#[test]
fn u10_a_peer_that_does_not_read_keeps_the_data_from_no_new_process() {
    let place = Place::new();
    let start = |name, upgrade: Upgrade| {
        let builder = Pool::builder::<Sender>("front").listen("127.0.0.1:0");
        let handle = builder.handle();
        let pipeline = Pipeline::new().pool(builder.handler(move |_peer| Client(name)));
        (pipeline.upgradable(upgrade.still_within(PATIENCE / 8)).start().unwrap(), handle)
    };
    let (sent, _events) = Text::new("a", "b");
    let (old, handle) = start("old", place.upgrade().data(sent));
    let [mut client, mut leaves, mut lags, mut ends] = [(); 4].map(|()| Asker::new(address(&old)));
    assert_eq!(client.ask(), "old");
    leaves.0.get_mut().write_all(b"leave\n").unwrap();
    lags.0.get_mut().write_all(b"lag\n").unwrap();
    ends.0.get_mut().write_all(b"end\n").unwrap();
    until("they have been sent what they do not read", || {
        let pool = handle.snapshot(PATIENCE);
        ["Leaving", "Lagging", "Gone"].iter().all(|state| pool.count(state) == 1)
    });
    let (received, _events) = Text::new("", "");
    let (new, _) = start("new", place.upgrade().data(received));
    assert_eq!(client.ask(), "new");
    let stats = old.join().unwrap();
    assert_eq!((stats.moved, stats.closed), (1, 3));
    drop((leaves, lags, ends));
    new.drain().unwrap();
}
