//! `kv` serves and ends as ever when its log cannot be written.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use fsm_tests::{TIMEOUT, TempDir, eventually, example, run};

#[test]
fn a_log_without_a_reader_is_lost_and_nothing_else() {
    let (reader, writer) = io::pipe().expect("a pipe");
    drop(reader);
    serves_and_ends(OwnedFd::from(writer).into());
}

#[test]
fn a_log_on_a_full_disk_is_lost_and_nothing_else() {
    let full = OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
    serves_and_ends(full.into());
}

#[test]
fn a_log_that_nobody_reads_is_lost_and_nothing_else() {
    let (_reader, mut writer) = UnixStream::pair().expect("a pair of sockets");
    writer.set_nonblocking(true).expect("a socket takes options");
    while writer.write(&[b'x'; 4096]).is_ok() {}
    while writer.write(b"x").is_ok() {}
    writer.set_nonblocking(false).expect("a socket takes options");
    serves_and_ends(OwnedFd::from(writer).into());
}

/// The limit of file sizes is a signal, which ends a process that does not handle it.
#[test]
fn a_log_that_may_not_grow_is_lost_and_nothing_else() {
    let directory = TempDir::new("kv-log-limit");
    let file = File::create(directory.path().join("log")).expect("a file");
    let mut kv = Command::new("sh");
    kv.args(["-c", "ulimit -f 0; exec \"$0\" \"$@\""]).arg(example("kv"));
    starts_serves_and_ends(kv, file.into());
}

fn serves_and_ends(stderr: Stdio) {
    starts_serves_and_ends(Command::new(example("kv")), stderr);
}

/// Starts `kv` with this stderr, asks it, and ends it. Its address is a path, because nobody can read from the log
/// which port it has.
fn starts_serves_and_ends(mut kv: Command, stderr: Stdio) {
    let directory = TempDir::new("kv-log");
    let path = directory.path().join("socket");
    kv.arg("--listen").arg(format!("unix:{}", path.display())).stderr(stderr);
    let mut child = kv.spawn().expect("it should start");
    let mut connection = None;
    eventually("it listens", || {
        connection = UnixStream::connect(&path).ok();
        connection.is_some()
    });
    let mut connection = connection.expect("it listens");
    connection.set_read_timeout(Some(TIMEOUT)).expect("a socket takes options");
    connection.write_all(b"PING\r\n").expect("it should read");
    let mut reply = [0; 7];
    connection.read_exact(&mut reply).expect("it should reply");
    assert_eq!(&reply, b"+PONG\r\n");
    let kill = format!("kill -TERM {}", child.id());
    let ran = run(Command::new("sh").args(["-c", &kill]), TIMEOUT);
    assert!(ran.status.success(), "{kill}: {ran:?}");
    let mut status = None;
    eventually("it ends", || {
        status = child.try_wait().expect("it can be waited for");
        status.is_some()
    });
    assert!(status.is_some_and(|status| status.success()), "{status:?}");
}
