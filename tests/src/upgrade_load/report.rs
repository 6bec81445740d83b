#![expect(clippy::cast_precision_loss, reason = "sizes are shown rounded")]

use std::fmt;
use std::time::Duration;

use super::clients::Tally;
use super::memory::Peak;
use crate::{Connection, Latencies};

/// The result of a load.
#[derive(Debug, Default)]
pub struct UpgradeReport {
    /// The upgrades.
    pub upgrades: Vec<Upgraded>,
    /// The clients by kind.
    pub parts: Vec<Part>,
    /// Everything that a client noticed of the upgrades; empty if all is well.
    pub faults: Vec<String>,
}

/// An upgrade.
#[derive(Clone, Copy, Debug)]
pub struct Upgraded {
    /// The time from the signal until the new process has all.
    pub took: Duration,
    /// The part of it in which the old process accepted no more and the connections moved.
    pub connections: Duration,
    /// The memory.
    pub memory: Peak,
}

/// Clients of one kind.
#[derive(Debug)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// The number of connections that tell their times.
    pub connections: usize,
    /// The number of answers.
    pub answers: u64,
    /// The times of all answers without upgrades, and with them.
    pub all: [Latencies; 2],
    /// The longest answer of each connection without upgrades, and with them.
    pub longest: [Latencies; 2],
}

impl UpgradeReport {
    /// The longest answer of each raw connection during the upgrades.
    pub fn longest(&self) -> Option<&Latencies> {
        self.parts.first().map(|part| &part.longest[1])
    }

    /// Adds clients, whose keys must have the values that they have counted.
    pub(super) fn add(&mut self, tally: Tally, asking: &mut Connection) {
        for (key, counted) in tally.counted.into_iter().filter(|(_, counted)| *counted > 0) {
            let text = counted.to_string();
            let expected = format!("${}\r\n{text}\r\n", text.len());
            let got = asking.command(&["GET", &key]);
            if got != expected.as_bytes() {
                self.faults.push(format!("{key} is {} and not {counted}", got.escape_ascii()));
            }
        }
        self.faults.extend(tally.faults);
        let [mut all, mut longest] = [[Vec::new(), Vec::new()], [Vec::new(), Vec::new()]];
        let connections = tally.times.len();
        for times in tally.times {
            for (i, times) in [times.quiet, times.upgrades].into_iter().enumerate() {
                longest[i].extend(times.iter().max());
                all[i].extend(times);
            }
        }
        self.parts.push(Part {
            name: tally.name,
            connections,
            answers: tally.answers,
            all: all.map(Latencies::new),
            longest: longest.map(Latencies::new),
        });
    }
}

/// Formats two tables.
impl fmt::Display for UpgradeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1e3);
        let mib = |bytes: u64| format!("{:.0}", bytes as f64 / 1_048_576.0);
        writeln!(
            f,
            "| upgrade | ms | of these, connections held | MiB of the old process | of the new one | of both |"
        )?;
        writeln!(f, "|--:|--:|--:|--:|--:|--:|")?;
        for (number, Upgraded { took, connections, memory }) in (1..).zip(&self.upgrades) {
            let (took, held) = (ms(*took), ms(*connections));
            let Peak { old, new, both } = *memory;
            let (old, new, both) = (mib(old), mib(new), mib(both));
            writeln!(f, "| {number} | {took} | {held} | {old} | {new} | {both} |")?;
        }
        writeln!(f, "\nIn ms, without upgrades / with them:\n")?;
        writeln!(
            f,
            "| clients | connections | answers | p50 | p99 | p99.9 | the longest of each connection: p50 | p99 | longest |"
        )?;
        writeln!(f, "|---|--:|--:|--:|--:|--:|--:|--:|--:|")?;
        for part in &self.parts {
            let both = |of: &[Latencies; 2], part: usize| {
                format!("{} / {}", ms(of[0].per_mille(part)), ms(of[1].per_mille(part)))
            };
            write!(f, "| {} | {} | {} ", part.name, part.connections, part.answers)?;
            if part.connections == 0 {
                writeln!(f, "| | | | | | |")?;
                continue;
            }
            for of in [500, 990, 999] {
                write!(f, "| {} ", both(&part.all, of))?;
            }
            for of in [500, 990, 1000] {
                write!(f, "| {} ", both(&part.longest, of))?;
            }
            writeln!(f, "|")?;
        }
        Ok(())
    }
}
