use super::event::{Event, Tally, Wire};
use machine::{ConnectionEvents, ConnectionStateMachine, ConnectionStates};

mod machine {
    use smlang::statemachine;

    statemachine! {
        name: Connection,
        derive_states: [Clone, Copy],
        derive_events: [Clone, Copy],
        transitions: {
            *Idle + Request(u8) / begin = Reading(u8),
            Idle + Close = Closed,
            Reading(u8) + Chunk(u8) [!is_last] / take = Reading(u8),
            Reading(u8) + Chunk(u8) [is_last] / take_last = Writing,
            Writing + Flushed / flush = Idle,
        }
    }

    #[derive(Clone, Copy)]
    pub(in super::super) struct Counter {
        pub(super) sum: u64,
    }

    impl ConnectionStateMachineContext for Counter {
        fn begin(&mut self, chunks: u8) -> Result<u8, ()> {
            self.sum += u64::from(chunks);
            Ok(chunks)
        }

        fn is_last(&self, left: &u8, _: &u8) -> Result<bool, ()> {
            Ok(*left == 1)
        }

        fn take(&mut self, left: &u8, number: u8) -> Result<u8, ()> {
            self.sum += u64::from(number);
            Ok(left - 1)
        }

        fn take_last(&mut self, _: &u8, number: u8) -> Result<(), ()> {
            self.sum += u64::from(number);
            Ok(())
        }

        fn flush(&mut self) -> Result<(), ()> {
            self.sum += 1;
            Ok(())
        }
    }
}

#[inline]
fn drive(events: &(impl Iterator<Item = ConnectionEvents> + Clone), rounds: u64) -> Tally {
    let mut closed = 0;
    let mut connection = ConnectionStateMachine::new(machine::Counter { sum: 0 });
    for _ in 0..rounds {
        for event in events.clone() {
            // An event without a transition is an error, which ends the connection.
            if let Ok(ConnectionStates::Closed) | Err(_) = connection.process_event(event) {
                closed += 1;
                connection = ConnectionStateMachine::new(*connection.context());
            }
        }
    }
    Tally { sum: connection.context().sum, closed }
}

pub(super) fn run(events: &[Event], rounds: u64) -> Tally {
    let events: Vec<_> = events.iter().map(|event| converted(*event)).collect();
    run_converted(&events, rounds)
}

#[inline(never)]
fn run_converted(events: &[ConnectionEvents], rounds: u64) -> Tally {
    drive(&events.iter().copied(), rounds)
}

#[inline(never)]
pub(super) fn run_wire(events: &[Wire], rounds: u64) -> Tally {
    drive(&events.iter().map(|wire| converted(Event::decoded(*wire))), rounds)
}

/// Converts an event to the macro's own enum.
fn converted(event: Event) -> ConnectionEvents {
    match event {
        Event::Request(chunks) => ConnectionEvents::Request(chunks),
        Event::Chunk(number) => ConnectionEvents::Chunk(number),
        Event::Flushed => ConnectionEvents::Flushed,
        Event::Close => ConnectionEvents::Close,
    }
}
