use std::fmt::Write;

use super::json::key_in_url;
use crate::TaskSnapshot;

/// The connections as lines of text.
pub(super) fn tasks(tasks: &[TaskSnapshot]) -> String {
    let mut text = String::new();
    for task in tasks {
        let key = task.key.map_or_else(|| "-".to_owned(), key_in_url);
        let peer = task.peer.map_or_else(|| "-".to_owned(), |peer| peer.to_string());
        let pool = printable(&task.pool);
        let _ = writeln!(text, "{key:<10} {pool:<10} {peer:<21} {}", printable(&task.to_string()));
    }
    text
}

/// The text without what a terminal would not print.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '?' } else { letter }).collect()
}

/// A number of seconds for people, in at most seven letters.
pub(super) fn short_time(time: std::time::Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{} ms", time.as_millis()),
        1..=59 => format!("{seconds}.{} s", time.subsec_millis() / 100),
        60..=3_599 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3_600..=86_399 => format!("{}h{:02}m", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{}d{:02}h", seconds / 86_400, seconds / 3_600 % 24),
    }
}
