use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::RangeInclusive;

use crate::Target;

/// A target of a pool, and what is known of it.
#[derive(Debug)]
pub(super) struct TargetState {
    pub(super) target: Target,
    /// The number of connections to it that are on their way.
    pub(super) dials: usize,
    /// It has failed, and nothing shows that it works again: one connection at a time finds out.
    pub(super) is_probed: bool,
    /// The log has an error of it, and nothing has shown since that it works again.
    is_logged: bool,
    /// The number of failures in a row.
    failures: u32,
    /// The number of all failures.
    failures_ever: usize,
    /// The time before which it is not tried.
    not_before: u64,
}

impl TargetState {
    pub(super) fn new(target: Target) -> Self {
        Self {
            target,
            dials: 0,
            is_probed: false,
            is_logged: false,
            failures: 0,
            failures_ever: 0,
            not_before: 0,
        }
    }

    pub(super) fn may_be_tried(&self, now: u64) -> bool {
        self.not_before <= now && !(self.is_probed && self.dials > 0)
    }

    /// The time at which it may be tried, if a connection to it is not on its way already.
    pub(super) fn tried_again_at(&self) -> Option<u64> {
        (!(self.is_probed && self.dials > 0)).then_some(self.not_before)
    }

    /// Puts an address first at which nobody has failed to answer. Only use tells that of UDP, where each attempt to
    /// connect succeeds.
    pub(super) fn begin_with_next(&self, addresses: &mut [SocketAddr]) {
        if self.target.takes_datagrams() && !addresses.is_empty() {
            addresses.rotate_left(self.failures_ever % addresses.len());
        }
    }

    /// Notes that a connection to it was of use.
    pub(super) fn works(&mut self, pool: &str) {
        if self.is_probed {
            crate::log::info!(pool, target = %self.target, "it can be connected to again");
        }
        self.is_probed = false;
        self.is_logged = false;
        self.failures = 0;
        self.not_before = 0;
    }

    /// Lets nobody try it before that time, for a reason that says nothing of it.
    pub(super) fn postpone(&mut self, until: u64) {
        self.not_before = self.not_before.max(until);
    }

    /// Notes a failure to connect, or without `error` a connection that was of no use. The target is left
    /// alone for a random time of at least 1 ms, whose bound doubles with each failure from the start of
    /// `retry` to its end. Further failures in that time count as the same one.
    pub(super) fn failed(
        &mut self,
        pool: &str,
        error: Option<&dyn Display>,
        retry: &RangeInclusive<u64>,
        random: u64,
        now: u64,
    ) {
        if self.not_before > now {
            return;
        }
        if let (false, Some(error)) = (self.is_logged, error) {
            crate::log::warn!(pool, target = %self.target, %error, "cannot connect; trying again");
            self.is_logged = true;
        }
        let (least, longest) = (*retry.start(), *retry.end());
        let doubled =
            least.checked_shl(self.failures).filter(|bound| *bound >> self.failures == least);
        let bound = doubled.map_or(longest, |bound| bound.min(longest)).max(1);
        self.failures = self.failures.saturating_add(1);
        self.failures_ever = self.failures_ever.wrapping_add(1);
        self.is_probed = true;
        self.not_before = now.saturating_add(1 + random % bound);
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::net::dial::is_local;

    fn target() -> TargetState {
        TargetState::new("127.0.0.1:80".parse().unwrap())
    }

    #[test]
    fn c3_a_target_that_fails_backs_off_with_full_jitter_up_to_the_bound() {
        let error = io::Error::from(io::ErrorKind::ConnectionRefused);
        let (mut state, mut now) = (target(), 1_000);
        for expected in [100, 200, 400, 800, 1_000, 1_000] {
            // The largest random number that there can be.
            state.failed("pool", Some(&error), &(100..=1_000), expected - 1, now);
            assert_eq!(state.tried_again_at(), Some(now + expected));
            assert!(!state.may_be_tried(now) && state.may_be_tried(now + expected));
            // Further failures in that time change nothing.
            state.failed("pool", Some(&error), &(100..=1_000), 7, now + 1);
            assert_eq!(state.tried_again_at(), Some(now + expected));
            now += expected;
        }
        for _ in 0..100 {
            state.failed("pool", Some(&error), &(100..=1_000), u64::MAX, now);
            now = state.tried_again_at().unwrap();
        }
        state.works("pool");
        assert!(state.may_be_tried(0));
        state.failed("pool", Some(&error), &(100..=1_000), 99, now);
        assert_eq!(state.tried_again_at(), Some(now + 100));
    }

    #[test]
    fn c4_after_a_failure_the_next_address_of_a_name_is_asked() {
        let [one, two] = ["127.0.0.1:53", "[::1]:53"].map(|text| text.parse().unwrap());
        let mut state = TargetState::new("udp:example.org:53".parse().unwrap());
        let first = |state: &TargetState| {
            let mut addresses = [one, two];
            state.begin_with_next(&mut addresses);
            addresses[0]
        };
        assert_eq!(first(&state), one);
        state.failed("pool", None, &(1..=1), 0, 0);
        assert_eq!(first(&state), two);
        // It answers, and stays the first.
        state.works("pool");
        assert_eq!(first(&state), two);
        state.failed("pool", None, &(1..=1), 0, 9);
        assert_eq!(first(&state), one);
        // An attempt to connect with TCP tells it itself.
        let mut state = TargetState::new("example.org:53".parse().unwrap());
        state.failed("pool", None, &(1..=1), 0, 0);
        assert_eq!(first(&state), one);
    }

    #[test]
    fn c3_a_want_of_descriptors_is_no_failure_of_a_target() {
        assert!(is_local(&io::Error::from_raw_os_error(if cfg!(windows) { 10_024 } else { 24 })));
        assert!(!is_local(&io::ErrorKind::ConnectionRefused.into()));
        let mut state = target();
        state.postpone(1_100);
        assert!(!state.may_be_tried(1_099) && state.may_be_tried(1_100) && !state.is_probed);
        state.failed("pool", None, &(100..=1_000), 99, 1_100);
        assert_eq!(state.tried_again_at(), Some(1_200), "it is the first failure");
    }

    #[test]
    fn c3_one_connection_at_a_time_finds_out_whether_a_target_works_again() {
        let mut state = target();
        state.dials = 3;
        assert!(state.may_be_tried(0), "nothing speaks against it");
        state.failed("pool", None, &(1..=1), 0, 0);
        assert!(!state.may_be_tried(10) && state.tried_again_at().is_none());
        state.dials = 0;
        assert!(state.may_be_tried(10));
    }
}
