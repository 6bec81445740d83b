//! The walk that answers the question of a snapshot on behalf of a port.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use crate::call::mailboxes::MailboxContent;
use crate::call::reply::Caller;
use crate::clock::TimeSource;
use crate::machine::deadlines::sealed::DeadlineSet;
use crate::machine::environment::EnvironmentOf;
use crate::machine::label::Show;
use crate::machine::visible::Visible;
use crate::scheduler::port::{Slots, Visited, Walk};
use crate::scheduler::survey::{Answer, Count, Doing, Found, PastTransition, Question, Rank};
use crate::snapshot::Age;
use crate::{Key, Machine};

/// The most slots that a step visits.
const SLOTS_A_STEP: usize = 4_096;
/// The most connections or jobs that a step describes, which costs a system call and a look into the mailbox.
const DESCRIBED_A_STEP: usize = 256;

/// A walk over all slots, which counts, and then over those that the answer describes.
pub(crate) struct SurveyWalk<M: Machine, H> {
    question: Arc<Question>,
    answers: Sender<Answer>,
    environment: EnvironmentOf<M>,
    time: Arc<dyn TimeSource + Send + Sync>,
    show: Option<Arc<Show<H>>>,
    /// The next slot to count.
    at: usize,
    /// The oldest ones so far, the youngest of them on top.
    oldest: BinaryHeap<Reverse<(Rank, Key)>>,
    /// Those to describe, when all are counted.
    selected: Option<Vec<Key>>,
    answer: Answer,
}

impl<M: Machine, T: Visible<M>> Walk<T> for SurveyWalk<M, T::Handler> {
    fn step(&mut self, slots: &mut Slots<'_, T>) -> bool {
        let now = self.time.now().millis;
        let Some(mut selected) = self.selected.take() else {
            self.count(slots, now);
            return true;
        };
        for key in selected.split_off(selected.len().saturating_sub(DESCRIBED_A_STEP)) {
            if let Some(visited) = slots.get(key) {
                let found = self.describe(key, &visited, now);
                // It may have moved since it was selected.
                let labelled = self.has_label(found.label.as_deref());
                if labelled && self.matches(found.state, found.age) {
                    self.answer.found.push(found);
                }
            }
        }
        if !selected.is_empty() {
            self.selected = Some(selected);
            return true;
        }
        let Answer { port, counts, found } = &mut self.answer;
        let (counts, found) = (std::mem::take(counts), std::mem::take(found));
        // Nobody waits for it any more if this fails.
        let _ = self.answers.send(Answer { port: *port, counts, found });
        false
    }

    fn is_abandoned(&self) -> bool {
        self.question.is_abandoned()
    }
}

impl<M: Machine, H> SurveyWalk<M, H> {
    /// A walk over the port with this number.
    pub(crate) fn new(
        port: usize,
        question: Arc<Question>,
        answers: Sender<Answer>,
        environment: EnvironmentOf<M>,
        time: Arc<dyn TimeSource + Send + Sync>,
    ) -> Self {
        let counts = vec![Count::default(); M::SPEC.states.len()];
        let answer = Answer { port, counts, found: Vec::new() };
        let (at, oldest, selected) = (0, BinaryHeap::new(), None);
        Self { question, answers, environment, time, show: None, at, oldest, selected, answer }
    }

    /// The same walk with labels.
    pub(crate) fn labelled(mut self, show: Option<Arc<Show<H>>>) -> Self {
        self.show = show;
        self
    }

    /// Counts the next slots. Selects those to describe behind the last one.
    fn count<T: Visible<M, Handler = H>>(&mut self, slots: &Slots<'_, T>, now: u64) {
        let bound = slots.bound();
        // Labels are made by the user's code.
        let step = if self.question.label.is_some() { DESCRIBED_A_STEP } else { SLOTS_A_STEP };
        let until = bound.min(self.at + step);
        for slot in self.at..until {
            let Some((key, visited)) = slots.at(slot) else { continue };
            let (state, age) = self.state_and_age(&visited, now);
            self.add(state, age, 1);
            if self.matches(state, age) && self.asks_for(key, &visited) {
                self.select(key, age);
            }
        }
        self.at = until;
        if until == bound {
            self.count_waiting(slots);
            self.selected = Some(self.oldest.drain().map(|Reverse((_, key))| key).collect());
        }
    }

    /// Counts the jobs that have had no turn yet. They are in the start state, and younger than all others.
    fn count_waiting<T: Visible<M, Handler = H>>(&mut self, slots: &Slots<'_, T>) {
        let count = slots.waiting().count();
        if count == 0 {
            return;
        }
        self.add(M::SPEC.start, None, count);
        let one = self.question.key.is_some() || self.question.label.is_some();
        if one || !self.matches(M::SPEC.start, None) {
            return;
        }
        for job in slots.waiting().take(SLOTS_A_STEP) {
            if self.answer.found.len() + self.oldest.len() >= self.question.limit {
                return;
            }
            let caller = job.caller();
            if self.is_asked_for(caller) {
                self.answer.found.push(Found { caller, ..unknown(M::SPEC.start, Doing::Queued) });
            }
        }
    }

    fn add(&mut self, state: usize, age: Option<Age>, more: usize) {
        let Some(count) = self.answer.counts.get_mut(state) else { return };
        count.count += more;
        count.oldest = count.oldest.max(age.map(|age| age.time));
    }

    fn matches(&self, state: usize, age: Option<Age>) -> bool {
        let Question { state: wanted, older, .. } = &*self.question;
        wanted.is_none_or(|wanted| wanted == state)
            && older.is_none_or(|older| age.is_some_and(|age| age.time >= older))
    }

    fn asks_for<T: Visible<M, Handler = H>>(&self, key: Key, visited: &Visited<'_, T>) -> bool {
        if self.question.key.is_some_and(|wanted| wanted != key) {
            return false;
        }
        match visited {
            Visited::Waits { task, .. } => {
                self.is_asked_for(task.caller()) && self.has_label(self.label(*task).as_deref())
            }
            Visited::Runs(_) => self.question.callers.is_none() && self.has_label(None),
        }
    }

    /// The label of a connection, if it is asked for.
    fn label<T: Visible<M, Handler = H>>(&self, task: &T) -> Option<String> {
        self.question.label.as_ref()?;
        self.show_of(task)
    }

    fn show_of<T: Visible<M, Handler = H>>(&self, task: &T) -> Option<String> {
        self.show.as_ref()?.label(task.handler()?)
    }

    fn has_label(&self, label: Option<&str>) -> bool {
        let Some(wanted) = &self.question.label else { return true };
        label.is_some_and(|label| label.contains(&**wanted))
    }

    fn is_asked_for(&self, caller: Option<Caller>) -> bool {
        let Some(callers) = &self.question.callers else { return true };
        caller.is_some_and(|caller| callers.contains(&caller))
    }

    /// Keeps a connection or job if it is one of the oldest so far.
    fn select(&mut self, key: Key, age: Option<Age>) {
        let rank = (age.map(|age| age.time), Reverse(key.generation()));
        if self.oldest.len() >= self.question.limit {
            match self.oldest.peek() {
                Some(Reverse((youngest, _))) if *youngest < rank => self.oldest.pop(),
                _ => return,
            };
        }
        self.oldest.push(Reverse((rank, key)));
    }

    fn state_and_age<T: Visible<M, Handler = H>>(
        &self,
        visited: &Visited<'_, T>,
        now: u64,
    ) -> (usize, Option<Age>) {
        match visited {
            Visited::Waits { task, .. } => (task.state(), self.age(*task, now)),
            Visited::Runs(state) => (*state, None),
        }
    }

    fn age<T: Visible<M, Handler = H>>(&self, task: &T, now: u64) -> Option<Age> {
        if task.closes() {
            return None;
        }
        let settings = &self.environment.settings;
        let deadlines = task.deadlines().all().iter().enumerate();
        let ages = deadlines.filter_map(|(index, deadline)| {
            // Most are not armed, and to ask for the timer may evaluate an expression.
            (*deadline != u64::MAX)
                .then(|| task.machine().timer(index, settings).age(*deadline, now))?
        });
        ages.min_by_key(|age| age.since)
    }

    /// The time until the next deadline that is no tick.
    fn left<T: Visible<M, Handler = H>>(&self, task: &T, now: u64) -> Option<Duration> {
        let settings = &self.environment.settings;
        let all = task.deadlines().all();
        let tick = all.iter().enumerate().any(|(index, deadline)| {
            *deadline == task.due() && task.machine().timer(index, settings).is_tick()
        });
        let due = if tick && !task.closes() {
            let others = all
                .iter()
                .enumerate()
                .filter(|(index, _)| !task.machine().timer(*index, settings).is_tick());
            others.map(|(_, deadline)| *deadline).min().unwrap_or(u64::MAX)
        } else {
            task.due()
        };
        // A deadline that stands still is larger than all others.
        (due < u64::MAX >> 1).then(|| Duration::from_millis(due.saturating_sub(now)))
    }

    fn describe<T: Visible<M, Handler = H>>(
        &self,
        key: Key,
        visited: &Visited<'_, T>,
        now: u64,
    ) -> Found {
        let MailboxContent { messages, awaited, call } = self.environment.mailboxes.content(key);
        let (state, age) = self.state_and_age(visited, now);
        let Visited::Waits { task, queued } = visited else {
            let history = self.history(key, now);
            return Found {
                key: Some(key),
                messages,
                awaited,
                history,
                ..unknown(state, Doing::Runs)
            };
        };
        let doing = match (task.closes(), queued) {
            (true, _) => Doing::Closes,
            (false, true) => Doing::Queued,
            (false, false) => Doing::Waits,
        };
        Found {
            key: Some(key),
            state,
            age,
            left: self.left(*task, now),
            peer: task.peer(),
            unread: task.unread(),
            unsent: task.unsent(),
            messages,
            awaited,
            doing,
            call,
            caller: task.caller(),
            label: self.show_of(*task),
            history: self.history(key, now),
        }
    }

    /// The last transitions of a connection or job that is asked for by its key.
    #[cfg(feature = "transitions")]
    fn history(&self, key: Key, now: u64) -> Vec<PastTransition> {
        let history = self.environment.history.as_ref().filter(|_| self.question.key.is_some());
        let taken = history.map(|history| history.of(key)).unwrap_or_default();
        let taken = taken.into_iter().map(|taken| PastTransition {
            edge: taken.edge,
            ago: Duration::from_millis(now.saturating_sub(taken.at)),
        });
        taken.collect()
    }

    #[cfg(not(feature = "transitions"))]
    fn history(&self, _: Key, _: u64) -> Vec<PastTransition> {
        let _ = self;
        Vec::new()
    }
}

/// A connection or job of which nothing else is known.
fn unknown(state: usize, doing: Doing) -> Found {
    Found {
        key: None,
        state,
        age: None,
        left: None,
        peer: None,
        unread: 0,
        unsent: 0,
        messages: 0,
        awaited: 0,
        doing,
        call: crate::call::mailboxes::CallState::None,
        caller: None,
        label: None,
        history: Vec::new(),
    }
}
