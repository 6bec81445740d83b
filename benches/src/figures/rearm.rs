use crate::error::Error;
use crate::figure::{Figure, Target, Unit};
use crate::lab::Lab;
use crate::measure::{Slope, callgrind, in_rounds};
use crate::peer::Peer;
use crate::programs::Program;
use crate::programs::rearm::{BATCH, Deadline};

/// The target for rearming a deadline.
const LIMIT: f64 = 20.0;

/// User instructions per state change on a port: in total, and those that a deadline adds.
pub(super) fn rearm(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let limit = &[Target::AtMost(LIMIT)];
    Ok(vec![
        figure(
            lab,
            "rearm-turn",
            "user instructions that a deadline adds to a state change, one change per turn",
            limit,
            || Ok(one_per_turn(lab, Deadline::Armed)? - one_per_turn(lab, Deadline::Never)?),
        )?,
        figure(
            lab,
            "rearm-batch",
            "user instructions that a deadline adds to a state change, 1,000 changes per turn",
            limit,
            || Ok(batch_per_turn(lab, Deadline::Armed)? - batch_per_turn(lab, Deadline::Never)?),
        )?,
        figure(
            lab,
            "rearm-change",
            "user instructions per state change with a deadline, 1,000 changes per turn",
            &[],
            || batch_per_turn(lab, Deadline::Armed),
        )?,
    ])
}

fn figure(
    lab: &Lab,
    name: &str,
    title: &str,
    targets: &[Target],
    cost: impl Fn() -> Result<f64, Error>,
) -> Result<Figure, Error> {
    let series = in_rounds(lab, name, &[Peer::Ours], 1, |_| cost())?;
    Ok(Figure::new(name, title, Unit::Instructions, targets, series))
}

fn one_per_turn(lab: &Lab, deadline: Deadline) -> Result<f64, Error> {
    // The timer entry expires every 30,000 turns.
    let slope = Slope { few: 30_000, many: 90_000 };
    slope.measure(|turns| instructions(lab, Program::Rearm { deadline, turns, changes: 1 }))
}

fn batch_per_turn(lab: &Lab, deadline: Deadline) -> Result<f64, Error> {
    let slope = Slope { few: 10 * BATCH, many: 110 * BATCH };
    slope.measure(|changes| {
        let turns = changes / BATCH;
        instructions(lab, Program::Rearm { deadline, turns, changes: BATCH })
    })
}

fn instructions(lab: &Lab, program: Program) -> Result<f64, Error> {
    callgrind::of_run(lab, &program.arguments())
}
