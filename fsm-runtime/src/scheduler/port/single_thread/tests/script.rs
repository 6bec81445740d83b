//! A thread whose turns do what a test has planned.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::*;
use crate::clock::ManualTime;
use crate::scheduler::observe::BlockTracker;
use crate::scheduler::port::Port;
use crate::scheduler::shared::Blocked;
use crate::scheduler::task::{TurnOutcome, WorkerContext};
use crate::{Ended, Spec};

/// The planned action of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Does {
    Waiting,
    WaitsUntil(u64),
    Again,
    Ends,
    Panics,
    /// Posts a packet for another connection or its own, and waits.
    Posts(Key),
    /// Closes the port, and waits.
    Closes,
}

pub(super) struct Script {
    pub(super) due: u64,
}

/// The state that the turns of the thread share.
pub(super) struct ScriptScratch {
    pub(super) context: WorkerContext,
    pub(super) port: Arc<Port<Script>>,
    /// The plan for the next turns; those after it wait.
    pub(super) plan: VecDeque<Does>,
    pub(super) turns: Vec<(Key, Readiness)>,
    pub(super) ended: Vec<(Key, Ended)>,
}

/// A port to handlers that never block.
struct Untracked;

impl BlockTracker for Untracked {
    fn block(&self, _: usize, _: u64, _: Blocked) -> bool {
        false
    }

    fn unblock(&self, _: usize, _: u64, _: Blocked) {}
}

impl Task for Script {
    type Scratch = ScriptScratch;
    const SPEC: &'static Spec =
        &Spec::new("Script", &[crate::State::new("Only", &[crate::Wait::End])]);

    fn turn(&mut self, key: Key, ready: Readiness, scratch: &mut ScriptScratch) -> TurnOutcome {
        scratch.turns.push((key, ready));
        match scratch.plan.pop_front().unwrap_or(Does::Waiting) {
            Does::Waiting => self.due = u64::MAX,
            Does::WaitsUntil(due) => self.due = due,
            Does::Again => return TurnOutcome::Again,
            Does::Ends => return TurnOutcome::Ended(Ended::Done),
            Does::Panics => panic!("as planned"),
            Does::Posts(key) => crate::wake::Wake::wake(&*scratch.port, key),
            Does::Closes => scratch.port.close(),
        }
        TurnOutcome::Wait
    }

    fn due(&self) -> u64 {
        self.due
    }

    fn state(&self) -> usize {
        0
    }

    fn abort(&mut self) {}

    fn on_end(self, key: Key, why: Ended, scratch: &mut ScriptScratch) {
        scratch.ended.push((key, why));
    }

    fn recover(&mut self, _: &mut ScriptScratch) {}

    fn context(scratch: &mut ScriptScratch) -> &mut WorkerContext {
        &mut scratch.context
    }
}

/// The events of one poll.
struct Events(Vec<(Key, Readiness)>);

impl EventSource for Events {
    fn events(&mut self, mut visit: impl FnMut(Key, Readiness)) {
        for (key, ready) in self.0.drain(..) {
            visit(key, ready);
        }
    }
}

/// The thread, and how often its poll was interrupted.
pub(super) struct Thread {
    pub(super) scratch: ScriptScratch,
    pub(super) interrupts: Arc<AtomicUsize>,
    pub(super) time: ManualTime,
    pub(super) now: u64,
    pub(super) injected: Injected<Script>,
}

impl Thread {
    /// A thread with this number of connections, which have had their first turn.
    pub(super) fn new(connections: usize) -> (Self, Vec<Key>) {
        let interrupts = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&interrupts);
        let interrupt = Box::new(move || {
            counted.fetch_add(1, Ordering::Relaxed);
        });
        let port = Arc::new(Port::new(PortSettings {
            number: 0,
            threads: 1,
            max_running: 1,
            counters: Arc::default(),
            generations: Arc::default(),
            interrupt,
        }));
        let time = ManualTime::new();
        let (status, routes) = (port.status(ONLY_THREAD), [].into());
        let context =
            WorkerContext::new(Arc::new(Untracked), ONLY_THREAD, status, routes, time.now());
        let plan = VecDeque::new();
        let scratch = ScriptScratch { context, port, plan, turns: Vec::new(), ended: Vec::new() };
        let injected = Injected::default();
        let mut thread = Self { scratch, interrupts, time, now: 1, injected };
        let keys = (0..connections)
            .map(|_| {
                let opened = thread.port().open_here(Script { due: u64::MAX }, Readiness::NONE);
                opened.unwrap_or_else(|_| panic!("it is not closed"))
            })
            .collect();
        thread.poll(&[], &[]);
        assert_eq!(thread.sleeps_until(), Some(u64::MAX));
        (thread, keys)
    }

    pub(super) fn port(&self) -> Arc<Port<Script>> {
        Arc::clone(&self.scratch.port)
    }

    pub(super) fn wake(&self, key: Key) {
        crate::wake::Wake::wake(&*self.port(), key);
    }

    /// Takes what was left for it.
    pub(super) fn takes_injected(&mut self) {
        single(&self.scratch.port).take_injected(&mut self.injected);
    }

    /// Does a poll with these events, and runs turns by the plan. Returns the turns.
    pub(super) fn poll(
        &mut self,
        events: &[(Key, Readiness)],
        plan: &[Does],
    ) -> Vec<(Key, Readiness)> {
        self.scratch.plan = plan.iter().copied().collect();
        self.takes_injected();
        let port = self.port();
        let Self { scratch, injected, time, now, .. } = self;
        let mut executor = Executor { pool: "test", scratch, time };
        single(&port).run_events(&mut Events(events.to_vec()), &mut executor);
        single(&port).run_queue(*now, injected, &mut executor);
        std::mem::take(&mut self.scratch.turns)
    }

    /// The time until which it would sleep; `None` if it ends.
    pub(super) fn sleeps_until(&self) -> Option<u64> {
        single(&self.scratch.port).sleeps_until()
    }

    pub(super) fn interrupts(&self) -> usize {
        self.interrupts.swap(0, Ordering::Relaxed)
    }
}

pub(super) fn single(port: &Port<Script>) -> &SingleThread<Script> {
    let Port::SingleThread(port) = port else { panic!("it has one thread") };
    port
}
