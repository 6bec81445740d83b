//! The implementations of [`BlockTracker`] and [`Observe`] for a port.

use std::sync::Arc;
use std::time::Instant;

use super::single_thread::ONLY_THREAD;
use super::{MultiThread, Port, SingleThread};
use crate::Spec;
use crate::scheduler::alarm::Alarm;
use crate::scheduler::observe::{BlockTracker, Observe, RunningTurn};
use crate::scheduler::port_core::ThreadIndex;
use crate::scheduler::shared::Blocked;
use crate::scheduler::task::Task;

impl<T: Task + Send> BlockTracker for Port<T> {
    fn block(&self, thread: ThreadIndex, turn: u64, how: Blocked) -> bool {
        match self {
            // No other thread exists to take over; only a declared block silences the warning.
            Self::SingleThread(port) => how == Blocked::Declared && port.status().block(),
            Self::MultiThread(port) => port.shared.locked(|port| port.block(thread, turn, how)),
        }
    }

    fn unblock(&self, thread: ThreadIndex, turn: u64, how: Blocked) {
        match self {
            Self::SingleThread(port) => port.status().unblock(),
            Self::MultiThread(port) => port.shared.locked(|port| port.unblock(thread, turn, how)),
        }
    }
}

impl<T: Task + Send> Observe for Port<T> {
    fn running(&self, into: &mut Vec<RunningTurn>) -> bool {
        match self {
            Self::SingleThread(port) => {
                into.extend(port.running());
                false
            }
            Self::MultiThread(port) => port.running(into),
        }
    }

    fn seen(&self, thread: ThreadIndex, turn: u64, now: Instant) -> Instant {
        self.common().seen(thread, turn, now)
    }

    fn has_ended(&self) -> bool {
        self.common().has_ended()
    }

    fn threads(&self) -> usize {
        self.common().statuses.len()
    }

    fn max_running(&self) -> usize {
        match self {
            Self::SingleThread(_) => 1,
            Self::MultiThread(port) => port.shared.locked(|port| port.core().max_running()),
        }
    }

    fn is_up(&self) -> bool {
        match self {
            Self::SingleThread(port) => port.is_up(),
            // Its threads wake the watchdog before each turn, after they got the turn under the lock.
            Self::MultiThread(_) => false,
        }
    }

    fn spec(&self) -> &'static Spec {
        T::SPEC
    }

    fn set_alarm(&self, watchdog: &Arc<Alarm>) {
        self.common().set_alarm(watchdog);
    }

    fn interrupt(&self) {
        Port::interrupt(self);
    }

    fn drain(&self) {
        Port::drain(self);
    }

    fn close(&self) {
        Port::close(self);
    }
}

impl<T: Task> SingleThread<T> {
    /// The turn that the thread runs. Does not take the lock, which the thread keeps meanwhile.
    fn running(&self) -> Option<RunningTurn> {
        let status = self.status();
        let key = status.key()?;
        let blocked = status.blocks().then_some(Blocked::Declared);
        let (turn, state, id) =
            (status.turn(), status.state(), self.common.ids()[ONLY_THREAD].clone());
        Some(RunningTurn { thread: ONLY_THREAD, key, turn, blocked, state, id })
    }
}

impl<T: Task> MultiThread<T> {
    fn running(&self, into: &mut Vec<RunningTurn>) -> bool {
        let ids = self.common.ids();
        self.shared.locked(|port| {
            for (thread, id) in ids.iter().enumerate() {
                let (Some(key), Some(turn)) = (port.running(thread), port.turn(thread)) else {
                    continue;
                };
                let blocked = port.blocked(thread);
                let state = self.common.statuses[thread].state();
                into.push(RunningTurn { thread, key, turn, blocked, state, id: id.clone() });
            }
            port.core().idle_thread_could_help()
        })
    }
}
