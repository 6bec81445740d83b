use crate::error::Error;
use crate::figure::{Figure, Target, Unit};
use crate::lab::Lab;
use crate::measure::in_rounds;
use crate::peer::Peer;
use crate::programs::Program;
use crate::programs::python::Work;
use crate::tool;

/// Jobs that processes of Python do.
pub(super) fn python(lab: &Lab) -> Result<Vec<Figure>, Error> {
    tool::require("python3", "python3")?;
    Ok(vec![job(lab)?, scale(lab)?])
}

fn job(lab: &Lab) -> Result<Figure, Error> {
    let name = "python-job";
    let jobs = lab.amount(20_000, 5_000);
    let mut peers = vec![Peer::Ours, Peer::Multiprocessing, Peer::Pipe];
    if cfg!(feature = "pyo3") {
        peers.push(Peer::Pyo3);
    }
    let series = in_rounds(lab, name, &peers, lab.runs(), |peer| {
        let cost = Program::Python { peer, work: Work::Successor, processes: 1, jobs }.cost()?;
        Ok(cost.elapsed_nanoseconds_per_job() / 1e3)
    })?;
    let title = "round-trip time of a job to a process of Python";
    let targets = [Target::AtMost(20.0), Target::Times(1.0, Peer::Multiprocessing)];
    Ok(Figure::new(name, title, Unit::Microseconds, targets, series))
}

fn scale(lab: &Lab) -> Result<Figure, Error> {
    let name = "python-scale";
    let jobs = lab.amount(2_000, 400);
    let mut peers = vec![Peer::Ours, Peer::Multiprocessing];
    if cfg!(feature = "pyo3") {
        peers.push(Peer::Pyo3);
    }
    let series = in_rounds(lab, name, &peers, lab.runs(), |peer| {
        let cost = |processes| Program::Python { peer, work: Work::Total, processes, jobs }.cost();
        let (one, four) = (cost(1)?, cost(4)?);
        Ok(one.elapsed_nanoseconds_per_job() / four.elapsed_nanoseconds_per_job())
    })?;
    let title = "throughput of four processes of Python beside one, jobs of some milliseconds";
    Ok(Figure::new(name, title, Unit::Ratio, [Target::AtLeast(1.8)], series))
}
