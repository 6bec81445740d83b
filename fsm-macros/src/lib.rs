//! The `#[state_machine]` attribute. `fsm-runtime` re-exports it, so depend on that crate; its docs
//! have programs.
//!
//! The passes, each a plain function over tokens:
//!
//! ```text
//! parse -> ast -> check (+ graph) -> lower -> model -> expand
//!                   |
//!                   +-> fallback, after findings
//! ```
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

#[macro_use]
mod quoting;

mod ast;
mod check;
mod code;
mod errors;
mod expand;
mod fallback;
mod frame;
#[cfg(test)]
mod fuzz;
mod graph;
#[cfg(test)]
mod layers;
mod lower;
mod model;
mod parse;
mod spelling;

use proc_macro2::TokenStream;
use quote::quote;

use crate::code::Code;
use crate::errors::Errors;
use crate::parse::Item;

/// Turns an enum into a state machine. Each variant is a state with its wait, its deadlines and its
/// targets. The macro checks the graph and generates everything between the handlers.
///
/// ```text
/// #[state_machine(start = Line, eof => Gone)]
/// pub enum Talk {
///     /// Waits for a line.
///     #[read(until = b"\n", max = 1KiB, limit => TooLong, idle = 5min => Gone)]
///     #[to(Line | TooLong)]
///     #[rest]
///     Line,
///     /// Says goodbye.
///     #[flush(within = 5s => Gone)]
///     #[to(Gone)]
///     TooLong,
///     #[end]
///     Gone,
/// }
/// ```
///
/// # Generated items
///
/// The macro keeps the enum, without the attributes below, and adds:
///
/// - `impl Machine for Talk`, with the graph as data in `Talk::SPEC`;
/// - a module `talk`, as visible as the enum, with `trait Handler`: one method for each wait of a state
///   but the ends and the hand-offs, called when it completes. Its arguments are the state's fields as
///   `&mut`, the received value, and `cx`. The method of a `message` or a `tick` beside another wait has
///   the name of the state and of the wait, such as `room_message` and `room_tick`;
/// - in the module an enum `After..` for each such state, with a variant for each target in its
///   `to(..)`. The variant of another state has that state's fields, but for those that carry; the
///   variant of the same state has none, because the machine and its data stay in place. Some
///   verdicts have a payload, too, see below;
/// - `impl Drive<H> for Talk`, for every `H: talk::Handler`;
/// - for a machine with `job` and `reply`, `impl Service for Talk`, so that others can name it in
///   `#[call(Talk, ..)]`, and without a `#[job]` state `impl JobMachine for Talk`.
///
/// The module names the types of fields, frames, pools, messages and errors by `use super::*`, so they
/// cannot be types that a function declares in its body.
///
/// The method of a `flush`, `shutdown`, `discard` or `sleep` with one verdict that needs no data has a body
/// already.
///
/// An `#[allow(..)]` on the enum applies to the module and the impls, too.
///
/// A machine can be in a crate of any edition, which may forbid any lint of rustc but `unexpected_cfgs`, and where
/// `#![no_implicit_prelude]` applies.
///
/// # On the enum
///
/// | key | meaning |
/// |---|---|
/// | `start = State` | the start; required, a state without data, or with one field for the `job` or the `seed`; without data in a machine with a `#[job]` state |
/// | `eof => State`, `limit => State`, `refused => State`, `error => State`, `full => State`, `gone => State` | the default for states in which that can happen and that say nothing else; a `call` takes no default for `eof` |
/// | `within = 5min => State`, `idle = 1min => State` | the default for waits that say neither and are in no group with a time |
/// | `begun = 10s => State` | the default for reads of messages |
/// | `drain => State` | the default for states with `#[rest]` |
/// | `within(Group) = 1min => State` | a time for all states of the group together: it counts from entering one of them from outside, and is off outside; its target is outside, and no state is in two such groups |
/// | `error = Type` | the handlers of states with an `error` edge return `Result<After.., Type>` |
/// | `message = Type` | the type of messages that `#[message]` states wait for; handlers take `Cx<'_, Type>` |
/// | `settings = Type` | what the operator of a pool may choose, in expressions `settings` and in handlers `cx.settings()`; the type is `Default`, and handlers take `Cx<'_, Message, Type>`, with `NoMessage` for a machine without messages |
/// | `job = Type`, `reply = Type` | the machine runs jobs: it has no connection, is started with a job, and replies at its end; handlers take `JobCx<'_>`. With a `#[job]` state its [connections answer the jobs](#connections-that-answer-jobs) |
/// | `seed = Type` | the type of the value that starts the machine, from a `#[handoff(..)]` of another |
/// | `moves` | connections in `#[rest]` states can [move to another process](#connections-that-move), which a live upgrade starts |
/// | `module = name` | the module's name; otherwise the enum's in `snake_case`, which may be taken |
/// | `size <= 64` | the machine may take no more bytes than that; the error names the fattest state |
/// | `crate = ::path` | the path of `fsm_runtime`, if it has another name |
/// | `Group = A \| B` | a name that `to(..)` can use for several states, or groups |
///
/// # On a state: a wait
///
/// | attribute | its handler gets | bounds and edges |
/// |---|---|---|
/// | `#[read(exact = 8)]` | `bytes: &[u8; 8]` | a deadline, `eof` |
/// | `#[read(exact = expr, max = 1KiB)]` | `bytes: &[u8]` | a deadline, `eof`, `limit` |
/// | `#[read(until = b"\r\n", max = 1KiB)]` | `bytes: &[u8]`, without the delimiter, which does not count for `max` | a deadline, `eof`, `limit` |
/// | `#[read(some, max = 16KiB)]` | `bytes: &[u8]`, the bytes that are there | a deadline, `eof` |
/// | `#[read(peek = 8)]` | `bytes: &[u8; 8]`, which stay unread: another state reads them, so this one leads on to it | a deadline, `eof` |
/// | `#[read(upto = expr, max = 16KiB)]` | `bytes: &[u8]`, never past the next `expr` bytes | a deadline, `eof` |
/// | `#[read(frame = Type, max = 64KiB)]` | `frame: <Type as Frame>::Item<'_>` | a deadline, `eof`, `limit`, `refused` |
/// | `#[read(datagram, max = 1232)]` | `bytes: &[u8]`, a whole [datagram](#datagrams) | a deadline |
/// | `#[read(other, ..)]` | as `read`, of the [other socket](#two-sockets) | as `read` |
/// | `#[discard(until = b"\n")]`, `#[discard(exact = expr)]` | nothing: that input is thrown away as it comes, also what is longer than any buffer | `within`, `eof` |
/// | `#[flush]` | nothing: all output has left | a deadline |
/// | `#[shutdown]` | nothing: all output and the end of our stream have left; the machine may read on, and what it writes later is lost | `within` |
/// | `#[writable(below = 64KiB)]` | nothing: less output than that is queued | a deadline |
/// | `#[message]` | `message: Type`, of the machine's `message` | a deadline, `eof` |
/// | `#[job]` | `job: Type`, of the machine's `job`: the connection is free, and takes the next job | a deadline, `eof` |
/// | `#[connect]` | `connected: Connected`, the peer, and whether the connection was there already | `within`, `refused` |
/// | `#[relay(max = 64KiB)]` | `moved: Moved`, the numbers of bytes: both streams have passed and ended | a deadline, `eof = 30s`, `gone` |
/// | `#[relay(out, exact = expr, max = 64KiB)]`, `#[relay(back, exact = expr, max = 64KiB)]` | `moved: Moved`: so many bytes have passed one way | a deadline, `eof`, `gone` |
/// | `#[relay(out, max = 64KiB)]`, `#[relay(back, max = 64KiB)]` | `moved: Moved`: all up to the end of one stream has passed | a deadline, `gone` |
/// | `#[tls]`, `#[tls(name = host)]` | `tls: TlsSession<'_>`, the names, the protocol and the certificates: the [TLS handshake](#tls) is over | `within`, `error` |
/// | `#[sleep(100ms)]`, `#[sleep(expr <= 5min)]` | nothing: the time has passed | |
/// | `#[call(Service, ..)]` | `reply: <Service as Service>::Reply` | `within`, `gone`, `full`; `eof` if it shall withdraw the job |
/// | `#[handoff(Machine, ..)]` | has none: the connection leaves for the pool of that machine | `within`, `gone`, `full` |
/// | `#[run]` | nothing, at once | |
/// | `#[run(blocking)]` | nothing, at once; it may block, and meanwhile the port lets another thread run | |
/// | `#[end]` | has none: the machine is done | no data, no edges |
///
/// The edges follow the wait, such as `#[flush(within = 5s => Gone)]`. A *deadline* is
/// `within`, `idle` or both, the time of a group, or `within = never`. In a machine with `error = Type`
/// every state with a handler may have an `error` edge too.
///
/// | edge | taken |
/// |---|---|
/// | `within = 30s => State` | that time after the state was entered from another one |
/// | `idle = 30s => State` | that time after the wait last completed; in a `relay` after the last byte either way |
/// | `begun = 10s => State` | that time after the first byte of a message that is not complete; meanwhile `idle` stands still |
/// | `eof => State` | when the peer ends its stream and the input is too short to complete the wait. In a `message` or `call` state: when all input before the end is used up. In a `job` state also: when any input comes, because nothing was asked. In a `read(other)` state: when the other stream ends or breaks off. In a `relay` with `exact`: when the stream ends before that number |
/// | `eof = 30s => State` | in a `relay` both ways: that time after one side has ended, and again after each byte since |
/// | `limit => State` | when the input to read is larger than `max`; `max = 80 => State` is the same |
/// | `refused => State` | when the decoder returns an error; one whose error is `Infallible` needs no such edge; in a `connect` state when the connection fails |
/// | `error => State` | when the handler returns an error; then all methods of the state return a `Result`, those for messages and ticks too; in a `tls` state also when the handshake fails |
/// | `full => State` | when the other pool has no room; without this edge the state waits for room, within its deadline |
/// | `gone => State` | when the other pool is closed, or has lost the job without a reply; in a `relay` state when the other socket breaks off |
///
/// Each leads to a state without data, or whose fields are all marked `#[carry]`, or one of them
/// `#[error]` for `error` and `refused`, and `#[job]` or `#[seed]` for `full`. None leads to a `call`, a
/// `handoff` or a `connect`, because only a verdict has a payload; nor, in a machine with `reply`, to an end;
/// nor, with a job in hand, to a `#[job]` state.
///
/// # Several waits on a state
///
/// A `message` may stand beside a `read`, a `tick` beside a `read`, a `message` or a `call`, and a
/// [`read(other, ..)`](#two-sockets) beside a `read` or a `relay(out, ..)`. They share the state's `to(..)` and its
/// type of verdicts; all edges are on the `read`, the `relay` or the `call`, or on the `message` where there is
/// none of these, but for those of the `read(other, ..)` itself.
///
/// ```text
/// #[read(until = b"\n", max = 512, idle = 5min => Gone)]
/// #[message]
/// #[tick(30s)]
/// #[to(Room | Gone)]
/// Room { name: String },
/// ```
///
/// | attribute | its handler gets |
/// |---|---|
/// | `#[message]` | the next message, in the method `room_message` |
/// | `#[read(other, ..)]` | the input of the other socket, in the method `room_other` |
/// | `#[tick(30s)]`, `#[tick(expr <= 5min)]` | nothing, in the method `room_tick`, that time after the state was entered and after each tick; beside a `call` the method returns an `Option` of a verdict, and `None` waits on |
///
/// - A tick that is due comes first. Then input and messages alternate, one handler call each, so that a
///   flood of one does not hold up the other.
/// - While more output than the pool's output mark is queued, none of them is taken.
/// - A message or a tick that stays in the state leaves an incomplete message of the peer alone, and does
///   not restart `idle`, `begun` or `within`.
/// - One that leads to another state does not restart `idle` and `begun` either, if the machine comes back
///   without a read: a busy room does not hide a dead peer.
/// - A tick bounds nothing: the state has its deadline all the same.
/// - A `read(other)` alone has nothing beside it.
///
/// # Expressions
///
/// A time is a literal, a path to a constant `Duration`, or an expression with its bound such as
/// `idle = settings.idle <= 1h`. The same holds for `max`, of a `usize`, and for `exact` and `upto`, whose
/// bound may also be a `max` beside them. A time is evaluated when it is armed, and is at least 1 ms; a size
/// is evaluated at each read, and is at least 1.
///
/// An expression is one over the state's fields, as shared references, constants, and `settings`: of an
/// unsigned integer for a size, of a `Duration` for a time. `exact = left` and
/// `upto = *left - 2` are such. It ends at the next comma outside of parentheses. A delimiter is a byte
/// string, a byte, or a path to a `&[u8]`.
///
/// The arithmetic of an expression neither wraps nor panics, because its numbers may come from a peer. A
/// result of `exact` that does not fit, or a division by 0, takes the `limit` edge. In `upto`, `sleep`
/// and `discard` the nearest number takes its place, and after a division by 0 the largest one. The operands of `exact`
/// and `upto` are `u64`, whatever types they had, so `len * 4` may be 1020 for a `len: u8`; those in the
/// arguments of calls and under `as` keep their types. An expression has fields, constants, calls, `as`
/// and operators; a function that it calls may have the rest, and computes as you wrote it.
///
/// # Payloads of verdicts
///
/// Beside the fields of its state, a verdict has
///
/// | for a state | a field | which |
/// |---|---|---|
/// | `#[call(Index, ..)]` | `job: <Index as Service>::Job` | goes to the pool of `Index`; the verdict of the state for itself has it too |
/// | `#[handoff(Events, ..)]` | `seed: <Events as Machine>::Seed` | starts the machine `Events`, in its pool, with this connection |
/// | `#[connect]` | `to: Target` | is connected to; the verdict of the state for itself has it too |
/// | `#[end]`, in a machine with `reply` | `reply: Type` | answers the job; not of a connection without one in hand |
/// | `#[job]`, from a state with a job in hand | `reply: Type` | answers the job, and the connection is free; the verdict of a `#[job]` state for itself has it too |
///
/// ```text
/// #[state_machine(start = Digest, job = Document, reply = Filed)]
/// pub enum Index {
///     #[run(blocking)]
///     #[to(Done)]
///     Digest { document: Document },
///     #[end]
///     Done,
/// }
/// ```
///
/// A machine that runs jobs has no `read`, `discard`, `flush`, `writable`, `shutdown`, `connect`, `relay` and
/// `handoff`, and no `#[rest]`.
///
/// # Connections that answer jobs
///
/// A machine with a `#[job]` state is a client. Its pool opens the connections (`Builder::connect`), which are
/// free in that state and take jobs there; to others it is a pool like one that runs jobs.
///
/// ```text
/// #[state_machine(start = Free, job = String, reply = Result<String, Lost>, eof => Cut, limit => Cut)]
/// pub enum Asking {
///     /// Writes the question.
///     #[job(idle = 60s => Gone, eof => Gone)]
///     #[to(Answer)]
///     #[rest]
///     Free,
///     /// Has the answer: `Free { reply }` or `Gone { reply }`.
///     #[read(until = b"\n", max = 1KiB, within = 20s => Cut)]
///     #[to(Free | Gone)]
///     Answer,
///     /// Says that there is none: `Gone { reply }`.
///     #[run]
///     #[to(Gone)]
///     Cut,
///     #[end]
///     Gone,
/// }
/// ```
///
/// - The handler of the `#[job]` state has a job in hand, and so has each state that its verdicts lead to, until
///   a verdict for a `#[job]` state or an end gives the `reply`. The edges of a `#[job]` state, but for
///   `error`, are taken without a job.
/// - The other states have none, such as one that reads a greeting after the start. A state is of one kind, so
///   a default for `eof` that leads to a reply needs another `eof` on the `#[job]` state.
/// - With a job in hand an edge leads to no end and no `#[job]` state, because nothing gives the reply then.
/// - After `within`, `idle`, `begun`, `eof`, `limit`, `refused` and `error` the answer may still come, or a part of
///   it is unread. So these edges lead, with a job in hand, to states that lead to an end alone.
/// - The `#[job]` state should have `#[rest]`, so that a drain closes connections that are free; no state with
///   a job in hand has it. None is a `handoff`.
/// - A machine that is dropped with a job in hand, such as after a panic, is `gone` to the caller.
///
/// # Datagrams
///
/// A machine with a `#[read(datagram, ..)]` state serves peers that send datagrams. Its pool listens on addresses
/// such as `udp:0.0.0.0:53`.
///
/// ```text
/// #[state_machine(start = Query)]
/// pub enum Dns {
///     /// Answers the question.
///     #[read(datagram, max = 1232, idle = 5s => Gone)]
///     #[to(Gone)]
///     Query,
///     #[end]
///     Gone,
/// }
/// ```
///
/// - The first datagram of a peer starts a machine, and later ones go to that machine until it is at its end. So a
///   machine whose first verdict is an end keeps nothing of its peers. The pool has at most
///   `Builder::max_connections` peers whose machine waits; the datagrams of others are dropped and counted.
/// - Peers are told apart by their address and port, and by the address that they have sent to.
/// - Each read gets one datagram. A datagram that is larger than `max` is dropped, and so is an empty one. One that
///   comes while the machine does not read waits, as one of at most 64; after an end the next machine gets it.
/// - All output up to the next read or the end of the turn leaves as one datagram, from the address that was asked.
///   If it is larger than the output mark of the pool, or than 65,507 bytes, it is not sent, but logged and counted.
/// - Such a machine has no stream and no connection: no other kind of `read`, no `discard`, `flush`, `writable`,
///   `shutdown`, `connect`, `relay`, `job` and `handoff`, no `seed`, and no `eof`, `limit` and `begun`.
///
/// # Two sockets
///
/// A connection has another socket in a machine with a `#[connect]` state: a proxy serves its client on the first
/// one, and a target on the other one.
///
/// ```text
/// #[state_machine(start = Request, eof => Gone, limit => Gone, refused => Bad, gone => Gone)]
/// pub enum Proxy {
///     /// Has the head: writes it to `cx.other()`, and `Dial { to, body }`.
///     #[read(frame = Head, max = 16KiB, idle = 60s => Gone)]
///     #[to(Dial)]
///     #[rest]
///     Request,
///     /// Is connected: `Body`.
///     #[connect(within = 5s => Bad)]
///     #[to(Body)]
///     Dial { body: u64 },
///     /// The body has passed.
///     #[relay(out, exact = body, max = 64KiB, idle = 30s => Gone)]
///     #[to(Answer)]
///     Body { #[carry] body: u64 },
///     /// Has the head of the answer: writes it to `cx`, and `Rest { left }`.
///     #[read(other, frame = Head, max = 16KiB, within = 30s => Gone)]
///     #[to(Rest)]
///     Answer,
///     /// The answer has passed.
///     #[relay(back, exact = left, max = 64KiB, idle = 30s => Gone)]
///     #[to(Request)]
///     Rest { left: u64 },
///     /// Says that the request has failed.
///     #[run]
///     #[to(Gone)]
///     Bad,
///     #[end]
///     Gone,
/// }
/// ```
///
/// - The verdict that enters a `#[connect]` state names its target. A connection that is open to the same target,
///   and on which nothing is unread, is used again; otherwise a new one takes its place. Its peer may be about to
///   close it, which `Connected::reused` lets a handler expect.
/// - Only the verdicts of a `#[connect]` state lead to a state that uses the other socket, and from there on to
///   more of them; its `within`, `refused` and `error` edges do not, because there is no connection then. A state
///   that a `refused` edge leads to may have an `#[error]` field, made from the `std::io::Error`.
/// - `cx.other()` writes to the other socket, also before it is connected: then the output leaves when it is.
/// - A relay passes on first what was read and is unread. It reads a side only while less than `max` bytes wait for
///   the other side, so a slow reader holds its sender up. An end is passed on behind all bytes before it, and a
///   reset of one side resets the other. Only in `relay(out)` the client can still be answered after `gone`.
///   `cx.moved()` tells the bytes that have passed in a relay that was left by an edge.
/// - A relay both ways completes when both streams have ended. `eof = 30s => State` bounds the time when one has
///   ended and nothing moves.
/// - A state may read both sockets, or the other one while a body goes out:
///
///   ```text
///   #[relay(out, exact = body, max = 64KiB, idle = 30s => Gone, gone => Gone)]
///   #[read(other, frame = Head, max = 16KiB, eof => Bad)]
///   #[to(Answer | Rest)]
///   Body { #[carry] body: u64 },
///   ```
///
///   The read has a method of its own, `body_other`. The two take turns. The read has its own `eof`, `limit`,
///   `refused` and `idle`, which counts from its own reads; the other edges are those of the state. While output is
///   at the mark no read is taken, but the relay goes on. A verdict that leads elsewhere gives the relay up where it
///   stands, and `cx.moved()` tells where that is; one that stays lets it go on. Bytes that a target has sent before
///   it breaks off are read before `gone` is taken.
/// - None of these states is a place to rest.
/// - A machine without a `#[connect]` state pays nothing for all this.
///
/// # TLS
///
/// A pool with `Builder::tls` or `Builder::tls_client` encrypts its connections from their beginning, and its
/// machine needs no state for that. If the machine has a `#[tls]` state, a connection is plain until it gets
/// there: in the start state that is at once, later it is the STARTTLS of mail and database protocols.
///
/// ```text
/// #[read(until = b"\r\n", max = 512, idle = 5min => Gone)]
/// #[to(Command | Secure)]
/// Command,
/// /// After `STARTTLS`, which was answered.
/// #[tls(within = 10s => Gone, error => Failed)]
/// #[to(Command)]
/// Secure,
/// #[run]
/// #[to(Gone)]
/// Failed { #[error] why: std::io::Error },
/// ```
///
/// - Output that was written before leaves plain and in order, and then the handshake begins; `within` bounds both.
///   Input that was read and not used is the beginning of the peer's handshake. So commands that somebody has put in front of
///   the handshake are never run: they make it fail.
/// - On a connection that the pool accepts or takes over it is the handshake of a server, on one that the pool
///   opens that of a client, for the host of the target or `TlsClient::name`.
/// - `#[tls(name = host, ..)]` makes it that of a client on any connection: `host` is an expression over the
///   fields of the state and the settings of the pool, whose value is a text (`AsRef<str>`), and the certificate of the server
///   must be for that name. It is evaluated once, when the handshake begins. The pool has `tls_client(..)`. A name that
///   no certificate could be for takes `error`.
/// - The handler is called once the handshake is over; the protocol that was agreed on, the name and the
///   certificates may decide the verdict.
/// - `error` is taken when the handshake fails, also when the peer ends its stream in it. The peer was told
///   then. The connection is of no more use: to read or write ends it.
/// - There is no TLS within TLS: a `#[tls]` state on an encrypted connection takes `error` at once, and one that is
///   reached in no other way is refused.
/// - The state is no place to rest, and stands beside no other wait. It needs the feature `tls` of the runtime.
///
/// # On a state: the rest
///
/// | attribute | meaning |
/// |---|---|
/// | `#[to(State \| Other)]` | where the handler may lead; required of every state but the ends and the hand-offs |
/// | `#[rest]` | nothing is in progress: a pool that shuts down may close the connection here; for `read` of the first socket, `message`, `job`, `sleep` |
/// | `#[rest(drain => State)]` | the same, but the edge is taken first, once a connection; coming to rest again, it is closed |
/// | `#[rest(keep)]`, `#[rest(keep, drain => State)]` | the same, but no new client takes the place of the connection here, in a pool with `shed_at_rest`; for subscribers and long polls |
///
/// # Connections that move
///
/// With `moves` on the enum, connections in `#[rest]` states can move to another process, which takes over from
/// this one. The fields of these states are `Moves`, the handler is `MovesHandler`: `trait Handler` has it above
/// itself. States and fields are known by their names in the other process. A machine that runs jobs, answers jobs
/// or reads datagrams has no `moves`, nor has one without a `#[rest]` state.
///
/// # On a field
///
/// | attribute | meaning |
/// |---|---|
/// | `#[carry]` | taken from the field of that name in the state before, which must have it; box what is large, since that state is moved as a whole |
/// | `#[error]` | made from the error with `From`, on an `error` edge or the `refused` edge of a `connect`; on the `error` edge of a `tls` it is made from a `std::io::Error`; without one the error of an `error` edge is logged |
/// | `#[job]` | the job that comes back, on the `full` edge of a `call` |
/// | `#[seed]` | the seed that comes back, on the `full` edge of a `handoff` |
///
/// # Units
///
/// | | |
/// |---|---|
/// | time | `250ms`, `30s`, `0.5s`, `5min`, `2h`, `1d`; a literal, more than 0, at most 36500 days |
/// | size | `512`, `512B`, `64KiB`, `1MiB`, `1GiB`, more than 0; or a path to a `usize`, or an expression such as `2 * 1KiB` |
///
/// # Conditional compilation
///
/// The macro checks the graph that remains after `#[cfg(..)]` and `#[cfg_attr(..)]` on states, on
/// fields and around its attributes. A name in such an attribute cannot have a condition; put
/// `#[cfg_attr(x, to(A | B))]` and `#[cfg_attr(not(x), to(A))]` on the state.
///
/// # Generics
///
/// The enum has no type parameters, lifetimes or constants; a field such as `Vec<u8>` or
/// `Box<dyn Fn(&str) -> u8 + Send>` is fine. The handler may be generic.
///
/// # Checks
///
/// The macro reports all findings together, each at the token to change, each with a number that stays:
/// `ERRORS.md` in the crate shows for each the code that causes it and the code that mends it.
///
/// - Every event that can happen in a state has an answer, and no other event has one.
/// - Every wait is bounded, in bytes and in time, or says `within = never`.
/// - There is a start, and an end; every state can be reached from the start and reaches an end, or
///   a `handoff`.
/// - Every cycle waits for something: none has only edges out of `run` states and `eof`, `limit`,
///   `full`, `gone` and `refused` edges, also those of `connect`, `relay` and `tls`, and none only `flush` states.
/// - Something fills all data, on every edge.
/// - The other socket is connected before a state uses it, and a state that begins TLS is reached without it.
/// - Every job gets one reply: no state is reached with a job in hand and without one, only verdicts end a job,
///   and a connection whose answer may still come takes no other job.
/// - All defaults and groups are used, all names exist, and none occurs twice.
/// - A declared edge that no handler takes is dead code, about which rustc warns, unless the
///   machine is `pub`, because another crate's handler may take it.
///
/// # Documentation
///
/// The enum's docs end in a table of its states and, in a build of docs, the graph as a Mermaid diagram. With the
/// feature `diagram` of `fsm-runtime` it is an SVG picture in the page. In a machine of ten states or more, events
/// that lead from more than three states to one target, and verdicts from more than five, are a note at the target;
/// its mark, such as ①, stands at each of the states.
#[proc_macro_attribute]
pub fn state_machine(
    args: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    attribute(args.into(), item.into()).into()
}

#[doc = include_str!("frame/frame.md")]
#[proc_macro_attribute]
pub fn frame(
    args: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    frame::frame(args.into(), item.into()).into()
}

/// The second step of `#[state_machine]` for an enum with conditional parts, because rustc resolves
/// conditions before it calls a derive.
#[doc(hidden)]
#[proc_macro_derive(
    __StateMachine,
    attributes(
        __fsm_args, __fsm_typo, read, flush, writable, run, sleep, message, tick, discard,
        shutdown, call, handoff, connect, relay, tls, end, to, rest, carry, error, job, seed
    )
)]
pub fn derive(item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let mut errors = Errors::default();
    let tokens = match Item::read(item.into(), &mut errors) {
        None => refused(errors),
        Some(mut item) => match machine(item.args(), &item, errors) {
            Ok(model) => expand::expand(&model, Some(&expand::docs(&model))),
            Err(fallback) => fallback,
        },
    };
    tokens.into()
}

fn attribute(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(read) = Item::read(item.clone(), &mut errors) else {
        let mut tokens = parse::strip(item);
        tokens.extend(refused(errors));
        return tokens;
    };
    if read.is_conditional() {
        return read.deferred(&args, &parse::root(args.clone()));
    }
    let (mut tokens, beside) = match machine(args, &read, errors) {
        Ok(model) => (read.kept(Some(&expand::docs(&model))), expand::expand(&model, None)),
        Err(fallback) => (read.kept(None), fallback),
    };
    tokens.extend(beside);
    tokens
}

/// Runs the passes up to the model; after findings returns the fallback beside the enum.
fn machine(
    args: TokenStream,
    item: &Item,
    mut errors: Errors,
) -> Result<model::Machine, TokenStream> {
    let machine = parse::parse(args, item, &mut errors);
    let graph = check::check(&machine, &mut errors);
    if errors.is_empty() && !machine.incomplete && graph.is_sound() {
        if let Some(model) = lower::lower(&machine, &graph) {
            return Ok(model);
        }
        let text = "the macro has a bug: it cannot expand this machine";
        errors.at(Code::Bug, &machine.name, text);
    }
    Err(fallback::fallback(&machine, &graph, errors))
}

/// The findings without impls.
fn refused(errors: Errors) -> TokenStream {
    errors.into_compile_errors().map(|error| quote!(#error;)).collect()
}
