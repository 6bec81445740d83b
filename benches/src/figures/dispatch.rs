use crate::error::Error;
use crate::figure::{Figure, Target, Unit};
use crate::lab::Lab;
use crate::measure::{Slope, callgrind, in_rounds};
use crate::peer::Peer;
use crate::programs::Program;
use crate::programs::dispatch::{EVENTS, Form, PEERS};

/// The same connection machine in five implementations.
pub(super) fn dispatch(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let wire = "user instructions per event, decoded from two bytes and dispatched";
    let array = "user instructions per event, decoded beforehand for every peer except ours";
    Ok(vec![
        figure(lab, "dispatch-wire", Form::Wire, wire)?,
        figure(lab, "dispatch-array", Form::Array, array)?,
    ])
}

fn figure(lab: &Lab, name: &str, form: Form, title: &str) -> Result<Figure, Error> {
    let slope = Slope { few: 10 * EVENTS, many: 110 * EVENTS };
    let series = in_rounds(lab, name, &PEERS, 1, |peer| {
        slope.measure(|events| {
            let rounds = events / EVENTS;
            callgrind::of_run(lab, &Program::Dispatch { peer, form, rounds }.arguments())
        })
    })?;
    let others = PEERS.into_iter().filter(|peer| *peer != Peer::Ours);
    let targets: Vec<_> = others.map(|peer| Target::Times(1.0, peer)).collect();
    Ok(Figure::new(name, title, Unit::Instructions, targets, series))
}
