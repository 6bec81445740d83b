use std::fmt::Write;

use super::number;
use crate::figure::{Figure, Measured, Skipped, Statistics, Target, Verdict};
use crate::peer::Peer;

const SUMMARY_HEADER: &str = "\
    | figure | ours | mio | C | tokio | best other peer | ratio | target | met? |\n\
    |---|---:|---:|---:|---:|---|---:|---|---|\n";

const DETAILS_HEADER: &str = "\
    | peer | median | min | max | runs | ratio to ours |\n\
    |---|---:|---:|---:|---:|---:|\n";

/// A summary table with a row per figure, then a table per figure with a row per peer.
pub(crate) fn markdown(figures: &[Figure]) -> String {
    let mut text = SUMMARY_HEADER.to_owned();
    for figure in figures {
        text.push_str(&summary_row(figure));
    }
    for figure in figures {
        text.push_str(&details(figure));
    }
    text
}

fn summary_row(figure: &Figure) -> String {
    let median = |peer| figure.series.median(peer).map_or_else(String::new, number::format);
    let best = figure.best_other().map(|Measured { peer, value }| {
        format!("{} ({})", number::format(value.median), peer.name())
    });
    let verdicts: Vec<_> =
        figure.targets.iter().map(|target| target.verdict(&figure.series)).collect();
    let joined = |cells: Vec<String>| cells.join("; ");
    format!(
        "| {} ({}) | {} | {} | {} | {} | {} | {} | {} | {} |\n",
        figure.title,
        figure.unit.label(),
        median(Peer::Ours),
        median(Peer::Mio),
        median(Peer::C),
        median(Peer::Tokio),
        best.unwrap_or_default(),
        joined(verdicts.iter().map(|verdict| ratio(*verdict)).collect()),
        joined(figure.targets.iter().map(|target| limit(*target)).collect()),
        joined(verdicts.iter().map(|verdict| met(*verdict).to_owned()).collect()),
    )
}

fn details(figure: &Figure) -> String {
    let Figure { name, title, unit, series, .. } = figure;
    let mut text = format!("\n### {title}\n\n`{name}`, unit: {}\n\n", unit.label());
    text.push_str(DETAILS_HEADER);
    let ours = series.median(Peer::Ours).filter(|ours| *ours != 0.0);
    for Measured { peer, value: Statistics { median, min, max, runs } } in &series.measured {
        let ratio = ours.map_or_else(String::new, |ours| format!("{:.2}", median / ours));
        let [median, min, max] = [*median, *min, *max].map(number::format);
        let _ = writeln!(text, "| {} | {median} | {min} | {max} | {runs} | {ratio} |", peer.name());
    }
    for Skipped { peer, reason } in &series.skipped {
        let reason = reason.replace(['\n', '|'], " ");
        let _ = writeln!(text, "| {} | skipped: {reason} | | | | |", peer.name());
    }
    text
}

/// The ratio of a verdict; empty if it is unknown, or not finite because the limit is zero.
fn ratio(verdict: Option<Verdict>) -> String {
    let finite = verdict.filter(|verdict| verdict.ratio.is_finite());
    finite.map_or_else(String::new, |verdict| format!("{:.2}", verdict.ratio))
}

fn met(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict { met: true, .. }) => "yes",
        Some(Verdict { met: false, .. }) => "**no**",
        None => "unknown",
    }
}

fn limit(target: Target) -> String {
    match target {
        Target::AtMost(limit) => format!("<= {limit}"),
        Target::AtLeast(limit) => format!(">= {limit}"),
        Target::Times(times, peer) => format!("<= {times:.2} x {}", peer.name()),
        Target::Below(peer) => format!("< {}", peer.name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::{Series, Unit};

    #[test]
    fn tables_show_skipped_peers_and_whether_targets_are_met() {
        let measured = [(Peer::Ours, 100.0), (Peer::May, 300.0)]
            .map(|(peer, value)| Measured { peer, value: Statistics::of(vec![value]) });
        let skipped = vec![Skipped { peer: Peer::Compio, reason: "no io_uring".to_owned() }];
        let targets = [Target::AtMost(110.0), Target::Below(Peer::Tokio)];
        let series = Series { measured: measured.to_vec(), skipped };
        let figure = Figure::new("f", "an echo", Unit::Instructions, targets, series);
        let text = markdown(&[figure]);
        let row = "| an echo (instructions) | 100 |  |  |  | 300 (may) | 0.91;  | <= 110; < tokio | yes; unknown |";
        assert!(text.contains(row), "{text}");
        assert!(text.contains("| compio | skipped: no io_uring |"), "{text}");
        assert!(text.contains("| may | 300 | 300 | 300 | 1 | 3.00 |"), "{text}");
    }
}
