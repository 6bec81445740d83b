//! Many connections that move while their clients talk.

use std::thread;

use super::*;

/// The clients of a thread.
const CLIENTS: usize = 250;
const THREADS: usize = 4;

/// Each client sends lines, some of them in two pieces, and looks at each answer, until all have moved.
fn talks(mut clients: Vec<Client>, has_moved: &dyn Fn() -> bool) {
    let (mut sent, mut round) = (vec![VecDeque::new(); clients.len()], 0_u64);
    let (begun, mut last) = (Instant::now(), 3);
    while last > 0 {
        assert!(begun.elapsed() < Duration::from_secs(40), "they do not move");
        last -= u64::from(has_moved());
        round += 1;
        for (number, (client, sent)) in clients.iter_mut().zip(&mut sent).enumerate() {
            let line = format!("client {number} round {round}");
            let (first, second) = line.split_at(number % line.len());
            client.say(first);
            client.say(&format!("{second}\n"));
            sent.push_back(format!("{round} {line}"));
        }
        for (client, sent) in clients.iter_mut().zip(&mut sent) {
            assert_eq!(client.hear(), sent.pop_front().unwrap());
        }
    }
    for client in clients {
        client.stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut rest = Vec::new();
        { client.reader }.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"", "no byte comes twice");
    }
}

fn under_load(builder: fn() -> Builder<Desk>) {
    let all = u64::try_from(CLIENTS * THREADS).unwrap();
    let (old, new) = (Process::of(builder()), Process::of(builder()));
    let (old, new) = (&old, &new);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            let clients: Vec<_> = (0..CLIENTS).map(|_| old.client()).collect();
            scope.spawn(move || talks(clients, &|| old.stats().moved == all));
        }
        until(|| old.stats().accepted == all);
        let departures = old.departures();
        for number in 0..all {
            let departure = next(&departures);
            // Each fifth one is refused at first, and asked again.
            if number % 5 == 0 {
                drop(departure);
            } else {
                new.take(departure).unwrap();
            }
        }
        let departures = old.departures();
        for _ in 0..all / 5 {
            new.take(next(&departures)).unwrap();
        }
    });
    until(|| new.stats().open == 0);
    let (old, new) = (old.stats(), new.stats());
    assert_eq!((old.accepted, old.moved, old.ended()), (all, all, all));
    assert_eq!((new.accepted, new.done, new.ended()), (all, all, all));
}

#[test]
fn u3_a_thousand_clients_lose_no_byte() {
    under_load(|| Pool::builder("desk"));
}

#[test]
fn u3_a_thousand_clients_lose_no_byte_on_two_shards() {
    under_load(|| Pool::builder("desk").shards(2));
}

#[test]
fn u3_a_thousand_clients_lose_no_byte_on_a_port_of_several_threads() {
    under_load(|| Pool::builder("desk").threads(4).max_running(2));
}
