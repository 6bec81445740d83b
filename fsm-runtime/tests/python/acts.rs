//! Pools of the functions in `jobs.py`, and what becomes of their processes.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use fsm_runtime::prelude::*;
use fsm_runtime::{Json, Python, Raised, Running, Submitter};
use rustix::process::{Pid, test_kill_process};
use serde_json::{Value, json};

/// Does what the job says, in `jobs.py`.
pub(crate) struct Act;

impl Service for Act {
    type Job = Json<Value>;
    type Reply = Result<Json<Value>, Raised>;
}

/// Text in, text out.
pub(crate) struct Text;

impl Service for Text {
    type Job = String;
    type Reply = Result<String, Raised>;
}

/// Bytes in, bytes out.
pub(crate) struct Bytes;

impl Service for Bytes {
    type Job = Vec<u8>;
    type Reply = Result<Vec<u8>, Raised>;
}

pub(crate) const MODULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python");

/// Whether there is an interpreter; says so if not.
pub(crate) fn has_python() -> bool {
    let mut python = Command::new("python3");
    let found = python.arg("--version").stdout(Stdio::null()).status().is_ok();
    if !found {
        eprintln!("SKIPPED: there is no `python3`");
    }
    found
}

pub(crate) fn python<S: Service>(function: &str) -> Python<S> {
    Pool::python::<S>("work", format!("jobs:{function}")).path(MODULES).processes(1)
}

/// A pool of one process, unless `settings` say something else.
pub(crate) struct Acts {
    pub(crate) jobs: Submitter<Act>,
    pub(crate) running: Running,
}

impl Acts {
    pub(crate) fn start(settings: impl FnOnce(Python<Act>) -> Python<Act>) -> Self {
        let pool = settings(python("act")).build();
        let jobs = pool.submitter::<Act>().expect("the pool takes these jobs");
        Self { jobs, running: pool.start().expect("the pool starts") }
    }

    /// The reply, or `None` if the job is gone.
    pub(crate) fn act(&self, job: Value) -> Option<Result<Value, Raised>> {
        let reply = self.jobs.submit(Json(job)).expect("the pool has room").wait();
        reply.map(|reply| reply.map(|Json(value)| value))
    }

    pub(crate) fn is(&self, act: &str) -> Value {
        self.act(json!({ "do": act })).expect("it is answered").expect("it raises nothing")
    }

    pub(crate) fn pid(&self) -> Pid {
        let pid = self.is("pid").as_i64().and_then(|pid| i32::try_from(pid).ok());
        pid.and_then(Pid::from_raw).expect("a number of a process")
    }

    pub(crate) fn drain(self) {
        self.running.drain().expect("the pool drains");
    }
}

pub(crate) fn lives(process: Pid) -> bool {
    test_kill_process(process).is_ok()
}

/// Waits until a process has ended that this one is not the parent of, or has not waited for yet.
pub(crate) fn wait_for_the_end_of(process: Pid) {
    let began = Instant::now();
    while lives(process) {
        assert!(began.elapsed() < Duration::from_secs(20), "{process:?} lives on");
        std::thread::yield_now();
    }
}
