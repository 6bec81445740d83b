//! What all connections share: what they shall do, and what they have done.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::options::Options;
use crate::tally::{Errors, Tally};

/// The longest time that can be set for an answer; the bound of the deadlines in the machines.
pub(crate) const MAX_TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// The time after the last due request in which sleepers with one still wake.
const GRACE: Duration = Duration::from_millis(20);

/// The settings of the machines.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    /// The longest time for an answer.
    pub(crate) timeout: Duration,
}

/// The load that the connections make together.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) begun: Instant,
    /// The time in which requests are measured.
    pub(crate) measured: Range<Instant>,
    /// The most requests of a connection that wait for an answer.
    pub(crate) depth: usize,
    timetable: Option<Timetable>,
    state: Mutex<State>,
}

/// The times at which requests are due, if these are fixed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timetable {
    begun: Instant,
    /// The nanoseconds between two requests, over all connections.
    step: f64,
    connections: u64,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) tally: Tally,
    /// The places that no connection has.
    free: Vec<Place>,
}

/// A place in the timetable. A connection that is opened in place of another one takes over its place, so that
/// requests that were due meanwhile are late, and not forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    index: u64,
    /// The number of the next request. `None` before the first connection.
    next: Option<u64>,
}

impl Load {
    pub(crate) fn new(options: &Options) -> Self {
        let begun = Instant::now();
        let (connections, first) = (options.connections.get() as u64, begun + options.warmup);
        let timetable = options.rate.map(|rate| Timetable {
            begun,
            #[expect(clippy::cast_precision_loss, reason = "it is below 2^24")]
            step: 1e9 / rate.get() as f64,
            connections,
        });
        let free = (0..connections).rev().map(|index| Place { index, next: None }).collect();
        Self {
            begun,
            measured: first..first + options.duration,
            depth: options.pipeline.get(),
            timetable,
            state: Mutex::new(State { tally: Tally::default(), free }),
        }
    }

    /// The time at which the run ends.
    pub(crate) fn end(&self) -> Instant {
        self.measured.end + GRACE
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answers and errors so far.
    pub(crate) fn counts(&self) -> (u64, Errors) {
        let state = self.state();
        (state.tally.answers, state.tally.errors)
    }

    /// Gives a new connection a place.
    pub(crate) fn join(&self, now: Instant) -> Place {
        let place = self.state().free.pop();
        let mut place = place.unwrap_or(Place { index: 0, next: None });
        if let Some(timetable) = &self.timetable {
            place.next.get_or_insert_with(|| timetable.first_after(place.index, now));
        }
        place
    }

    /// Takes the place of a connection that has ended, with the number of requests that got no answer.
    pub(crate) fn leave(&self, place: Place, unanswered: u64) {
        let mut state = self.state();
        state.free.push(place);
        state.tally.errors.unanswered += unanswered;
    }

    /// The time at which the next request of a place is due: now, without a timetable.
    pub(crate) fn due(&self, place: &Place, now: Instant) -> Instant {
        match (&self.timetable, place.next) {
            (Some(timetable), Some(next)) => timetable.due(place.index, next),
            _ => now,
        }
    }

    /// The number of requests that were due in the measured time and were never sent, once all connections have
    /// ended at `end`.
    pub(crate) fn unsent(&self, end: Instant) -> u64 {
        let Some(timetable) = &self.timetable else { return 0 };
        let unsent = |place: &Place| {
            let first = timetable.first_after(place.index, self.measured.start);
            let last = timetable.first_after(place.index, end.min(self.measured.end));
            last.saturating_sub(place.next.unwrap_or(0).max(first))
        };
        self.state().free.iter().map(unsent).sum()
    }

    /// Whether requests have fixed times.
    pub(crate) fn is_open(&self) -> bool {
        self.timetable.is_some()
    }
}

impl Place {
    /// Notes that a request was sent.
    pub(crate) fn advance(&mut self) {
        self.next = self.next.map(|next| next + 1);
    }
}

impl Timetable {
    /// The time of a request of a connection. The connections take turns.
    fn due(&self, index: u64, number: u64) -> Instant {
        let turn = number.saturating_mul(self.connections).saturating_add(index);
        #[expect(clippy::cast_precision_loss, reason = "nanoseconds of a century are exact enough")]
        let after = self.step * turn as f64;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a float becomes the nearest integer that there is"
        )]
        let after = Duration::from_nanos(after as u64);
        self.begun + after
    }

    /// The number of the first request of a connection that is not due before `time`.
    fn first_after(&self, index: u64, time: Instant) -> u64 {
        let since = time.saturating_duration_since(self.begun).as_secs_f64() * 1e9;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a float becomes the nearest integer that there is"
        )]
        let turn = (since / self.step) as u64;
        let mut number = (turn.saturating_sub(index) / self.connections).saturating_sub(1);
        while self.due(index, number) < time {
            number += 1;
        }
        number
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn load(options: &str) -> Load {
        let line = format!("loadgen --resp a:1 {options}");
        Load::new(&Options::try_parse_from(line.split(' ')).unwrap())
    }

    #[test]
    fn connections_take_turns_in_the_timetable() {
        let load = load("--connections 4 --rate 1000 --warmup 1s --duration 1s");
        let mut places: Vec<_> = (0..4).map(|_| load.join(load.begun)).collect();
        let millis = |time: Instant| (time - load.begun).as_millis();
        for round in 0..3 {
            for (index, place) in (0..).zip(&mut places) {
                assert_eq!(millis(load.due(place, load.begun)), round * 4 + index);
                place.advance();
            }
        }
        // A place whose connection comes late begins then, and one that is taken over goes on.
        let third = places.pop().unwrap();
        load.leave(third, 2);
        assert_eq!(load.join(load.begun + Duration::from_millis(500)), third);
        assert_eq!(load.state().tally.errors.unanswered, 2);
    }

    #[test]
    fn a_place_begins_when_it_is_first_taken() {
        let load = load("--connections 2 --rate 10");
        let late = load.begun + Duration::from_millis(1050);
        let places = [load.join(late), load.join(late)];
        let millis = places.map(|place| (load.due(&place, late) - load.begun).as_millis());
        assert_eq!(millis, [1200, 1100]);
    }

    #[test]
    fn requests_that_were_due_and_never_sent_count() {
        let load = load("--connections 3 --rate 100 --warmup 1s --duration 2s");
        assert_eq!(load.unsent(load.measured.end), 200);
        assert_eq!(load.unsent(load.measured.start + Duration::from_secs(1)), 100);
        let mut place = load.join(load.measured.start);
        (0..50).for_each(|_| place.advance());
        load.leave(place, 0);
        assert_eq!(load.unsent(load.measured.end), 150);
    }

    #[test]
    fn without_a_rate_a_request_is_due_at_once() {
        let load = load("--connections 1");
        let place = load.join(load.begun);
        let now = load.begun + Duration::from_secs(3);
        assert_eq!((load.due(&place, now), load.unsent(load.measured.end)), (now, 0));
    }
}
