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
//!   [`JobHandle`]: jobs.
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
//! [`Builder::max_running`] run; one that blocks does not count while it does, if it says so
//! ([`Cx::blocking`], `#[run(blocking)]`) or, on Linux, if it is seen to ([`Builder::watchdog`]).
//!
//! # Logs
//!
//! The runtime logs with `tracing`: pools that start, pause and drain at `INFO`, trouble at `WARN`,
//! panics of handlers at `ERROR`, errors that no state takes up at `DEBUG`, ends of connections at
//! `TRACE`.
#![forbid(unsafe_code)]

// The vocabulary: every folder may use it, and it uses none.
mod address;
mod clock;
mod error;
mod key;
mod peer;
mod spec;
mod stats;
mod sync;
mod wake;

// In the order in which they may use each other: each uses only those above it, and of the three in
// one line none uses another one.
mod call;
mod connection;
mod driver;
mod job;
mod lifecycle;
mod machine;
mod net;
pub mod prelude;
mod scheduler;
mod server;
pub mod sim;

pub use crate::sim::check;

#[doc(hidden)]
pub use crate::machine::keywords as __keywords;
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
pub use crate::call::service::Service;
#[doc(hidden)]
pub use crate::call::service::{Called, Handed};
pub use crate::error::{PoolError, TrySendError};
pub use crate::job::handle::JobHandle;
pub use crate::job::submitter::Submitter;
pub use crate::key::Key;
pub use crate::machine::context::{Cx, JobCx};
pub use crate::machine::deadlines::{Lapse, OneTime, SleepTime, Times, Timing, TwoTimes};
pub use crate::machine::frame::{Decoded, Frame};
pub use crate::machine::input::{Input, Length, Miss, NoFrame};
pub use crate::machine::kind::{Connection, Job, JobMachine, Kind};
pub use crate::machine::route::Route;
#[doc(hidden)]
pub use crate::machine::size_budget::fits as __fits;
pub use crate::machine::{Drive, Machine, NoMessage, Step};
pub use crate::peer::Peer;
pub use crate::server::builder::Builder;
pub use crate::server::handle::Handle;
pub use crate::server::pipeline::Pipeline;
pub use crate::server::pool::Pool;
pub use crate::server::running::Running;
pub use crate::spec::{Edge, On, Shape, Spec, Starts, State, Wait};
pub use crate::stats::{Ended, Stats};
