//! Network protocol servers as annotated enums.
//!
//! A protocol is an **enum**. Each variant is a state with its wait, the bound of that wait, and the
//! states that may follow. [`#[state_machine]`](macro@state_machine) checks the whole graph at compile
//! time, and generates the resumable handler: the partial reads and writes, the deadlines and the ends
//! of streams. A [`Pool`] runs one machine for each connection.
//!
//! ```
//! use fsm_runtime::prelude::*;
//! use fsm_runtime::sim::Session;
//!
//! #[state_machine(start = Talk, eof => Gone)]
//! enum Echo {
//!     /// Sends back the bytes that the peer sends.
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
//! The guide in the folder `docs/guide` of the repository has a chapter for each of these:
//! [a first server](../../../docs/guide/first-server.md), [framing](../../../docs/guide/framing.md),
//! [deadlines](../../../docs/guide/deadlines.md), [pools](../../../docs/guide/pools.md),
//! [clients and proxies](../../../docs/guide/clients.md), [TLS](../../../docs/guide/tls.md),
//! [testing](../../../docs/guide/testing.md), [other event loops](../../../docs/guide/embedding.md), [operating](../../../docs/guide/operating.md) and
//! [live upgrades](../../../docs/guide/upgrade.md).
//!
//! - [`state_machine`](macro@state_machine): all attributes and their keys.
//! - [`Cx`]: the actions of a handler. [`Frame`]: a decoder of whole messages.
//! - [`proxy`]: the PROXY protocol, for servers behind `HAProxy` and its like.
//! - [`Pool`], [`Builder`]: addresses, limits, threads. [`Handle`], [`Running`]: a pool from outside.
//! - [`Pipeline`]: several pools, which call each other and hand connections over. [`Service`],
//!   [`JobHandle`]: jobs.
//! - [`Moves`], [`MovesHandler`]: connections that move to another process.
//! - [`embed`]: machines without sockets and threads, for another event loop.
//! - [`sim`]: machines without sockets, for tests. [`check`]: laws that your machine should keep.
//! - [`Spec`]: the graph as data, for pictures and tools.
//!
//! Generated code uses [`Machine`], [`Drive`], [`Input`], [`Step`] and the types beside them; you need
//! not know them.
//!
//! # Features
//!
//! - `pool`, on by default: sockets and pools. Without it there are machines, [`embed`], [`sim`] and [`check`].
//! - `console`: `Console`, a page, metrics and text about pools at work. It includes `transitions`.
//! - `transitions`: counts of each edge in `PoolSnapshot::edges`, and `Builder::history`.
//! - `serde`: `Json` for the jobs of [`Pool::python`], and `moves_by_serde!` for connections that move.
//! - `tls`: servers and clients with TLS of rustls.
//! - `diagram`: a drawing of each machine in its docs.
//!
//! # Bounds
//!
//! A connection holds at most the `max` of one message and one read (64 KiB) of input, and of output the
//! pool's output mark and the writes of one handler call. It holds no buffer while it is idle. A pool
//! has at most [`Builder::max_connections`] connections or [`Builder::max_jobs`] jobs. A caller that finds
//! it full waits for room within the deadline of its state, with its one job or connection, or takes
//! its `full` edge. A turn is bounded in bytes and handler calls; then other connections have theirs.
//!
//! # Threads
//!
//! A connection or job runs on one thread at a time. A port has [`Builder::threads`], of which
//! [`Builder::max_running`] run. A thread that blocks does not count meanwhile, if its handler declares it
//! ([`Cx::blocking`], `#[run(blocking)]`) or, on Linux, if the watchdog notices it
//! ([`Builder::watchdog`]).
//!
//! # Logs
//!
//! The runtime logs with `tracing`: pools that start, drain and end at `INFO`, limits and trouble at
//! `WARN`, panics of handlers at `ERROR`, errors that took an edge to a state without an `#[error]` field
//! at `DEBUG`, ends of connections at `TRACE`. A panic of the subscriber costs that line and nothing else.
//! A subscriber that blocks holds up the thread that logs, so its writer should not.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(feature = "pool"),
    allow(dead_code, unreachable_pub, reason = "pools use the rest of what both are made of")
)]

// Machines in unit tests, and that of the console, name the crate as those outside do.
#[cfg(any(all(test, not(any(loom, shuttle))), feature = "console"))]
extern crate self as fsm_runtime;

// The vocabulary: every folder may use it, and it uses none.
mod address;
mod clock;
mod error;
mod frame;
mod key;
#[cfg(feature = "pool")]
mod layer;
mod log;
mod moves;
mod other;
mod panics;
mod peer;
pub mod proxy;
mod snapshot;
mod spec;
mod stats;
mod sync;
mod target;
mod wake;

// In the order in which they may use each other: each uses only those above it, and of the three in
// one line none uses another one.
mod call;
mod connection;
mod driver;
pub mod embed;
mod job;
mod lifecycle;
mod machine;
mod net;
mod outgoing;
pub mod prelude;
mod scheduler;
#[cfg(feature = "pool")]
mod server;
pub mod sim;

pub use crate::sim::check;

#[doc(hidden)]
pub use crate::frame::keywords as __frame_keywords;
#[doc(hidden)]
pub use crate::frame::parts as __frame;
#[doc(hidden)]
pub use crate::frame::parts::max_of as __max_of;
#[doc(hidden)]
pub use crate::frame::{
    EncodeTagged as __EncodeTagged, Framed as __Framed, LayoutOf as __LayoutOf, Nested as __Nested,
    NestedProgress as __NestedProgress, NoLayout as __NoLayout, Repeated as __Repeated,
    Rest as __Rest, Tagged as __Tagged, TimesProgress as __TimesProgress, rest as __rest,
};
#[doc(hidden)]
pub use crate::machine::arithmetic as __arithmetic;
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

/// The item beside a machine with a `#[tls]` state.
#[cfg(feature = "tls")]
#[doc(hidden)]
#[macro_export]
macro_rules! __needs_tls {
    () => {};
}

/// ```compile_fail
/// fsm_runtime::__needs_tls!();
/// ```
#[cfg(not(feature = "tls"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __needs_tls {
    () => {
        ::core::compile_error!(
            "a `#[tls]` state needs the feature `tls` of the crate `fsm-runtime`; add `features = [\"tls\"]` \
             to it in `Cargo.toml`"
        );
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
pub use fsm_macros::{frame, state_machine};

pub use crate::address::Address;
pub use crate::call::service::Service;
#[doc(hidden)]
pub use crate::call::service::{Called, Handed};
pub use crate::error::{EndError, PoolError, TrySendError};
pub use crate::frame::{
    Decoded, Encode, Frame, Layout, LayoutCase, LayoutField, NeverRefuses, Output, Times,
    TimesIter, Words,
};
pub use crate::job::handle::JobHandle;
pub use crate::job::submitter::Submitter;
pub use crate::key::Key;
#[cfg(feature = "pool")]
pub use crate::layer::{Layer, LayerEnd, LayerError, LayerInput, LayerSide};
pub use crate::machine::answers::Answers;
#[doc(hidden)]
pub use crate::machine::checked::{Check as __Check, Checked as __Checked};
pub use crate::machine::context::{Cx, JobCx};
pub use crate::machine::deadlines::{DeadlineSet, Deadlines};
#[doc(hidden)]
pub use crate::machine::from_error::FromError;
pub use crate::machine::input::{Input, Miss, NoFrame};
pub use crate::machine::kind::{Connection, ConnectionMachine, Job, JobMachine, Kind, OpenMachine};
pub use crate::machine::length::Length;
pub use crate::machine::other::{NoOther, Other, OtherOutput, OtherSlot};
pub use crate::machine::route::Route;
#[doc(hidden)]
pub use crate::machine::size_budget::{fits as __fits, holds as __holds};
pub use crate::machine::timer::{SleepTime, Timer};
pub use crate::machine::{Drive, Machine, NoMessage, Step, WaitSet};
#[cfg(feature = "serde")]
#[doc(hidden)]
pub use crate::moves::by_fields::{pack_json as __pack_json, unpack_json as __unpack_json};
pub use crate::moves::fields::PackedFields;
pub use crate::moves::{Moves, MovesHandler};
#[cfg(feature = "pool")]
pub use crate::net::listener::ListeningSocket;
#[cfg(feature = "pool")]
pub use crate::net::open_stream::OpenStream;
#[cfg(feature = "tls")]
pub use crate::net::tls::{TlsClient, TlsServer, TlsSession};
#[doc(hidden)]
pub use crate::net::tls_progress::Securing;
#[cfg(not(feature = "tls"))]
#[doc(hidden)]
pub use crate::net::tls_progress::TlsSession;
pub use crate::other::{Connected, Moved};
#[doc(hidden)]
pub use crate::other::{Connecting, Relaying, Way};
pub use crate::peer::Peer;
#[cfg(feature = "pool")]
pub use crate::server::builder::Builder;
#[cfg(feature = "pool")]
pub use crate::server::builder::connect::Connections;
#[cfg(feature = "console")]
pub use crate::server::console::Console;
#[cfg(feature = "pool")]
pub use crate::server::handle::Handle;
#[cfg(feature = "tls")]
pub use crate::server::layer::Encrypted;
#[cfg(feature = "pool")]
pub use crate::server::layer::{Layered, Plain, Transport};
#[cfg(feature = "pool")]
pub use crate::server::observer::Observer;
#[cfg(feature = "pool")]
pub use crate::server::pipeline::Pipeline;
#[cfg(feature = "pool")]
pub use crate::server::pool::Pool;
#[cfg(all(feature = "pool", unix))]
pub use crate::server::python::Python;
#[cfg(feature = "pool")]
pub use crate::server::running::Running;
#[cfg(all(feature = "pool", unix))]
pub use crate::server::upgrade::{Upgrade, UpgradeData, Upgrader};
#[cfg(feature = "serde")]
pub use crate::server::wire::Json;
#[cfg(feature = "pool")]
pub use crate::server::wire::{Raised, Wire, WireFormat};
pub use crate::snapshot::{
    Activity, Age, Block, EdgeCount, Filter, JobPlace, PoolPhase, PoolSnapshot, PortSnapshot,
    Position, Room, RouteSnapshot, RunningHandler, Since, Snapshot, StateCount, TaskSnapshot,
    ThreadSnapshot, TransitionSnapshot,
};
pub use crate::spec::{Edge, Shape, Spec, Starts, State, Trigger, Wait};
pub use crate::stats::{Ended, Journeys, Stats};
pub use crate::target::Target;
