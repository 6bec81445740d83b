//! Programs that an upgrade starts. They have a process of tests for themselves, because a program that begins has for a
//! moment the descriptors of all others.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use fsm_runtime::prelude::*;
use fsm_runtime::{Pipeline, Upgrade};

#[state_machine(start = Line, eof => Gone, limit => Gone)]
enum Idle {
    #[read(until = b"\n", max = 80, idle = 60s => Gone)]
    #[to(Line)]
    #[rest]
    Line,
    #[end]
    Gone,
}

struct Client;

impl idle::Handler for Client {
    fn line(&mut self, _: &[u8], _: &mut Cx<'_>) -> idle::AfterLine {
        idle::AfterLine::Line
    }
}

const PATIENCE: Duration = Duration::from_secs(60);

/// A script that says where it is, and runs for as long as its file is there.
struct Script {
    folder: tempfile::TempDir,
    /// A script cannot run while another program that begins has its file open for writing.
    _one_at_a_time: MutexGuard<'static, ()>,
}

impl Script {
    fn new() -> Self {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

        let one_at_a_time = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::tempdir().unwrap();
        let script = Self { folder, _one_at_a_time: one_at_a_time };
        let text = "#!/bin/sh\necho $$ >\"$0.new\"; mv \"$0.new\" \"$0.pid\"\n\
                    while [ -e \"$0\" ]; do sleep 0.01; done\n";
        fs::write(script.path(), text).unwrap();
        fs::set_permissions(script.path(), fs::Permissions::from_mode(0o700)).unwrap();
        script
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("script")
    }

    /// The number of its process, as soon as that has begun.
    fn process(&self) -> rustix::process::Pid {
        let (since, path) = (Instant::now(), self.folder.path().join("script.pid"));
        loop {
            if let Ok(text) = fs::read_to_string(&path) {
                return rustix::process::Pid::from_raw(text.trim().parse().unwrap()).unwrap();
            }
            assert!(since.elapsed() < PATIENCE, "it does not begin");
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn upgrade(&self, patience: Duration) -> Upgrade {
        let upgrade = Upgrade::new(self.folder.path().join("upgrade.sock"));
        upgrade.program(self.path()).ready_within(patience)
    }
}

fn pipeline() -> Pipeline {
    let pool = Pool::builder::<Idle>("front").listen("127.0.0.1:0");
    Pipeline::new().pool(pool.handler(|_peer| Client))
}

#[test]
fn u8_a_new_process_that_never_says_who_it_is_is_killed() {
    let script = Script::new();
    let upgrade = script.upgrade(Duration::from_secs(3));
    let upgrader = upgrade.upgrader();
    let running = pipeline().upgradable(upgrade).start().unwrap();
    let error = upgrader.upgrade().unwrap_err().to_string();
    assert!(error.ends_with("the new process is silent, and was killed"), "{error}");
    let (process, since) = (script.process(), Instant::now());
    while rustix::process::test_kill_process(process).is_ok() {
        assert!(since.elapsed() < PATIENCE, "it lives, or is a zombie");
        thread::sleep(Duration::from_millis(1));
    }
    running.drain().unwrap();
}

#[test]
fn u8_a_process_that_a_script_has_started_may_be_the_new_one() {
    let script = Script::new();
    let upgrade = script.upgrade(PATIENCE);
    let upgrader = upgrade.upgrader();
    let old = pipeline().upgradable(upgrade).start().unwrap();
    let outcome = thread::spawn(move || upgrader.upgrade());
    script.process();
    // The script runs on, and this has another number.
    let new = pipeline().upgradable(script.upgrade(PATIENCE)).start().unwrap();
    outcome.join().unwrap().unwrap();
    old.join().unwrap();
    new.drain().unwrap();
}
