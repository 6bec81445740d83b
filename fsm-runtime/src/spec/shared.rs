use super::{Spec, Trigger};

/// A machine of no more states has all its edges in the picture, because they are read as easily as notes.
const SMALL: usize = 9;
/// More states than this share a target if events lead there.
const FEW: usize = 3;
/// More states than this share a target if verdicts lead there. It is more, because verdicts are the protocol.
const FEW_VERDICTS: usize = 5;
/// A note names so many states that do not share an event of nearly all.
const EXCEPTIONS: usize = 4;

/// The edges from many states to one target, which pictures of the machine show once: a note at the target, and
/// its mark at each of the states, unless the note can name them.
pub(crate) struct SharedTarget {
    /// A digit in a circle; none if the note names all states.
    pub(crate) mark: Option<char>,
    pub(crate) target: usize,
    pub(crate) events: Vec<SharedEvent>,
}

/// An event that leads to a shared target, and from where.
pub(crate) struct SharedEvent {
    name: String,
    /// With the time, if that is the same in all states.
    pub(crate) text: String,
    /// In the order of the enum.
    pub(crate) sources: Vec<usize>,
    /// The words of the note that name the states, if these are nearly all or few; otherwise they have its mark.
    from: Option<String>,
}

impl Spec {
    /// The targets that many states share. There are no more than digits in circles, which are twenty.
    pub(crate) fn shared(&self) -> Vec<SharedTarget> {
        if self.states.len() <= SMALL {
            return Vec::new();
        }
        let mut found: Vec<_> =
            (0..self.states.len()).filter_map(|target| self.shared_target(target)).collect();
        found.truncate(20);
        let marked = found.iter_mut().filter(|note| note.marked_events().next().is_some());
        for (mark, note) in ('①'..='⑳').zip(marked) {
            note.mark = Some(mark);
        }
        found
    }

    fn shared_target(&self, target: usize) -> Option<SharedTarget> {
        let mut shared = SharedTarget { mark: None, target, events: Vec::new() };
        for (verdicts, few) in [(true, FEW_VERDICTS), (false, FEW)] {
            let edges = self.edges_to(target, verdicts);
            let mut sources: Vec<usize> = edges.iter().map(|(source, _)| *source).collect();
            sources.dedup();
            if sources.len() > few {
                for (source, on) in edges {
                    shared.add(source, on);
                }
            }
        }
        for event in &mut shared.events {
            let others = (0..self.states.len()).filter(|&state| {
                state != target && !self.states[state].is_end() && !event.sources.contains(&state)
            });
            let others: Vec<usize> = others.collect();
            event.from = match &others[..] {
                [] => Some("from all other states".to_owned()),
                others if others.len() > EXCEPTIONS => None,
                others if event.sources.len() <= 2 * others.len() => None,
                others => Some(format!("from all but {}", self.names(others))),
            };
        }
        if shared.marked_states().len() <= FEW {
            for event in shared.events.iter_mut().filter(|event| event.from.is_none()) {
                event.from = Some(format!("from {}", self.names(&event.sources)));
            }
        }
        (!shared.events.is_empty()).then_some(shared)
    }

    /// The edges from other states to the target, for verdicts or for events, with their sources.
    fn edges_to(&self, target: usize, verdicts: bool) -> Vec<(usize, Trigger)> {
        let states = self.states.iter().enumerate().filter(|(source, _)| *source != target);
        let edges =
            states.flat_map(|(source, state)| state.edges.iter().map(move |it| (source, it)));
        let edges = edges
            .filter(|(_, edge)| edge.target == target && (edge.on == Trigger::Verdict) == verdicts);
        edges.map(|(source, edge)| (source, edge.on)).collect()
    }

    /// The names of states in a list.
    fn names(&self, states: &[usize]) -> String {
        states.iter().map(|&state| self.states[state].name).collect::<Vec<_>>().join(", ")
    }
}

impl SharedTarget {
    fn add(&mut self, source: usize, on: Trigger) {
        let (name, text) = (on.word(), on.to_string());
        let Some(event) = self.events.iter_mut().find(|event| event.name == name) else {
            let sources = vec![source];
            return self.events.push(SharedEvent { name, text, sources, from: None });
        };
        if event.text != text {
            event.text.clone_from(&event.name);
        }
        if event.sources.last() != Some(&source) {
            event.sources.push(source);
        }
    }

    /// Whether a picture leaves the edge out, because the note stands for it.
    pub(crate) fn has(&self, source: usize, on: Trigger) -> bool {
        let name = on.word();
        self.events.iter().any(|event| event.name == name && event.sources.contains(&source))
    }

    /// The events that the mark stands for.
    fn marked_events(&self) -> impl Iterator<Item = &SharedEvent> {
        self.events.iter().filter(|event| event.from.is_none())
    }

    /// The states that have the mark, in the order of the enum.
    pub(crate) fn marked_states(&self) -> Vec<usize> {
        let mut states: Vec<usize> =
            self.marked_events().flat_map(|event| &event.sources).copied().collect();
        states.sort_unstable();
        states.dedup();
        states
    }

    /// The lines of the note.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(mark) = self.mark {
            let events: Vec<&str> = self.marked_events().map(|event| &*event.text).collect();
            lines.push(format!("{mark} {}", events.join(", ")));
            lines.push(format!("from {} states", self.marked_states().len()));
        }
        let named = self.events.iter();
        let mut named =
            named.filter_map(|event| Some((&*event.text, event.from.as_ref()?))).peekable();
        while let Some((text, from)) = named.next() {
            let mut texts = vec![text];
            while let Some((text, _)) = named.next_if(|(_, next)| *next == from) {
                texts.push(text);
            }
            lines.extend([texts.join(", "), from.clone()]);
        }
        lines
    }

    /// The states with the mark for each of its events, such as `① eof: Head, Body`.
    pub(crate) fn lists(&self, spec: &Spec) -> Vec<String> {
        let list = |mark: char, event: &SharedEvent| {
            format!("{mark} {}: {}", event.text, spec.names(&event.sources))
        };
        let mark = self.mark.into_iter();
        mark.flat_map(|mark| self.marked_events().map(move |event| list(mark, event))).collect()
    }
}

impl Trigger {
    /// The word of the attribute, without a time.
    fn word(self) -> String {
        match self {
            Self::Within(_) | Self::Budget(_) => "within".to_owned(),
            Self::Idle(_) => "idle".to_owned(),
            Self::Begun(_) => "begun".to_owned(),
            Self::HalfClosed(_) => "eof".to_owned(),
            Self::Other(trigger) => format!("other {}", trigger.word()),
            other => other.to_string(),
        }
    }
}
