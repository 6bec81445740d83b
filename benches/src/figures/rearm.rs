use super::dispatch::instructions;
use crate::figure::{Target, Unit};
use crate::measure::{Slope, rounds};
use crate::programs::Program;
use crate::programs::rearm::{BATCH, Deadline};
use crate::{Error, Figure, Lab, Peer};

/// The target for arming a deadline anew.
const LIMIT: f64 = 20.0;

/// What a change of state costs on a port: in all, and because there is a deadline.
pub(super) fn rearm(lab: &Lab) -> Result<Vec<Figure>, Error> {
    // A timer comes up every 30,000 turns.
    let turns = Slope { few: 30_000, many: 90_000 };
    let alone = |deadline| {
        turns.of(|turns| instructions(lab, Program::Rearm { deadline, turns, changes: 1 }))
    };
    let changes = Slope { few: 10 * BATCH, many: 110 * BATCH };
    let in_batch = |deadline| {
        changes.of(|changes| {
            let turns = changes / BATCH;
            instructions(lab, Program::Rearm { deadline, turns, changes: BATCH })
        })
    };
    let figure = |name, what, targets: &[Target], cost: &dyn Fn() -> Result<f64, Error>| {
        let series = rounds(lab, name, &[Peer::Ours], 1, |_| cost())?;
        Ok::<_, Error>(Figure::new(name, what, Unit::Instructions, targets, series))
    };
    Ok(vec![
        figure(
            "rearm-turn",
            "user instructions of a deadline in the state, for a change of state in a turn of its own",
            &[Target::AtMost(LIMIT)],
            &|| Ok(alone(Deadline::Armed)? - alone(Deadline::Endless)?),
        )?,
        figure(
            "rearm-batch",
            "user instructions of a deadline in the state, for one of 1,000 changes in a turn",
            &[Target::AtMost(LIMIT)],
            &|| Ok(in_batch(Deadline::Armed)? - in_batch(Deadline::Endless)?),
        )?,
        figure(
            "rearm-change",
            "all user instructions of a change of state with a deadline, of 1,000 in a turn",
            &[],
            &|| in_batch(Deadline::Armed),
        )?,
    ])
}
