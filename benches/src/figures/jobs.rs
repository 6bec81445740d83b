use crate::error::Error;
use crate::figure::{Figure, Target, Unit};
use crate::lab::Lab;
use crate::measure::{Slope, callgrind, in_rounds, system_calls};
use crate::peer::Peer;
use crate::programs::Program;
use crate::programs::jobs::Cost;
use crate::tool;

/// Jobs in flight at a time.
const BATCH: u64 = 64;
/// Messages per job: the job and its reply.
const MESSAGES: u32 = 2;

/// The processors of a program's threads.
#[derive(Clone, Copy)]
enum Placement {
    /// All threads share one processor, so that a woken thread does not run at once.
    OneProcessor,
    /// The scheduler places the threads on two processors.
    TwoProcessors,
}

/// Jobs between two pools of one thread each, beside two threads with channels.
pub(super) fn jobs(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let mut figures = vec![instructions(lab)?];
    for placement in [Placement::OneProcessor, Placement::TwoProcessors] {
        figures.push(cpu(lab, placement)?);
        figures.push(wake_ups(lab, placement)?);
        figures.push(round_trip(lab, placement)?);
    }
    Ok(figures)
}

fn instructions(lab: &Lab) -> Result<Figure, Error> {
    let name = "job-instructions";
    let slope = Slope { few: BATCH * 1_000, many: BATCH * 5_000 };
    let series = in_rounds(lab, name, &[Peer::Ours, Peer::Crossbeam], 1, |peer| {
        slope.measure(|messages| {
            let jobs = messages / u64::from(MESSAGES);
            callgrind::of_run(lab, &Program::Jobs { peer, jobs, batch: BATCH }.arguments())
        })
    })?;
    let title = format!("user instructions per message between two pools, {BATCH} jobs in flight");
    let targets = [Target::Times(1.0, Peer::Crossbeam)];
    Ok(Figure::new(name, &title, Unit::Instructions, targets, series))
}

fn cpu(lab: &Lab, placement: Placement) -> Result<Figure, Error> {
    let name = format!("job-cpu-{}", placement.suffix());
    let jobs = lab.amount(1_280_000, 320_000);
    let peers = [Peer::Ours, Peer::Crossbeam];
    let series = in_rounds(lab, &name, &peers, lab.runs(), |peer| {
        let cost = placement.cost(lab, Program::Jobs { peer, jobs, batch: BATCH })?;
        Ok(cost.cpu_nanoseconds_per_job() / f64::from(MESSAGES))
    })?;
    let title = format!(
        "CPU time per message between two pools, {BATCH} jobs in flight, {}",
        placement.label()
    );
    let targets = [Target::Times(1.0, Peer::Crossbeam)];
    Ok(Figure::new(&name, &title, Unit::Nanoseconds, targets, series))
}

fn wake_ups(lab: &Lab, placement: Placement) -> Result<Figure, Error> {
    let name = format!("job-wakes-{}", placement.suffix());
    let slope = Slope { few: BATCH * 2_000, many: BATCH * 12_000 };
    let peers = [Peer::Ours, Peer::Crossbeam];
    let series = in_rounds(lab, &name, &peers, lab.runs(), |peer| {
        slope.measure(|messages| {
            let jobs = messages / u64::from(MESSAGES);
            let program = Program::Jobs { peer, jobs, batch: BATCH };
            system_calls::wake_ups(lab, &placement.command(lab, program)?)
        })
    })?;
    let title = format!(
        "futex wake-ups per message between two pools, {BATCH} jobs in flight, {}",
        placement.label()
    );
    Ok(Figure::new(&name, &title, Unit::WakeUps, [Target::AtMost(0.02)], series))
}

fn round_trip(lab: &Lab, placement: Placement) -> Result<Figure, Error> {
    let name = format!("job-parked-{}", placement.suffix());
    let jobs = lab.amount(100_000, 20_000);
    let peers = [Peer::Ours, Peer::Crossbeam, Peer::Futex];
    let series = in_rounds(lab, &name, &peers, lab.runs(), |peer| {
        let cost = placement.cost(lab, Program::Jobs { peer, jobs, batch: 1 })?;
        Ok(cost.elapsed_nanoseconds_per_job() / 1e3)
    })?;
    let title = format!("round-trip time of a single job to another pool, {}", placement.label());
    let targets = [Target::Times(1.1, Peer::Futex)];
    Ok(Figure::new(&name, &title, Unit::Microseconds, targets, series))
}

impl Placement {
    fn suffix(self) -> &'static str {
        match self {
            Self::OneProcessor => "one",
            Self::TwoProcessors => "two",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::OneProcessor => "one processor",
            Self::TwoProcessors => "two processors",
        }
    }

    /// Runs the program and reads the cost that it prints.
    fn cost(self, lab: &Lab, program: Program) -> Result<Cost, Error> {
        Cost::printed_by(&self.command(lab, program)?)
    }

    /// The words of a command line that runs the program on these processors.
    fn command(self, lab: &Lab, program: Program) -> Result<Vec<String>, Error> {
        tool::require("taskset", "util-linux")?;
        let cpus = lab.cpus.ok_or_else(|| Error::missing("there is only one processor"))?;
        let list = match self {
            Self::OneProcessor => cpus.server.to_string(),
            Self::TwoProcessors => format!("{},{}", cpus.server, cpus.client),
        };
        let executable = Lab::executable()?.display().to_string();
        let words = ["taskset".to_owned(), "-c".to_owned(), list, executable];
        Ok(words.into_iter().chain(program.arguments()).collect())
    }
}
