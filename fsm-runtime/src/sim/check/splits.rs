use std::panic::resume_unwind;

use super::difference::Difference;
use super::handshake::SimulatedHandshake;
use super::run::{Recording, Run};
use crate::{Connection, Drive, Machine};

/// Checks that the way in which `input` is cut into pieces makes no difference.
///
/// A machine from `make` gets the input at once; in two pieces, for every place between two bytes, or for 512
/// places spread over an input of more than 512 bytes; in three pieces, for a few hundred pairs of places; and
/// byte by byte. Each time the peer then ends its stream. Every time the same
/// handlers must be called in the same order with the same bytes, and the output must be the same.
/// For states that take what is there (`some`, `upto`, `discard`), the bytes of consecutive calls are taken
/// together.
///
/// The handler may depend only on its input: one that writes the time or a shared counter differs
/// by itself. Time does not pass during the check, so no deadline is met. The pools that the machine
/// calls and hands over to are closed, so that it takes the `gone` edges and goes on.
///
/// If the input leads to a `#[tls]` state, all of this is done four times, once for each end of the handshake: it
/// succeeds, it fails, the peer ends its stream in it, and it stalls until the deadline of the state. If it
/// succeeds, the rest of the input comes after it, in the clear as in any [`Session`](crate::sim::Session). Input
/// that comes before a handshake is over makes it fail, which is the same edge. A stream that is cut off behind the
/// handshake takes no edge ([`Ended::Truncated`](crate::Ended::Truncated)), so there is nothing to check. The
/// session has no names, no protocol and no certificates for the handler.
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
    let handshakes = SimulatedHandshake::all::<M, H>(&make, input);
    if handshakes.is_empty() {
        splits_with::<M, H>(&make, input, None);
    }
    for handshake in handshakes {
        splits_with::<M, H>(&make, handshake.input(input), Some(handshake));
    }
}

/// Checks cuts of the input of a machine whose TLS handshake ends like this.
#[track_caller]
fn splits_with<M: Drive<H> + Machine<Seed = (), Kind = Connection>, H>(
    make: &impl Fn() -> H,
    input: &[u8],
    handshake: Option<SimulatedHandshake>,
) {
    let whole = run::<M, H>(make(), input, &[], handshake);
    let compare = |cuts: &[usize]| compare::<M, H>(make(), input, cuts, &whole, handshake);
    // The simplest cuts first: what they find is the easiest to understand.
    let step = input.len().div_ceil(512).max(1);
    for at in (1..input.len()).step_by(step) {
        compare(&[at]);
    }
    let step = input.len().div_ceil(24).max(1);
    for first in (1..input.len()).step_by(step) {
        for second in (first + 1..input.len()).step_by(step) {
            compare(&[first, second]);
        }
    }
    compare(&(1..input.len()).collect::<Vec<_>>());
}

/// Runs a machine on the input in pieces, and compares that with the run on the whole input.
///
/// # Panics
///
/// When they differ.
#[track_caller]
pub(super) fn compare<M: Drive<H> + Machine<Seed = (), Kind = Connection>, H>(
    handler: H,
    input: &[u8],
    cuts: &[usize],
    whole: &Recording,
    handshake: Option<SimulatedHandshake>,
) {
    let cut = run::<M, H>(handler, input, cuts, handshake);
    if *whole != cut {
        let machine = M::SPEC.name;
        let difference = Difference { input, expected: ("whole", whole), found: ("cut", &cut) };
        let place = place(cuts, input.len());
        let of_tls =
            handshake.map(|SimulatedHandshake { end, .. }| format!(", whose handshake {end},"));
        let of_tls = of_tls.unwrap_or_default();
        panic!("cutting the input of `{machine}`{of_tls} {place} makes a difference\n{difference}");
    }
}

fn place(cuts: &[usize], len: usize) -> String {
    match cuts {
        [at] => format!("after byte {at}"),
        _ if cuts.len() + 1 == len => "after every byte".to_owned(),
        _ => {
            let cuts: Vec<_> = cuts.iter().map(ToString::to_string).collect();
            format!("after bytes {}", cuts.join(" and "))
        }
    }
}

/// Runs a machine on the input in pieces.
///
/// # Panics
///
/// When the machine runs in a loop without taking any input, and when a handler does.
#[track_caller]
fn run<M: Drive<H> + Machine<Seed = (), Kind = Connection>, H>(
    handler: H,
    input: &[u8],
    cuts: &[usize],
    handshake: Option<SimulatedHandshake>,
) -> Recording {
    let mut run = Run::<M, H>::new(handler, input, handshake);
    for end in cuts.iter().copied().chain([input.len()]) {
        run.send_to(end);
    }
    match run.finish() {
        Ok(recording) => recording,
        Err(panic) => resume_unwind(panic),
    }
}
