//! Network protocol servers as annotated enums.
//!
//! A protocol is an **enum**. Each variant is a state: it says what it waits for, how long it may
//! wait, and where it may go. [`#[state_machine]`](macro@state_machine) checks the whole graph at
//! compile time, and generates the resumable handler: the partial reads and writes, the deadlines
//! and the ends of streams. A [`Pool`] runs one machine for each connection.
//!
//! ```
//! use fsm_runtime::prelude::*;
//! use fsm_runtime::sim::Session;
//!
//! #[state_machine(start = Talk, eof => Gone)]
//! enum Echo {
//!     /// Sends back whatever comes.
//!     #[read(some, max = 16KiB, idle = 60s => Gone)]
//!     #[to(Talk)]
//!     #[rest]
//!     Talk,
//!     #[end]
//!     Gone,
//! }
//!
//! struct Client;
//!
//! impl echo::Handler for Client {
//!     fn talk(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> echo::AfterTalk {
//!         cx.write(bytes);
//!         echo::AfterTalk::Talk
//!     }
//! }
//!
//! // A test of it. To serve it:
//! // Pool::builder::<Echo>("echo").listen("127.0.0.1:7007").handler(|_| Client).run()
//! let mut peer = Session::<Echo, _>::new(Client);
//! peer.send(b"hello");
//! assert_eq!(peer.receive(), b"hello");
//! ```
//!
//! # Where to look
//!
//! - [`state_machine`](macro@state_machine): all attributes and their keys.
//! - [`Cx`]: what a handler can do. [`Frame`]: your decoder of whole messages.
//! - [`Pool`], [`Builder`]: addresses, limits, threads. [`Handle`], [`Running`]: a pool from outside.
//! - [`Pipeline`]: several pools, which call each other and hand connections over. [`Service`],
//!   [`Ticket`]: jobs.
//! - [`sim`]: machines without sockets. [`check`]: laws to hold your machine to.
//! - [`Spec`]: the graph as data, for pictures and tools.
//!
//! [`Machine`], [`Drive`], [`Input`], [`Step`] and the types beside them are what generated code is
//! made of; you need not know them to use it.
//!
//! # Bounds
//!
//! A connection holds at most one message's `max` and one read (64 KiB) of input, and the pool's
//! output mark and what one handler call writes of output. It has no buffer at all while it is
//! idle. A pool has at most [`Builder::max_connections`] of them, or [`Builder::max_jobs`] jobs. Who
//! brings one more waits for room, within the deadline of its state and with its one job or connection,
//! or is told that there is none. A turn is bounded in bytes and handler calls, after which it is the
//! turn of others.
//!
//! # Threads
//!
//! One connection or job is on one thread at a time. A port has [`Builder::threads`], of which
//! [`Builder::cap`] run; one that blocks does not count while it does, if it says so
//! ([`Cx::blocking`], `#[run(blocking)]`) or, on Linux, if it is seen to ([`Builder::watch`]).
//!
//! # Logs
//!
//! The runtime logs with `tracing`: pools that start, pause and drain at `INFO`, trouble at `WARN`,
//! panics of handlers at `ERROR`, errors that no state takes up at `DEBUG`, ends of connections at
//! `TRACE`.
#![forbid(unsafe_code)]

#[doc(hidden)]
#[path = "words.rs"]
pub mod __words;
mod acceptor;
mod actor;
mod address;
mod arrivals;
mod bed;
mod builder;
pub mod check;
mod clock;
mod cold;
mod conn;
mod control;
mod core;
mod credits;
mod cx;
mod env;
mod error;
mod floor;
mod frame;
mod handle;
mod heartbeat;
mod inbox;
mod input;
mod job;
mod job_port;
mod jobs;
mod key;
mod link;
mod listener;
mod machine;
mod nap;
mod open_files;
mod output;
mod peer;
mod pipe;
mod pipeline;
mod pool;
mod port;
pub mod prelude;
mod reactor;
mod route;
mod running;
mod seats;
mod service;
mod shell;
mod side;
mod signals;
pub mod sim;
mod size;
mod socket;
mod spec;
mod stats;
mod submitter;
mod sync;
mod task;
mod ticket;
mod timers;
mod times;
mod token;
mod transport;
mod unread;
mod watchdog;
mod worker;
mod workers;

pub use bytes;

#[cfg(feature = "diagram")]
#[doc(hidden)]
pub use fsm_diagram::picture as __draw;

#[cfg(not(feature = "diagram"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __draw {
    ($mermaid:literal) => {
        ""
    };
}

/// The picture in the docs of a machine, and its text.
#[doc(hidden)]
#[macro_export]
macro_rules! __picture {
    ($mermaid:literal) => {
        ::core::concat!(
            $crate::__draw!($mermaid),
            "\n<details><summary>As Mermaid</summary>\n\n```mermaid\n",
            $mermaid,
            "\n```\n\n</details>"
        )
    };
}

#[doc(hidden)]
pub use fsm_macros::__StateMachine;
pub use fsm_macros::state_machine;

pub use crate::address::Address;
pub use crate::builder::Builder;
pub use crate::cx::{Cx, JobCx};
pub use crate::error::PoolError;
pub use crate::frame::{Decoded, Frame};
pub use crate::handle::Handle;
pub use crate::inbox::PostError;
pub use crate::input::{Input, Length, Miss, NoFrame};
pub use crate::key::Key;
pub use crate::machine::{Drive, Lapse, Machine, NoMessage, Pause, Step, Timing};
pub use crate::peer::Peer;
pub use crate::pipeline::Pipeline;
pub use crate::pool::Pool;
pub use crate::route::Route;
pub use crate::running::Running;
#[doc(hidden)]
pub use crate::service::{Called, Handed};
pub use crate::service::{JobMachine, Service};
pub use crate::side::{Connection, Job, Side};
#[doc(hidden)]
pub use crate::size::fits as __fits;
pub use crate::spec::{Edge, Shape, Spec, Starts, State, Trigger, Wait};
pub use crate::stats::{Ended, Stats};
pub use crate::submitter::Submitter;
pub use crate::ticket::{SubmitError, Ticket};
pub use crate::times::{OneTime, Times, TwoTimes};

/// The README's code is compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
