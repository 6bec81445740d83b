use std::env;

use crate::figure::{Target, Unit};
use crate::measure::{Slope, callgrind, rounds};
use crate::programs::Program;
use crate::programs::dispatch::{EVENTS, Form, PEERS};
use crate::{Error, Figure, Lab, Peer};

/// The same connection machine in each way to write it, an event at a time.
pub(super) fn dispatch(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let wire = "user instructions of an event of two bytes, which is read and dispatched";
    let array = "the same where the others, but not we, get events that are made already";
    Ok(vec![
        figure(lab, "dispatch-wire", Form::Wire, wire)?,
        figure(lab, "dispatch-array", Form::Array, array)?,
    ])
}

fn figure(lab: &Lab, name: &str, form: Form, what: &str) -> Result<Figure, Error> {
    let slope = Slope { few: 10 * EVENTS, many: 110 * EVENTS };
    let series = rounds(lab, name, &PEERS, 1, |peer| {
        slope.of(|events| {
            instructions(lab, Program::Dispatch { peer, form, rounds: events / EVENTS })
        })
    })?;
    let others = PEERS.into_iter().filter(|peer| *peer != Peer::Ours);
    let targets: Vec<_> = others.map(|peer| Target::Times(1.0, peer)).collect();
    Ok(Figure::new(name, what, Unit::Instructions, targets, series))
}

/// Of a program, from its start to its end.
pub(super) fn instructions(lab: &Lab, program: Program) -> Result<f64, Error> {
    let own = env::current_exe().map_err(Error::doing("find this program"))?;
    callgrind::program(lab, &own, &program.arguments())
}
