use std::io;
use std::sync::Arc;

use mio::Registry;

use crate::driver::acceptor::{QUIET, RETRY};
use crate::lifecycle::pool_state::PoolState;
use crate::scheduler::observe::Observe;
use crate::scheduler::resting::{ShedAnswer, ShedAnswers, ShedRequest};
use crate::scheduler::survey::Respond;

/// Milliseconds that a connection has for its farewell until another one is asked to leave, too.
const PATIENCE: u64 = 1_000;
/// The errors of a system without a free descriptor, for which the standard library has no names: EMFILE and
/// ENFILE, and `WSAEMFILE` of Windows.
const NO_DESCRIPTOR: [i32; 2] = if cfg!(windows) { [10_024; 2] } else { [24, 23] };

/// Makes room for newcomers by the ends of connections that are longest at rest (V11).
///
/// It knows by two things that a newcomer waits. At the limit of connections, one more is accepted and kept
/// until it has a place. Without a free descriptor `accept` does not tell whether somebody waits, so the port
/// keeps a spare descriptor, which it gives up for one newcomer.
pub(crate) struct Shedder {
    pool: String,
    pool_state: Arc<PoolState>,
    /// The port that accepts.
    port: Arc<dyn Observe>,
    answers: Arc<ShedAnswers>,
    /// The ports that can be asked before the first one is asked again, the next one last.
    ports: Vec<usize>,
    /// A newcomer waits, or there is no spare descriptor.
    wanted: bool,
    /// The time of the last request.
    asked: u64,
    /// A copy of the descriptor of the poll, which is good for nothing but to be closed.
    spare: Option<Registry>,
    /// The time of the last warning.
    warned: Option<u64>,
}

impl Shedder {
    pub(crate) fn new(pool: String, pool_state: Arc<PoolState>, port: Arc<dyn Observe>) -> Self {
        let (answers, ports) = (Arc::default(), Vec::new());
        let (wanted, asked, spare, warned) = (false, 0, None, None);
        Self { pool, pool_state, port, answers, ports, wanted, asked, spare, warned }
    }

    /// Makes sure that there is a spare descriptor.
    pub(crate) fn keep_spare(&mut self, registry: &Registry) -> io::Result<()> {
        if self.spare.is_none() {
            self.spare = Some(registry.try_clone()?);
            self.answers.forget();
        }
        Ok(())
    }

    /// Gives up the spare descriptor if that makes the failed `accept` possible.
    pub(crate) fn lends_spare(&mut self, error: &io::Error) -> bool {
        let lends = error.raw_os_error().is_some_and(|code| NO_DESCRIPTOR.contains(&code));
        lends && self.spare.take().is_some()
    }

    /// Notes that a newcomer has got its place.
    pub(crate) fn placed(&self) {
        self.answers.forget();
    }

    /// Asks for the end of a connection, if a newcomer `waits` for it.
    pub(crate) fn round(&mut self, waits: bool, now: u64) {
        self.wanted = waits;
        if !waits {
            self.ports.clear();
            return;
        }
        match self.answers.latest() {
            ShedAnswer::Asked => {}
            ShedAnswer::Ends if now < self.asked.saturating_add(PATIENCE) => {}
            ShedAnswer::Nobody if !self.ports.is_empty() => self.ask_next(now),
            ShedAnswer::Nobody if now < self.asked.saturating_add(RETRY) => {}
            ShedAnswer::Unasked | ShedAnswer::Ends | ShedAnswer::Nobody => self.begin(now),
        }
    }

    /// The time of the next request; `None` if an answer comes before.
    pub(crate) fn due(&self) -> Option<u64> {
        let pause = match self.answers.latest() {
            ShedAnswer::Ends => PATIENCE,
            ShedAnswer::Nobody if self.ports.is_empty() => RETRY,
            ShedAnswer::Nobody | ShedAnswer::Unasked => 0,
            ShedAnswer::Asked => return None,
        };
        self.wanted.then(|| self.asked.saturating_add(pause))
    }

    /// Asks the port with the most connections, and the others after it.
    fn begin(&mut self, now: u64) {
        if self.warned.is_none_or(|at| at.saturating_add(QUIET) <= now) {
            self.warned = Some(now);
            crate::log::warn!(
                pool = self.pool,
                connections = self.pool_state.permits.out(),
                "no room for new connections; those end that are longest at rest"
            );
        }
        let ports = self.pool_state.facts.ports().map(Respond::load).enumerate();
        let mut ports: Vec<_> = ports.map(|(number, load)| (load, number)).collect();
        ports.sort_unstable();
        self.ports = ports.into_iter().map(|(_, number)| number).collect();
        self.ask_next(now);
    }

    fn ask_next(&mut self, now: u64) {
        self.asked = now;
        let Some(number) = self.ports.pop() else { return };
        let request = ShedRequest::new(&self.answers, &self.port);
        if let Some(port) = self.pool_state.facts.ports().nth(number) {
            port.shed(request);
        }
    }
}
