use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::clock::TimeSource;
use crate::net::readiness::Readiness;
use crate::scheduler::task::{Task, TurnOutcome, end_and_restore};
use crate::{Ended, Key};

/// Runs turns on a thread, one after another.
pub(crate) struct Executor<'a, T: Task, C> {
    /// The name of the pool.
    pub(crate) pool: &'a str,
    pub(crate) scratch: &'a mut T::Scratch,
    pub(crate) time: &'a mut C,
}

impl<T: Task, C: TimeSource> Executor<'_, T, C> {
    /// Runs a turn of a task. A panic of a handler is the end of that task and of no other one (X8).
    #[inline(never)]
    pub(crate) fn run_turn(&mut self, task: &mut T, key: Key, ready: Readiness) -> TurnOutcome {
        self.run(task, key, |task, scratch| task.turn(key, ready, scratch))
    }

    /// Does what [`run_turn`](Self::run_turn) does, in its caller.
    #[expect(clippy::inline_always, reason = "counted: it is called for each event, in one place")]
    #[inline(always)]
    pub(crate) fn run_turn_here(
        &mut self,
        task: &mut T,
        key: Key,
        ready: Readiness,
    ) -> TurnOutcome {
        self.run(task, key, |task, scratch| task.turn(key, ready, scratch))
    }

    /// Runs a turn of a task, which is `turn`.
    #[expect(clippy::inline_always, reason = "counted: the caller decides")]
    #[inline(always)]
    pub(crate) fn run(
        &mut self,
        task: &mut T,
        key: Key,
        turn: impl FnOnce(&mut T, &mut T::Scratch) -> TurnOutcome,
    ) -> TurnOutcome {
        let context = T::context(self.scratch);
        context.status.begin_turn(key);
        if let Some(time) = self.time.now_if_changed() {
            context.set_time(time);
        }
        match catch_unwind(AssertUnwindSafe(|| turn(task, self.scratch))) {
            Ok(outcome) => outcome,
            Err(panic) => self.panicked(task, panic),
        }
    }

    #[cold]
    fn panicked(&mut self, task: &mut T, panic: Box<dyn Any + Send>) -> TurnOutcome {
        T::context(self.scratch).panicked(panic);
        task.recover(self.scratch);
        TurnOutcome::Ended(Ended::Panicked)
    }

    /// Ends a task, and after a panic makes a new handler for the thread.
    pub(crate) fn end(&mut self, key: Key, task: T, why: Ended) {
        end_and_restore(self.pool, key, task, why, self.scratch);
    }

    /// Whether the port was closed, so that no turn begins any more.
    #[inline]
    pub(crate) fn is_stopped(&mut self) -> bool {
        T::context(self.scratch).status.is_stopped()
    }
}
