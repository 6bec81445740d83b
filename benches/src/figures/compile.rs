use std::fs;

use self::rustc::Runtime;
use crate::figure::{Target, Unit, Value};
use crate::measure::{Series, rounds};
use crate::{Error, Figure, Lab, Peer};

mod rustc;
mod source;

/// States of a machine.
const SIZES: [usize; 3] = [10, 100, 1000];
const PEERS: [Peer; 2] = [Peer::Ours, Peer::HandMatch];

/// What it takes to check a program that is a machine and its handler, with the macro and without.
pub(super) fn compile(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let runtime = Runtime::build(lab)?;
    let mut figures = Vec::new();
    for states in SIZES {
        let name = format!("compile-{states}");
        let series = rounds(lab, &name, &PEERS, lab.runs(), |peer| {
            let text = match peer {
                Peer::Ours => source::machine(states),
                _ => source::by_hand(states),
            };
            let program = lab.work("machine.rs");
            fs::write(&program, text).map_err(Error::doing(program.display()))?;
            Ok(runtime.check(lab, &program)?.as_secs_f64() * 1e3)
        })?;
        let what = format!("time to check a program with a machine of {states} states");
        let targets = match states {
            100 => vec![Target::Times(1.3, Peer::HandMatch)],
            _ => vec![],
        };
        figures.push(Figure::new(&name, &what, Unit::Milliseconds, targets, series));
    }
    figures.push(growth(&figures));
    Ok(figures)
}

/// The time of the largest as so many times that of the one before, of the shortest runs.
fn growth(figures: &[Figure]) -> Figure {
    let least = |figure: &Figure, peer| {
        let value = figure.values.iter().find(|(who, _)| *who == peer);
        value.map(|(_, value)| value.least)
    };
    let mut series = Series::default();
    if let [.., before, last] = figures {
        for peer in PEERS {
            if let (Some(before), Some(last)) = (least(before, peer), least(last, peer)) {
                series.values.push((peer, Value::of(vec![last / before])));
            }
        }
    }
    let what = "time to check 1,000 states, as so many times that of 100";
    Figure::new("compile-growth", what, Unit::Number, [Target::AtMost(12.0)], series)
}
