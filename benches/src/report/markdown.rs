use std::fmt::Write;

use crate::figure::{Target, Unit, Value};
use crate::{Figure, Peer};

/// A table with a row for each figure, and a table for each figure with a row for each peer.
pub(crate) fn markdown(figures: &[Figure]) -> String {
    let mut text = summary(figures);
    for figure in figures {
        text.push_str(&details(figure));
    }
    text
}

fn summary(figures: &[Figure]) -> String {
    let mut text = String::from(
        "| figure | us | by hand on mio | C | tokio | best other peer | ratio | target | met? |\n\
         |---|---:|---:|---:|---:|---|---:|---|---|\n",
    );
    for figure in figures {
        let of = |peer| figure.value(peer).map_or_else(String::new, number);
        let best = figure.best_other();
        let best = best.map(|(peer, value)| format!("{} ({})", number(value), peer.word()));
        let judged: Vec<_> = figure.targets.iter().map(|target| target.judge(figure)).collect();
        let ratios = judged.iter().map(|judged| judged.map_or_else(String::new, ratio));
        let met = judged.iter().map(|judged| match judged {
            Some((_, true)) => "yes",
            Some((_, false)) => "**no**",
            None => "unknown",
        });
        let _ = writeln!(
            text,
            "| {} ({}) | {} | {} | {} | {} | {} | {} | {} | {} |",
            figure.what,
            figure.unit.word(),
            of(Peer::Ours),
            of(Peer::Mio),
            of(Peer::C),
            of(Peer::Tokio),
            best.unwrap_or_default(),
            ratios.collect::<Vec<_>>().join("; "),
            figure.targets.iter().map(|target| target.words()).collect::<Vec<_>>().join("; "),
            met.collect::<Vec<_>>().join("; "),
        );
    }
    text
}

fn details(figure: &Figure) -> String {
    let Figure { name, what, unit, .. } = figure;
    let mut text = format!("\n### {what}\n\n`{name}`, in {}\n\n", unit.word());
    text.push_str(
        "| peer | median | least | most | runs | beside us |\n|---|---:|---:|---:|---:|---:|\n",
    );
    let ours = figure.value(Peer::Ours);
    for (peer, Value { median, least, most, runs }) in &figure.values {
        let beside = ours.filter(|ours| *ours != 0.0).map(|ours| format!("{:.2}", median / ours));
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {runs} | {} |",
            peer.word(),
            number(*median),
            number(*least),
            number(*most),
            beside.unwrap_or_default(),
        );
    }
    for (peer, why) in &figure.skipped {
        let _ = writeln!(
            text,
            "| {} | skipped: {} | | | | |",
            peer.word(),
            why.replace(['\n', '|'], " ")
        );
    }
    text
}

fn ratio((ratio, _): (f64, bool)) -> String {
    // Zero where the target is zero.
    if ratio.is_finite() { format!("{ratio:.2}") } else { String::new() }
}

/// Three digits, or all before the point.
pub(super) fn number(value: f64) -> String {
    let digits = match value.abs() {
        100.0.. => 0,
        10.0.. => 1,
        1.0.. => 2,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    // What is lost in rounding must not look like less than nothing.
    let zero = text.trim_start_matches('-').chars().all(|digit| matches!(digit, '0' | '.'));
    if zero { "0".to_owned() } else { text }
}

impl Target {
    fn words(self) -> String {
        match self {
            Self::AtMost(limit) => format!("<= {limit}"),
            Self::AtLeast(limit) => format!(">= {limit}"),
            Self::Times(times, peer) => format!("<= {times:.2} x {}", peer.word()),
            Self::Below(peer) => format!("< {}", peer.word()),
        }
    }
}

impl Unit {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Instructions => "instructions",
            Self::SystemCalls => "system calls",
            Self::Allocations => "allocations",
            Self::Bytes => "bytes",
            Self::Microseconds => "us",
            Self::Nanoseconds => "ns",
            Self::Milliseconds => "ms",
            Self::Number => "number",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Series;

    #[test]
    fn numbers_have_three_digits() {
        let texts = [1075.4, 87.25, 2.031, 0.1284, -0.000_01, 0.0].map(number);
        assert_eq!(texts, ["1075", "87.2", "2.03", "0.128", "0", "0"]);
    }

    #[test]
    fn a_row_tells_who_is_missing_and_whether_the_target_is_met() {
        let values =
            vec![(Peer::Ours, Value::of(vec![100.0])), (Peer::May, Value::of(vec![300.0]))];
        let skipped = vec![(Peer::Compio, "no io_uring".to_owned())];
        let targets = [Target::AtMost(110.0), Target::Below(Peer::Tokio)];
        let series = Series { values, skipped };
        let figure = Figure::new("f", "an echo", Unit::Instructions, targets, series);
        let text = markdown(&[figure]);
        let row = "| an echo (instructions) | 100 |  |  |  | 300 (may) | 0.91;  | <= 110; < tokio | yes; unknown |";
        assert!(text.contains(row), "{text}");
        assert!(text.contains("| compio | skipped: no io_uring |"), "{text}");
        assert!(text.contains("| may | 300 | 300 | 300 | 1 | 3.00 |"), "{text}");
    }
}
