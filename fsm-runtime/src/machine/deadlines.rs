use crate::machine::timer::{Counts, PAUSED, Timer};
#[cfg(all(feature = "pool", unix))]
use crate::moves::packed_connection::TimerLeft;

/// The deadlines of the current state of a connection or job, one for each of its timers, in
/// milliseconds of the pool's clock; `u64::MAX` for a timer that is not armed.
///
/// A connection stores 8 bytes for each of the `N` timers. Most machines have one timer a state:
///
/// ```
/// assert_eq!(size_of::<fsm_runtime::Deadlines<1>>(), 8);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Deadlines<const N: usize>([u64; N]);

/// A [`Deadlines<N>`](Deadlines) of any `N`.
pub trait DeadlineSet: sealed::DeadlineSet {}

impl<const N: usize> DeadlineSet for Deadlines<N> {}

pub(crate) mod sealed {
    use super::Timer;
    #[cfg(all(feature = "pool", unix))]
    use super::TimerLeft;

    pub trait DeadlineSet: Sized + Send + 'static {
        /// The deadlines of the state in which a machine starts at `now`. `timer` returns the timer
        /// with an index.
        fn started(now: u64, timer: impl Fn(usize) -> Timer) -> Self;
        /// Arms the timers of a state that is entered at `now`. With `diverted` no read has led there, so
        /// that timers which count from a read go on.
        fn enter(&mut self, now: u64, diverted: bool, timer: impl Fn(usize) -> Timer);
        /// Arms the idle timers again, because the state's wait has completed and the machine
        /// stays.
        fn stayed(&mut self, now: u64, timer: impl Fn(usize) -> Timer);
        /// Arms the timers that count from the first byte, unless they run already. The idle timers
        /// stand still from now on.
        fn begin(&mut self, now: u64, timer: impl Fn(usize) -> Timer);
        /// Arms the timers again that count from a read of the other socket beside the state's wait.
        fn other_read(&mut self, now: u64, timer: impl Fn(usize) -> Timer);
        /// Arms the timers that count from the end of one of two streams.
        fn half_closed(&mut self, now: u64, timer: impl Fn(usize) -> Timer);
        /// Arms a timer again that has expired without a change of state.
        fn restart(&mut self, index: usize, now: u64, timer: Timer);
        /// Ends a timer that has expired, so that it begins anew when it is armed.
        fn end(&mut self, index: usize);
        /// The first timer that has expired at `now`.
        fn expired(&self, now: u64) -> Option<usize>;
        /// The deadlines, by the index of their timers.
        fn all(&self) -> &[u64];
        /// The times that the deadlines have left.
        #[cfg(all(feature = "pool", unix))]
        fn left(&self, now: u64, timer: impl Fn(usize) -> Timer) -> Vec<TimerLeft>;
        /// Changes the deadlines of a state that was entered to those that had these times left. A timer that is
        /// none of them stays as it is.
        #[cfg(all(feature = "pool", unix))]
        fn set_left(&mut self, now: u64, left: &[TimerLeft], timer: impl Fn(usize) -> Timer);
        /// The earliest deadline.
        fn earliest(&self) -> u64;
        /// This deadline in place of those of the state's timers.
        fn only(at: u64) -> Self;
    }
}

impl<const N: usize> sealed::DeadlineSet for Deadlines<N> {
    fn started(now: u64, timer: impl Fn(usize) -> Timer) -> Self {
        let mut deadlines = Self([u64::MAX; N]);
        deadlines.enter(now, false, timer);
        deadlines
    }

    #[inline]
    fn enter(&mut self, now: u64, diverted: bool, timer: impl Fn(usize) -> Timer) {
        for (index, deadline) in self.0.iter_mut().enumerate() {
            let timer = timer(index);
            *deadline = match timer.counts {
                Counts::FromFirstByte if diverted => resumed(*deadline, now),
                Counts::FromOutside if *deadline != u64::MAX => *deadline,
                Counts::FromRead if diverted => resumed(*deadline, now).min(timer.deadline(now)),
                Counts::Paused | Counts::PausedUntilRead if diverted => paused(*deadline, now),
                Counts::FromFirstByte
                | Counts::FromEnd
                | Counts::Paused
                | Counts::PausedUntilRead => u64::MAX,
                _ => timer.deadline(now),
            };
        }
    }

    #[inline]
    fn stayed(&mut self, now: u64, timer: impl Fn(usize) -> Timer) {
        for (index, deadline) in self.0.iter_mut().enumerate() {
            let timer = timer(index);
            match timer.counts {
                Counts::FromCompletion | Counts::FromRead => *deadline = timer.deadline(now),
                Counts::FromFirstByte | Counts::PausedUntilRead => *deadline = u64::MAX,
                _ => {}
            }
        }
    }

    fn begin(&mut self, now: u64, timer: impl Fn(usize) -> Timer) {
        if (0..N).all(|index| timer(index).counts != Counts::FromFirstByte) {
            return;
        }
        for (index, deadline) in self.0.iter_mut().enumerate() {
            let timer = timer(index);
            match timer.counts {
                Counts::FromCompletion | Counts::FromRead => *deadline = u64::MAX,
                Counts::FromFirstByte if *deadline == u64::MAX => *deadline = timer.deadline(now),
                _ => {}
            }
        }
    }

    fn other_read(&mut self, now: u64, timer: impl Fn(usize) -> Timer) {
        self.arm(Counts::FromOtherRead, now, timer);
    }

    fn half_closed(&mut self, now: u64, timer: impl Fn(usize) -> Timer) {
        self.arm(Counts::FromEnd, now, timer);
    }

    fn restart(&mut self, index: usize, now: u64, timer: Timer) {
        self.0[index] = timer.deadline(now);
    }

    fn end(&mut self, index: usize) {
        self.0[index] = u64::MAX;
    }

    fn expired(&self, now: u64) -> Option<usize> {
        self.0.iter().position(|deadline| *deadline <= now)
    }

    fn all(&self) -> &[u64] {
        &self.0
    }

    #[cfg(all(feature = "pool", unix))]
    fn left(&self, now: u64, timer: impl Fn(usize) -> Timer) -> Vec<TimerLeft> {
        let mut left = Vec::new();
        for (index, deadline) in self.0.iter().enumerate() {
            left.extend(timer(index).left(*deadline, now));
        }
        left
    }

    #[cfg(all(feature = "pool", unix))]
    fn set_left(&mut self, now: u64, left: &[TimerLeft], timer: impl Fn(usize) -> Timer) {
        let mut left = left.to_vec();
        for (index, deadline) in self.0.iter_mut().enumerate() {
            let timer = timer(index);
            if let Some(at) = left.iter().position(|other| timer.is_meant_by(*other)) {
                *deadline = timer.with_left(left.remove(at).left, now);
            }
        }
    }

    #[inline]
    fn earliest(&self) -> u64 {
        self.0.iter().copied().min().unwrap_or(u64::MAX)
    }

    fn only(at: u64) -> Self {
        Self(std::array::from_fn(|index| if index == 0 { at } else { u64::MAX }))
    }
}

impl<const N: usize> Deadlines<N> {
    /// Arms the timers that count from such an event.
    fn arm(&mut self, counts: Counts, now: u64, timer: impl Fn(usize) -> Timer) {
        for (index, deadline) in self.0.iter_mut().enumerate() {
            let timer = timer(index);
            if timer.counts == counts {
                *deadline = timer.deadline(now);
            }
        }
    }
}

/// A deadline that stands still from now on.
fn paused(deadline: u64, now: u64) -> u64 {
    match deadline {
        armed if armed < PAUSED => PAUSED | armed.saturating_sub(now),
        other => other,
    }
}

/// A deadline that goes on; `u64::MAX` if none was armed.
fn resumed(deadline: u64, now: u64) -> u64 {
    match deadline {
        u64::MAX => u64::MAX,
        paused if paused >= PAUSED => now.saturating_add(paused & !PAUSED),
        armed => armed,
    }
}

#[cfg(test)]
mod tests {
    use super::sealed::DeadlineSet;
    use super::*;
    use crate::Since;
    #[cfg(all(feature = "pool", unix))]
    use crate::moves::packed_connection::Left;

    #[test]
    fn x6_a_completed_wait_moves_the_idle_deadline_and_no_other_one() {
        let timers = [Timer::within(100), Timer::idle(30), Timer::NEVER];
        let mut deadlines = Deadlines::<3>::started(1_000, |index| timers[index]);
        assert_eq!(deadlines.0, [1_100, 1_030, u64::MAX]);
        deadlines.stayed(1_020, |index| timers[index]);
        assert_eq!(deadlines.0, [1_100, 1_050, u64::MAX]);
        assert_eq!((deadlines.earliest(), deadlines.expired(1_049)), (1_050, None));
        assert_eq!((deadlines.expired(1_050), deadlines.expired(1_100)), (Some(1), Some(0)));
        deadlines.restart(1, 1_050, timers[1]);
        assert_eq!(deadlines.0, [1_100, 1_080, u64::MAX]);
    }

    #[test]
    fn w4_a_tick_counts_from_the_last_one_and_from_nothing_else() {
        let timers = [Timer::idle(30), Timer::tick(20)];
        let mut deadlines = Deadlines::<2>::started(1_000, |index| timers[index]);
        deadlines.stayed(1_010, |index| timers[index]);
        assert_eq!(deadlines.0, [1_040, 1_020]);
        deadlines.restart(1, 1_500, timers[1]);
        assert_eq!(deadlines.0, [1_040, 1_520]);
    }

    #[test]
    fn t3_begun_replaces_idle_from_the_first_byte_to_the_last() {
        let timers = [Timer::idle(30), Timer::begun(10)];
        let mut deadlines = Deadlines::<2>::started(1_000, |index| timers[index]);
        assert_eq!(deadlines.0, [1_030, u64::MAX]);
        deadlines.begin(1_005, |index| timers[index]);
        assert_eq!(deadlines.0, [u64::MAX, 1_015]);
        // More bytes of the same message change nothing.
        deadlines.begin(1_010, |index| timers[index]);
        assert_eq!(deadlines.0, [u64::MAX, 1_015]);
        deadlines.stayed(1_012, |index| timers[index]);
        assert_eq!(deadlines.0, [1_042, u64::MAX]);
    }

    #[test]
    fn s2_the_times_of_two_reads_count_from_their_own_reads_alone() {
        let timers = [Timer::idle(30), Timer::other_idle(40)];
        let mut deadlines = Deadlines::<2>::started(1_000, |index| timers[index]);
        assert_eq!(deadlines.0, [1_030, 1_040]);
        deadlines.stayed(1_010, |index| timers[index]);
        assert_eq!(deadlines.0, [1_040, 1_040]);
        deadlines.other_read(1_020, |index| timers[index]);
        assert_eq!(deadlines.0, [1_040, 1_060]);
    }

    #[test]
    fn s1_a_half_closed_timer_counts_from_the_end_and_each_byte_after_it() {
        let timers = [Timer::idle(100), Timer::half_closed(30)];
        let mut deadlines = Deadlines::<2>::started(1_000, |index| timers[index]);
        assert_eq!(deadlines.0, [1_100, u64::MAX]);
        deadlines.half_closed(1_010, |index| timers[index]);
        deadlines.stayed(1_020, |index| timers[index]);
        assert_eq!(deadlines.0, [1_120, 1_040]);
        deadlines.half_closed(1_020, |index| timers[index]);
        assert_eq!(deadlines.0, [1_120, 1_050]);
    }

    #[test]
    fn t4_a_budget_counts_from_outside_its_group() {
        let member = [Timer::within(50), Timer::budget(100)];
        let outside = [Timer::within(50), Timer::NEVER];
        let mut deadlines = Deadlines::<2>::started(1_000, |index| outside[index]);
        assert_eq!(deadlines.0, [1_050, u64::MAX]);
        deadlines.enter(1_010, false, |index| member[index]);
        assert_eq!(deadlines.0, [1_060, 1_110]);
        deadlines.enter(1_020, true, |index| member[index]);
        deadlines.stayed(1_025, |index| member[index]);
        assert_eq!(deadlines.0, [1_070, 1_110]);
        deadlines.enter(1_030, false, |index| outside[index]);
        deadlines.enter(1_040, false, |index| member[index]);
        assert_eq!(deadlines.0, [1_090, 1_140]);
    }

    #[test]
    fn t5_what_counts_from_a_read_survives_a_detour() {
        let reads = [Timer::since_read(100), Timer::begun(50)];
        let detour = [Timer::PAUSED, Timer::PAUSED];
        let mut deadlines = Deadlines::<2>::started(1_000, |index| reads[index]);
        deadlines.enter(1_040, true, |index| detour[index]);
        assert_eq!(
            (deadlines.expired(u64::MAX >> 1), deadlines.0),
            (None, [PAUSED + 60, u64::MAX])
        );
        deadlines.enter(1_500, true, |index| detour[index]);
        deadlines.enter(2_000, true, |index| reads[index]);
        assert_eq!(deadlines.0, [2_060, u64::MAX]);
        deadlines.begin(2_010, |index| reads[index]);
        assert_eq!(deadlines.0, [u64::MAX, 2_060]);
        deadlines.enter(2_020, true, |index| detour[index]);
        deadlines.enter(2_030, true, |index| reads[index]);
        deadlines.begin(2_030, |index| reads[index]);
        assert_eq!(deadlines.0, [u64::MAX, 2_070]);
        // A read arms it again, also if it leads away.
        deadlines.stayed(2_050, |index| reads[index]);
        assert_eq!(deadlines.0, [2_150, u64::MAX]);
        deadlines.enter(2_060, false, |index| detour[index]);
        deadlines.enter(2_070, true, |index| reads[index]);
        assert_eq!(deadlines.0, [2_170, u64::MAX]);
    }

    #[test]
    fn v3_the_age_follows_from_the_deadline() {
        let age = |timer: Timer, deadline| {
            timer.age(deadline, 1_500).map(|age| (age.since, age.time.as_millis()))
        };
        let mut deadlines = Deadlines::<2>::started(1_000, |index| {
            [Timer::within(10_000), Timer::idle(700)][index]
        });
        deadlines.stayed(1_300, |index| [Timer::within(10_000), Timer::idle(700)][index]);
        assert_eq!(age(Timer::within(10_000), deadlines.0[0]), Some((Since::Entered, 500)));
        assert_eq!(age(Timer::idle(700), deadlines.0[1]), Some((Since::Progress, 200)));
        assert_eq!(age(Timer::begun(50), 1_520), Some((Since::FirstByte, 30)));
        assert_eq!(age(Timer::budget(5_000), 5_600), Some((Since::Group, 900)));
        assert_eq!(age(Timer::half_closed(100), 1_600), Some((Since::HalfClosed, 0)));
        // A deadline that is over, or that the clock has not reached.
        assert_eq!(age(Timer::within(100), 1_000), Some((Since::Entered, 600)));
        assert_eq!(age(Timer::within(100), 1_700), Some((Since::Entered, 0)));
        // No deadline, one that stands still, and one that was armed with another time.
        for (timer, deadline) in [
            (Timer::NEVER, u64::MAX),
            (Timer::begun(50), u64::MAX),
            (Timer::since_read(100), PAUSED + 30),
            (Timer::tick(100), 1_600),
            (Timer::within(9_000), 1_600),
        ] {
            assert_eq!(age(timer, deadline), None, "{timer:?}");
        }
    }

    #[cfg(all(feature = "pool", unix))]
    #[test]
    fn u3_a_timer_has_no_more_left_than_it_has_from_the_beginning() {
        let timers = [Timer::within(100), Timer::begun(50), Timer::PAUSED, Timer::NEVER];
        let mut deadlines = Deadlines::<4>::started(1_000, |index| timers[index]);
        let paused = PAUSED + 70;
        deadlines.0[2] = paused;
        let left = deadlines.left(1_060, |index| timers[index]);
        let lefts: Vec<_> = left.iter().map(|timer| timer.left).collect();
        assert_eq!(lefts, [Left::Runs(40), Left::Unarmed, Left::Paused(70)]);
        // Another clock, and a version with other timers in another order.
        let later = [Timer::tick(5), Timer::PAUSED, Timer::begun(50), Timer::within(30)];
        let mut moved = Deadlines::<4>::started(7, |index| later[index]);
        moved.set_left(7, &left, |index| later[index]);
        assert_eq!(moved.0, [12, paused, u64::MAX, 37]);
        let mut same = Deadlines::<4>::started(7, |index| timers[index]);
        same.set_left(7, &left, |index| timers[index]);
        assert_eq!(same.0, [47, u64::MAX, paused, u64::MAX]);
        // One that has passed has nothing left.
        let late = deadlines.left(9_000, |index| timers[index]);
        assert_eq!(late[0].left, Left::Runs(0));
    }

    #[test]
    fn pitfall_23_a_deadline_does_not_wrap() {
        let deadlines = Deadlines::<1>::started(u64::MAX - 1, |_| Timer::within(60_000));
        assert_eq!(deadlines.earliest(), u64::MAX);
        assert_eq!(Deadlines::<0>::only(7).earliest(), u64::MAX);
    }
}
