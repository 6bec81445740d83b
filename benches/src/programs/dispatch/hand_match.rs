use super::event::{Event, Tally, Wire};

enum Connection {
    Idle,
    Reading { left: u8 },
    Writing,
    Closed,
}

impl Connection {
    fn on(&mut self, event: Event, sum: &mut u64) {
        *self = match (&mut *self, event) {
            (Self::Idle, Event::Request(chunks)) => {
                *sum += u64::from(chunks);
                Self::Reading { left: chunks }
            }
            (Self::Reading { left }, Event::Chunk(number)) => {
                *sum += u64::from(number);
                *left -= 1;
                if *left > 0 {
                    return;
                }
                Self::Writing
            }
            (Self::Writing, Event::Flushed) => {
                *sum += 1;
                Self::Idle
            }
            _ => Self::Closed,
        };
    }

    /// Matches the bytes directly, without an enum of events.
    fn on_wire(&mut self, event: Wire, sum: &mut u64) {
        *self = match (&mut *self, event) {
            (Self::Idle, [Event::REQUEST, chunks]) => {
                *sum += u64::from(chunks);
                Self::Reading { left: chunks }
            }
            (Self::Reading { left }, [Event::CHUNK, number]) => {
                *sum += u64::from(number);
                *left -= 1;
                if *left > 0 {
                    return;
                }
                Self::Writing
            }
            (Self::Writing, [Event::FLUSHED, _]) => {
                *sum += 1;
                Self::Idle
            }
            _ => Self::Closed,
        };
    }
}

#[inline]
fn drive<E: Copy>(events: &[E], rounds: u64, on: impl Fn(&mut Connection, E, &mut u64)) -> Tally {
    let mut tally = Tally::default();
    let mut connection = Connection::Idle;
    for _ in 0..rounds {
        for &event in events {
            on(&mut connection, event, &mut tally.sum);
            if let Connection::Closed = connection {
                tally.closed += 1;
                connection = Connection::Idle;
            }
        }
    }
    tally
}

#[inline(never)]
pub(super) fn run(events: &[Event], rounds: u64) -> Tally {
    drive(events, rounds, Connection::on)
}

#[inline(never)]
pub(super) fn run_wire(events: &[Wire], rounds: u64) -> Tally {
    drive(events, rounds, Connection::on_wire)
}
