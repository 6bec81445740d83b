//! The data that all connections share: their task, and the counts of their work.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::budget::Budget;
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
    /// The time from which requests are measured.
    pub(crate) measured_from: Instant,
    /// The time from which none is due any more; `None` if a number of requests bounds the run.
    measured_to: Option<Instant>,
    /// The longest time without a connection, if a number of requests bounds the run.
    patience: Duration,
    /// The number of connections.
    connections: usize,
    /// The most requests of a connection that wait for an answer.
    pub(crate) depth: usize,
    timetable: Option<Timetable>,
    state: Mutex<State>,
    /// The run is over, or the pool has ended.
    over: Condvar,
}

/// The events that [`Load::wait`] waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The time has come.
    Time,
    /// No request is to be sent any more.
    Over,
    /// The pool has ended.
    Ended,
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
    budget: Budget,
    /// The places that no connection has.
    free: Vec<Place>,
    /// The time since which there is no connection.
    alone_since: Option<Instant>,
    /// The pool has ended.
    ended: bool,
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
        let connections = options.connections.get() as u64;
        let (measured_from, measured_to) = if options.requests.is_some() {
            (begun, None)
        } else {
            let first = begun + options.warmup;
            (first, Some(first + options.duration))
        };
        let timetable = options.rate.map(|rate| Timetable {
            begun,
            #[expect(clippy::cast_precision_loss, reason = "it is below 2^24")]
            step: 1e9 / rate.get() as f64,
            connections,
        });
        let free = (0..connections).rev().map(|index| Place { index, next: None }).collect();
        Self {
            begun,
            measured_from,
            measured_to,
            patience: options.timeout,
            connections: options.connections.get(),
            depth: options.pipeline.get(),
            timetable,
            state: Mutex::new(State {
                tally: Tally::default(),
                budget: Budget::new(options.requests),
                free,
                alone_since: Some(begun),
                ended: false,
            }),
            over: Condvar::new(),
        }
    }

    /// Waits for `time`, or for the end of the run before it.
    pub(crate) fn wait(&self, time: Instant) -> Event {
        let mut state = self.state();
        loop {
            let now = Instant::now();
            let end = self.end(&state);
            if state.ended {
                return Event::Ended;
            }
            if state.budget.is_spent() || end.is_some_and(|end| end <= now) {
                return Event::Over;
            }
            if time <= now {
                return Event::Time;
            }
            let next = end.map_or(time, |end| end.min(time));
            let waited = self.over.wait_timeout(state, next.saturating_duration_since(now));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The time at which the run ends, as far as it is known.
    fn end(&self, state: &State) -> Option<Instant> {
        match self.measured_to {
            Some(last) => Some(last + GRACE),
            None => state.alone_since.map(|since| since + self.patience),
        }
    }

    /// Notes that the pool has ended.
    pub(crate) fn pool_ended(&self) {
        self.state().ended = true;
        self.over.notify_all();
    }

    /// The end of the measured time of a run that has ended at `end`.
    pub(crate) fn measured_until(&self, end: Instant) -> Instant {
        self.measured_to.map_or(end, |last| last.min(end))
    }

    /// Whether a request that is due at this time is sent.
    pub(crate) fn admits(&self, due: Instant) -> bool {
        self.measured_to.is_none_or(|last| due < last)
    }

    /// Whether a request that is due at this time is measured.
    pub(crate) fn measures(&self, due: Instant) -> bool {
        due >= self.measured_from && self.admits(due)
    }

    /// Takes a request from the number of the run; returns whether one is left.
    pub(crate) fn take(&self) -> bool {
        self.state().budget.take()
    }

    /// Notes that so many requests are answered or lost.
    pub(crate) fn settle(&self, state: &mut State, requests: u64) {
        state.budget.settle(requests);
        if state.budget.is_spent() {
            state.tally.stopped.get_or_insert_with(Instant::now);
            self.over.notify_all();
        }
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
        let mut state = self.state();
        state.alone_since = None;
        let mut place = state.free.pop().unwrap_or(Place { index: 0, next: None });
        if let Some(timetable) = &self.timetable {
            place.next.get_or_insert_with(|| timetable.first_after(place.index, now));
        }
        place
    }

    /// Takes the place of a connection that has ended, with the number of requests that got no answer.
    pub(crate) fn leave(&self, place: Place, unanswered: u64) {
        let mut state = self.state();
        state.free.push(place);
        if state.free.len() == self.connections {
            state.alone_since = Some(Instant::now());
        }
        state.tally.errors.unanswered += unanswered;
        self.settle(&mut state, unanswered);
    }

    /// The time at which the next request of a place is due: now, without a timetable.
    pub(crate) fn due(&self, place: &Place, now: Instant) -> Instant {
        match (&self.timetable, place.next) {
            (Some(timetable), Some(next)) => timetable.due(place.index, next),
            _ => now,
        }
    }

    /// The number of requests of the run that were due in the measured time and were never sent, once all
    /// connections have ended at `end`.
    pub(crate) fn unsent(&self, end: Instant) -> u64 {
        let Some(timetable) = &self.timetable else { return 0 };
        let unsent = |place: &Place| {
            let first = timetable.first_after(place.index, self.measured_from);
            let last = timetable.first_after(place.index, self.measured_until(end));
            last.saturating_sub(place.next.unwrap_or(0).max(first))
        };
        let state = self.state();
        let unsent: u64 = state.free.iter().map(unsent).sum();
        state.budget.left().map_or(unsent, |left| left.min(unsent))
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

    fn end(load: &Load) -> Instant {
        load.measured_until(load.begun + Duration::from_secs(60))
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
        assert_eq!(load.unsent(end(&load)), 200);
        assert_eq!(load.unsent(load.measured_from + Duration::from_secs(1)), 100);
        let mut place = load.join(load.measured_from);
        (0..50).for_each(|_| place.advance());
        load.leave(place, 0);
        assert_eq!(load.unsent(end(&load)), 150);
    }

    #[test]
    fn without_a_rate_a_request_is_due_at_once() {
        let load = load("--connections 1");
        let place = load.join(load.begun);
        let now = load.begun + Duration::from_secs(3);
        assert_eq!((load.due(&place, now), load.unsent(end(&load))), (now, 0));
    }

    #[test]
    fn a_number_of_requests_ends_the_run() {
        let load = load("--connections 2 --requests 3");
        let places = [load.join(load.begun), load.join(load.begun)];
        assert_eq!([(); 4].map(|()| load.take()), [true, true, true, false]);
        load.settle(&mut load.state(), 1);
        assert_eq!(load.wait(load.begun), Event::Time);
        // Requests of connections that end are lost, and not sent again.
        load.leave(places[0], 2);
        assert_eq!((load.wait(end(&load)), load.take()), (Event::Over, false));
        assert_eq!(load.counts().1.unanswered, 2);
        load.pool_ended();
        assert_eq!(load.wait(end(&load)), Event::Ended);
    }

    #[test]
    fn a_run_without_a_connection_ends_although_requests_are_left() {
        let load = load("--connections 2 --requests 3 --rate 100 --timeout 50ms");
        assert_eq!(load.wait(end(&load)), Event::Over);
        assert!(load.begun.elapsed() >= Duration::from_millis(50));
        assert_eq!(load.unsent(Instant::now()), 3);
        let place = load.join(Instant::now());
        let later = Instant::now() + Duration::from_millis(60);
        assert_eq!(load.wait(later), Event::Time);
        load.leave(place, 0);
        assert_eq!(load.wait(end(&load)), Event::Over);
    }
}
