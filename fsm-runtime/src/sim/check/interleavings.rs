use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::time::Duration;

use super::difference::Difference;
use super::handshake::SimulatedHandshake;
use super::placements::{Event, Placed, PlacedEvents};
use super::run::{Heard, Panic, Recording, Run};
use super::splits::compare;
use crate::{Connection, Drive, Machine};

/// Checks that messages and ticks between the bytes of `input` make no difference to what is read.
///
/// A machine from `make` gets the input, and between two bytes of it, before the first or after the
/// last one, `messages` in their order and pauses of the length `pause`. The check places
///
/// - the first message, and one pause, at each place (up to 512 places spread over the input),
/// - two of these at each pair of places (up to 17 places spread over the input),
/// - all messages together at each place,
/// - messages and pauses by turns after every byte,
///
/// and each of the messages twice: the machine has handled the bytes before it and takes the message
/// alone, or it finds the message and the bytes that follow at once. Then the peer ends its stream. Every
/// time the same handlers must be called in the same order with the same bytes as without messages and
/// pauses, with the same output, and the messages must arrive in their order, each once. A `pause` of
/// [`Duration::ZERO`] is none; give that of a `#[tick(..)]`, which comes once in a pause.
///
/// A message, a tick or a deadline that leads to another state may change what is read: such a run is
/// compared up to there.
///
/// A TLS handshake that the input leads to succeeds; [`splits`](super::splits) checks its other ends.
///
/// The handler must keep its waits apart: its answers to the input may depend on the input alone, and its
/// answer to a message on the messages before it and the state. The rest is as with
/// [`splits`](super::splits).
///
/// ```
/// use fsm_runtime::prelude::*;
/// use std::time::Duration;
///
/// #[state_machine(start = Line, message = &'static str, eof => Gone, limit => Gone)]
/// enum Chat {
///     #[read(until = b"\n", max = 64, idle = 60s => Gone)]
///     #[message]
///     #[tick(20s)]
///     #[to(Line)]
///     Line,
///     #[end]
///     Gone,
/// }
///
/// struct Client;
/// impl chat::Handler for Client {
///     fn line(&mut self, line: &[u8], cx: &mut Cx<'_, &'static str>) -> chat::AfterLine {
///         cx.write(line);
///         chat::AfterLine::Line
///     }
///
///     fn line_message(&mut self, news: &'static str, cx: &mut Cx<'_, &'static str>) -> chat::AfterLine {
///         cx.write(news.as_bytes());
///         chat::AfterLine::Line
///     }
///
///     fn line_tick(&mut self, cx: &mut Cx<'_, &'static str>) -> chat::AfterLine {
///         cx.write(b"are you there?");
///         chat::AfterLine::Line
///     }
/// }
///
/// let tick = Duration::from_secs(20);
/// fsm_runtime::check::interleavings::<Chat, _>(|| Client, b"one\ntwo\nhalf", &["a", "b"], tick);
/// ```
///
/// # Panics
///
/// When a placement makes a difference; the message shows one with as few messages and pauses as can be,
/// and where the two runs first differ. If a cut alone makes it, the panic is that of `splits`. A panic of
/// a handler goes on, unless the same messages and pauses cause none after the input.
#[track_caller]
pub fn interleavings<M, H>(
    make: impl Fn() -> H,
    input: &[u8],
    messages: &[M::Message],
    pause: Duration,
) where
    M: Drive<H> + Machine<Seed = (), Kind = Connection>,
    M::Message: Clone,
{
    // The first end of a handshake is that it succeeds.
    let handshake = SimulatedHandshake::all::<M, H>(&make, input).first().copied();
    let run = |placement: &PlacedEvents| {
        run::<M, H>(make(), input, messages, pause, placement, handshake)
    };
    let alone = match run(&PlacedEvents::default()) {
        Ok(alone) => alone,
        Err(panic) => resume_unwind(panic),
    };
    let mut known = Known { alone, heard: BTreeMap::new() };
    for placement in PlacedEvents::all(input.len(), messages.len(), !pause.is_zero()) {
        let found = run(&placement);
        if !known.allows(&found) {
            let fails = |placement: &PlacedEvents| !known.allows(&run(placement));
            let smallest = placement.smallest(fails);
            let cuts = smallest.cuts(input.len());
            compare::<M, H>(make(), input, &cuts, &known.alone, handshake);
            known.report::<M>(input, &smallest, run(&smallest), || run(&smallest.at(input.len())));
        }
        known.learn(found);
    }
}

/// Runs a machine on the input with messages and pauses at their places.
#[track_caller]
fn run<M, H>(
    handler: H,
    input: &[u8],
    messages: &[M::Message],
    pause: Duration,
    placement: &PlacedEvents,
    handshake: Option<SimulatedHandshake>,
) -> Result<Recording, Panic>
where
    M: Drive<H> + Machine<Seed = (), Kind = Connection>,
    M::Message: Clone,
{
    let mut run = Run::<M, H>::new(handler, input, handshake);
    let mut messages = messages.iter();
    run.settle(false);
    for &Placed { at, event } in &placement.0 {
        run.send_to(at);
        match event {
            Event::Pause => run.pass(pause),
            Event::Message | Event::MessageWithInput => {
                messages.next().into_iter().for_each(|message| run.post(message.clone()));
            }
        }
        if event == Event::Message {
            run.settle(false);
        }
        if run.is_moved() {
            return run.finish();
        }
    }
    run.send_to(input.len());
    run.finish()
}

/// The facts about a machine from earlier runs.
struct Known {
    /// The run without messages and pauses.
    alone: Recording,
    /// The output of each message in each state, by its number.
    heard: BTreeMap<(usize, &'static str), Vec<u8>>,
}

impl Known {
    /// Whether a run is like the earlier ones.
    fn allows(&self, found: &Result<Recording, Panic>) -> bool {
        found.as_ref().is_ok_and(|found| {
            self.reads_the_same(found) && self.answered_otherwise(found).is_none()
        })
    }

    fn reads_the_same(&self, found: &Recording) -> bool {
        let Recording { calls, output, state, ended, heard: _, moved } = found;
        if *moved {
            return found.begins(&self.alone);
        }
        let alone = &self.alone;
        (calls, output, state, ended) == (&alone.calls, &alone.output, &alone.state, &alone.ended)
    }

    /// The first message that was answered in another way than before in its state, and how it was.
    fn answered_otherwise<'a>(
        &'a self,
        found: &'a Recording,
    ) -> Option<(usize, &'a Heard, &'a [u8])> {
        found.heard.iter().enumerate().find_map(|(n, heard)| {
            let before = self.heard.get(&(n, heard.state))?;
            (*before != heard.output).then_some((n + 1, heard, &**before))
        })
    }

    fn learn(&mut self, found: Result<Recording, Panic>) {
        let heard = found.map_or(Vec::new(), |found| found.heard);
        for (n, Heard { state, output }) in heard.into_iter().enumerate() {
            self.heard.entry((n, state)).or_insert(output);
        }
    }

    /// Panics because of a placement that makes a difference. `after_input` runs the same events after
    /// the input.
    #[track_caller]
    fn report<M: Machine>(
        &self,
        input: &[u8],
        placement: &PlacedEvents,
        found: Result<Recording, Panic>,
        after_input: impl FnOnce() -> Result<Recording, Panic>,
    ) -> ! {
        let machine = M::SPEC.name;
        let found = match found {
            Ok(found) => found,
            Err(panic) => {
                if after_input().is_err() {
                    resume_unwind(panic);
                }
                panic!(
                    "with {placement}, a handler of `{machine}` panics, and not with the same after the \
                     input: {}",
                    text(&panic)
                );
            }
        };
        if self.reads_the_same(&found) {
            if let Some((n, Heard { state, output }, before)) = self.answered_otherwise(&found) {
                panic!(
                    "with {placement}, `{machine}` answers message {n} in `{state}` with b\"{}\" in \
                     place of b\"{}\"",
                    output.escape_ascii(),
                    before.escape_ascii()
                );
            }
        }
        let expected = ("alone", &self.alone);
        let difference = Difference { input, expected, found: ("interrupted", &found) };
        panic!("with {placement}, `{machine}` reads in another way than alone\n{difference}");
    }
}

/// The text of a panic.
fn text(panic: &Panic) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("(no text)")
}
