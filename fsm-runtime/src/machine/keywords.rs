//! The keywords of `#[state_machine]`. Generated code refers to these constants with the spans of
//! the keywords, so that an editor shows their docs.
#![allow(non_upper_case_globals)]

/// A keyword of `#[state_machine]`.
#[derive(Clone, Copy, Debug)]
pub struct Word;

/// `#[read(..)]`: the state waits for input, cut by one of `exact`, `until`, `some`, `upto`, `peek` and
/// `frame`. Needs a deadline and an `eof` edge. `#[read(other, ..)]` waits for input of the other socket.
pub const read: Word = Word;
/// `#[connect(within = 5s => State, refused => State)]`: the state connects the other socket to the target
/// `to` of the verdict that enters it, or keeps it where it is open to that target and quiet. Needs `within`
/// and a `refused` edge.
pub const connect: Word = Word;
/// `#[tls(within = 10s => State, error => State)]`: TLS begins, and the state waits for the end of the handshake.
/// Needs `within` and an `error` edge. Only with the feature `tls`.
pub const tls: Word = Word;
/// `#[relay(max = 64KiB, idle = 1h => State, eof = 30s => State, gone => State)]`: bytes pass both ways between
/// the two sockets until both streams have ended. `#[relay(out, ..)]` and `#[relay(back, ..)]` pass bytes one
/// way, with `exact = expr` that number. At most `max` bytes wait for each side.
pub const relay: Word = Word;
/// `#[read(other, ..)]`: the state reads the other socket, which a `#[connect]` state has connected.
pub const other: Word = Word;
/// `#[relay(out, ..)]`: bytes pass from the first socket to the other one.
pub const out: Word = Word;
/// `#[relay(back, ..)]`: bytes pass from the other socket to the first one.
pub const back: Word = Word;
/// `#[flush(within = 5s => State)]`: the state waits until all output has left.
pub const flush: Word = Word;
/// `#[writable(below = 64KiB, ..)]`: the state waits until less output than that is queued. Its
/// handler is called each time, so that it can send much output with little memory.
pub const writable: Word = Word;
/// `#[run]`: the state waits for nothing; its handler is called at once. `#[run(blocking)]`: the
/// handler may block.
pub const run: Word = Word;
/// `#[run(blocking)]`: the state's handler may block; meanwhile the port lets another thread run.
pub const blocking: Word = Word;
/// `#[sleep(100ms)]` or `#[sleep(expr <= 5min)]`: the state waits for this time.
pub const sleep: Word = Word;
/// `#[tick(30s)]` or `#[tick(expr <= 5min)]` beside a `read`, a `message` or a `call`: the handler
/// `STATE_tick` is called again and again, that time after the last call.
pub const tick: Word = Word;
/// `#[discard(until = b"\n", ..)]` or `#[discard(exact = expr, ..)]`: that input is thrown away as it
/// comes. Needs `within` and an `eof` edge.
pub const discard: Word = Word;
/// `#[shutdown(within = 5s => State)]`: the state waits until all output and the end of the stream to
/// the peer have left. The peer may still send.
pub const shutdown: Word = Word;
/// `#[call(Service, ..)]`: the state sends the job, which the verdict that enters it carries, to
/// another pool, and waits for the reply. Needs a deadline and a `gone` edge.
pub const call: Word = Word;
/// `#[handoff(Machine, ..)]`: the connection moves to the pool of another machine, which starts
/// with the seed that the verdict carries. No handler. Needs a deadline and a `gone` edge.
pub const handoff: Word = Word;
/// `#[end]`: the machine is done. No data, no edges, no handler.
pub const end: Word = Word;
/// `#[to(State | Other)]`: the verdicts that the state's handler may return.
pub const to: Word = Word;
/// `#[rest]`: nothing is in progress in this state, so a pool that drains may close the connection.
/// `#[rest(drain => State)]`: it leads the connection there first, once.
/// `#[rest(keep)]`: no new client takes the place of the connection.
pub const rest: Word = Word;
/// `keep` in `#[rest(..)]`: in a pool that is full, no new connection takes the place of one at rest in this
/// state, as `Builder::shed_at_rest` lets it do otherwise.
pub const keep: Word = Word;
/// `drain => State` in `#[rest(..)]`, or on the machine for all states with `#[rest]`: taken where a
/// drain would close the connection, once.
pub const drain: Word = Word;
/// `#[carry]`: the field is moved from the field of the same name in the state before.
pub const carry: Word = Word;
/// `#[error]` on a field: filled with the error, on an `error` or `refused` edge. `error => State`:
/// taken when the handler returns an error; in a `#[tls]` state also when the handshake fails. `error = Type`: the error type of the machine's handlers.
pub const error: Word = Word;
/// `refused => State`: taken when the decoder returns an error; in a `#[connect]` state when the connection
/// fails.
pub const refused: Word = Word;
/// `#[job(..)]` on a state: the connection is free, and takes the next job, which its handler gets. Needs a
/// deadline and an `eof` edge, which is also taken when input comes unasked.
/// `#[job]` on a field: filled with the job that was refused, on the `full` edge of a call.
/// `job = Type`: the machine runs jobs of that type; its start state has one field, which takes it. With a
/// `#[job]` state its connections answer them.
pub const job: Word = Word;
/// `reply = Type`: the reply of a machine with `job = Type`; the verdict that leads to an end
/// carries it, and with a job in hand the verdict that leads to a `#[job]` state.
pub const reply: Word = Word;
/// `#[seed]` on a field: filled with the seed that was refused, on the `full` edge of a hand-off.
/// `seed = Type`: the value that another pool hands over with a connection; the start state has one
/// field, which takes it.
pub const seed: Word = Word;
/// `start = State`: the start state. It has no data, or one field for the `job` or `seed`. With a `#[job]`
/// state it has no data.
pub const start: Word = Word;
/// `eof => State`: taken when the peer ends its stream and the input is incomplete; in a `#[job]` state also
/// when input comes. In a `#[read(other, ..)]` state it is the stream of the other socket, which also ends when
/// the connection breaks off; in a `#[relay]` state with `exact` that of the side that is read.
/// `eof = 30s => State` in a `#[relay]` state that goes both ways: taken that time after one side has ended, and
/// again after each byte since.
pub const eof: Word = Word;
/// `limit => State`: taken when the message is larger than `max`.
pub const limit: Word = Word;
/// `full => State`: taken when the other pool is full. Without it the state waits for a permit.
pub const full: Word = Word;
/// `gone => State`: taken when the other pool is closed, or the job failed without a reply; in a `#[relay]` state
/// when the other socket breaks off.
pub const gone: Word = Word;
/// `within = 30s => State`: a deadline, counted from entering the state from another one.
/// `within = never` declares that there is none. `within(Group) = 1min => State` on the machine: a time
/// for all states of the group together, counted from entering it from outside.
pub const within: Word = Word;
/// `begun = 10s => State` on a `read`: a deadline, counted from the first byte of a message that is not
/// complete. Meanwhile `idle` stands still.
pub const begun: Word = Word;
/// `idle = 30s => State`: a deadline, counted from the last completion of the state's wait. Bytes
/// that do not complete it do not move the deadline.
pub const idle: Word = Word;
/// `within = never`: the state has no deadline.
pub const never: Word = Word;
/// `#[message(..)]` on a state: the state waits for a message that was posted to the connection or
/// job; beside a `read` the handler is `STATE_message`. `message = Type` on the machine: the type of
/// its messages.
pub const message: Word = Word;
/// `settings = Type`: the type of what the operator of a pool may choose, which expressions know as
/// `settings` and handlers as `cx.settings()`.
pub const settings: Word = Word;
/// `moves`: connections in `#[rest]` states can move to another process, which a live upgrade starts. The fields
/// of these states are `Moves`, and the handler is `MovesHandler`.
pub const moves: Word = Word;
/// `module = name`: the name of the generated module; by default the enum's name in snake case.
pub const module: Word = Word;
/// `size <= 64`: the machine may be no larger than this number of bytes.
pub const size: Word = Word;
/// `exact = 8`: this number of bytes, as `&[u8; 8]`. The number may be an expression over the
/// state's fields; then the bytes are `&[u8]`, and a length that does not fit takes the `limit` edge.
/// In a `relay` it is the number of bytes to pass on.
pub const exact: Word = Word;
/// `until = b"\r\n"`: the bytes before a delimiter. The delimiter is removed from the input.
pub const until: Word = Word;
/// `some`: the bytes that have arrived, at least one and at most `max`.
pub const some: Word = Word;
/// `datagram`: one datagram of at most `max` bytes, in a machine that reads nothing else.
pub const datagram: Word = Word;
/// `upto = expr`: as `some`, but at most this number of bytes; the others stay in the buffer.
pub const upto: Word = Word;
/// `peek = 8`: the next bytes, as `&[u8; 8]`, which stay unread for the state that follows.
pub const peek: Word = Word;
/// `frame = Type`: a message that the decoder `Type` returns; `Type` implements `Frame`.
pub const frame: Word = Word;
/// `max = 64KiB` or `max = expr <= 64KiB`: the upper bound, in bytes for a `read`, in time for a
/// `sleep`; in a `relay` the most bytes that wait for one side.
pub const max: Word = Word;
/// `below = 64KiB`: the number of queued bytes below which a `writable` completes.
pub const below: Word = Word;
