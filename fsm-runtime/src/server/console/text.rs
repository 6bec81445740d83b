use std::fmt::Write;

use super::json::key_in_url;
use crate::{Spec, TaskSnapshot, TransitionSnapshot};

/// The connections as lines of text.
pub(super) fn tasks(tasks: &[TaskSnapshot]) -> String {
    let mut text = String::new();
    for task in tasks {
        let key = task.key.map_or_else(|| "-".to_owned(), key_in_url);
        let peer = task.peer.map_or_else(|| "-".to_owned(), |peer| peer.to_string());
        let pool = printable(&task.pool);
        let _ = writeln!(text, "{key:<10} {pool:<10} {peer:<21} {}", sentence(task));
    }
    text
}

/// Where a connection or job is, behind its label.
pub(super) fn sentence(task: &TaskSnapshot) -> String {
    let label = task.label.as_ref().map(|label| format!("[{label}] ")).unwrap_or_default();
    printable(&format!("{label}{task}"))
}

/// The last transitions of a connection or job, a line each.
pub(super) fn history(task: &TaskSnapshot, spec: &Spec) -> String {
    let lines = task.history.iter().map(|TransitionSnapshot { from, edge, ago }| {
        let (ago, to) = (short_time(*ago), spec.states[edge.target].name);
        format!("{ago:>9} ago  {} -> {to} ({})\n", from.name, edge.on)
    });
    lines.collect()
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
