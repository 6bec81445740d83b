use std::cmp::Reverse;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use super::PoolAnswer;
use crate::call::reply::Caller;
use crate::lifecycle::pool_state::PoolState;
use crate::scheduler::survey::{Answer, Count, Found, Question};

/// The end of a wait; `None` if it is further away than the system can tell.
#[derive(Clone, Copy)]
pub(super) struct WaitEnd(Option<Instant>);

impl WaitEnd {
    pub(super) fn after(time: Duration) -> Self {
        Self(Instant::now().checked_add(time))
    }

    /// The next answer; `None` if there is none in time.
    fn next(self, answers: &Receiver<Answer>) -> Option<Answer> {
        match self.0 {
            None => answers.recv().ok(),
            Some(until) => {
                answers.recv_timeout(until.saturating_duration_since(Instant::now())).ok()
            }
        }
    }
}

/// A question that all ports of a pool were asked.
pub(super) struct Asked {
    question: Arc<Question>,
    answers: Receiver<Answer>,
    states: usize,
}

impl Asked {
    pub(super) fn ask(pool: &PoolState, question: Question) -> Self {
        let question = Arc::new(question);
        let (sender, answers) = mpsc::channel();
        for port in pool.facts.ports() {
            if port.port().is_some() {
                port.ask(Arc::clone(&question), sender.clone());
            }
        }
        Self { question, answers, states: pool.facts.spec.states.len() }
    }

    /// Asks for the jobs of these calls.
    pub(super) fn for_jobs(pool: &PoolState, callers: HashSet<Caller>) -> Self {
        let limit = callers.len();
        Self::ask(pool, Question { callers: Some(callers), ..Question::new(None, None, limit) })
    }

    /// Waits for the answers. Ports that have not answered in time need not answer any more.
    pub(super) fn wait(self, until: WaitEnd) -> PoolAnswer {
        let counts = vec![Count::default(); self.states];
        let mut whole = PoolAnswer { ports: Vec::new(), counts, found: Vec::new() };
        // It ends early when all ports have answered or have dropped the question.
        while let Some(answer) = until.next(&self.answers) {
            whole.add(answer);
        }
        self.question.abandon();
        whole.found.sort_by_key(|found| Reverse(Found::rank(found)));
        whole
    }
}

impl PoolAnswer {
    fn add(&mut self, answer: Answer) {
        let Answer { port, counts, found } = answer;
        self.ports.push(port);
        self.found.extend(found);
        for (sum, Count { count, oldest }) in self.counts.iter_mut().zip(counts) {
            sum.count += count;
            sum.oldest = sum.oldest.max(oldest);
        }
    }

    /// The number of connections or jobs that the ports have told of.
    pub(super) fn told(&self) -> usize {
        self.counts.iter().map(|count| count.count).sum()
    }
}
