//! The data that a connection takes along.

use super::*;
use crate::moves::packed_connection::{Left, TimerLeft};

/// The milliseconds that are left of the timers that run.
fn running<'a>(timers: impl Iterator<Item = &'a mut TimerLeft>) -> Vec<&'a mut u64> {
    let left = timers.filter_map(|timer| match &mut timer.left {
        Left::Runs(left) => Some(left),
        Left::Unarmed | Left::Paused(_) => None,
    });
    left.collect()
}

#[test]
fn u3_a_connection_goes_on_in_its_state_with_all_its_data() {
    let (old, new) = (Process::new(), Process::new());
    let mut client = old.client();
    assert_eq!(client.ask("hello"), "1 hello");
    assert_eq!(client.ask("name"), "2 name");
    let departures = old.departures();
    new.take(next(&departures)).unwrap();
    assert_eq!(client.ask("x"), "Ada [1, 2, 3] 3 x");
    assert_eq!(client.ask("back"), "Ada [1, 2, 3] 4 back");
    assert_eq!(client.ask("again"), "5 again");
    assert_eq!((old.stats().accepted, old.stats().moved, old.stats().open), (1, 1, 0));
    assert_eq!((new.stats().accepted, new.stats().open), (1, 1));
    let both: Stats = [old.stats(), new.stats()].into_iter().sum();
    assert_eq!(both.accepted - both.moved, 1, "each connection is counted once");
    drop(client);
    until(|| new.stats().done == 1);
}

#[test]
fn u3_a_part_of_a_message_moves_along() {
    let (old, new) = (Process::new(), Process::new());
    let mut client = old.client();
    assert_eq!(client.ask("hello"), "1 hello");
    client.say("two li");
    until(|| unread(&old) == 6);
    let departures = old.departures();
    let departure = next(&departures);
    assert_eq!(departure.packed.unread, b"two li");
    new.take(departure).unwrap();
    client.say("nes\nthree");
    assert_eq!(client.hear(), "2 two lines");
    assert_eq!(client.ask(""), "3 three");
}

#[test]
fn u3_bytes_that_arrive_on_the_way_are_not_lost() {
    let (old, new) = (Process::new(), Process::new());
    let mut client = old.client();
    assert_eq!(client.ask("hello"), "1 hello");
    let departures = old.departures();
    let departure = next(&departures);
    client.say("on the way\nand m");
    new.take(departure).unwrap();
    client.say("ore\n");
    assert_eq!([client.hear(), client.hear()], ["2 on the way", "3 and more"]);
}

#[test]
fn u3_output_that_the_peer_has_not_taken_moves_along() {
    let (old, new) = (Process::new(), Process::new());
    let mut client = old.client();
    let mut asked = 0;
    // More than the buffers of both sockets hold.
    while old.handle.snapshot(Duration::from_secs(10)).tasks.first().is_none_or(|it| it.unsent == 0)
    {
        client.say("much\n");
        asked += 1;
        until(|| old.handle.snapshot(Duration::from_secs(10)).tasks.len() == 1);
    }
    let departures = old.departures();
    let departure = next(&departures);
    assert!(!departure.packed.unsent.is_empty());
    assert!(departure.packed.send_left.is_some());
    new.take(departure).unwrap();
    client.say("end\n");
    for number in 1..=asked {
        assert_eq!(client.hear(), format!("{number} much"));
        for _ in 0..20_000 {
            assert_eq!(client.hear(), "a line of forty bytes, with its newline");
        }
    }
    assert_eq!(client.hear(), format!("{} end", asked + 1));
}

#[test]
fn u3_a_deadline_has_the_time_left_that_it_had() {
    let (old, new) = (Process::new(), Process::new());
    let mut client = old.client();
    assert_eq!(client.ask("name"), "1 name");
    let departures = old.departures();
    let mut departure = next(&departures);
    let timers = departure.packed.timers.iter_mut();
    let [left] = running(timers).try_into().unwrap();
    assert!((3_500_000..=3_600_000).contains(left), "{left} ms of an hour");
    *left = 1;
    let taken = Instant::now();
    new.take(departure).unwrap();
    assert_eq!(client.hear(), "late");
    assert!(taken.elapsed() < Duration::from_secs(30));
}

#[test]
fn u3_the_time_of_a_message_that_has_begun_goes_on() {
    let (old, new) = (Process::new(), Process::new());
    let mut client = old.client();
    client.say("hel");
    until(|| unread(&old) == 3);
    let departures = old.departures();
    let mut departure = next(&departures);
    // `begun` runs, and `idle` stands still meanwhile.
    let [begun] = running(departure.packed.timers.iter_mut()).try_into().unwrap();
    *begun = 1;
    new.take(departure).unwrap();
    assert_eq!(client.hear(), "late");
}

#[test]
fn u3_the_end_of_the_peer_s_stream_moves_along() {
    let (old, new) = (Process::new(), Process::new());
    let mut client = old.client();
    assert_eq!(client.ask("deaf"), "1 deaf");
    client.say("last words\n");
    client.stream.shutdown(std::net::Shutdown::Write).unwrap();
    until(|| unread(&old) == 11);
    let departures = old.departures();
    new.take(next(&departures)).unwrap();
    until(|| !new.keys.lock().unwrap().is_empty());
    new.handle.post(new.last_key(), "listen".to_owned()).unwrap();
    assert_eq!([client.hear(), client.hear()], ["listen", "2 last words"]);
    let mut rest = Vec::new();
    client.reader.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"");
    assert_eq!(new.running.drain().unwrap().done, 1);
}

#[test]
fn u3_the_handler_learns_its_new_key_and_the_old_one_finds_nobody() {
    let (old, new) = (Process::new(), Process::new());
    let mut client = old.client();
    assert_eq!(client.ask("key"), "1 key");
    let departures = old.departures();
    new.take(next(&departures)).unwrap();
    until(|| !new.keys.lock().unwrap().is_empty());
    let gone = old.handle.post(old.last_key(), "nobody hears it".to_owned());
    assert!(matches!(gone, Err(TrySendError::Gone(_))));
    new.handle.post(new.last_key(), "news".to_owned()).unwrap();
    assert_eq!(client.hear(), "news");
}

#[test]
fn u3_a_connection_that_is_at_work_moves_when_it_comes_to_rest() {
    let (old, new) = (Process::new(), Process::new());
    let mut client = old.client();
    assert_eq!(client.ask("work"), "1 work");
    let departures = old.departures();
    // It has had the turn of the walk when the next connection has moved.
    let mut other = old.client();
    new.take(next(&departures)).unwrap();
    assert_eq!(other.ask("here"), "1 here");
    assert!(matches!(departures.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::Timeout)));
    client.say("done\n");
    new.take(next(&departures)).unwrap();
    assert_eq!(client.hear(), "2 done");
    assert_eq!(client.ask("more"), "3 more");
    assert_eq!(new.stats().open, 2);
}

#[test]
fn u3_a_snapshot_shows_the_connection_in_its_new_place() {
    let (old, new) = (Process::new(), Process::new());
    let mut client = old.client();
    assert_eq!(client.ask("name"), "1 name");
    let departures = old.departures();
    new.take(next(&departures)).unwrap();
    let second = Duration::from_secs(10);
    until(|| new.handle.snapshot(second).count("Named") == 1);
    let snapshot = new.handle.snapshot(second);
    assert!(snapshot.tasks[0].age.is_some(), "its deadline tells since when");
    assert_eq!(old.handle.snapshot(second).count("Named"), 0);
}
