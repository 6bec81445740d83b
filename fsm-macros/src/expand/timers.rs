use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, format_ident};

use super::arithmetic::Overflow;
use super::handler_call::HandlerCall;
use super::text::Texts;
use crate::ast::Expr;
use crate::model::{self, Deadline, Role, Tick, Time};

/// A timer of a state.
enum Timer<'a> {
    Within(&'a Deadline),
    Idle(&'a Deadline),
    Begun(&'a Deadline),
    HalfClosed(&'a Deadline),
    /// An `idle` that goes on while the machine is in other states.
    SinceRead(&'a Deadline),
    /// The same, in another state.
    Paused,
    /// The same, in another state that reads.
    PausedUntilRead,
    /// A `sleep`, which ends with a call of the handler.
    Sleep(&'a Time),
    /// An `idle` of the read of the other socket beside the main wait.
    OtherIdle(&'a Deadline),
    Tick(&'a Tick),
    Budget(&'a Deadline),
}

/// The timers of the states by index: first those that each state arms for itself, then those that
/// outlast a state, each with an index of its own.
struct Timers {
    /// The number of timers of the state that has most of the first kind.
    own: usize,
    /// The times of `idle` that go on from state to state, by [`idle_time`]; none without detours. States
    /// with the same time share a timer.
    idles: Vec<String>,
    /// The number of timers that go on from state to state: one of each such `idle`, and that of `begun`.
    reads: usize,
    /// The number of all timers; at least one, which the end of a connection needs.
    all: usize,
}

impl Timers {
    fn of(machine: &model::Machine) -> Self {
        let own = |state| own_timers(machine, state).len();
        let own = machine.states.iter().map(own).max().unwrap_or(0);
        let active = || machine.states.iter().filter_map(model::State::active);
        let begun = active().any(|active| active.begun.is_some());
        let mut idles = Vec::new();
        for idle in machine.states.iter().filter_map(idle_time).filter(|_| machine.has_detours) {
            if !idles.contains(&idle) {
                idles.push(idle);
            }
        }
        let reads = idles.len() + usize::from(machine.has_detours && begun);
        Self { own, idles, reads, all: (own + reads + machine.budgets).max(1) }
    }

    fn get<'a>(
        &self,
        machine: &model::Machine,
        state: &'a model::State,
        index: usize,
    ) -> Option<Timer<'a>> {
        if index < self.own {
            return own_timers(machine, state).into_iter().nth(index);
        }
        let index = index - self.own;
        if index < self.reads {
            let active = state.active();
            let reads = active.filter(|active| active.wait.takes_input());
            let paused = if reads.is_some() { Timer::PausedUntilRead } else { Timer::Paused };
            let timer = match self.idles.get(index) {
                Some(idle) if idle_time(state).as_ref() == Some(idle) => {
                    reads.and_then(|active| active.idle.as_ref()).map(Timer::SinceRead)
                }
                Some(_) => None,
                None => reads.and_then(|active| active.begun.as_ref()).map(Timer::Begun),
            };
            return Some(timer.unwrap_or(paused));
        }
        let number = index - self.reads;
        let budget = state.budget.as_ref().filter(|budget| budget.number == number)?;
        Some(Timer::Budget(&budget.deadline))
    }
}

/// The time of the `idle` of a state that reads, as a key. A time that the state's data says is equal to
/// no other one.
fn idle_time(state: &model::State) -> Option<String> {
    let active = state.active().filter(|active| active.wait.takes_input())?;
    Some(match &active.idle.as_ref()?.time {
        Time::Of { .. } => format!("that of {}", state.name),
        Time::Fixed(millis) => millis.to_string(),
        Time::Constant(name) => name.to_string(),
    })
}

/// The timers that a state arms for itself.
fn own_timers<'a>(machine: &model::Machine, state: &'a model::State) -> Vec<Timer<'a>> {
    let within = state.within().map(Timer::Within);
    let Role::Active(active) = &state.role else { return within.into_iter().collect() };
    let first = match &active.wait {
        model::Wait::Sleep(sleep) => Some(Timer::Sleep(sleep)),
        _ => within,
    };
    let outlasts = machine.has_detours && active.wait.takes_input();
    let idle = active.idle.as_ref().filter(|_| !outlasts).map(Timer::Idle);
    let begun = active.begun.as_ref().filter(|_| !outlasts).map(Timer::Begun);
    let half_closed = active.half_closed.as_ref().map(Timer::HalfClosed);
    let other = active.other.as_ref().and_then(|other| other.idle.as_ref());
    let other = other.map(Timer::OtherIdle);
    let tick = active.tick.as_ref().map(Timer::Tick);
    let own = first.into_iter().chain(idle).chain(begun).chain(half_closed);
    own.chain(other).chain(tick).collect()
}

/// The number of timers that a connection keeps.
pub(super) fn count(machine: &model::Machine) -> usize {
    Timers::of(machine).all
}

/// The body of `timer`; states with the same timer share an arm.
pub(super) fn timer(machine: &model::Machine) -> TokenStream {
    let timers = Timers::of(machine);
    by_index(timers.all, |index| {
        let mut arms: Vec<(Vec<TokenStream>, TokenStream)> = Vec::new();
        let mut known = Texts::default();
        let mut left = false;
        let (mut paused, mut paused_until_read) = (Vec::new(), Vec::new());
        for state in &machine.states {
            let (kind, time) = match timers.get(machine, state, index) {
                Some(Timer::Sleep(time)) => ("within", time),
                Some(Timer::Within(deadline)) => ("within", &deadline.time),
                Some(Timer::Idle(deadline)) => ("idle", &deadline.time),
                Some(Timer::Begun(deadline)) => ("begun", &deadline.time),
                Some(Timer::OtherIdle(deadline)) => ("other_idle", &deadline.time),
                Some(Timer::HalfClosed(deadline)) => ("half_closed", &deadline.time),
                Some(Timer::SinceRead(deadline)) => ("since_read", &deadline.time),
                Some(Timer::Paused) => {
                    paused.push(state.any());
                    continue;
                }
                Some(Timer::PausedUntilRead) => {
                    paused_until_read.push(state.any());
                    continue;
                }
                Some(Timer::Tick(tick)) => ("tick", &tick.every),
                Some(Timer::Budget(deadline)) => ("budget", &deadline.time),
                None => {
                    left = true;
                    continue;
                }
            };
            let millis = match time {
                Time::Of { time, max } => {
                    arms.push((vec![state.some(&time.fields)], timer_of(kind, time, *max)));
                    continue;
                }
                Time::Fixed(millis) => Literal::u64_unsuffixed(*millis).into_token_stream(),
                Time::Constant(name) => name.into_token_stream(),
            };
            let arm = known.number(&format!("{kind} {}", time.at_most()), arms.len());
            if let Some((patterns, _)) = arms.get_mut(arm) {
                patterns.push(state.any());
                continue;
            }
            let kind = format_ident!("{kind}");
            arms.push((vec![state.any()], generated!(__rt::Timer::#kind(#millis))));
        }
        if !paused.is_empty() {
            arms.push((paused, generated!(__rt::Timer::PAUSED)));
        }
        if !paused_until_read.is_empty() {
            arms.push((paused_until_read, generated!(__rt::Timer::PAUSED_UNTIL_READ)));
        }
        let rest = left.then(|| generated!(_ => __rt::Timer::NEVER,));
        let arms = arms.iter().map(|(patterns, value)| generated!(#(#patterns)|* => #value,));
        generated!(match self { #(#arms)* #rest })
    })
}

/// The timer of this kind of a state whose data says the time.
fn timer_of(kind: &str, time: &Expr, max: u64) -> TokenStream {
    let fields = time.scope(&generated!(settings));
    let value = time.typed(Overflow::Saturates);
    let (kind, max) = (format_ident!("{kind}"), Literal::u64_unsuffixed(max));
    generated!({
        #fields
        __rt::Timer::#kind(__rt::Timer::millis(__rt::SleepTime::duration(#value), #max))
    })
}

/// The body of `expire`; states that the timer leads to the same state share an arm.
pub(super) fn expire(machine: &model::Machine) -> TokenStream {
    let timers = Timers::of(machine);
    by_index(timers.all, |index| {
        let mut arms: Vec<(Vec<TokenStream>, TokenStream)> = Vec::new();
        let mut plain = Texts::default();
        for state in &machine.states {
            let timer = timers.get(machine, state, index);
            let moved = machine.diverted();
            let transition = match (timer, &state.role) {
                (
                    Some(
                        Timer::Within(deadline)
                        | Timer::Idle(deadline)
                        | Timer::Begun(deadline)
                        | Timer::OtherIdle(deadline)
                        | Timer::HalfClosed(deadline)
                        | Timer::SinceRead(deadline)
                        | Timer::Budget(deadline),
                    ),
                    _,
                ) => &deadline.transition,
                (Some(Timer::Sleep(_)), Role::Active(active)) => {
                    let call = HandlerCall::main(machine, state, active, false).expand();
                    arms.push((vec![state.all()], call));
                    continue;
                }
                (Some(Timer::Tick(tick)), Role::Active(active)) => {
                    let call = HandlerCall::tick(machine, state, active, &tick.handler).expand();
                    arms.push((vec![state.all()], call));
                    continue;
                }
                _ => continue,
            };
            let leaves = state.route().is_some()
                || state.waits_for_job()
                || state.joins()
                || state.begins_tls();
            let arm = if leaves || !transition.inits.is_empty() {
                arms.len()
            } else {
                let key = format!("{} {}", transition.target, transition.to_itself);
                plain.number(&key, arms.len())
            };
            if let Some((patterns, _)) = arms.get_mut(arm) {
                patterns.push(state.any());
                continue;
            }
            let withdraw = match state.route() {
                Some(_) => Some(generated!(cx.withdraw();)),
                None if state.joins() => Some(generated!(cx.leave_other();)),
                None if state.begins_tls() => Some(generated!(cx.leave_tls();)),
                None => state.waits_for_job().then(|| generated!(cx.takes_no_job();)),
            };
            let (step, transition) = (transition.step(&moved), transition.moves(machine, state));
            arms.push((vec![state.any()], generated!({ #withdraw #transition #step })));
        }
        if arms.is_empty() {
            return generated!(__Step::Stayed);
        }
        let arms = arms.iter().map(|(patterns, does)| generated!(#(#patterns)|* => #does));
        generated! {
            match self {
                #(#arms)*
                _ => __Step::Stayed,
            }
        }
    })
}

/// Chooses among the values for each index; most machines have one timer a state, and nothing to choose.
fn by_index(count: usize, value: impl Fn(usize) -> TokenStream) -> TokenStream {
    if count == 1 {
        return value(0);
    }
    let arms = (0..count).map(|index| {
        let value = value(index);
        if index + 1 == count {
            generated!(_ => #value,)
        } else {
            let index = Literal::usize_unsuffixed(index);
            generated!(#index => #value,)
        }
    });
    generated!(match timer { #(#arms)* })
}

impl Expr {
    /// Statements that turn its fields into shared references, and bind the settings, which
    /// `settings` refers to.
    pub(crate) fn scope(&self, settings: &TokenStream) -> TokenStream {
        let (fields, name) = (&self.fields, self.settings.iter());
        generated!(#(let #fields = &*#fields;)* #(let #name = #settings;)*)
    }
}
