//! Messages posted to a connection.

use super::*;

/// A member of a room, to which tests post messages.
#[state_machine(start = Joining, eof => Left, message = Arc<str>)]
enum Room {
    #[run]
    #[to(Listening)]
    Joining,
    #[message(within = never)]
    #[to(Listening | Left)]
    #[rest]
    Listening,
    #[end]
    Left,
}

struct RoomHandler {
    members: Arc<Mutex<Vec<Key>>>,
}

impl room::Handler for RoomHandler {
    fn joining(&mut self, cx: &mut Cx<'_, Arc<str>>) -> room::AfterJoining {
        self.members.lock().unwrap().push(cx.key());
        cx.write(b"*");
        room::AfterJoining::Listening
    }

    fn listening(&mut self, text: Arc<str>, cx: &mut Cx<'_, Arc<str>>) -> room::AfterListening {
        cx.write(text.as_bytes());
        if &*text == "bye" { room::AfterListening::Left } else { room::AfterListening::Listening }
    }
}

#[test]
fn r6_a_message_completes_a_wait_and_a_post_after_the_end_fails() {
    let mut peer = Session::<Room, _>::new(RoomHandler { members: Arc::default() });
    peer.post("one ".into()).unwrap();
    peer.post("two ".into()).unwrap();
    assert_eq!(peer.receive(), b"*one two ");
    peer.post("bye".into()).unwrap();
    assert_eq!(peer.ended(), Some(Ended::Done));
    let error = peer.post("anyone?".into()).unwrap_err();
    assert!(matches!(error, TrySendError::Gone(text) if &*text == "anyone?"));
}

#[test]
fn l2_a_peer_that_leaves_is_noticed_by_a_state_that_does_not_read() {
    let mut peer = Session::<Room, _>::new(RoomHandler { members: Arc::default() });
    assert_eq!(peer.state(), Some("Listening"));
    peer.end();
    assert_eq!(peer.ended(), Some(Ended::Done));

    let mut peer = Session::<Room, _>::new(RoomHandler { members: Arc::default() });
    peer.reset();
    assert_eq!(peer.ended(), Some(Ended::Reset));

    let members = Arc::<Mutex<Vec<Key>>>::default();
    let (running, address) = start(
        Pool::builder::<Room>("room")
            .listen("127.0.0.1:0")
            .handler(move |_| RoomHandler { members: Arc::clone(&members) }),
    );
    let mut streams: Vec<_> = (0..3).map(|_| TcpStream::connect(address).unwrap()).collect();
    for stream in &mut streams {
        stream.read_exact(&mut [0]).unwrap();
    }
    // Two close, and one resets the connection.
    socket2::SockRef::from(&streams[2]).set_linger(Some(Duration::ZERO)).unwrap();
    drop(streams);
    let end = Instant::now() + Duration::from_secs(20);
    while running.stats().open > 0 {
        assert!(Instant::now() < end, "{:?}", running.stats());
        thread::yield_now();
    }
    assert_eq!((running.stats().done, running.stats().reset), (2, 1));
}

/// Takes messages and writes nothing.
#[state_machine(start = Quiet, eof => Left, message = u8)]
enum Sink {
    #[message(within = never)]
    #[to(Quiet | Left)]
    #[rest]
    Quiet,
    #[end]
    Left,
}

struct SinkHandler;

impl sink::Handler for SinkHandler {
    fn quiet(&mut self, message: u8, _cx: &mut Cx<'_, u8>) -> sink::AfterQuiet {
        if message == 0 { sink::AfterQuiet::Left } else { sink::AfterQuiet::Quiet }
    }
}

#[test]
fn r6_many_messages_without_output_are_no_busy_loop() {
    let keys = Arc::<Mutex<Vec<Key>>>::default();
    let builder = Pool::builder::<Room>("room").listen("127.0.0.1:0").mailbox(5_000);
    let handle = builder.handle();
    let members = Arc::clone(&keys);
    let (running, address) =
        start(builder.handler(move |_| RoomHandler { members: Arc::clone(&members) }));
    let mut stream = TcpStream::connect(address).unwrap();
    stream.read_exact(&mut [0]).unwrap();
    let key = keys.lock().unwrap()[0];
    // With an empty text the handler runs and writes nothing.
    for _ in 0..5_000 {
        while handle.post(key, "".into()).is_err() {
            thread::yield_now();
        }
    }
    while handle.post(key, "bye".into()).is_err() {
        thread::yield_now();
    }
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "bye");
    assert_eq!(running.drain().unwrap().done, 1);

    let mut peer = Session::<Sink, _>::new(SinkHandler);
    for _ in 0..3_000 {
        peer.post(1).unwrap();
    }
    peer.post(0).unwrap();
    assert_eq!(peer.ended(), Some(Ended::Done));
}

#[test]
fn pitfall_11_posts_from_many_threads_all_arrive_or_come_back() {
    let members = Arc::<Mutex<Vec<Key>>>::default();
    let builder = Pool::builder::<Room>("room").listen("127.0.0.1:0").mailbox(8);
    let handle = builder.handle();
    let joining = Arc::clone(&members);
    let (running, address) =
        start(builder.handler(move |_| RoomHandler { members: Arc::clone(&joining) }));
    let mut streams: Vec<_> = (0..20).map(|_| TcpStream::connect(address).unwrap()).collect();
    for stream in &mut streams {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.read_exact(&mut [0]).unwrap();
    }
    let members = members.lock().unwrap().clone();
    let posters: Vec<_> = (0..4)
        .map(|_| {
            let (handle, members) = (handle.clone(), members.clone());
            thread::spawn(move || {
                for _ in 0..2_000 {
                    for member in &members {
                        let mut text: Arc<str> = "x".into();
                        while let Err(error) = handle.post(*member, text) {
                            assert!(matches!(error, TrySendError::Full(_)));
                            text = error.into_inner();
                            thread::yield_now();
                        }
                    }
                }
            })
        })
        .collect();
    for stream in &mut streams {
        let mut received = vec![0; 8_000];
        stream.read_exact(&mut received).unwrap();
        assert!(received.iter().all(|byte| *byte == b'x'));
    }
    for poster in posters {
        poster.join().unwrap();
    }
    assert_eq!(running.drain().unwrap().drained, 20);
    assert!(matches!(handle.post(members[0], "late".into()), Err(TrySendError::Gone(_))));
}
