use rust_fsm::{StateMachine, StateMachineImpl};

use super::event::{Event, Tally, Wire};

/// The machine without the crate's macro, which does not support states with data.
struct Connection;

enum State {
    Idle,
    Reading { left: u8 },
    Writing,
    Closed,
}

/// The number to add to the counter; the machine itself has no mutable data.
struct Add(u8);

impl StateMachineImpl for Connection {
    type Input = Event;
    type State = State;
    type Output = Add;

    const INITIAL_STATE: State = State::Idle;

    fn transition(state: &State, event: &Event) -> Option<State> {
        match (state, event) {
            (State::Idle, Event::Request(chunks)) => Some(State::Reading { left: *chunks }),
            (State::Idle, Event::Close) => Some(State::Closed),
            (State::Reading { left: 1 }, Event::Chunk(_)) => Some(State::Writing),
            (State::Reading { left }, Event::Chunk(_)) => Some(State::Reading { left: left - 1 }),
            (State::Writing, Event::Flushed) => Some(State::Idle),
            _ => None,
        }
    }

    fn output(state: &State, event: &Event) -> Option<Add> {
        match (state, event) {
            (State::Idle, Event::Request(number))
            | (State::Reading { .. }, Event::Chunk(number)) => Some(Add(*number)),
            (State::Writing, Event::Flushed) => Some(Add(1)),
            _ => None,
        }
    }
}

#[inline]
fn drive(events: &(impl Iterator<Item = Event> + Clone), rounds: u64) -> Tally {
    let mut tally = Tally::default();
    let mut connection = StateMachine::<Connection>::new();
    for _ in 0..rounds {
        for event in events.clone() {
            let consumed = connection.consume(&event);
            if let Ok(Some(Add(number))) = consumed {
                tally.sum += u64::from(number);
            }
            if consumed.is_err() || matches!(connection.state(), State::Closed) {
                tally.closed += 1;
                connection = StateMachine::new();
            }
        }
    }
    tally
}

#[inline(never)]
pub(super) fn run(events: &[Event], rounds: u64) -> Tally {
    drive(&events.iter().copied(), rounds)
}

#[inline(never)]
pub(super) fn run_wire(events: &[Wire], rounds: u64) -> Tally {
    drive(&events.iter().copied().map(Event::decoded), rounds)
}
