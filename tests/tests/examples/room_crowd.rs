//! A crowd in the example `room`: members come, speak, change rooms and names, and leave, at random and
//! without waiting for each other.

use std::collections::{HashMap, HashSet};
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::process::Command;

use fsm_tests::{Random, Server, TIMEOUT, all_in_ci, example};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

const ROOMS: usize = 4;

/// Each member hears every line of those who are in its room once, and those of one speaker in order.
#[test]
fn a_crowd_loses_no_line_hears_none_twice_and_each_speaker_in_order() {
    let server = Server::start(Command::new(example("room")).args(["--port", "0"]));
    let (members, batches) = all_in_ci((1_000, 40), (200, 20));
    let mut crowd = Crowd::new(server.address());
    for _ in 0..members {
        crowd.enter();
        crowd.read_what_came();
    }
    crowd.settle();
    for _ in 0..batches {
        for _ in 0..50 {
            crowd.act();
        }
        crowd.settle();
    }
    crowd.wait_until_all_is_heard();
    crowd.check();
    server.stop();
}

/// The events, in the order in which the test did or saw it.
type Moment = u64;

/// A line that a member said.
struct Line {
    speaker: usize,
    room: usize,
    said: Moment,
    /// When the server had surely posted it. A speaker who vanished may have lost its last lines.
    posted: Option<Moment>,
}

/// A member's time in a room.
struct Stay {
    room: usize,
    asked: Moment,
    begun: Option<Moment>,
    /// When it asked to be elsewhere.
    asked_away: Option<Moment>,
    ended: Option<Moment>,
}

impl Stay {
    fn must_hear(&self, line: &Line) -> bool {
        line.room == self.room
            && self.begun.is_some_and(|begun| begun < line.said)
            && line.posted.is_some_and(|posted| self.asked_away.is_none_or(|away| posted < away))
    }

    fn may_hear(&self, line: &Line) -> bool {
        line.room == self.room
            && self.ended.is_none_or(|ended| line.said < ended)
            && line.posted.is_none_or(|posted| self.asked < posted)
    }
}

struct Member {
    /// `None` after the member left.
    socket: Option<TcpStream>,
    received: Vec<u8>,
    stays: Vec<Stay>,
    /// The numbers of the lines.
    heard: Vec<usize>,
    /// Its last action has no answer yet.
    waits: bool,
}

struct Crowd {
    server: SocketAddr,
    poll: Poll,
    events: Events,
    random: Random,
    members: Vec<Member>,
    lines: Vec<Line>,
    now: Moment,
    /// The first line that may not have been posted.
    unsettled: usize,
    /// Members that did something since.
    active: HashSet<usize>,
}

impl Crowd {
    fn new(server: SocketAddr) -> Self {
        Self {
            server,
            poll: Poll::new().expect("there is a poll"),
            events: Events::with_capacity(1_024),
            random: Random::new(1_000),
            members: Vec::new(),
            lines: Vec::new(),
            now: 0,
            unsettled: 0,
            active: HashSet::new(),
        }
    }

    /// A new member joins a room.
    fn enter(&mut self) {
        let id = self.members.len();
        let socket = std::net::TcpStream::connect(self.server).expect("it should connect");
        socket.set_nonblocking(true).expect("a socket takes options");
        let mut socket = TcpStream::from_std(socket);
        self.poll.registry().register(&mut socket, Token(id), Interest::READABLE).expect("it fits");
        self.members.push(Member {
            socket: Some(socket),
            received: Vec::new(),
            stays: Vec::new(),
            heard: Vec::new(),
            waits: false,
        });
        self.send(id, &format!("m{id}\n"));
        self.join(id);
    }

    fn join(&mut self, id: usize) {
        let room = self.random.index(ROOMS);
        let asked = self.tick();
        let stays = &mut self.members[id].stays;
        if stays.last().is_some_and(|stay| stay.room == room) {
            return;
        }
        if let Some(stay) = stays.last_mut() {
            stay.asked_away = Some(asked);
        }
        stays.push(Stay { room, asked, begun: None, asked_away: None, ended: None });
        self.send(id, &format!("/join r{room}\n"));
    }

    /// A member does something.
    fn act(&mut self) {
        let id = self.random.index(self.members.len());
        if self.members[id].socket.is_none() {
            return;
        }
        match self.random.below(100) {
            0..70 => {
                let room = self.members[id].stays.last().expect("it has joined").room;
                let (said, line) = (self.tick(), self.lines.len());
                self.lines.push(Line { speaker: id, room, said, posted: None });
                self.send(id, &format!("{line}\n"));
            }
            70..85 => self.join(id),
            85..90 => {
                let number = self.tick();
                self.send(id, &format!("/nick n{number}_{id}\n"));
            }
            // It leaves, or vanishes.
            90..95 => {
                self.members[id].socket = None;
                self.active.remove(&id);
                self.enter();
            }
            _ => {
                self.send(id, "/quit\n");
                self.read_until(|crowd| crowd.members[id].socket.is_none());
                self.active.remove(&id);
                self.enter();
            }
        }
    }

    fn send(&mut self, id: usize, text: &str) {
        let socket = self.members[id].socket.as_mut().expect("the member is there");
        socket.write_all(text.as_bytes()).expect("the server takes what is sent");
        self.active.insert(id);
    }

    /// Waits until the server has done what was asked of it: an answer comes after what its member sent
    /// before.
    fn settle(&mut self) {
        let active: Vec<_> = self.active.drain().collect();
        for &id in &active {
            self.send(id, "/what\n");
            self.members[id].waits = true;
        }
        self.active.clear();
        self.read_until(|crowd| active.iter().all(|&id| !crowd.members[id].waits));
        let posted = self.tick();
        for line in &mut self.lines[self.unsettled..] {
            line.posted = self.members[line.speaker].socket.is_some().then_some(posted);
        }
        self.unsettled = self.lines.len();
    }

    fn read_until(&mut self, done: impl Fn(&Self) -> bool) {
        while !done(self) {
            self.poll.poll(&mut self.events, Some(TIMEOUT)).expect("the poll works");
            assert!(!self.events.is_empty(), "nothing comes any more");
            self.read_ready();
        }
    }

    fn read_what_came(&mut self) {
        self.poll.poll(&mut self.events, Some(std::time::Duration::ZERO)).expect("the poll works");
        self.read_ready();
    }

    fn read_ready(&mut self) {
        let ready: Vec<_> = self.events.iter().map(|event| event.token().0).collect();
        for id in ready {
            let member = &mut self.members[id];
            let Some(socket) = &mut member.socket else { continue };
            let is_open = loop {
                let mut buffer = [0; 16 * 1024];
                match socket.read(&mut buffer) {
                    Ok(0) => break false,
                    Ok(len) => member.received.extend(&buffer[..len]),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break true,
                    Err(error) => panic!("member {id}: {error}"),
                }
            };
            if !is_open {
                member.socket = None;
            }
            let received = std::mem::take(&mut member.received);
            let whole = received.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            for line in std::str::from_utf8(&received[..whole]).expect("lines are UTF-8").lines() {
                self.hear(id, line);
            }
            self.members[id].received = received[whole..].to_vec();
        }
    }

    fn hear(&mut self, id: usize, text: &str) {
        let now = self.tick();
        let member = &mut self.members[id];
        if let Some((nick, line)) = text.split_once(": ").filter(|_| !text.starts_with('*')) {
            let line: usize = line.parse().expect("members say numbers");
            let speaker = self.lines[line].speaker;
            assert!(
                nick == format!("m{speaker}") || nick.ends_with(&format!("_{speaker}")),
                "member {id} heard {text:?} of {speaker}"
            );
            member.heard.push(line);
        } else if text.starts_with("* you are in r") {
            let begun = member.stays.iter().position(|stay| stay.begun.is_none());
            let begun = begun.expect("it asked for the room");
            member.stays[begun].begun = Some(now);
            if let Some(before) = begun.checked_sub(1) {
                member.stays[before].ended = Some(now);
            }
        } else if text.starts_with("* there is /join") {
            member.waits = false;
        }
        assert!(!text.starts_with("* you missed"), "member {id}: {text}");
    }

    /// Those who are still there hear the last lines.
    fn wait_until_all_is_heard(&mut self) {
        let mut missing = Vec::new();
        for (id, member) in self.members.iter().enumerate().filter(|(_, it)| it.socket.is_some()) {
            let must = (0..self.lines.len()).filter(|&line| self.must_hear(member, id, line));
            missing.push((id, must.count()));
        }
        assert!(missing.iter().map(|(_, lines)| lines).sum::<usize>() > 10_000, "{missing:?}");
        for (id, lines) in missing {
            // Lines that it may get, but need not, count too: `check` looks at each line.
            self.read_until(|crowd| {
                let member = &crowd.members[id];
                let heard: HashSet<_> = member.heard.iter().copied().collect();
                heard.len() >= lines
                    && (0..crowd.lines.len())
                        .filter(|&line| crowd.must_hear(member, id, line))
                        .all(|line| heard.contains(&line))
            });
        }
    }

    fn must_hear(&self, member: &Member, id: usize, line: usize) -> bool {
        let line = &self.lines[line];
        line.speaker != id && member.stays.iter().any(|stay| stay.must_hear(line))
    }

    fn check(&self) {
        for (id, member) in self.members.iter().enumerate() {
            let mut last = HashMap::<usize, usize>::new();
            for &number in &member.heard {
                let line = &self.lines[number];
                assert_ne!(line.speaker, id, "a member does not hear itself");
                assert!(
                    member.stays.iter().any(|stay| stay.may_hear(line)),
                    "member {id} heard line {number} of another room"
                );
                // Neither twice nor out of order.
                let before = last.insert(line.speaker, number);
                assert!(before.is_none_or(|before| before < number), "{before:?} before {number}");
            }
        }
    }

    fn tick(&mut self) -> Moment {
        self.now += 1;
        self.now
    }
}
