//! The example `room`: listeners receive what others say, and a client for whom there is no room
//! can go on.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use fsm_tests::{Connection, Server, eventually, example};

#[test]
fn listeners_hear_what_is_said_in_order() {
    let server = room(&[]);
    let mut listeners: Vec<_> = (0..10).map(|n| listener(&server, &format!("l{n}"))).collect();
    let mut speaker = Connection::new(server.address());
    // As many as a mailbox holds, so that no listener is too slow.
    for n in 0..100 {
        speaker.send(format!("say number {n}\r\n"));
    }
    for _ in 0..100 {
        assert_eq!(speaker.line(), "told 10");
    }
    for listener in &mut listeners {
        for n in 0..100 {
            assert_eq!(listener.line(), format!("number {n}"));
        }
    }
    server.stop();
}

#[test]
fn all_hear_several_speakers_in_the_same_order() {
    let server = room(&[]);
    let mut listeners: Vec<_> = (0..4).map(|n| listener(&server, &format!("l{n}"))).collect();
    thread::scope(|scope| {
        for speaker in 0..4 {
            let mut connection = Connection::new(server.address());
            scope.spawn(move || {
                for n in 0..25 {
                    assert_eq!(say(&mut connection, &format!("{speaker}.{n}")), "told 4");
                }
            });
        }
    });
    let heard = listeners.iter_mut().map(|listener| (0..100).map(|_| listener.line()).collect());
    let heard: Vec<Vec<_>> = heard.collect();
    assert!(heard.iter().all(|lines| *lines == heard[0]), "{heard:?}");
    for speaker in 0..4 {
        let lines = heard[0].iter().filter(|line| line.starts_with(&format!("{speaker}.")));
        assert!(lines.eq(&(0..25).map(|n| format!("{speaker}.{n}")).collect::<Vec<_>>()));
    }
    server.stop();
}

#[test]
fn a_client_without_room_gets_its_name_back_and_goes_on() {
    let server = room(&["--listeners", "1"]);
    let mut ann = listener(&server, "ann");
    let mut bob = Connection::new(server.address());
    // In one piece, to check that the lines after the refused one are not lost.
    bob.send("listen bob\nsay I can not come in\nlisten\nlisten bob the second\n");
    assert_eq!(bob.line(), "sorry bob, the room is full");
    assert_eq!(bob.line(), "told 1");
    assert_eq!(bob.line(), "send `listen NAME` or `say TEXT`");
    assert_eq!(bob.line(), "sorry bob the second, the room is full");
    assert_eq!(ann.line(), "I can not come in");
    drop(ann);
    eventually("there is room", || {
        bob.send("listen bob\n");
        bob.line() == "welcome bob"
    });
    let mut speaker = Connection::new(server.address());
    assert_eq!(say(&mut speaker, "welcome"), "told 1");
    assert_eq!(bob.line(), "welcome");
    server.stop();
}

#[test]
fn a_listener_that_leaves_is_not_counted() {
    let server = room(&[]);
    let mut speaker = Connection::new(server.address());
    assert_eq!(say(&mut speaker, "is anybody there?"), "told 0");
    let mut stays = listener(&server, "ann");
    let mut ends = listener(&server, "bob");
    let mut talks = listener(&server, "cid");
    assert_eq!(say(&mut speaker, "three"), "told 3");
    // One shuts down its side; the other sends bytes that the server ignores, and closes.
    ends.shutdown_write();
    assert_eq!(ends.line(), "three");
    ends.expect_end();
    assert_eq!(say(&mut speaker, "two"), "told 2");
    talks.send("say something\n");
    drop(talks);
    eventually("it has left", || say(&mut speaker, "one") == "told 1");
    assert_eq!((stays.line(), stays.line()), ("three".into(), "two".into()));
    assert_eq!(stays.line(), "one");
    server.stop();
}

/// The server queues at most a mailbox for it, and others do not wait.
#[test]
fn a_listener_that_does_not_read_misses_what_is_said() {
    let server = room(&[]);
    let _slow = listener(&server, "ann");
    let mut quick = listener(&server, "bob");
    let mut speaker = Connection::new(server.address());
    let text = "x".repeat(500);
    // The system buffers some megabytes for it.
    for round in 0.. {
        assert!(round < 1_000_000, "it should be too slow");
        let answer = say(&mut speaker, &text);
        assert_eq!(quick.line(), text);
        if answer != "told 2" {
            assert_eq!(answer, "told 1, but 1 too slow");
            break;
        }
    }
    assert_eq!(say(&mut speaker, "still here"), "told 1, but 1 too slow");
    assert_eq!(quick.line(), "still here");
}

#[test]
fn control_characters_do_not_reach_listeners() {
    let server = room(&[]);
    let mut ann = listener(&server, "\x1b[2Jann");
    let mut speaker = Connection::new(server.address());
    assert_eq!(say(&mut speaker, "\x1b[2J\x07"), "told 1");
    assert_eq!(ann.line(), "?[2J?");
    speaker.send([b'x'; 600]);
    assert!(matches!(speaker.try_line(), Ok(None) | Err(_)), "a line without an end is cut off");
    server.stop();
}

#[test]
fn sigterm_ends_it_at_once() {
    let server = room(&[]);
    let mut clients: Vec<_> = (0..100).map(|n| listener(&server, &format!("l{n}"))).collect();
    let mut speaker = Connection::new(server.address());
    assert_eq!(say(&mut speaker, "the last thing"), "told 100");
    for client in &mut clients {
        assert_eq!(client.line(), "the last thing");
    }
    clients.push(speaker);
    let start = Instant::now();
    let stopped = thread::spawn(|| server.stop());
    clients.iter_mut().for_each(Connection::expect_end);
    // The clients have not closed their sides, and the server does not wait for that.
    stopped.join().expect("see above");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

fn room(options: &[&str]) -> Server {
    Server::start(Command::new(example("room")).args(["--port", "0"]).args(options))
}

/// Connects a listener.
fn listener(server: &Server, name: &str) -> Connection {
    let mut connection = Connection::new(server.address());
    connection.send(format!("listen {name}\n"));
    let name = name.replace(char::is_control, "?");
    assert_eq!(connection.line(), format!("welcome {name}"));
    connection
}

/// Says a text, and returns the answer.
fn say(speaker: &mut Connection, text: &str) -> String {
    speaker.send(format!("say {text}\n"));
    speaker.line()
}
