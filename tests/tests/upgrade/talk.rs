//! Members of rooms who talk without a pause while one process follows another.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

use fsm_tests::{TIMEOUT, Upgradable};

const ROOMS: usize = 4;
const MEMBERS: usize = 30;
/// The rounds that each member may be behind, in which every member says one line.
const BEHIND: u64 = 3;

/// A room whose members all talk.
struct Talk {
    speakers: Vec<TcpStream>,
    listeners: Vec<JoinHandle<()>>,
    /// Gets something for each line that a member has heard.
    heard: Receiver<()>,
    /// The lines that have been heard so far.
    heard_so_far: u64,
    rounds: u64,
}

impl Talk {
    /// Lets members into a room.
    fn begin(address: SocketAddr, room: usize) -> Self {
        let (told, heard) = mpsc::channel();
        let (speakers, listeners) =
            (0..MEMBERS).map(|member| enter(address, room, member, &told)).unzip();
        Self { speakers, listeners, heard, heard_so_far: 0, rounds: 0 }
    }

    /// Lets each member say a line.
    fn round(&mut self) {
        for speaker in &mut self.speakers {
            speaker.write_all(format!("{}\n", self.rounds).as_bytes()).expect("it takes a line");
        }
        self.rounds += 1;
        self.wait_for(self.rounds.saturating_sub(BEHIND));
    }

    /// Waits until the members have heard the lines of so many rounds.
    fn wait_for(&mut self, rounds: u64) {
        let lines = rounds * (MEMBERS * (MEMBERS - 1)) as u64;
        while self.heard_so_far < lines {
            self.heard.recv_timeout(TIMEOUT).expect("all hear all lines");
            self.heard_so_far += 1;
        }
    }

    /// Waits until all have heard all, and lets them go.
    fn end(mut self) {
        self.wait_for(self.rounds);
        for speaker in &mut self.speakers {
            speaker.write_all(b"/quit\n").expect("it takes a line");
        }
        for listener in self.listeners {
            listener.join().expect("a member has heard each line once and in order");
        }
    }
}

/// Lets a member into a room, who listens on a thread.
fn enter(
    address: SocketAddr,
    room: usize,
    member: usize,
    told: &Sender<()>,
) -> (TcpStream, JoinHandle<()>) {
    let mut speaker = TcpStream::connect(address).expect("it accepts");
    speaker.set_read_timeout(Some(TIMEOUT)).expect("a time");
    let mut lines = BufReader::new(speaker.try_clone().expect("a descriptor")).lines();
    let name = format!("m{room}_{member}");
    speaker.write_all(format!("{name}\n/join r{room}\n").as_bytes()).expect("it takes a line");
    let is_in = format!("* you are in r{room}");
    while lines.next().expect("an answer").expect("a line") != is_in {}
    let told = told.clone();
    let listener = thread::spawn(move || {
        let mut next = HashMap::<String, u64>::new();
        for line in lines.map_while(Result::ok) {
            if let Some((of, number)) = line.split_once(": ") {
                assert!(of.starts_with(&format!("m{room}_")) && of != name, "{name} hears {line}");
                let next = next.entry(of.to_owned()).or_default();
                assert_eq!(number.parse(), Ok(*next), "{name} hears {line}");
                *next += 1;
                // The test may have failed.
                let _ = told.send(());
            } else {
                let is_said = line.ends_with(" joins") || line == "* ping" || line == "* goodbye";
                // Those who have said goodbye leave.
                let is_said = is_said || line.ends_with(" leaves") && next.len() == MEMBERS - 1;
                assert!(is_said, "{name} hears {line}");
            }
        }
    });
    (speaker, listener)
}

/// Five upgrades in a row, and each line arrives once at each other member of its room, in the order of its speaker.
#[test]
fn u14_members_who_talk_all_the_time_hear_every_line_once_and_in_order() {
    let mut room = Upgradable::start("room", |_| {});
    let address = room.first_process().address();
    let (begun, begins) = mpsc::channel();
    let (stop, talks): (Vec<_>, Vec<_>) = (0..ROOMS)
        .map(|number| {
            let (stop, stopped) = mpsc::channel::<()>();
            let begun = begun.clone();
            let talk = thread::spawn(move || {
                let mut talk = Talk::begin(address, number);
                talk.round();
                begun.send(()).expect("the test waits");
                while stopped.try_recv() != Err(mpsc::TryRecvError::Disconnected) {
                    talk.round();
                }
                let rounds = talk.rounds;
                talk.end();
                rounds
            });
            (stop, talk)
        })
        .unzip();
    for _ in 0..ROOMS {
        begins.recv_timeout(TIMEOUT).expect("all talk");
    }
    for _ in 0..5 {
        let within = room.upgrade();
        println!("upgraded within {within:?}");
    }
    drop(stop);
    let rounds: Vec<_> =
        talks.into_iter().map(|talk| talk.join().expect("no line is lost")).collect();
    println!("{rounds:?} rounds");
    room.stop();
}
