//! The dates of HTTP.

use std::cell::RefCell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The last second that a date can have, which has years of four digits: the end of 9999.
const LAST: Duration = Duration::from_secs(253_402_300_799);

/// The time as a date of HTTP has it: in whole seconds, rounded down. A clock before 1970 or after 9999, which
/// was never set or is broken, counts as the nearest date.
pub(crate) fn to_date(time: SystemTime) -> SystemTime {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default().min(LAST);
    UNIX_EPOCH + Duration::from_secs(since.as_secs())
}

thread_local! {
    /// The second that was formatted last, since 1970, and its date.
    static LAST_PUSHED: RefCell<(u64, String)> = const { RefCell::new((u64::MAX, String::new())) };
}

/// Appends the date of an answer. Answers of the same second have the same one, which is formatted once.
pub(crate) fn push_date(text: &mut String, now: SystemTime) {
    let second = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    LAST_PUSHED.with_borrow_mut(|(last, date)| {
        if *last != second {
            *date = format_date(now);
            *last = second;
        }
        text.push_str(date);
    });
}

/// Formats a time as a date of HTTP.
pub(crate) fn format_date(time: SystemTime) -> String {
    httpdate::fmt_http_date(to_date(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_no_date_can_have_count_as_the_nearest_date() {
        let first = "Thu, 01 Jan 1970 00:00:00 GMT";
        let last = "Fri, 31 Dec 9999 23:59:59 GMT";
        for (time, date) in [
            (UNIX_EPOCH - LAST, first),
            (UNIX_EPOCH - Duration::from_nanos(100), first),
            (UNIX_EPOCH, first),
            (UNIX_EPOCH + Duration::from_millis(999), first),
            (UNIX_EPOCH + Duration::from_secs(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT"),
            (UNIX_EPOCH + LAST, last),
            (UNIX_EPOCH + LAST + Duration::from_millis(1500), last),
            (UNIX_EPOCH + 3 * LAST, last),
        ] {
            assert_eq!(format_date(time), date);
            for _ in 0..2 {
                let mut text = String::new();
                push_date(&mut text, time);
                assert_eq!(text, date);
            }
            assert_eq!(httpdate::parse_http_date(date).unwrap(), to_date(time));
        }
    }
}
