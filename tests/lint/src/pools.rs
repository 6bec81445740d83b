//! Machines that call and hand off to other pools, run jobs, and receive connections.

use fsm_runtime::{Service, state_machine};

use crate::Fault;

/// Looks things up.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "it is what it is")]
pub struct Lookup<T>(pub T);

impl<T: Send + 'static> Service for Lookup<T> {
    type Job = Vec<T>;
    type Reply = Result<T, Fault>;
}

/// Calls and hands off.
#[state_machine(
    start = Line,
    eof => Closed,
    within = 5min => Closed,
    error = Fault,
    error => Closed,
    full => Busy,
    gone => Closed,
)]
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a protocol has the states that it has")]
pub enum Front {
    /// A part of a line.
    #[read(some, max = 64)]
    #[to(Line | Call | Leaving)]
    #[rest]
    Line,
    /// Like a method of `Cx`.
    #[call(Lookup<Option<Box<Front>>>)]
    #[to(Call | Line | Asking)]
    Call {
        /// Like a local.
        reply: String,
        /// Like a local.
        taken: u8,
    },
    /// Has a field that `full` does not use.
    #[call(Lookup<u8>, within = never, full => Line)]
    #[to(Line)]
    Asking {
        /// Kept.
        #[carry]
        taken: u8,
    },
    /// There was no room.
    #[sleep(1s)]
    #[to(Call)]
    Busy {
        /// The job that came back.
        #[job]
        verdict: Vec<Option<Box<Self>>>,
    },
    /// Like a reserved word.
    #[handoff(Back, full => Refused)]
    Leaving {
        /// Like a local.
        input: u8,
    },
    /// There was no room.
    #[run(blocking)]
    #[to(Line | Closed)]
    Refused {
        /// Kept.
        #[carry]
        input: u8,
        /// The seed that came back.
        #[seed]
        seed: String,
    },
    /// The end.
    #[end]
    Closed,
}

/// Receives connections of another pool.
#[state_machine(start = Hello, seed = String)]
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a protocol has the states that it has")]
pub enum Back {
    /// Greets.
    #[flush(within = 1s => Gone)]
    #[to(Gone)]
    Hello {
        /// Like a local.
        cx: String,
    },
    /// The end.
    #[end]
    Gone,
}

/// Runs jobs.
#[state_machine(start = Digest, job = Vec<u8>, reply = Box<Self>, message = u8)]
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a protocol has the states that it has")]
pub enum Work {
    /// Takes long.
    #[run(blocking)]
    #[to(Told | Ask | Done)]
    Digest {
        /// Like a parameter.
        seed: Vec<u8>,
    },
    /// Waits for a message.
    #[message(within = never)]
    #[to(Done)]
    Told,
    /// Calls another pool.
    #[call(Lookup<u8>, within = 1s => Digested, gone => Digested)]
    #[to(Ask | Done)]
    Ask,
    /// Reports a timeout.
    #[sleep(1s)]
    #[to(Done)]
    Digested,
    /// The end.
    #[end]
    Done {},
}
