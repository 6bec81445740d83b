use std::env;
use std::process::Command;

use super::dispatch::instructions;
use crate::figure::{Target, Unit};
use crate::lab::tool;
use crate::measure::{Slope, rounds, system_calls};
use crate::programs::Program;
use crate::programs::calls::Cost;
use crate::{Error, Figure, Lab, Peer};

/// Jobs on their way at a time.
const BATCH: u64 = 64;
/// Messages of a job: there, and back.
const MESSAGES: u32 = 2;

/// Where the threads run.
#[derive(Clone, Copy)]
enum Place {
    /// All on one processor: who wakes another does not have it run at once.
    One,
    /// On two, as the system likes.
    Two,
}

/// Jobs between two pools of one thread each, beside two threads with channels.
pub(super) fn calls(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let mut figures = vec![user(lab)?];
    for (place, suffix, words) in
        [(Place::One, "one", "one processor"), (Place::Two, "two", "two processors")]
    {
        figures.push(processor(lab, place, &format!("job-cpu-{suffix}"), words)?);
        figures.push(wakes(lab, place, &format!("job-wakes-{suffix}"), words)?);
        figures.push(parked(lab, place, &format!("job-parked-{suffix}"), words)?);
    }
    Ok(figures)
}

fn user(lab: &Lab) -> Result<Figure, Error> {
    let name = "job-instructions";
    let slope = Slope { few: BATCH * 1_000, many: BATCH * 5_000 };
    let series = rounds(lab, name, &[Peer::Ours, Peer::Crossbeam], 1, |peer| {
        slope.of(|messages| {
            let jobs = messages / u64::from(MESSAGES);
            instructions(lab, Program::Calls { peer, jobs, batch: BATCH })
        })
    })?;
    let what = format!("user instructions of a message between two pools, {BATCH} jobs at a time");
    let targets = [Target::Times(1.0, Peer::Crossbeam)];
    Ok(Figure::new(name, &what, Unit::Instructions, targets, series))
}

fn processor(lab: &Lab, place: Place, name: &str, words: &str) -> Result<Figure, Error> {
    let jobs = lab.amount(1_280_000, 320_000);
    let peers = [Peer::Ours, Peer::Crossbeam];
    let series = rounds(lab, name, &peers, lab.runs(), |peer| {
        let cost = cost(lab, place, Program::Calls { peer, jobs, batch: BATCH })?;
        let (processor, _) = cost.each();
        Ok(processor / f64::from(MESSAGES))
    })?;
    let what = format!("CPU of a message between two pools, {BATCH} jobs at a time, {words}");
    let targets = [Target::Times(1.0, Peer::Crossbeam)];
    Ok(Figure::new(name, &what, Unit::Nanoseconds, targets, series))
}

fn wakes(lab: &Lab, place: Place, name: &str, words: &str) -> Result<Figure, Error> {
    let slope = Slope { few: BATCH * 2_000, many: BATCH * 12_000 };
    let peers = [Peer::Ours, Peer::Crossbeam];
    let series = rounds(lab, name, &peers, lab.runs(), |peer| {
        slope.of(|messages| {
            let jobs = messages / u64::from(MESSAGES);
            let command = command(lab, place, Program::Calls { peer, jobs, batch: BATCH })?;
            system_calls::wakes(lab, &command)
        })
    })?;
    let what = format!("wakes of a message between two pools, {BATCH} jobs at a time, {words}");
    Ok(Figure::new(name, &what, Unit::Number, [Target::AtMost(0.02)], series))
}

fn parked(lab: &Lab, place: Place, name: &str, words: &str) -> Result<Figure, Error> {
    let jobs = lab.amount(100_000, 20_000);
    let peers = [Peer::Ours, Peer::Crossbeam, Peer::Futex];
    let series = rounds(lab, name, &peers, lab.runs(), |peer| {
        let cost = cost(lab, place, Program::Calls { peer, jobs, batch: 1 })?;
        let (_, passed) = cost.each();
        Ok(passed / 1e3)
    })?;
    let what = format!("time of a job to another pool and back, alone, {words}");
    let targets = [Target::Times(1.1, Peer::Futex)];
    Ok(Figure::new(name, &what, Unit::Microseconds, targets, series))
}

fn cost(lab: &Lab, place: Place, program: Program) -> Result<Cost, Error> {
    let mut words = command(lab, place, program)?.into_iter();
    let mut command = Command::new(words.next().unwrap_or_default());
    let out = command.args(words).output().map_err(Error::doing("run"))?;
    let said = String::from_utf8_lossy(&out.stdout);
    Cost::read(&said).ok_or_else(|| {
        Error::failed(format!("{program:?}: {}", String::from_utf8_lossy(&out.stderr)))
    })
}

/// The words that run it in that place.
fn command(lab: &Lab, place: Place, program: Program) -> Result<Vec<String>, Error> {
    tool("taskset", "util-linux")?;
    let cpus = lab.cpus.ok_or_else(|| Error::missing("there is only one processor"))?;
    let list = match place {
        Place::One => cpus.server.to_string(),
        Place::Two => format!("{},{}", cpus.server, cpus.client),
    };
    let own = env::current_exe().map_err(Error::doing("find this program"))?;
    let words = ["taskset".to_owned(), "-c".to_owned(), list, own.display().to_string()];
    Ok(words.into_iter().chain(program.arguments()).collect())
}
