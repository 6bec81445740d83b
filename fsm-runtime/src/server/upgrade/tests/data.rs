//! The data of the application, and what becomes of both processes and their connections with it (U10).

use super::*;

/// An old process with data, one client of it, and a script that has taken the data and is to commit.
fn until_commit(place: &Place, upgrade: Upgrade) -> (Running, Asker, NewProcess) {
    let old = movers("old").upgradable(upgrade).start().unwrap();
    let mut client = Asker::new(address(&old));
    assert_eq!(client.ask(), "old");
    let new = NewProcess::connect(&place.path());
    new.hello();
    assert!(matches!(new.next(), Message::Welcome { data: true, .. }));
    assert!(matches!(new.next(), Message::Listeners { .. }));
    for part in ["a", "b"] {
        if part == "b" {
            Message::Ready.send(&new.0).unwrap();
        }
        let Message::Data { bytes } = new.next() else { panic!() };
        assert_eq!(bytes, part.as_bytes());
        assert!(matches!(new.next(), Message::DataEnd));
    }
    assert!(matches!(new.next(), Message::Commit), "and not `Go`");
    (old, client, new)
}

#[test]
fn u10_a_process_with_the_data_serves_only_when_the_old_one_will_not_go_on() {
    let place = Place::new();
    let (sent, events) = Text::new("a", "b");
    let (old, mut client, new) = until_commit(&place, place.upgrade().data(sent));
    // It has not served.
    drop(new);
    assert_eq!(events.recv_timeout(PATIENCE).unwrap(), "cancelled");
    assert_eq!((client.ask().as_str(), who(address(&old)).as_str()), ("old", "old"));
    old.drain().unwrap();
}

#[test]
fn u10_connections_end_with_the_process_that_has_their_data() {
    let place = Place::new();
    let (sent, events) = Text::new("a", "b");
    let (old, mut client, new) = until_commit(&place, place.upgrade().data(sent));
    Message::Committed.send(&new.0).unwrap();
    assert!(matches!(new.next(), Message::Connections { .. }));
    // It may have written something since.
    drop(new);
    assert!(client.is_closed());
    let stats = old.join().unwrap();
    assert_eq!((stats.moved, stats.closed), (0, 1));
    assert!(events.recv_timeout(PATIENCE).is_err(), "nothing was cancelled");
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
fn u10_a_connection_that_must_not_go_on_is_closed_and_counts_as_such() {
    let place = Place::new();
    let (sent, _events) = Text::new("a", "b");
    let old = movers("old").upgradable(place.upgrade().data(sent)).start().unwrap();
    let mut client = Asker::new(address(&old));
    assert_eq!(client.ask(), "old");
    // A process with the same pool, whose machine is another one.
    let (received, _received) = Text::new("", "");
    let new = pipeline("new").upgradable(place.upgrade().data(received)).start().unwrap();
    assert!(client.is_closed());
    let stats = old.join().unwrap();
    assert_eq!((stats.moved, stats.closed), (0, 1));
    new.drain().unwrap();
}

#[test]
fn u10_a_panic_of_the_data_ends_the_upgrade_and_is_reported() {
    struct Panics;
    impl UpgradeData for Panics {
        fn send(&mut self, _: &mut dyn Write) -> io::Result<()> {
            panic!("it panics for the test");
        }
        fn send_last(&mut self, _: &mut dyn Write) -> io::Result<()> {
            Ok(())
        }
        fn receive(&mut self, _: &mut dyn Read) -> io::Result<()> {
            Ok(())
        }
        fn receive_last(&mut self, _: &mut dyn Read) -> io::Result<()> {
            Ok(())
        }
    }
    let place = Place::new();
    let old = pipeline("old").upgradable(place.upgrade().data(Panics)).start().unwrap();
    let take = place.upgrade().data(Panics);
    let error = pipeline("new").upgradable(take).start().unwrap_err().to_string();
    assert!(error.contains("the old process panicked"), "{error}");
    assert_eq!(who(address(&old)), "old");
    old.drain().unwrap();
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
    until("the data is broken", || {
        let (received, _received) = Text::new("", "");
        let take = place.upgrade().data(received);
        let error = pipeline("new").upgradable(take).start().unwrap_err().to_string();
        // The old process may not be through with the last one.
        assert!(error.contains("it is broken") || error.contains("another upgrade"), "{error}");
        error.contains("it is broken")
    });
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

/// Data of which there is no last part.
fn first_part(text: &str) -> (Text, Receiver<String>) {
    let (text, events) = Text::new(text, "none");
    (Text { stands_still: false, ..text }, events)
}

#[test]
fn u10_for_data_without_a_last_part_nobody_stands_still() {
    let place = Place::new();
    let (sent, sent_events) = first_part("a");
    let old = pipeline("old").upgradable(place.upgrade().data(sent)).start().unwrap();
    // It cannot move, and would keep data with a last part where it is.
    let mut stays = Asker::new(address(&old));
    assert_eq!(stays.ask(), "old");
    let (received, events) = Text::new("", "");
    let new = pipeline("new").upgradable(place.upgrade().data(received)).start().unwrap();
    assert_eq!(events.try_iter().collect::<Vec<_>>(), ["1 bytes a"]);
    assert!(stays.is_closed());
    assert_eq!(old.join().unwrap().drained, 1, "it has drained, and was not closed");
    assert_eq!(sent_events.try_iter().count(), 0, "nothing was cancelled");
    new.drain().unwrap();
}

#[test]
fn u10_a_process_with_data_without_a_last_part_goes_on_until_it_drains() {
    let place = Place::new();
    let (sent, events) = first_part("a");
    let old = movers("old").upgradable(place.upgrade().data(sent)).start().unwrap();
    let mut client = Asker::new(address(&old));
    assert_eq!(client.ask(), "old");
    let new = NewProcess::connect(&place.path());
    new.hello();
    assert!(matches!(new.next(), Message::Welcome { data: true, still: false, .. }));
    assert!(matches!(new.next(), Message::Listeners { .. }));
    assert!(matches!(new.next(), Message::Data { .. }));
    assert!(matches!(new.next(), Message::DataEnd));
    Message::Ready.send(&new.0).unwrap();
    assert!(matches!(new.next(), Message::Go), "it may serve, and nothing is committed");
    assert!(events.try_recv().is_err());
    drop(new);
    assert_eq!(events.recv_timeout(PATIENCE).unwrap(), "cancelled");
    assert_eq!(client.ask(), "old");
    old.drain().unwrap();
}
