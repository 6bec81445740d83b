//! The example `room`: members hear what the others in their room say, while they speak themselves.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use fsm_tests::{Connection, Server, all_in_ci, eventually, example};

#[test]
fn members_hear_each_other_and_not_themselves() {
    let server = room(&[]);
    let (mut ann, mut bob) = (member(server.address(), "ann"), member(server.address(), "bob"));
    assert_eq!(ann.line(), "* bob joins");
    ann.send("hello\n");
    bob.send("hello yourself\n");
    assert_eq!((ann.line(), bob.line()), ("bob: hello yourself".into(), "ann: hello".into()));
    bob.send("/quit\n");
    assert_eq!(bob.line(), "* goodbye");
    bob.expect_end();
    drop(bob);
    assert_eq!(ann.line(), "* bob leaves");
    server.stop();
}

#[test]
fn rooms_and_names_are_apart() {
    let server = room(&[]);
    let (mut ann, mut bob) = (member(server.address(), "ann"), member(server.address(), "bob"));
    assert_eq!(ann.line(), "* bob joins");
    bob.send("/join garden\n");
    assert_eq!((bob.line(), ann.line()), ("* you are in garden".into(), "* bob leaves".into()));
    ann.send("is anybody here?\n/rooms\n/who\n/nick bob\n/nick two words\n/nick anna\n/dance\n");
    assert_eq!(ann.line(), "* 2: garden hall");
    assert_eq!(ann.line(), "* 1: ann");
    assert_eq!(ann.line(), "* this name is taken");
    assert_eq!(ann.line(), "* a name has 1 to 32 bytes of letters, digits and `_`");
    assert_eq!(ann.line(), "* you are anna");
    assert_eq!(ann.line(), "* there is /join ROOM, /nick NAME, /who, /rooms and /quit");
    ann.send("/join garden\nhello\n");
    assert_eq!((ann.line(), bob.line()), ("* you are in garden".into(), "* anna joins".into()));
    assert_eq!(bob.line(), "anna: hello");
    // The old name and the room that nobody is in are free again.
    let mut other = member(server.address(), "ann");
    other.send("/rooms\n");
    assert_eq!(other.line(), "* 2: garden hall");
    server.stop();
}

/// Members join, speak and leave while the others do: each hears every line of those who are there
/// once, and those of one speaker in order.
#[test]
fn nothing_is_lost_or_doubled_while_members_come_and_go() {
    let server = room(&[]);
    let (members, lines, address) = (all_in_ci(40, 10), 25, server.address());
    let connections: Vec<_> =
        (0..members).map(|n| member(server.address(), &format!("m{n}"))).collect();
    let heard: Vec<BTreeMap<String, Vec<usize>>> = thread::scope(|scope| {
        let guests = scope.spawn(move || {
            for n in 0..members {
                let mut guest = member(address, &format!("guest{n}"));
                guest.send(if n % 2 == 0 { "/quit\n" } else { "" });
            }
        });
        let members: Vec<_> = connections
            .into_iter()
            .map(|mut connection| {
                scope.spawn(move || {
                    for n in 0..lines {
                        connection.send(format!("{n}\n"));
                    }
                    let mut heard = BTreeMap::<String, Vec<usize>>::new();
                    let mut missing = (members - 1) * lines;
                    while missing > 0 {
                        let line = connection.line();
                        if let Some((nick, n)) =
                            line.split_once(": ").filter(|_| !line.starts_with('*'))
                        {
                            heard
                                .entry(nick.to_owned())
                                .or_default()
                                .push(n.parse().expect("a number"));
                            missing -= 1;
                        }
                    }
                    heard
                })
            })
            .collect();
        guests.join().expect("the guests come and go");
        members.into_iter().map(|member| member.join().expect("all lines arrive")).collect()
    });
    for speakers in heard {
        assert_eq!(speakers.len(), members - 1);
        assert!(speakers.values().all(|said| said.iter().copied().eq(0..lines)), "{speakers:?}");
    }
    server.stop();
}

#[test]
fn a_member_that_does_not_read_misses_lines_and_hears_how_many() {
    let server = room(&[]);
    let mut slow = member(server.address(), "slow");
    let (mut ann, mut bob) = (member(server.address(), "ann"), member(server.address(), "bob"));
    assert_eq!(ann.line(), "* bob joins");
    let text = "x".repeat(500);
    // The system buffers some megabytes for the member, and its mailbox a thousand lines.
    for _ in 0..20_000 {
        ann.send(format!("{text}\n"));
        assert_eq!(bob.line(), format!("ann: {text}"));
    }
    let mut lines = 0;
    let missed = loop {
        let line = slow.line();
        match line.strip_prefix("* you missed ") {
            Some(missed) => {
                break missed.trim_end_matches(" lines").parse::<usize>().expect("a number");
            }
            None => lines += usize::from(line.starts_with("ann: ")),
        }
    };
    assert!(missed > 0 && lines + missed <= 20_000, "{lines} {missed}");
    server.stop();
}

#[test]
fn control_characters_do_not_reach_others() {
    let server = room(&[]);
    let (mut ann, mut bob) = (member(server.address(), "ann"), member(server.address(), "bob"));
    assert_eq!(ann.line(), "* bob joins");
    bob.send("\x1b[2J\x07\n");
    assert_eq!(ann.line(), "bob: ?[2J?");
    bob.send([b'x'; 600]);
    bob.send("\nshort\n");
    assert_eq!(bob.line(), "* a line has at most 512 bytes");
    assert_eq!(ann.line(), "bob: short");
    server.stop();
}

#[test]
fn silence_is_ended_and_pings_come() {
    let server = room(&["--idle", "400ms", "--ping", "50ms"]);
    let mut ann = member(server.address(), "ann");
    let lines: Vec<String> = std::iter::from_fn(|| ann.try_line().ok().flatten()).collect();
    assert!(lines.iter().filter(|line| *line == "* ping").count() >= 3, "{lines:?}");
    assert_eq!(lines.last().map(String::as_str), Some("* you were silent for too long"));
    server.stop();
}

#[test]
fn sigterm_says_goodbye_to_all() {
    let server = room(&[]);
    let mut members: Vec<_> =
        (0..100).map(|n| member(server.address(), &format!("m{n}"))).collect();
    let start = Instant::now();
    let stopped = thread::spawn(|| server.stop());
    for member in &mut members {
        let lines: Vec<String> = std::iter::from_fn(|| member.try_line().ok().flatten()).collect();
        let last = lines.iter().rev().find(|line| !line.ends_with("leaves"));
        assert_eq!(last.map(String::as_str), Some("* the server shuts down, goodbye"));
    }
    // The members have not closed their sides, and the server does not wait for that.
    stopped.join().expect("see above");
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

fn room(options: &[&str]) -> Server {
    Server::start(Command::new(example("room")).args(["--port", "0"]).args(options))
}

/// Connects a member.
fn member(address: SocketAddr, nick: &str) -> Connection {
    let mut connection = Connection::new(address);
    // The name of one who left may still be taken.
    eventually("the name is free", || {
        connection.send(format!("{nick}\n"));
        connection.line() == "* you are in hall"
    });
    connection
}
