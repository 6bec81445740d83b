use std::fs;

use self::rustc::Runtime;
use crate::error::Error;
use crate::figure::{Figure, Measured, Series, Statistics, Target, Unit};
use crate::lab::Lab;
use crate::measure::in_rounds;
use crate::peer::Peer;

mod rustc;
mod source;

/// Numbers of states.
const SIZES: [usize; 3] = [10, 100, 1000];
const PEERS: [Peer; 2] = [Peer::Ours, Peer::HandMatch];

/// `rustc` time to check a machine and its handler, with the macro and without.
pub(super) fn compile(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let runtime = Runtime::build(lab)?;
    let mut figures = Vec::new();
    for states in SIZES {
        figures.push(size(lab, &runtime, states)?);
    }
    figures.push(growth(&figures));
    Ok(figures)
}

fn size(lab: &Lab, runtime: &Runtime, states: usize) -> Result<Figure, Error> {
    let name = format!("compile-{states}");
    let series = in_rounds(lab, &name, &PEERS, lab.runs(), |peer| {
        let text = match peer {
            Peer::Ours => source::with_macro(states),
            _ => source::by_hand(states),
        };
        let program = lab.scratch_file("machine.rs");
        fs::write(&program, text).map_err(Error::doing(program.display()))?;
        Ok(runtime.check(lab, &program)?.as_secs_f64() * 1e3)
    })?;
    let title = format!("`rustc` time to check a program with a machine of {states} states");
    let targets = match states {
        100 => vec![Target::Times(1.3, Peer::HandMatch)],
        _ => vec![],
    };
    Ok(Figure::new(&name, &title, Unit::Milliseconds, targets, series))
}

/// The shortest time of the largest size, divided by that of the size before it.
fn growth(figures: &[Figure]) -> Figure {
    let min = |figure: &Figure, peer| figure.series.value(peer).map(|value| value.min);
    let mut series = Series::default();
    if let [.., before, last] = figures {
        for peer in PEERS {
            if let (Some(before), Some(last)) = (min(before, peer), min(last, peer)) {
                let value = Statistics::of(vec![last / before]);
                series.measured.push(Measured { peer, value });
            }
        }
    }
    let title = "`rustc` time for 1,000 states, relative to 100 states";
    Figure::new("compile-growth", title, Unit::Ratio, [Target::AtMost(12.0)], series)
}
