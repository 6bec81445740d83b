//! Checks of laws that hold for every machine, to be run on yours.
//!
//! A stream has no messages, because the network cuts it into pieces as it likes. This handler takes
//! each piece for a word, and [`splits`] panics:
//!
//! ```should_panic
//! use fsm_runtime::prelude::*;
//!
//! #[state_machine(start = Word, eof => Gone)]
//! enum Words {
//!     #[read(some, max = 64, idle = 10s => Gone)]
//!     #[to(Word)]
//!     Word,
//!     #[end]
//!     Gone,
//! }
//!
//! struct Client;
//! impl words::Handler for Client {
//!     fn word(&mut self, word: &[u8], cx: &mut Cx<'_>) -> words::AfterWord {
//!         writeln!(cx, "{} letters", word.len());
//!         words::AfterWord::Word
//!     }
//! }
//!
//! fsm_runtime::check::splits::<Words, _>(|| Client, b"hello");
//! ```

use std::fmt;
use std::panic::resume_unwind;

use crate::net::readiness::Readiness;
use crate::sim::Session;
use crate::{Connection, Drive, Ended, Machine, Wait};

/// The number of completions in a row without input that counts as an endless loop.
const MAX_IDLE_CALLS: usize = 10_000;

/// The behaviour of a machine on an input: its completions, its output, and the state that it ends in.
#[derive(Debug, PartialEq, Eq)]
struct Recording {
    calls: Vec<Call>,
    output: Vec<u8>,
    /// The state in which the input was used up.
    state: Option<&'static str>,
    /// The end of the machine after the peer has then ended its stream.
    ended: Option<Ended>,
}

/// One completion: the state, the range of the input that it used, the state after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Call {
    state: &'static str,
    from: usize,
    to: usize,
    next: Option<&'static str>,
}

/// Checks that the way in which `input` is cut into pieces makes no difference.
///
/// A machine from `make` gets the input at once, in two pieces for every place between two bytes
/// (for inputs of up to 512 bytes; beyond that up to 512 places spread over it), in three pieces at a few
/// hundred pairs of places, and byte by byte; then the peer ends its stream. Every time the same
/// handlers must be called in the same order with the same bytes, and the output must be the same.
/// For states that take what is there (`some`, `upto`, `discard`), the bytes of consecutive calls are
/// taken together.
///
/// The handler may depend only on its input: one that writes the time or a shared counter differs
/// by itself. Time does not pass during the check, so no deadline is met. The pools that the machine
/// calls and hands over to are closed, so that it takes the `gone` edges and goes on.
///
/// ```
/// use fsm_runtime::prelude::*;
///
/// #[state_machine(start = Line, eof => Gone)]
/// enum Shout {
///     #[read(until = b"\r\n", max = 64, limit => Gone, idle = 10s => Gone)]
///     #[to(Line)]
///     #[rest]
///     Line,
///     #[end]
///     Gone,
/// }
///
/// struct Client;
/// impl shout::Handler for Client {
///     fn line(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> shout::AfterLine {
///         cx.write(&bytes.to_ascii_uppercase());
///         shout::AfterLine::Line
///     }
/// }
///
/// fsm_runtime::check::splits::<Shout, _>(|| Client, b"one\r\ntwo\r\n\r\nthree\r\nrest");
/// ```
///
/// # Panics
///
/// When a cut makes a difference; the message shows the cut, and where the two runs first differ. Also
/// when the machine runs in a loop without taking any input. A panic of a handler goes on, so that an
/// assertion in a handler fails the test.
#[track_caller]
pub fn splits<M: Drive<H> + Machine<Seed = (), Kind = Connection>, H>(
    make: impl Fn() -> H,
    input: &[u8],
) {
    let whole = run::<M, H>(make(), input, &[]);
    // The simplest cuts first: what they find is the easiest to understand.
    let step = input.len().div_ceil(512).max(1);
    for at in (1..input.len()).step_by(step) {
        compare::<M, H>(make(), input, &[at], &whole);
    }
    let step = input.len().div_ceil(24).max(1);
    for first in (1..input.len()).step_by(step) {
        for second in (first + 1..input.len()).step_by(step) {
            compare::<M, H>(make(), input, &[first, second], &whole);
        }
    }
    compare::<M, H>(make(), input, &(1..input.len()).collect::<Vec<_>>(), &whole);
}

/// Runs a machine on the input in pieces, and compares that with the run on the whole input.
///
/// # Panics
///
/// When they differ.
#[track_caller]
fn compare<M: Drive<H> + Machine<Seed = (), Kind = Connection>, H>(
    handler: H,
    input: &[u8],
    cuts: &[usize],
    whole: &Recording,
) {
    let cut = run::<M, H>(handler, input, cuts);
    if *whole != cut {
        let (machine, difference) = (M::SPEC.name, Difference { whole, cut: &cut, input });
        panic!("cutting the input of `{machine}` {} makes a difference\n{difference}", place(cuts));
    }
}

fn place(cuts: &[usize]) -> String {
    match cuts {
        [at] => format!("after byte {at}"),
        [first, second] => format!("after bytes {first} and {second}"),
        _ => "after every byte".to_owned(),
    }
}

/// Runs a machine on the input in pieces, one completion at a time.
///
/// # Panics
///
/// When the machine runs in a loop without taking any input, and when a handler does.
#[track_caller]
fn run<M: Drive<H> + Machine<Seed = (), Kind = Connection>, H>(
    handler: H,
    input: &[u8],
    cuts: &[usize],
) -> Recording {
    let mut session = Session::<M, H>::with_calls(handler, 1);
    session.close_pools();
    let mut run = Recording { calls: Vec::new(), output: Vec::new(), state: None, ended: None };
    let mut sent = 0;
    for end in cuts.iter().copied().chain([input.len()]) {
        session.feed(&input[sent..end]);
        sent = end;
        let mut idle = 0;
        loop {
            let (state, from) = (session.state(), sent - session.unused());
            let again = session.turn(Readiness::READ | Readiness::WRITE);
            let (next, to) = (session.state(), sent - session.unused());
            let Some(state) = state else { break };
            if again || next != Some(state) || from != to {
                run.push::<M>(Call { state, from, to, next });
            }
            if !again {
                break;
            }
            idle = if from == to { idle + 1 } else { 0 };
            assert!(
                idle < MAX_IDLE_CALLS,
                "the machine `{}` loops in state `{state}` and takes no input",
                M::SPEC.name
            );
        }
        run.output.extend(session.receive());
    }
    run.state = session.state();
    session.end();
    run.output.extend(session.receive());
    run.ended = session.ended();
    if let Some(panic) = session.take_panic() {
        resume_unwind(panic);
    }
    run
}

/// The place where two runs first differ.
struct Difference<'a> {
    whole: &'a Recording,
    cut: &'a Recording,
    input: &'a [u8],
}

impl fmt::Display for Difference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let same = self.whole.calls.iter().zip(&self.cut.calls).take_while(|(a, b)| a == b).count();
        for (name, run) in [("whole", self.whole), ("cut", self.cut)] {
            writeln!(f, "{name}:")?;
            let from = same.saturating_sub(2);
            for (n, call) in run.calls.iter().enumerate().skip(from).take(5) {
                let mark = if n < same { ' ' } else { '*' };
                let used = self.input[call.from..call.to].escape_ascii();
                let next = call.next.unwrap_or("the end");
                writeln!(
                    f,
                    "  {mark} call {}: {} took b\"{used}\", then {next}",
                    n + 1,
                    call.state
                )?;
            }
            if run.calls.len() <= same {
                writeln!(f, "  * no more calls")?;
            }
            let state = run.state.unwrap_or("the end");
            writeln!(f, "    in {state} when the input was used up; {:?} in the end", run.ended)?;
        }
        let (whole, cut) = (&self.whole.output, &self.cut.output);
        if whole != cut {
            let same = whole.iter().zip(cut).take_while(|(a, b)| a == b).count();
            let rest =
                |bytes: &[u8]| bytes[same..bytes.len().min(same + 80)].escape_ascii().to_string();
            writeln!(f, "output from byte {same} on:")?;
            writeln!(f, "  whole: b\"{}\"\n    cut: b\"{}\"", rest(whole), rest(cut))?;
        }
        Ok(())
    }
}

impl Recording {
    /// Appends a call, or joins it with the last one if both are of a state that takes any bytes.
    ///
    /// The end is no call, because the amount of input that is then unread depends on the cut.
    fn push<M: Machine>(&mut self, call: Call) {
        let state = M::SPEC.states.iter().find(|state| state.name == call.state);
        let has =
            |is_such: fn(&Wait) -> bool| state.is_some_and(|state| state.waits.iter().any(is_such));
        let stream = has(|wait| match wait {
            Wait::Read { shape, .. } => shape.is_stream(),
            Wait::Discard { .. } => true,
            _ => false,
        });
        match self.calls.last_mut() {
            _ if has(|wait| *wait == Wait::End) => {}
            Some(last) if stream && last.state == call.state && last.next == Some(call.state) => {
                last.to = call.to;
                last.next = call.next;
            }
            _ => self.calls.push(call),
        }
    }
}
