use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The time for which a server that drains answers clients that are never at rest.
const TIME: Duration = Duration::from_secs(1);

/// The end of clients that pipeline without a pause.
///
/// A drain closes connections at rest. A client whose next command is always there already is never at rest, and in a
/// protocol without a word for the last answer it cannot be told to stop. What it has sent before the drain is answered
/// within a second; after that its connection ends behind an answer. All connections of a server share one of these.
#[derive(Debug, Default)]
pub struct Grace(OnceLock<Instant>);

impl Grace {
    /// Whether a connection ends behind the answer that it has just given, though more may be unread. `draining` and
    /// `now` are those of its context.
    pub fn is_over(&self, draining: bool, now: Instant) -> bool {
        draining && now.saturating_duration_since(*self.0.get_or_init(|| now)) >= TIME
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_answered_for_a_second_of_the_drain() {
        let (grace, start) = (Grace::default(), Instant::now());
        assert!(!grace.is_over(false, start));
        let drain = start + Duration::from_secs(3_600);
        assert!(!grace.is_over(true, drain));
        assert!(!grace.is_over(true, drain + TIME / 2));
        assert!(grace.is_over(true, drain + TIME));
        // Another thread may have looked at its clock before.
        assert!(!grace.is_over(true, start));
    }
}
