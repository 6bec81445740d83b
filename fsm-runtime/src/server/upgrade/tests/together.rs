//! Connections that move together, because they post to each other (U14).

use std::net::Shutdown;

use super::*;
use crate::Key;

#[state_machine(start = Arriving, moves, message = String, eof => Gone, limit => Gone)]
enum Talker {
    #[run]
    #[to(Line)]
    Arriving,
    #[read(until = b"\n", max = 80, idle = 60s => Gone)]
    #[message]
    #[to(Line)]
    #[rest]
    Line,
    #[end]
    Gone,
}

type Keys = Arc<Mutex<Vec<Key>>>;

/// Posts each line to all.
struct Talks {
    keys: Keys,
    pool: Handle<Talker>,
}

impl talker::Handler for Talks {
    fn arriving(&mut self, cx: &mut Cx<'_, String>) -> talker::AfterArriving {
        self.keys.lock().unwrap().push(cx.key());
        talker::AfterArriving::Line
    }

    fn line(&mut self, line: &[u8], _: &mut Cx<'_, String>) -> talker::AfterLine {
        for key in &*self.keys.lock().unwrap() {
            let _ = self.pool.post(*key, String::from_utf8_lossy(line).into_owned());
        }
        talker::AfterLine::Line
    }

    fn line_message(&mut self, text: String, cx: &mut Cx<'_, String>) -> talker::AfterLine {
        writeln!(cx, "{text}");
        talker::AfterLine::Line
    }
}

impl MovesHandler for Talks {
    fn pack(&self, _: &mut Vec<u8>) {}

    fn unpack(&mut self, _: &mut &[u8]) -> Option<()> {
        Some(())
    }

    fn moved(&mut self, key: Key) {
        self.keys.lock().unwrap().push(key);
    }
}

fn talkers(threads: usize) -> (Pool, Handle<Talker>, Keys) {
    let keys = Keys::default();
    let pool = Pool::builder::<Talker>("front").listen("127.0.0.1:0").threads(threads);
    let handle = pool.handle();
    let (its_keys, its_handle) = (Arc::clone(&keys), handle.clone());
    let make = move |_peer| Talks { keys: Arc::clone(&its_keys), pool: its_handle.clone() };
    (pool.handler(make), handle, keys)
}

#[test]
fn u14_while_all_stand_still_messages_are_taken_and_input_waits() {
    for threads in [1, 2] {
        let (pool, handle, keys) = talkers(threads);
        let state = Arc::clone(&pool.state);
        let running = Pipeline::new().pool(pool).start().unwrap();
        let mut client = BufReader::new(TcpStream::connect(address(&running)).unwrap());
        client.get_ref().set_read_timeout(Some(PATIENCE)).unwrap();
        let next = |client: &mut BufReader<TcpStream>| {
            let mut line = String::new();
            client.read_line(&mut line).unwrap();
            line
        };
        client.get_mut().write_all(b"first\n").unwrap();
        assert_eq!(next(&mut client), "first\n");
        state.stand_still();
        client.get_mut().write_all(b"third\nfou").unwrap();
        let until = Instant::now() + PATIENCE;
        let key = keys.lock().unwrap()[0];
        handle.post(key, "second".to_owned()).unwrap();
        assert_eq!(next(&mut client), "second\n");
        while state.count_still(until) < 1 {
            assert!(Instant::now() < until);
        }
        state.go_on();
        assert_eq!(next(&mut client), "third\n");
        client.get_mut().write_all(b"rth\n").unwrap();
        assert_eq!(next(&mut client), "fourth\n");
        drop(client);
        running.drain().unwrap();
    }
}

/// Each line reaches all, whichever process it comes to and wherever they are.
#[test]
fn u14_what_connections_post_to_each_other_reaches_all_while_they_move() {
    const CLIENTS: usize = 20;
    let place = Place::new();
    let start = || {
        let (pool, _, _) = talkers(2);
        Pipeline::new().pool(pool).upgradable(place.upgrade().together()).start().unwrap()
    };
    let mut running = start();
    let (told, heard) = mpsc::channel();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let socket = TcpStream::connect(address(&running)).unwrap();
            socket.set_read_timeout(Some(PATIENCE)).unwrap();
            socket
        })
        .collect();
    until("all have come", || running.stats().accepted == CLIENTS as u64);
    let listeners: Vec<_> = clients
        .iter()
        .map(|socket| {
            let (lines, told) = (BufReader::new(socket.try_clone().unwrap()).lines(), told.clone());
            thread::spawn(move || {
                let mut next = [0_u32; CLIENTS];
                for line in lines {
                    let line = line.expect("no line is lost");
                    let (client, number) = line.split_once(' ').unwrap();
                    let next = &mut next[client.parse::<usize>().unwrap()];
                    assert_eq!(number.parse(), Ok(*next), "of {client}");
                    *next += 1;
                    let _ = told.send(());
                }
                next
            })
        })
        .collect();
    let (stop, stopped) = mpsc::channel::<()>();
    let speaker = thread::spawn(move || {
        let hear = || (0..CLIENTS * CLIENTS).for_each(|_| heard.recv_timeout(PATIENCE).unwrap());
        let mut said = 0;
        while stopped.try_recv() != Err(mpsc::TryRecvError::Disconnected) {
            for (client, mut socket) in clients.iter().enumerate() {
                socket.write_all(format!("{client} {said}\n").as_bytes()).unwrap();
            }
            said += 1;
            if said > 1 {
                hear();
            }
        }
        hear();
        for socket in &clients {
            socket.shutdown(Shutdown::Write).unwrap();
        }
        said
    });
    for _ in 0..3 {
        let new = start();
        let stats = running.join().unwrap();
        assert_eq!((stats.moved, stats.ended()), (CLIENTS as u64, CLIENTS as u64));
        place.until_met();
        running = new;
    }
    drop(stop);
    let said = speaker.join().unwrap();
    for listener in listeners {
        assert_eq!(listener.join().unwrap(), [said; CLIENTS]);
    }
    running.drain().unwrap();
}

#[test]
fn u6_two_addresses_of_the_same_text_keep_their_order() {
    let place = Place::new();
    let start = || {
        let pool = Pool::builder::<Name>("front").listen("127.0.0.1:0").listen("127.0.0.1:0");
        let pool = pool.handler(|_peer| Client("one"));
        Pipeline::new().pool(pool).upgradable(place.upgrade()).start().unwrap()
    };
    let old = start();
    let new = start();
    assert_eq!(new.addresses(), old.addresses());
    old.join().unwrap();
    new.drain().unwrap();
}
