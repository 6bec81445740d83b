//! What is measured without a socket, each in a process of its own.

use clap::{Subcommand, ValueEnum};

use crate::{Error, Peer};

pub(crate) mod calls;
pub(crate) mod dispatch;
pub(crate) mod rearm;

use self::dispatch::Form;
use self::rearm::Deadline;

/// A program of the lab's own, with how much it is to do.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum Program {
    /// Gives events to a machine.
    Dispatch { peer: Peer, form: Form, rounds: u64 },
    /// Goes from state to state.
    Rearm { deadline: Deadline, turns: u64, changes: u64 },
    /// Gives jobs to another thread, and says what they cost.
    Calls { peer: Peer, jobs: u64, batch: u64 },
}

impl Program {
    pub(crate) fn run(self) -> Result<(), Error> {
        let none = |peer: Peer| Error::failed(format!("{} does not do this", peer.word()));
        match self {
            Self::Dispatch { peer, form, rounds } => {
                println!("{:?}", dispatch::run(peer, form, rounds).ok_or_else(|| none(peer))?);
            }
            Self::Rearm { deadline, turns, changes } => {
                println!("{}", rearm::run(deadline, turns, changes));
            }
            Self::Calls { peer, jobs, batch } => {
                let cost = calls::run(peer, jobs, batch).ok_or_else(|| none(peer))??;
                println!("{}", cost.line());
            }
        }
        Ok(())
    }

    /// How this program is told to run it.
    pub(crate) fn arguments(self) -> Vec<String> {
        let words = match self {
            Self::Dispatch { peer, form, rounds } => {
                ["dispatch".to_owned(), peer.word(), word(&form), rounds.to_string()]
            }
            Self::Rearm { deadline, turns, changes } => {
                ["rearm".to_owned(), word(&deadline), turns.to_string(), changes.to_string()]
            }
            Self::Calls { peer, jobs, batch } => {
                ["calls".to_owned(), peer.word(), jobs.to_string(), batch.to_string()]
            }
        };
        ["run".to_owned()].into_iter().chain(words).collect()
    }
}

fn word(value: &impl ValueEnum) -> String {
    value.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}
