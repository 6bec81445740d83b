//! Measurements without sockets, each in a process of its own.

use clap::{Subcommand, ValueEnum};

use crate::error::Error;
use crate::lab::Lab;
use crate::peer::Peer;

pub(crate) mod dispatch;
pub(crate) mod frames;
pub(crate) mod jobs;
pub(crate) mod python;
pub(crate) mod rearm;

use self::dispatch::Form;
use self::frames::{Made, Work};
use self::jobs::Cost;
use self::rearm::Deadline;

/// A program with its amount of work.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum Program {
    /// Dispatches events to a machine.
    Dispatch { peer: Peer, form: Form, rounds: u64 },
    /// Changes the state of a machine on a port.
    Rearm { deadline: Deadline, turns: u64, changes: u64 },
    /// Decodes or encodes frames.
    Frames { made: Made, work: Work, depth: u32, rounds: u64 },
    /// Sends jobs to another thread, and prints their cost.
    Jobs { peer: Peer, jobs: u64, batch: u64 },
    /// Has jobs done by processes of Python, and prints their cost.
    Python { peer: Peer, work: python::Work, processes: u64, jobs: u64 },
}

impl Program {
    pub(crate) fn run(self) -> Result<(), Error> {
        let missing = |peer: Peer| Error::failed(format!("no program for {}", peer.name()));
        match self {
            Self::Dispatch { peer, form, rounds } => {
                let tally = dispatch::run(peer, form, rounds).ok_or_else(|| missing(peer))?;
                println!("{tally:?}");
            }
            Self::Rearm { deadline, turns, changes } => {
                println!("{}", rearm::run(deadline, turns, changes));
            }
            Self::Frames { made, work, depth, rounds } => {
                println!("{}", frames::run(made, work, depth, rounds));
            }
            Self::Jobs { peer, jobs, batch } => {
                let cost = jobs::run(peer, jobs, batch).ok_or_else(|| missing(peer))??;
                println!("{}", cost.line());
            }
            Self::Python { peer, work, processes, jobs } => {
                let cost =
                    python::run(peer, work, processes, jobs).ok_or_else(|| missing(peer))??;
                println!("{}", cost.line());
            }
        }
        Ok(())
    }

    /// Runs a program that prints its cost, in a process of its own.
    pub(crate) fn cost(self) -> Result<Cost, Error> {
        let words = [vec![Lab::executable()?.display().to_string()], self.arguments()].concat();
        Cost::printed_by(&words)
    }

    /// The command-line arguments that make this executable run the program.
    pub(crate) fn arguments(self) -> Vec<String> {
        let words = match self {
            Self::Dispatch { peer, form, rounds } => {
                vec!["dispatch".to_owned(), peer.name(), name(&form), rounds.to_string()]
            }
            Self::Rearm { deadline, turns, changes } => {
                vec!["rearm".to_owned(), name(&deadline), turns.to_string(), changes.to_string()]
            }
            Self::Frames { made, work, depth, rounds } => {
                let (depth, rounds) = (depth.to_string(), rounds.to_string());
                vec!["frames".to_owned(), name(&made), name(&work), depth, rounds]
            }
            Self::Jobs { peer, jobs, batch } => {
                vec!["jobs".to_owned(), peer.name(), jobs.to_string(), batch.to_string()]
            }
            Self::Python { peer, work, processes, jobs } => {
                let (processes, jobs) = (processes.to_string(), jobs.to_string());
                vec!["python".to_owned(), peer.name(), name(&work), processes, jobs]
            }
        };
        ["run".to_owned()].into_iter().chain(words).collect()
    }
}

fn name(value: &impl ValueEnum) -> String {
    value.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}
