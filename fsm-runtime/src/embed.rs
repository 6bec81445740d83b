//! Machines on another event loop: bytes in, bytes out, and the time as an argument.
//!
//! A [`Conn`] is one connection of a machine, without a socket, a thread or a clock. Its user moves the bytes
//! and tells it the time, whatever the bytes travel on: tokio, `io_uring`, a serial line, a browser. Each
//! call runs the machine until it waits for something, as a turn in a pool does, and with the same code; the
//! bounds, deadlines and ends are those of a pool. A [`Host`] has what connections of one machine share: their
//! settings, and the buffers, of which an idle connection holds 2 KiB at most.
//!
//! ```
//! use fsm_runtime::prelude::*;
//! use fsm_runtime::{Ended, embed};
//! use std::time::Duration;
//!
//! #[state_machine(start = Line, eof => Gone)]
//! enum Shout {
//!     #[read(until = b"\n", max = 64, limit => Gone, idle = 10s => Late)]
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
//!
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
//! let host = embed::Host::<Shout, _>::new();
//! // Time is what has passed since a start that the event loop chooses.
//! let mut conn = host.open(Peer::Memory, Client, Duration::ZERO);
//!
//! // The bytes that have come from the peer. The connection takes as many as the machine has room for.
//! assert_eq!(conn.input(b"hello\n", Duration::from_secs(3)), 6);
//! // The bytes for the peer, and how many of them were sent.
//! assert_eq!(conn.output(), b"HELLO");
//! conn.sent(5, Duration::from_secs(3));
//!
//! // Nothing comes for ten seconds.
//! assert_eq!(conn.deadline(), Some(Duration::from_secs(13)));
//! conn.on_time(Duration::from_secs(13));
//! assert_eq!(conn.output(), b"too late");
//! assert_eq!(conn.ended(), Some(Ended::Done));
//! ```
//!
//! # The loop
//!
//! An event loop does for each connection what is there to be done, in any order, until it has
//! [`ended`](Conn::ended):
//!
//! - It gives the bytes that come to [`Conn::input`], and keeps those that were not taken until
//!   [`Conn::wants_input`]. It reads nothing more meanwhile, which is how a peer learns that it has to wait.
//! - It sends [`Conn::output`], and reports with [`Conn::sent`] how much has gone.
//! - It calls [`Conn::on_time`] at [`Conn::deadline`].
//! - When the peer's stream ends, it gives what is left to `input` and then calls [`Conn::eof`]; when the
//!   connection breaks, it calls [`Conn::reset`].
//! - When [`Conn::is_shut`], it ends its own stream behind the last output.
//!
//! After the end it sends what is left of the output and closes the connection; if [`Conn::is_aborted`], in a way that
//! does not look like an end. The system resets a socket that is closed with unread input, so a careful loop
//! reads on until the peer has ended, too, for a few seconds at most.
//!
//! # Bounds
//!
//! A call of [`Conn::input`] takes at most 64 KiB, and a connection holds at most the `max` of one message and
//! 64 KiB of input. The output is bounded by twice the [output mark](HostBuilder::output_mark) and the writes of
//! one handler call: at the mark the machine takes no input and no message. A call runs at most 1,024 handlers; if
//! there is more to do then, the [`deadline`](Conn::deadline) is over at once.
//!
//! # What needs a pool
//!
//! A machine with a `#[call]`, `#[handoff]`, `#[job]`, `#[connect]`, `#[relay]` or `#[tls]` state, with a read of
//! the other socket, or with datagrams does not compile with a [`Host`]:
//!
//! ```compile_fail
//! use fsm_runtime::embed;
//! use fsm_runtime::prelude::*;
//!
//! #[state_machine(start = Word)]
//! enum Shout {
//!     #[read(datagram, max = 64, idle = 60s => Gone)]
//!     #[to(Word)]
//!     Word,
//!     #[end]
//!     Gone,
//! }
//! # struct Client;
//! # impl shout::Handler for Client {
//! #     fn word(&mut self, _: &[u8], _: &mut Cx<'_>) -> shout::AfterWord { shout::AfterWord::Word }
//! # }
//!
//! # fn main() {
//! let host = embed::Host::<Shout, Client>::new();
//! # }
//! ```
//!
//! TLS goes around a `Conn`, where the event loop has it: see `tests/tests/embed/serve.rs` of the repository for
//! tokio-rustls. A machine with jobs is no connection.

mod conn;
mod host;
mod wire;

pub use self::conn::Conn;
pub use self::host::{Host, HostBuilder};
