//! Machines without sockets: one connection on a pipe in memory, with a clock that the test moves.
//!
//! The port, its deadlines and its drain are those that serve sockets; only the bytes and the time
//! come from the test. The bounds are those of a pool by default, except for an output mark of
//! 64 KiB. Nothing here sleeps or depends on another thread, so a test runs the same way every time.
//!
//! ```
//! use fsm_runtime::prelude::*;
//! use fsm_runtime::sim::Session;
//! use std::time::Duration;
//!
//! #[state_machine(start = Line, eof => Gone)]
//! enum Shout {
//!     #[read(until = b"\n", max = 64, limit => Gone, within = 10s => Late)]
//!     #[to(Line)]
//!     Line,
//!     /// Says that it was too slow.
//!     #[run]
//!     #[to(Gone)]
//!     Late,
//!     #[end]
//!     Gone,
//! }
//!
//! struct Client;
//! impl shout::Handler for Client {
//!     fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> shout::AfterLine {
//!         cx.write(&line.to_ascii_uppercase());
//!         shout::AfterLine::Line
//!     }
//!
//!     fn late(&mut self, cx: &mut Cx<'_>) -> shout::AfterLate {
//!         cx.write(b"too late");
//!         shout::AfterLate::Gone
//!     }
//! }
//!
//! // The test does not sleep: it moves the clock.
//! let mut peer = Session::<Shout, _>::new(Client);
//! peer.advance(Duration::from_secs(10));
//! assert_eq!(peer.receive(), b"too late");
//! ```
//!
//! Sessions whose machines share state, such as a table of locks, are made on one [`Clock`].
//!
//! # Pools that a machine calls
//!
//! A session has no other pools: the test plays them. It takes the jobs that the machine gives to them,
//! and replies. A pool to which handlers give jobs with [`Cx::submit`](crate::Cx::submit) is a [`StubPool`].
//!
//! ```
//! use fsm_runtime::prelude::*;
//! use fsm_runtime::sim::Session;
//!
//! struct Square;
//!
//! impl Service for Square {
//!     type Job = u32;
//!     type Reply = u32;
//! }
//!
//! #[state_machine(start = Number, eof => Gone, gone => Sorry)]
//! enum Maths {
//!     #[read(exact = 1, idle = 60s => Gone)]
//!     #[to(Asking)]
//!     #[rest]
//!     Number,
//!     #[call(Square, within = 5s => Sorry, full => Sorry)]
//!     #[to(Number)]
//!     Asking,
//!     #[run]
//!     #[to(Number)]
//!     Sorry,
//!     #[end]
//!     Gone,
//! }
//!
//! struct Client;
//!
//! impl maths::Handler for Client {
//!     fn number(&mut self, number: &[u8; 1], _: &mut Cx<'_>) -> maths::AfterNumber {
//!         maths::AfterNumber::Asking { job: number[0].into() }
//!     }
//!
//!     fn asking(&mut self, reply: u32, cx: &mut Cx<'_>) -> maths::AfterAsking {
//!         write!(cx, "{reply};");
//!         maths::AfterAsking::Number
//!     }
//!
//!     fn sorry(&mut self, cx: &mut Cx<'_>) -> maths::AfterSorry {
//!         write!(cx, "sorry;");
//!         maths::AfterSorry::Number
//!     }
//! }
//!
//! # fn main() {
//! let mut peer = Session::<Maths, _>::new(Client);
//! peer.send(&[7]);
//! assert_eq!(peer.job::<Square>(), Some(7));
//! peer.reply::<Square>(49);
//! assert_eq!(peer.receive(), b"49;");
//!
//! // A job that fails, one for which there is no room, and a pool that is closed.
//! peer.send(&[8]);
//! peer.job::<Square>();
//! peer.fail::<Square>();
//! peer.room::<Square>(0);
//! peer.send(&[8]);
//! peer.close::<Square>();
//! peer.send(&[8]);
//! assert_eq!(peer.receive(), b"sorry;sorry;sorry;");
//! # }
//! ```

use crate::machine::limits::Limits;

pub mod check;
mod clock;
mod harness;
mod job_session;
mod methods;
mod other;
mod pipe;
mod port;
mod received_bytes;
mod session;
mod stub_pool;
mod stub_pools;
#[cfg(feature = "tls")]
mod tls;

pub use self::clock::Clock;
pub use self::job_session::JobSession;
pub use self::other::OtherPeer;
pub use self::received_bytes::ReceivedBytes;
pub use self::session::Session;
pub use self::stub_pool::StubPool;

/// The default bounds of a pool, except for the output mark.
const LIMITS: Limits = Limits { output: 64 * 1024, ..Limits::DEFAULT };

// Its machines take longer to build than the checks of interleavings, which are built by themselves.
#[cfg(test)]
#[cfg(not(any(loom, shuttle)))]
mod tests;
