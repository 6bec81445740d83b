//! The behaviour of the new process when the old one fails or goes on at some step (U8).

use super::*;
use crate::server::upgrade::socket;

#[test]
fn u8_if_the_old_process_dies_at_any_step_the_new_one_serves() {
    for steps in 0..=OldProcess::STEPS {
        let place = Place::new();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        let old = OldProcess::start(&place);
        let old = thread::spawn(move || {
            old.steps(steps, &listener, false);
            drop(listener);
        });
        let new = place.start("new").unwrap();
        old.join().unwrap();
        if steps >= 3 {
            assert_eq!(address(&new), at, "it has the listener of the old process");
        }
        assert_eq!(who(address(&new)), "new", "after {steps} steps");
        // It waits for the next one now.
        until("the socket is there", || place.path().exists());
        let third = place.start("third").unwrap();
        assert_eq!(who(address(&third)), "third");
        new.join().unwrap();
        third.drain().unwrap();
    }
}

#[test]
fn u8_a_process_that_lives_answers_whoever_asks_for_nothing() {
    let place = Place::new();
    assert!(!socket::is_alive(&place.path()));
    let old = place.start("old").unwrap();
    let since = Instant::now();
    assert!(socket::is_alive(&place.path()));
    assert!(since.elapsed() < Duration::from_secs(3), "it has answered");
    old.drain().unwrap();
    assert!(!socket::is_alive(&place.path()));
}

#[test]
fn u8_if_the_old_process_goes_on_at_any_step_the_new_one_ends() {
    for steps in 1..=OldProcess::STEPS {
        let place = Place::new();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let copy = listener.try_clone().unwrap();
        let old = OldProcess::start(&place);
        let old = thread::spawn(move || old.steps(steps, &copy, true));
        match place.start("new") {
            Err(error) => {
                assert_eq!(error.to_string(), "the upgrade has failed: I go on");
                assert!(steps < OldProcess::STEPS);
            }
            // It has served already, so it drains.
            Ok(new) => {
                assert_eq!(steps, OldProcess::STEPS);
                new.join().unwrap();
            }
        }
        old.join().unwrap();
    }
}

/// A new process that has begun to serve, drains, and is kept from its end by a client with half a line.
struct Drainer {
    running: Running,
    busy: Asker,
}

impl Drainer {
    fn start(place: &Place, drains: bool) -> Self {
        let builder = Pool::builder::<Name>("front").listen("127.0.0.1:0");
        let handle = builder.handle();
        let pool = builder.handler(|_peer| Client("new"));
        let running = Pipeline::new().pool(pool).upgradable(place.upgrade()).start().unwrap();
        let mut busy = Asker::new(address(&running));
        assert_eq!(busy.ask(), "new");
        busy.0.get_mut().write_all(b"half").unwrap();
        until("the half line is there", || {
            handle.snapshot(PATIENCE).tasks.iter().any(|task| task.to_string().contains("unread"))
        });
        if drains {
            handle.drain();
        }
        Self { running, busy }
    }

    fn end(self) {
        drop(self.busy);
        self.running.drain().unwrap();
    }
}

#[test]
fn u8_a_new_process_that_gives_up_lets_the_old_one_know_at_once() {
    for commits in [false, true] {
        let place = Place::new();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let old = OldProcess::start(&place);
        let old = thread::spawn(move || old.talk(OldProcess::STEPS, &listener));
        let new = Drainer::start(&place, false);
        let (channel, old) = old.join().unwrap();
        if commits {
            Message::Commit.send(&channel).unwrap();
            assert!(matches!(Message::receive(&channel), Ok(Some(Message::Committed))));
        }
        // It cannot use this, and has connections of its own meanwhile.
        channel.send(99, b"nonsense", &[]).unwrap();
        assert!(Message::receive(&channel).unwrap().is_none(), "committed: {commits}");
        if !commits {
            old.shows_that_it_lives();
        }
        new.end();
    }
}

#[test]
fn u8_a_new_process_that_drains_does_not_commit() {
    let place = Place::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let old = OldProcess::start(&place);
    let old = thread::spawn(move || old.talk(OldProcess::STEPS, &listener));
    let new = Drainer::start(&place, true);
    let (channel, old) = old.join().unwrap();
    Message::Commit.send(&channel).unwrap();
    match Message::receive(&channel) {
        Ok(Some(Message::Refused { why })) => assert_eq!(why, "the new process drains"),
        other => panic!("{other:?}"),
    }
    old.shows_that_it_lives();
    new.end();
}
