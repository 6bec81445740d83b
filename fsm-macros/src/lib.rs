//! The `#[state_machine]` attribute of `fsm-runtime`, which re-exports it: depend on that, and see
//! there for programs that use it.
//!
//! The passes, each a plain function over tokens:
//!
//! ```text
//! parse -> ast -> check (+ graph) -> lower -> model -> expand
//!                   |
//!                   +-> fallback, when something is wrong
//! ```
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod ast;
mod check;
mod code;
mod errors;
mod expand;
mod fallback;
#[cfg(test)]
mod fuzz;
mod graph;
mod lower;
mod model;
mod parse;
mod spelling;

use proc_macro2::TokenStream;
use quote::quote;

use crate::code::Code;
use crate::errors::Errors;
use crate::parse::Item;

/// Makes a machine of an enum: each variant is a state, says what it waits for, how long, and where
/// it may lead. The graph is checked, and everything between the handlers is generated.
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
/// # What is generated
///
/// Beside the enum, which is kept as it is but for the attributes below:
///
/// - `impl Machine for Talk`, with the graph as data in `Talk::SPEC`;
/// - a module `talk`, as visible as the enum, with `trait Handler`: one method for each state but
///   the ends and the hand-offs, called when what the state waits for has come. It gets the state's
///   fields as `&mut`, then what has come, then `cx`;
/// - in the module an enum `After..` for each such state, with a variant for each target in its
///   `to(..)`. The variant of another state has that state's fields, but for those that carry; the
///   variant of the same state has none: the machine stays where it is, and so does the data. What
///   a verdict gives beside the fields is below;
/// - `impl Drive<H> for Talk`, for every `H: talk::Handler`;
/// - for a machine with `job` and `reply`, `impl Service for Talk` and `impl JobMachine for Talk`: it
///   is what others name in `#[call(Talk, ..)]`.
///
/// The types of fields, frames, pools, messages and errors are named from inside the module, which does
/// `use super::*`: they cannot be those that a function declares in its body.
///
/// The method of a `flush` or a `sleep` with one verdict that needs no data has a body already.
///
/// What an `#[allow(..)]` on the enum allows is allowed in the module too.
///
/// # On the enum
///
/// | key | meaning |
/// |---|---|
/// | `start = State` | where the machine starts; required, a state without data, or with one field for the `job` or the `seed` |
/// | `eof => State`, `limit => State`, `error => State`, `full => State`, `gone => State` | the default where that can happen and the state does not say |
/// | `within = 5min => State`, `idle = 1min => State` | the default for waits that say neither |
/// | `error = Type` | handlers return `Result<After.., Type>`; every state with a handler has an `error` edge |
/// | `message = Type` | what `#[message]` states wait for; handlers take `Cx<'_, Type>` |
/// | `job = Type`, `reply = Type` | the machine runs jobs: it has no connection, is started with a job, and replies at its end; handlers take `JobCx<'_>` |
/// | `seed = Type` | the machine is started with that, by a `#[handoff(..)]` of another |
/// | `module = name` | the module's name; otherwise the enum's in `snake_case`, which may be taken |
/// | `size <= 64` | the machine may take no more bytes than that; the error names the fattest state |
/// | `crate = ::path` | where `fsm_runtime` is, if it is called otherwise |
/// | `Group = A \| B` | a name that `to(..)` can use for several states, or groups |
///
/// # On a state: what it waits for, exactly one
///
/// | attribute | its handler gets | bounds and edges |
/// |---|---|---|
/// | `#[read(exact = 8)]` | `bytes: &[u8; 8]` | a deadline, `eof` |
/// | `#[read(exact = expr, max = 1KiB)]` | `bytes: &[u8]` | a deadline, `eof`, `limit` |
/// | `#[read(until = b"\r\n", max = 1KiB)]` | `bytes: &[u8]`, without the delimiter, which does not count for `max` | a deadline, `eof`, `limit` |
/// | `#[read(some, max = 16KiB)]` | `bytes: &[u8]`, what is there | a deadline, `eof` |
/// | `#[read(upto = expr, max = 16KiB)]` | `bytes: &[u8]`, never past the next `expr` bytes | a deadline, `eof` |
/// | `#[read(frame = Type, max = 64KiB)]` | `frame: <Type as Frame>::Item<'_>` | a deadline, `eof`, `limit`, `error` |
/// | `#[flush]` | nothing: all output has left | a deadline |
/// | `#[writable(below = 64KiB)]` | nothing: less output than that is queued | a deadline |
/// | `#[message]` | `message: Type`, of the machine's `message`; no state waits for input and for a message at once: read in one and take messages in another, or hand the connection off to a machine that only waits | a deadline, `eof` |
/// | `#[sleep(100ms)]`, `#[sleep(expr, max = 5min)]` | nothing: the time has passed | |
/// | `#[call(Service, ..)]` | `reply: <Service as Service>::Reply` | `within`, `gone`, `full` |
/// | `#[handoff(Machine, ..)]` | has none: the connection leaves for the pool of that machine | `within`, `gone`, `full` |
/// | `#[run]` | nothing, at once | |
/// | `#[run(blocking)]` | nothing, at once; it may block, and meanwhile the port lets another thread run | |
/// | `#[end]` | has none: the machine is done | no data, no edges |
///
/// The edges stand behind the wait, such as `#[flush(within = 5s => Gone)]`. A *deadline* is
/// `within`, `idle` or both, or `within = never`. In a machine with `error = Type` every state but
/// the ends has an `error` edge too.
///
/// | edge | taken |
/// |---|---|
/// | `within = 30s => State` | so long after the state was entered from another one |
/// | `idle = 30s => State` | so long after the wait last completed |
/// | `eof => State` | when the peer ends its stream and what is there is not enough; in a `message` also when it is not all used |
/// | `limit => State` | when what should be read is larger than `max` |
/// | `error => State` | when the decoder or the handler fails |
/// | `full => State` | when the other pool has no room; without it the state waits for some, within its time |
/// | `gone => State` | when the other pool is closed, or has lost the job without a reply |
///
/// Each leads to a state without data, or whose fields are all marked `#[carry]`, or one of them
/// `#[error]` for `error`, and `#[job]` or `#[seed]` for `full`. None leads to a `call` or a
/// `handoff`, since only a verdict gives what goes out; nor, in a machine with `reply`, to an end.
///
/// An expression is one over the state's fields, as shared references, and constants: of an
/// unsigned integer for `exact` and `upto`, of a `Duration` for `sleep`. `exact = left` and
/// `upto = *left - 2` are such. The arithmetic is Rust's: what comes from a peer wants
/// `left.saturating_add(2)`, since `left + 2` wraps in a release build. An expression ends at the
/// next comma outside of parentheses. A delimiter is a byte string, a byte, or a path to a `&[u8]`.
///
/// # What a verdict gives
///
/// Beside the fields of the state that it leads to, a verdict has
///
/// | for a state | a field | which |
/// |---|---|---|
/// | `#[call(Index, ..)]` | `job: <Index as Service>::Job` | goes to the pool of `Index`; the verdict of the state for itself has it too |
/// | `#[handoff(Events, ..)]` | `seed: <Events as Machine>::Seed` | starts the machine `Events`, in its pool, with this connection |
/// | `#[end]`, in a machine with `reply` | `reply: Type` | answers the job |
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
/// A machine that runs jobs has no `read`, `flush`, `writable` and `handoff`, and no `#[rest]`.
///
/// # On a state: the rest
///
/// | attribute | meaning |
/// |---|---|
/// | `#[to(State \| Other)]` | where the handler may lead; required of every state but the ends and the hand-offs |
/// | `#[rest]` | nothing is in progress: a pool that shuts down may close the connection here; for `read`, `message`, `sleep` |
///
/// # On a field
///
/// | attribute | meaning |
/// |---|---|
/// | `#[carry]` | taken from the field of that name in the state before, which must have it; box what is large, since that state is moved as a whole |
/// | `#[error]` | made from the error with `From`, on an `error` edge; without one the error is logged |
/// | `#[job]` | the job that comes back, on the `full` edge of a `call` |
/// | `#[seed]` | the seed that comes back, on the `full` edge of a `handoff` |
///
/// # Units
///
/// | | |
/// |---|---|
/// | time | `250ms`, `30s`, `0.5s`, `5min`, `2h`, `1d`; a literal, more than 0, at most 36500 days |
/// | size | `512`, `512B`, `64KiB`, `1MiB`, `1GiB`, more than 0; or a path to a `usize`, or an expression of one |
///
/// # What is there under a condition
///
/// `#[cfg(..)]` and `#[cfg_attr(..)]` on states, on fields and around our attributes are respected: the
/// graph that is checked is that of what is left. A name in an attribute of ours cannot have a
/// condition; put `#[cfg_attr(x, to(A | B))]` and `#[cfg_attr(not(x), to(A))]` on the state.
///
/// # What has parameters
///
/// A machine has none: the enum has no type parameters, lifetimes or constants. Its fields may be of
/// any type without some, such as `Vec<u8>` and `Box<dyn Fn(&str) -> u8 + Send>`, and the handler may be
/// generic.
///
/// # What is checked
///
/// All findings are reported together, each at the token to change, each with a number that stays:
/// `ERRORS.md` in the crate shows for each the code that causes it and the code that mends it.
///
/// - Every event that can come to a state has an answer; none has an answer that can not come.
/// - Every wait is bounded, in bytes and in time, or says `within = never`.
/// - There is a start, and an end; every state can be reached from the start and reaches an end, or
///   a `handoff`.
/// - Every cycle waits for something: none has only edges out of `run` states and `eof`, `limit`,
///   `full`, `gone` and decoder `error` edges, and none only `flush` states.
/// - All data is filled by something, on every edge.
/// - All defaults and groups are used, all names exist, none is there twice.
/// - A declared edge that no handler takes is dead code, about which rustc warns, unless the
///   machine is `pub`: then somebody else's handler may take it.
///
/// # In the docs
///
/// The enum's docs end in a table of its states, and where docs are built in the graph as a Mermaid
/// diagram. With the feature `diagram` of `fsm-runtime` it is drawn, as SVG in the page.
#[proc_macro_attribute]
pub fn state_machine(
    args: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    attribute(args.into(), item.into()).into()
}

/// What `#[state_machine]` makes of an enum of which some is there only under a condition: a derive
/// sees what is left.
#[doc(hidden)]
#[proc_macro_derive(
    __StateMachine,
    attributes(
        __fsm_args, __fsm_typo, read, flush, writable, run, sleep, message, call, handoff, end, to,
        rest, carry, error, job, seed
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

/// The passes; what stands beside the enum instead if something is wrong.
fn machine(
    args: TokenStream,
    item: &Item,
    mut errors: Errors,
) -> Result<model::Machine, TokenStream> {
    let machine = parse::parse(args, item, &mut errors);
    let graph = check::check(&machine, &mut errors);
    if errors.is_empty() && !machine.damaged && graph.is_sound() {
        if let Some(model) = lower::lower(&machine, &graph) {
            return Ok(model);
        }
        let text = "the macro has a bug: it cannot expand this machine";
        errors.at(Code::Bug, &machine.name, text);
    }
    Err(fallback::fallback(&machine, &graph, errors))
}

/// The findings alone.
fn refused(errors: Errors) -> TokenStream {
    errors.into_compile_errors().map(|error| quote!(#error;)).collect()
}
