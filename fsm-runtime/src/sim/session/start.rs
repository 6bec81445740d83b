use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use super::Session;
use crate::call::mailboxes::Mailboxes;
use crate::connection::ConnectionTask;
use crate::connection::scratch::ConnectionScratch;
use crate::machine::environment::Environment;
use crate::machine::limits::Limits;
use crate::machine::runner::Started;
use crate::outgoing::connections::Outgoing;
use crate::sim::LIMITS;
use crate::sim::clock::TimeOrigin;
use crate::sim::harness::Harness;
use crate::sim::other::StubTargets;
use crate::sim::pipe::{DatagramQueues, Pipe, PipeEnd};
use crate::spec::Features;
use crate::{Connection, Drive, Machine};

/// The most jobs that wait.
const JOBS: usize = 1024;

impl<M: Drive<H> + Machine<Kind = Connection>, H> Session<M, H> {
    /// A session with at most `calls` handler calls in a turn.
    pub(crate) fn with_calls(handler: H, calls: usize) -> Self
    where
        M: Machine<Seed = ()>,
    {
        Self::start(&TimeOrigin::new(), handler, (), Arc::default(), calls)
    }

    pub(super) fn start(
        origin: &TimeOrigin,
        handler: H,
        seed: M::Seed,
        settings: Arc<M::Settings>,
        calls: usize,
    ) -> Self {
        let datagrams = M::SPEC.uses(Features::DATAGRAMS).then(DatagramQueues::default);
        let pipe = Rc::new(Pipe { datagrams, ..Pipe::new() });
        let runner = Started::new(seed, origin.time.millis(), settings.as_ref());
        let conn = ConnectionTask::new(PipeEnd(Rc::clone(&pipe)), runner, handler);
        let world = Arc::<StubTargets>::default();
        // The test takes the part of those who give jobs.
        let jobs = M::answers().map(|answers| (answers.jobs)(JOBS));
        let outgoing = jobs.map(|jobs| Arc::new(Outgoing::new(Some(jobs))));
        let environment = Environment::new(Mailboxes::default(), settings, outgoing);
        let mut harness = Harness::new(origin, &M::routes(), |pool_state, context| {
            let limits = Limits { calls, ..LIMITS };
            let environment = environment.clone();
            let mut scratch = ConnectionScratch::bare(environment, limits, pool_state, context);
            scratch.other.test = Some(Arc::clone(&world) as _);
            scratch
        });
        harness.open(conn, |key| {
            if ConnectionTask::<M, H, PipeEnd>::HAS_MAILBOX {
                environment.mailboxes.open(key);
            }
            if let Some(outgoing) = &environment.outgoing {
                outgoing.joined(key, Some(0), origin.time.millis());
            }
        });
        harness.events = Rc::clone(&pipe.events);
        Self { harness: Rc::new(RefCell::new(harness)), clock: None, pipe, world }
    }
}
