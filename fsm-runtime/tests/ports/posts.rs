use std::collections::BTreeMap;

use super::*;

const POSTERS: u32 = 4;
const MESSAGES: u32 = 2_000;

/// Tells its peer what is posted to it.
#[state_machine(start = Hello, message = (u32, u32), eof => Gone)]
enum News {
    #[run]
    #[to(Waiting)]
    Hello,
    #[message(within = never)]
    #[to(Waiting)]
    #[rest]
    Waiting,
    #[end]
    Gone,
}

struct Reader {
    keys: mpsc::Sender<Key>,
    door: Arc<Door>,
}

impl news::Handler for Reader {
    fn hello(&mut self, cx: &mut Cx<'_, (u32, u32)>) -> news::AfterHello {
        self.keys.send(cx.key()).unwrap();
        self.door.pass();
        news::AfterHello::Waiting
    }

    fn waiting(
        &mut self,
        (poster, number): (u32, u32),
        cx: &mut Cx<'_, (u32, u32)>,
    ) -> news::AfterWaiting {
        writeln!(cx, "{poster} {number}");
        news::AfterWaiting::Waiting
    }
}

fn news(pool: Builder<News>, door: &Arc<Door>) -> (Running, mpsc::Receiver<Key>) {
    let (keys, opened) = mpsc::channel();
    let door = Arc::clone(door);
    let make = move |_| Reader { keys: keys.clone(), door: Arc::clone(&door) };
    (pool.listen("127.0.0.1:0").handler(make).start().unwrap(), opened)
}

#[test]
fn r6_each_message_comes_once_and_those_of_one_poster_in_their_order() {
    let door = Arc::<Door>::default();
    door.open();
    let pool = Pool::builder::<News>("news").shards(2).threads(2).max_running(2).mailbox(16);
    let handle = pool.handle();
    let (running, keys) = news(pool, &door);
    let peers = Peer::many(&running, 8);
    let keys: Vec<Key> = peers.iter().map(|_| keys.recv().unwrap()).collect();
    let readers: Vec<_> = peers
        .into_iter()
        .map(|mut peer| {
            thread::spawn(move || {
                let mut next: BTreeMap<u32, u32> = (0..POSTERS).map(|n| (n, 0)).collect();
                for _ in 0..POSTERS * MESSAGES {
                    let line = peer.hear();
                    let (poster, number) = line.split_once(' ').unwrap();
                    let next = next.get_mut(&poster.parse().unwrap()).unwrap();
                    assert_eq!(number.parse(), Ok(*next), "poster {poster}");
                    *next += 1;
                }
            })
        })
        .collect();
    let posters: Vec<_> = (0..POSTERS)
        .map(|poster| {
            let (handle, keys) = (handle.clone(), keys.clone());
            thread::spawn(move || {
                for number in 0..MESSAGES {
                    for key in &keys {
                        let mut message = (poster, number);
                        while let Err(error) = handle.post(*key, message) {
                            assert!(matches!(error, TrySendError::Full(_)));
                            message = error.into_inner();
                            thread::yield_now();
                        }
                    }
                }
            })
        })
        .collect();
    for thread in posters.into_iter().chain(readers) {
        thread.join().unwrap();
    }
    running.drain().unwrap();
}

#[test]
fn r6_who_posts_learns_that_a_mailbox_is_full_or_gone() {
    let door = Arc::<Door>::default();
    let pool = Pool::builder::<News>("full").shards(2).threads(3).max_running(3).mailbox(2);
    let handle = pool.handle();
    let (running, keys) = news(pool, &door);
    // One on each port, whose handlers are held up.
    let mut peers = Peer::many(&running, 2);
    let keys: Vec<Key> = peers.iter().map(|_| keys.recv().unwrap()).collect();
    for key in &keys {
        assert_eq!(handle.post(*key, (0, 0)), Ok(()));
        assert_eq!(handle.post(*key, (0, 1)), Ok(()));
        assert_eq!(handle.post(*key, (0, 2)), Err(TrySendError::Full((0, 2))));
    }
    door.open();
    for peer in &mut peers {
        assert_eq!((peer.hear(), peer.hear()), ("0 0".to_owned(), "0 1".to_owned()));
    }
    for key in &keys {
        assert_eq!(handle.post(*key, (0, 3)), Ok(()));
    }
    for peer in &mut peers {
        assert_eq!(peer.hear(), "0 3");
    }
    drop(peers);
    while running.stats().open > 0 {
        thread::yield_now();
    }
    for key in &keys {
        // It is told that it has ended before its mailbox is closed.
        while handle.post(*key, (0, 4)) != Err(TrySendError::Gone((0, 4))) {
            thread::yield_now();
        }
    }
}
