use std::io::Read;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::process::Command;

use fsm_tests::{TIMEOUT, Upgradable, kill, run};

#[test]
fn u11_members_of_a_room_stay_in_it_and_nobody_is_said_to_leave() {
    let mut room = Upgradable::start("room", |_| {});
    let mut members: Vec<_> = ["ann", "bob"]
        .into_iter()
        .map(|nick| {
            let mut member = room.connect();
            member.send(format!("{nick}\n"));
            assert_eq!(member.line(), "* you are in hall");
            member
        })
        .collect();
    assert_eq!(members[0].line(), "* bob joins");
    for number in 0..3 {
        // The half line moves, too.
        members[1].send("hel");
        room.upgrade();
        members[1].send(format!("lo {number}\n"));
        assert_eq!(members[0].line(), format!("bob: hello {number}"));
        members[0].send("/who\n");
        assert_eq!(members[0].line(), "* 2: ann bob");
    }
    // Their names are taken in the new process, too.
    let mut third = room.connect();
    third.send("bob\n");
    assert_eq!(third.line(), "* this name is taken");
    drop((members, third));
    room.stop();
}

#[test]
fn u7_a_process_without_descriptors_hears_a_new_one_later() {
    let room = Upgradable::start("room", |_| {});
    let limit = |most: &str| {
        let change = format!("--nofile={most}:");
        let pid = room.process.to_string();
        let ran = run(Command::new("prlimit").args(["--pid", &pid, &change]), TIMEOUT);
        assert!(ran.status.success(), "{ran:?}");
    };
    limit("3");
    let mut asks = UnixStream::connect(room.meeting()).unwrap();
    asks.set_read_timeout(Some(TIMEOUT)).unwrap();
    asks.shutdown(Shutdown::Write).unwrap();
    room.until("it has tried", |log| log.contains("cannot accept a new process; trying again"));
    limit("256");
    assert_eq!(asks.read(&mut [0]).unwrap(), 1, "it answers");
    kill("TERM", room.process);
}
