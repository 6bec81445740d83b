use statig::prelude::*;

use self::machine::{Counter, State};
use super::event::{Event, Tally, Wire};

#[expect(clippy::pedantic, reason = "the macro generates this code")]
mod machine {
    use statig::prelude::*;

    use super::super::event::Event;

    #[derive(Clone, Copy)]
    pub(super) struct Counter {
        pub(super) sum: u64,
    }

    #[state_machine(initial = "State::idle()")]
    impl Counter {
        #[state]
        fn idle(&mut self, event: &Event) -> Outcome<State> {
            match event {
                Event::Request(chunks) => {
                    self.sum += u64::from(*chunks);
                    Transition(State::reading(*chunks))
                }
                _ => Transition(State::closed()),
            }
        }

        #[state]
        fn reading(&mut self, left: &mut u8, event: &Event) -> Outcome<State> {
            match event {
                Event::Chunk(number) => {
                    self.sum += u64::from(*number);
                    *left -= 1;
                    if *left > 0 { Handled } else { Transition(State::writing()) }
                }
                _ => Transition(State::closed()),
            }
        }

        #[state]
        fn writing(&mut self, event: &Event) -> Outcome<State> {
            match event {
                Event::Flushed => {
                    self.sum += 1;
                    Transition(State::idle())
                }
                _ => Transition(State::closed()),
            }
        }

        #[state]
        fn closed() -> Outcome<State> {
            Handled
        }
    }
}

#[inline]
fn drive(events: &(impl Iterator<Item = Event> + Clone), rounds: u64) -> Tally {
    let mut closed = 0;
    let mut connection = Counter { sum: 0 }.uninitialized_state_machine().init();
    for _ in 0..rounds {
        for event in events.clone() {
            connection.handle(&event);
            if let State::Closed { .. } = connection.state() {
                closed += 1;
                connection = connection.inner().uninitialized_state_machine().init();
            }
        }
    }
    Tally { sum: connection.inner().sum, closed }
}

#[inline(never)]
pub(super) fn run(events: &[Event], rounds: u64) -> Tally {
    drive(&events.iter().copied(), rounds)
}

#[inline(never)]
pub(super) fn run_wire(events: &[Wire], rounds: u64) -> Tally {
    drive(&events.iter().copied().map(Event::decoded), rounds)
}
