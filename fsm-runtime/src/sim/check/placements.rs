use std::fmt;

/// An event between two bytes of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The next message, which the machine takes before the following bytes arrive.
    Message,
    /// The next message, which the machine finds together with the following bytes.
    MessageWithInput,
    Pause,
}

/// The two ways in which a message comes.
const MESSAGES: [Event; 2] = [Event::Message, Event::MessageWithInput];

/// An event after byte `at` of the input.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed {
    pub(super) at: usize,
    pub(super) event: Event,
}

/// Events in the order of their places.
#[derive(Clone, Debug, Default)]
pub(super) struct PlacedEvents(pub(super) Vec<Placed>);

impl PlacedEvents {
    /// The placements that are checked, the simplest first: what they find is the easiest to understand.
    pub(super) fn all(len: usize, messages: usize, has_pauses: bool) -> Vec<Self> {
        let message_events: &[Event] = if messages > 0 { &MESSAGES } else { &[] };
        let pauses: &[Event] = if has_pauses { &[Event::Pause] } else { &[] };
        let events = [message_events, pauses].concat();
        let mut all = vec![];
        for at in every(len, 512) {
            all.extend(events.iter().map(|event| Self(vec![Placed { at, event: *event }])));
        }
        Self::add_pairs(&mut all, len, messages, &events);
        for at in every(len, 512).filter(|_| messages > 1) {
            all.extend(MESSAGES.map(|event| Self(vec![Placed { at, event }; messages])));
        }
        all.extend(MESSAGES.map(|event| Self::by_turns(len, messages, event, has_pauses)));
        all
    }

    fn add_pairs(all: &mut Vec<Self>, len: usize, messages: usize, events: &[Event]) {
        for first in every(len, 16) {
            for second in every(len, 16).filter(|second| *second >= first) {
                for (one, two) in
                    events.iter().flat_map(|one| events.iter().map(move |two| (*one, *two)))
                {
                    let pair = [(first, one), (second, two)];
                    let pair = Self(pair.map(|(at, event)| Placed { at, event }).to_vec());
                    if pair.messages() <= messages {
                        all.push(pair);
                    }
                }
            }
        }
    }

    /// A message or a pause after every byte, as long as there are messages.
    fn by_turns(len: usize, mut messages: usize, message: Event, has_pauses: bool) -> Self {
        let mut events = vec![];
        for at in 0..=len {
            if has_pauses && at % 2 == 1 {
                events.push(Placed { at, event: Event::Pause });
            } else if messages > 0 {
                messages -= 1;
                events.push(Placed { at, event: message });
            }
        }
        Self(events)
    }

    fn messages(&self) -> usize {
        self.0.iter().filter(|placed| placed.event != Event::Pause).count()
    }

    /// Removes events as long as what is left still fails.
    pub(super) fn smallest(mut self, fails: impl Fn(&Self) -> bool) -> Self {
        let mut n = 0;
        while n < self.0.len() {
            let mut fewer = self.clone();
            fewer.0.remove(n);
            if fails(&fewer) {
                (self, n) = (fewer, 0);
            } else {
                n += 1;
            }
        }
        self
    }

    /// The places within the input.
    pub(super) fn cuts(&self, len: usize) -> Vec<usize> {
        let mut cuts: Vec<_> = self.0.iter().map(|placed| placed.at).collect();
        cuts.retain(|at| (1..len).contains(at));
        cuts.dedup();
        cuts
    }

    /// The same events at one place.
    pub(super) fn at(&self, at: usize) -> Self {
        Self(self.0.iter().map(|placed| Placed { at, ..*placed }).collect())
    }
}

impl fmt::Display for PlacedEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut messages = 0;
        for (n, Placed { at, event }) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_str(", ")?;
            }
            messages += usize::from(*event != Event::Pause);
            match event {
                Event::Pause => write!(f, "a pause after byte {at}")?,
                Event::Message => write!(f, "message {messages} after byte {at}")?,
                Event::MessageWithInput => {
                    write!(f, "message {messages} together with what follows byte {at}")?;
                }
            }
        }
        Ok(())
    }
}

/// The places before, between and after `len` bytes, or about `most` of them.
fn every(len: usize, most: usize) -> impl Iterator<Item = usize> {
    (0..=len).step_by(len.div_ceil(most).max(1))
}
