use std::hint::black_box;

/// Events of a round.
pub(crate) const EVENTS: u64 = 4096;

/// An event of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A request with this number of chunks.
    Request(u8),
    Chunk(u8),
    Flushed,
    Close,
}

/// An encoded event: its kind and a number.
pub(super) type Wire = [u8; 2];

impl Event {
    pub(super) const REQUEST: u8 = 0;
    pub(super) const CHUNK: u8 = 1;
    pub(super) const FLUSHED: u8 = 2;
    const CLOSE: u8 = 3;

    pub(super) fn encoded(self) -> Wire {
        match self {
            Self::Request(chunks) => [Self::REQUEST, chunks],
            Self::Chunk(number) => [Self::CHUNK, number],
            Self::Flushed => [Self::FLUSHED, 0],
            Self::Close => [Self::CLOSE, 0],
        }
    }

    /// Decodes an event; any other bytes close the connection.
    pub(super) fn decoded(wire: Wire) -> Self {
        match wire {
            [Self::REQUEST, chunks] => Self::Request(chunks),
            [Self::CHUNK, number] => Self::Chunk(number),
            [Self::FLUSHED, _] => Self::Flushed,
            _ => Self::Close,
        }
    }
}

/// The counters of the handlers and of the loop around them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) sum: u64,
    /// Connections that have ended.
    pub(crate) closed: u64,
}

/// A pseudo-random sequence of events that is unknown at compile time.
///
/// Its last connection ends, so that the sequence can be repeated.
pub(super) fn sequence() -> Vec<Event> {
    let mut state = black_box(0x9E37_79B9_7F4A_7C15_u64);
    let mut random = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        u8::try_from((state >> 32) % below).unwrap_or(0)
    };
    let count = usize::try_from(EVENTS).unwrap_or(usize::MAX);
    let mut events = Vec::with_capacity(count);
    loop {
        let chunks = 1 + random(4);
        // A request, its chunks, `Flushed` and `Close`.
        let longest = usize::from(chunks) + 3;
        if events.len() + longest > count {
            break;
        }
        events.push(Event::Request(chunks));
        events.extend((0..chunks).map(|_| Event::Chunk(random(200))));
        events.push(Event::Flushed);
        if random(8) == 0 {
            events.push(Event::Close);
        }
    }
    // The remaining connections close without a request.
    events.resize(count, Event::Close);
    events
}
