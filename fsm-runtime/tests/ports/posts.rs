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

/// Hears lines and messages, and answers each with a letter.
#[state_machine(start = Hello, message = (), eof => Gone, limit => Gone)]
enum Both {
    #[run]
    #[to(Hears)]
    Hello,
    #[read(until = b"\n", max = 80, idle = 60s => Gone)]
    #[message]
    #[to(Hears)]
    #[rest]
    Hears,
    #[end]
    Gone,
}

impl both::Handler for Reader {
    fn hello(&mut self, cx: &mut Cx<'_, ()>) -> both::AfterHello {
        self.keys.send(cx.key()).unwrap();
        self.latch.wait();
        both::AfterHello::Hears
    }

    fn hears(&mut self, _: &[u8], cx: &mut Cx<'_, ()>) -> both::AfterHears {
        cx.write(b"l");
        both::AfterHears::Hears
    }

    fn hears_message(&mut self, (): (), cx: &mut Cx<'_, ()>) -> both::AfterHears {
        cx.write(b"m");
        both::AfterHears::Hears
    }
}

#[test]
fn w2_floods_of_lines_and_of_messages_get_half_of_the_turns_each() {
    const FLOOD: usize = 5_000;
    let latch = Arc::<Latch>::default();
    let pool = Pool::builder::<Both>("both").listen("127.0.0.1:0").mailbox(FLOOD);
    let handle = pool.handle();
    let (keys, opened) = mpsc::channel();
    let make = {
        let latch = Arc::clone(&latch);
        move |_| Reader { keys: keys.clone(), latch: Arc::clone(&latch) }
    };
    let running = pool.handler(make).start().unwrap();
    let mut peer = Peer::new(&running);
    let key = opened.recv().unwrap();
    // Both floods are there before the first turn, so that neither ever runs dry before its end.
    peer.0.get_ref().write_all("line\n".repeat(FLOOD).as_bytes()).unwrap();
    while handle.post(key, ()) == Ok(()) {}
    latch.open();
    let mut answers = vec![0; 2 * FLOOD];
    peer.0.read_exact(&mut answers).unwrap();
    // In the first turn, of 1,024 calls at most, no poll has told the port of the input yet.
    for turns in answers[1_100..2 * FLOOD - 1_100].chunks(100) {
        let lines: usize = turns.iter().map(|letter| usize::from(*letter == b'l')).sum();
        assert!((40..=60).contains(&lines), "{lines} lines of 100 turns");
    }
    let messages: usize = answers.iter().map(|letter| usize::from(*letter == b'm')).sum();
    assert_eq!(messages, FLOOD);
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
