use std::collections::BTreeMap;

use super::*;

const POSTERS: u32 = 4;
const MESSAGES: u32 = 2_000;

/// Writes each message to its peer.
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
    latch: Arc<Latch>,
}

impl news::Handler for Reader {
    fn hello(&mut self, cx: &mut Cx<'_, (u32, u32)>) -> news::AfterHello {
        self.keys.send(cx.key()).unwrap();
        self.latch.wait();
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

fn news(pool: Builder<News>, latch: &Arc<Latch>) -> (Running, mpsc::Receiver<Key>) {
    let (keys, opened) = mpsc::channel();
    let latch = Arc::clone(latch);
    let make = move |_| Reader { keys: keys.clone(), latch: Arc::clone(&latch) };
    (pool.listen("127.0.0.1:0").handler(make).start().unwrap(), opened)
}

#[test]
fn r6_each_message_arrives_once_and_those_of_one_poster_in_order() {
    let latch = Arc::<Latch>::default();
    latch.open();
    let pool = Pool::builder::<News>("news").shards(2).threads(2).max_running(2).mailbox(16);
    let handle = pool.handle();
    let (running, keys) = news(pool, &latch);
    let peers = Peer::many(&running, 8);
    let keys: Vec<Key> = peers.iter().map(|_| keys.recv().unwrap()).collect();
    let readers: Vec<_> = peers
        .into_iter()
        .map(|mut peer| {
            thread::spawn(move || {
                let mut next: BTreeMap<u32, u32> = (0..POSTERS).map(|n| (n, 0)).collect();
                for _ in 0..POSTERS * MESSAGES {
                    let line = peer.receive();
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
fn r6_a_post_to_a_full_or_closed_mailbox_fails() {
    let latch = Arc::<Latch>::default();
    let pool = Pool::builder::<News>("full").shards(2).threads(3).max_running(3).mailbox(2);
    let handle = pool.handle();
    let (running, keys) = news(pool, &latch);
    // One connection on each port, whose handlers are held up.
    let mut peers = Peer::many(&running, 2);
    let keys: Vec<Key> = peers.iter().map(|_| keys.recv().unwrap()).collect();
    for key in &keys {
        assert_eq!(handle.post(*key, (0, 0)), Ok(()));
        assert_eq!(handle.post(*key, (0, 1)), Ok(()));
        assert_eq!(handle.post(*key, (0, 2)), Err(TrySendError::Full((0, 2))));
    }
    latch.open();
    for peer in &mut peers {
        assert_eq!((peer.receive(), peer.receive()), ("0 0".to_owned(), "0 1".to_owned()));
    }
    for key in &keys {
        assert_eq!(handle.post(*key, (0, 3)), Ok(()));
    }
    for peer in &mut peers {
        assert_eq!(peer.receive(), "0 3");
    }
    drop(peers);
    while running.stats().open > 0 {
        thread::yield_now();
    }
    for key in &keys {
        // The count of open connections drops before the mailbox is closed.
        while handle.post(*key, (0, 4)) != Err(TrySendError::Gone((0, 4))) {
            thread::yield_now();
        }
    }
}
