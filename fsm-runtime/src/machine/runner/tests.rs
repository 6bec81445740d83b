use std::sync::Arc;

use super::*;
use crate::clock::{ManualTime, TimeSource};
use crate::machine::environment::EnvironmentOf;
use crate::net::send_buffer::SendBuffer;
use crate::prelude::*;
use crate::scheduler::observe::BlockTracker;
use crate::scheduler::shared::Blocked;
use crate::scheduler::task::WorkerContext;
use crate::{Key, Peer};

const KEY: Key = Key::new(0, 0);
/// A mark that no output reaches.
const NO_MARK: usize = usize::MAX;

/// Does what each byte of the input says.
#[state_machine(start = Order, message = (), eof => Gone)]
enum Work {
    #[read(exact = 1, idle = 10s => Order, within = 60s => Beat)]
    #[to(Order | Listen | Nap | Gone)]
    #[rest]
    Order,
    #[message(within = 60s => Gone)]
    #[to(Listen)]
    Listen,
    /// Uses no input.
    #[read(upto = 0_u64 + u64::from(false), max = 16, within = 60s => Gone)]
    #[to(Round)]
    Round,
    #[sleep(10s)]
    #[to(Nap | Round)]
    Nap,
    #[run]
    #[to(Order)]
    Beat,
    #[end]
    Gone,
}

/// Counts its calls.
#[derive(Default)]
struct Worker {
    calls: usize,
    /// The number of bytes that a call writes.
    writes: usize,
}

impl Worker {
    fn work(&mut self, cx: &mut Cx<'_, ()>) {
        self.calls += 1;
        cx.write(&vec![b'w'; self.writes]);
    }
}

impl work::Handler for Worker {
    fn order(&mut self, byte: &[u8; 1], cx: &mut Cx<'_, ()>) -> work::AfterOrder {
        self.work(cx);
        match byte {
            b"l" => work::AfterOrder::Listen,
            b"n" => work::AfterOrder::Nap,
            b"g" => work::AfterOrder::Gone,
            _ => work::AfterOrder::Order,
        }
    }

    fn listen(&mut self, (): (), cx: &mut Cx<'_, ()>) -> work::AfterListen {
        self.work(cx);
        work::AfterListen::Listen
    }

    fn round(&mut self, _: &[u8], cx: &mut Cx<'_, ()>) -> work::AfterRound {
        self.work(cx);
        work::AfterRound::Round
    }

    fn nap(&mut self, cx: &mut Cx<'_, ()>) -> work::AfterNap {
        self.work(cx);
        if self.calls < 2 { work::AfterNap::Nap } else { work::AfterNap::Round }
    }

    fn beat(&mut self, cx: &mut Cx<'_, ()>) -> work::AfterBeat {
        self.work(cx);
        work::AfterBeat::Order
    }
}

/// The tracker of a port that needs none.
struct Untracked;

impl BlockTracker for Untracked {
    fn block(&self, _: usize, _: u64, _: Blocked) -> bool {
        false
    }

    fn unblock(&self, _: usize, _: u64, _: Blocked) {}
}

/// A machine, and all that a runner of it needs.
struct Harness {
    machine: Work,
    deadlines: <Work as Machine>::Deadlines,
    handler: Worker,
    output: SendBuffer,
    environment: EnvironmentOf<Work>,
    context: WorkerContext,
}

impl Harness {
    /// A machine that enters this state at the time 0. Each handler call writes `writes` bytes.
    fn new(machine: Work, writes: usize) -> Self {
        let deadlines = DeadlineSet::started(0, |index| machine.timer(index, &()));
        let time = ManualTime::new().now();
        let context =
            WorkerContext::new(Arc::new(Untracked), 0, Arc::default(), Arc::new([]), time);
        let (handler, output) = (Worker { calls: 0, writes }, SendBuffer::default());
        let environment = EnvironmentOf::<Work>::default();
        environment.mailboxes.open(KEY);
        Self { machine, deadlines, handler, output, environment, context }
    }

    /// Lends the parts to a call of the runner.
    fn with<R>(
        &mut self,
        call: impl FnOnce(&mut MachineRunner<'_, Work>, &mut Worker, &mut Cx<'_, ()>) -> R,
    ) -> R {
        let Self { machine, deadlines, handler, output, environment, context } = self;
        let mut cx = Cx::new(output, &Peer::Memory, environment, KEY, context);
        call(&mut MachineRunner { machine, deadlines }, handler, &mut cx)
    }

    fn run(&mut self, input: &[u8], budget: &mut Budget) -> StopReason {
        let mut input = Input::new(input);
        self.with(|runner, handler, cx| runner.run(handler, &mut input, cx, budget))
    }

    /// Returns the result, and the number of unread bytes.
    fn run_input_only(&mut self, input: &[u8], limits: &Limits) -> (InputOnlyRun, usize) {
        let mut input = Input::new(input);
        let run =
            self.with(|runner, handler, cx| runner.run_input_only(handler, &mut input, cx, limits));
        (run, input.unread().len())
    }

    /// Takes the edge of a timer that has expired at this time.
    fn expire(&mut self, now: u64, output_full: bool) {
        self.context.now = now;
        self.with(|runner, handler, cx| runner.expire(handler, now, output_full, cx));
    }

    /// The name of the current state, and the time at which its first timer expires.
    fn state(&mut self) -> (&'static str, u64) {
        let deadline = self.with(|runner, _, _| runner.deadline());
        (Work::SPEC.states[self.machine.state()].name, deadline)
    }
}

#[test]
fn calls_without_progress_are_a_busy_loop_from_the_bound_on() {
    for (calls, reason) in [
        (BUSY_LOOP_CALLS, StopReason::BusyLoop),
        (BUSY_LOOP_CALLS + 24, StopReason::BusyLoop),
        (BUSY_LOOP_CALLS - 1, StopReason::BudgetSpent),
    ] {
        let (mut harness, mut budget) =
            (Harness::new(Work::Round, 0), Budget::new(calls, 1, NO_MARK));
        // Unread input is no progress if no handler uses it.
        budget.note_progress(1, 0);
        assert_eq!(harness.run(b"x", &mut budget), reason, "{calls} calls");
        assert_eq!(harness.handler.calls, calls);
    }
}

#[test]
fn calls_that_use_input_or_write_are_no_busy_loop() {
    let (mut harness, mut budget) =
        (Harness::new(Work::Order, 0), Budget::new(BUSY_LOOP_CALLS, 1, NO_MARK));
    budget.note_progress(2 * BUSY_LOOP_CALLS, 0);
    let input = [b'.'; 2 * BUSY_LOOP_CALLS];
    assert_eq!(harness.run(&input, &mut budget), StopReason::BudgetSpent);

    let (mut harness, mut budget) =
        (Harness::new(Work::Round, 1), Budget::new(BUSY_LOOP_CALLS, 1, NO_MARK));
    assert_eq!(harness.run(b"", &mut budget), StopReason::BudgetSpent);
    assert_eq!(harness.output.len(), BUSY_LOOP_CALLS);
}

#[test]
fn calls_that_take_messages_are_no_busy_loop() {
    let (mut harness, mut budget) =
        (Harness::new(Work::Listen, 0), Budget::new(BUSY_LOOP_CALLS, 1, NO_MARK));
    for _ in 0..BUSY_LOOP_CALLS {
        harness.environment.mailboxes.post(KEY, ()).unwrap();
    }
    assert_eq!(harness.run(b"", &mut budget), StopReason::BudgetSpent);
    assert_eq!(harness.handler.calls, BUSY_LOOP_CALLS);
}

#[test]
fn calls_before_the_last_progress_do_not_count_as_a_busy_loop() {
    let (mut harness, mut budget) =
        (Harness::new(Work::Round, 0), Budget::new(BUSY_LOOP_CALLS + 10, 1, NO_MARK));
    for _ in 0..11 {
        assert!(budget.spend_call());
    }
    budget.note_progress(0, 0);
    assert_eq!(harness.run(b"", &mut budget), StopReason::BudgetSpent);
    assert_eq!(harness.handler.calls, BUSY_LOOP_CALLS - 1);
}

#[test]
fn the_budget_ends_a_run_before_its_input_does() {
    let (mut harness, mut budget) = (Harness::new(Work::Order, 0), Budget::new(3, 1, NO_MARK));
    assert_eq!(harness.run(b"......", &mut budget), StopReason::BudgetSpent);
    assert_eq!((harness.handler.calls, budget.calls), (3, 0));

    let (mut harness, mut budget) = (Harness::new(Work::Order, 0), Budget::new(4, 1, NO_MARK));
    assert!(harness.run(b"...", &mut budget).waits_for(WaitSet::READ));
    assert_eq!((harness.handler.calls, budget.calls), (3, 1));
    assert_eq!(harness.run(b"g", &mut budget), StopReason::BudgetSpent);
    assert_eq!(harness.run(b"", &mut budget), StopReason::Done);
}

#[test]
fn no_handler_that_takes_something_in_runs_at_the_mark() {
    for machine in [Work::Order, Work::Listen] {
        let (mut harness, mut budget) = (Harness::new(machine, 4), Budget::new(10, 1, 4));
        harness.environment.mailboxes.post(KEY, ()).unwrap();
        harness.output.write(b"full");
        assert_eq!(harness.run(b".", &mut budget), StopReason::AtMark);
        assert_eq!((harness.handler.calls, budget.calls), (0, 10));
        assert!(harness.with(|runner, _, _| runner.takes_in()));
    }
    // The run that reaches the mark stops before the next handler.
    let (mut harness, mut budget) = (Harness::new(Work::Order, 2), Budget::new(10, 1, 4));
    assert_eq!(harness.run(b".....", &mut budget), StopReason::AtMark);
    assert_eq!(harness.handler.calls, 2);
}

#[test]
fn a_state_that_takes_nothing_in_may_run_once_at_the_mark() {
    let (mut harness, mut budget) = (Harness::new(Work::Beat, 4), Budget::new(10, 1, 4));
    harness.output.write(b"full");
    assert_eq!(harness.run(b".", &mut budget), StopReason::AtMark);
    assert!(!harness.with(|runner, _, _| runner.takes_in()));
    budget.run_at_mark();
    // `Beat` runs, and `Order` after it does not.
    assert_eq!(harness.run(b".", &mut budget), StopReason::AtMark);
    assert_eq!((harness.handler.calls, harness.state().0), (1, "Order"));
    assert_eq!(harness.output.len(), 8);
}

#[test]
fn a_timer_that_leads_to_its_own_state_restarts_alone() {
    let mut harness = Harness::new(Work::Order, 0);
    assert_eq!(harness.state(), ("Order", 10_000));
    harness.expire(9_999, false);
    assert_eq!(harness.state(), ("Order", 10_000), "nothing has expired");
    harness.expire(55_000, false);
    // The idle timer would be the next at 65 s; the other one still counts from 0.
    assert_eq!(harness.state(), ("Order", 60_000));
    assert_eq!(harness.handler.calls, 0);
}

#[test]
fn a_timer_that_leads_to_another_state_enters_it() {
    let mut harness = Harness::new(Work::Nap, 0);
    harness.expire(10_000, false);
    assert_eq!(harness.state(), ("Nap", 20_000), "the handler stays");
    harness.expire(20_000, false);
    assert_eq!(harness.state(), ("Round", 80_000));
    assert_eq!(harness.handler.calls, 2);
}

#[test]
fn a_sleep_begins_anew_while_the_output_is_full() {
    let mut harness = Harness::new(Work::Nap, 0);
    harness.expire(12_000, true);
    assert_eq!(harness.state(), ("Nap", 22_000));
    assert_eq!(harness.handler.calls, 0);
    // The edge of any other state is taken.
    let mut harness = Harness::new(Work::Listen, 0);
    harness.expire(60_000, true);
    assert_eq!(harness.state(), ("Gone", u64::MAX));
}

#[test]
fn run_input_only_stops_at_the_call_limit_and_at_the_mark() {
    let run = |waits, calls| InputOnlyRun { waits, calls };
    let waits = |waits, calls| run(Some(waits), calls);
    let limits = Limits { calls: 3, output: 4, ..Limits::DEFAULT };
    assert_eq!(
        Harness::new(Work::Order, 0).run_input_only(b"..", &limits),
        (waits(WaitSet::READ, 2), 0)
    );
    assert_eq!(Harness::new(Work::Order, 0).run_input_only(b".....", &limits), (run(None, 3), 2));
    assert_eq!(Harness::new(Work::Order, 2).run_input_only(b".....", &limits), (run(None, 2), 3));
    // The machine waits for something else, or is done.
    assert_eq!(
        Harness::new(Work::Order, 0).run_input_only(b"l.", &limits),
        (waits(WaitSet::MESSAGE | WaitSet::END, 1), 1)
    );
    assert_eq!(Harness::new(Work::Order, 0).run_input_only(b"g.", &limits), (run(None, 1), 1));
}
