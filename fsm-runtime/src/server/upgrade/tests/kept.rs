//! What the old process keeps when an upgrade fails.

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
        let welcome = Message::Welcome { version: VERSION, process: 1, listeners: 1, data: false };
        welcome.send(&channel).unwrap();
        let mut body = Vec::new();
        vec![("front".to_owned(), text)].pack(&mut body);
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
