//! The words of `#[state_machine]`, where an editor finds their docs: it is shown these constants
//! for the words in attributes.
#![allow(non_upper_case_globals)]

/// A word of `#[state_machine]`.
#[derive(Clone, Copy, Debug)]
pub struct Word;

/// `#[read(..)]`: the state waits for input, cut by one of `exact`, `until`, `some`, `upto` and
/// `frame`. Needs a deadline and an `eof` edge.
pub const read: Word = Word;
/// `#[flush(within = 5s => State)]`: the state waits until all output has left.
pub const flush: Word = Word;
/// `#[writable(below = 64KiB, ..)]`: the state waits until less output than that is queued, and its
/// handler is called again and again: the way to send much with little memory.
pub const writable: Word = Word;
/// `#[run]`: the state waits for nothing; its handler is called at once. `#[run(blocking)]`: it may
/// block.
pub const run: Word = Word;
/// `#[run(blocking)]`: the state's handler may block; meanwhile the port lets another thread run.
pub const blocking: Word = Word;
/// `#[sleep(100ms)]` or `#[sleep(expr, max = 5min)]`: the state waits for time to pass.
pub const sleep: Word = Word;
/// `#[call(Service, ..)]`: the state waits for the reply of another pool, to the job that the verdict
/// which enters it carries. Needs a deadline and a `gone` edge.
pub const call: Word = Word;
/// `#[handoff(Machine, ..)]`: the connection leaves for the pool of another machine, which starts with
/// the seed that the verdict carries. No handler. Needs a deadline and a `gone` edge.
pub const handoff: Word = Word;
/// `#[end]`: the machine is done. No data, no edges, no handler.
pub const end: Word = Word;
/// `#[to(State | Other)]`: the verdicts that the state's handler may return.
pub const to: Word = Word;
/// `#[rest]`: nothing is in progress in this state, so a pool that shuts down may close the
/// connection here.
pub const rest: Word = Word;
/// `#[carry]`: the field is taken from the field of the same name in the state before.
pub const carry: Word = Word;
/// `#[error]` on a field: made from the error, on an `error` edge. `error => State`: where a failing
/// decoder or handler leads. `error = Type`: what handlers may fail with.
pub const error: Word = Word;
/// `#[job]` on a field: filled with the job that comes back, on the `full` edge of a call.
/// `job = Type`: the machine runs jobs of that type; its start state has one field, which takes it.
pub const job: Word = Word;
/// `reply = Type`: what a machine with `job = Type` answers; the verdict that leads to an end carries
/// it.
pub const reply: Word = Word;
/// `#[seed]` on a field: filled with the seed that comes back, on the `full` edge of a hand-off.
/// `seed = Type`: what the machine is handed a connection with; its start state has one field, which
/// takes it.
pub const seed: Word = Word;
/// `start = State`: where the machine starts, a state without data, or with one field for its `job`
/// or `seed`.
pub const start: Word = Word;
/// `eof => State`: taken when the peer ends its stream and what is there is not enough.
pub const eof: Word = Word;
/// `limit => State`: taken when what should be read is larger than `max`.
pub const limit: Word = Word;
/// `full => State`: taken when the other pool has no room. Without it the state waits for some.
pub const full: Word = Word;
/// `gone => State`: taken when the other pool is closed, or has lost the job without a reply.
pub const gone: Word = Word;
/// `within = 30s => State`: a deadline, counted from entering the state from another one.
/// `within = never` says that there is none.
pub const within: Word = Word;
/// `idle = 30s => State`: a deadline, counted from when the state's wait last completed; bytes that do
/// not complete it do not count.
pub const idle: Word = Word;
/// `within = never`: the state may last for ever.
pub const never: Word = Word;
/// `#[message(..)]` on a state: it waits for a posted message of the machine's type of messages.
/// `message = Type` on the machine: that type.
pub const message: Word = Word;
/// `module = name`: the name of the generated module, which otherwise is the enum's in snake case.
pub const module: Word = Word;
/// `size <= 64`: the machine may not be larger than so many bytes.
pub const size: Word = Word;
/// `exact = 8`: so many bytes, as `&[u8; 8]`; of an expression over the state's fields, as `&[u8]`.
pub const exact: Word = Word;
/// `until = b"\r\n"`: the bytes before a delimiter, which is taken too and not lent.
pub const until: Word = Word;
/// `some`: what is there, at least one byte and at most `max`.
pub const some: Word = Word;
/// `upto = expr`: as `some`, and never past so many bytes; the rest stays in the buffer.
pub const upto: Word = Word;
/// `frame = Type`: what the decoder `Type` makes of the input; it implements `Frame`.
pub const frame: Word = Word;
/// `max = 64KiB`: a bound, in bytes for a `read`, in time for a `sleep`.
pub const max: Word = Word;
/// `below = 64KiB`: the mark of a `writable`.
pub const below: Word = Word;
