//! The answer as a sentence.

use std::fmt;
use std::time::Duration;

use super::task::{Activity, JobPlace, Position, Since, TaskSnapshot};
use super::thread::{Block, RunningHandler, ThreadSnapshot};

/// A time that has passed or is left, for people.
struct Lasted(Duration);

impl fmt::Display for Lasted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, millis) = (self.0.as_secs(), self.0.as_millis());
        match seconds {
            0 => write!(f, "{millis} ms"),
            1..=59 => write!(f, "{seconds}.{} s", millis / 100 % 10),
            60..=3_599 => write!(f, "{} min {} s", seconds / 60, seconds % 60),
            _ => write!(f, "{} h {} min", seconds / 3_600, seconds / 60 % 60),
        }
    }
}

/// Says where the connection or job is, and why it waits.
impl fmt::Display for TaskSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.state.name)?;
        if let Some(age) = self.age {
            let since = match age.since {
                Since::Entered => "",
                Since::Progress => " since its last progress",
                Since::FirstByte => " since the first byte",
                Since::HalfClosed => " half closed",
                Since::Group => " in its group of states",
            };
            write!(f, " {}{since}", Lasted(age.time))?;
        }
        write!(f, ": {}", Why(self))?;
        if let Some(left) = self.left {
            write!(f, "; {} left", Lasted(left))?;
        }
        for (count, what) in [
            (self.unread, "bytes unread"),
            (self.unsent, "bytes unsent"),
            (self.messages, "messages"),
            (self.awaited, "replies to come"),
        ] {
            if count > 0 {
                write!(f, "; {count} {what}")?;
            }
        }
        Ok(())
    }
}

/// The reason why it waits, or what it does.
struct Why<'a>(&'a TaskSnapshot);

impl fmt::Display for Why<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.activity {
            Activity::Waits => {
                f.write_str("waits for ")?;
                for (index, wait) in self.0.state.waits.iter().enumerate() {
                    let or = if index == 0 { "" } else { " or " };
                    write!(f, "{or}{wait}")?;
                }
                Ok(())
            }
            Activity::Queued => f.write_str("waits for a thread"),
            Activity::Runs => f.write_str("runs"),
            Activity::Closes => f.write_str("closes"),
            Activity::WaitsForRoom { pool, position } => {
                let pool = pool.as_deref().unwrap_or("a pool that has ended");
                match position {
                    Some(position) => write!(f, "{position} that wait for room in {pool}"),
                    None => write!(f, "has got room in {pool}"),
                }
            }
            Activity::WaitsForJob { pool, job } => {
                write!(f, "its job {}", InPool(pool.as_deref().unwrap_or("a pool"), job))
            }
        }
    }
}

/// The place of a job in the pool with this name.
struct InPool<'a>(&'a str, &'a JobPlace);

impl fmt::Display for InPool<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(pool, place) = self;
        match place {
            JobPlace::Task(job) => {
                let (state, why) = (job.state.name, Why(job));
                write!(f, "is in {state} of {pool}")?;
                if let Some(age) = job.age {
                    write!(f, " for {}", Lasted(age.time))?;
                }
                write!(f, ", {why}")
            }
            JobPlace::Queued(position) => {
                write!(f, "is the {position} that wait for a connection of {pool}")
            }
            JobPlace::Answered(key) => write!(f, "is with the connection {key} of {pool}"),
            JobPlace::Taken { threads, jobs } => {
                let oldest = threads.iter().max_by_key(|thread| thread.at_least());
                match (oldest, jobs, threads.len()) {
                    (None, ..) => write!(f, "has just ended in {pool}"),
                    (Some(only), 1, 1) => write!(f, "is {only}"),
                    (Some(oldest), jobs, _) => {
                        write!(f, "is one of {jobs} that {pool} works on, the oldest {oldest}")
                    }
                }
            }
            JobPlace::Unknown => write!(f, "is in {pool}"),
        }
    }
}

/// `7th of 12`.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ending = match (self.number % 10, self.number % 100) {
            (_, 11..=13) => "th",
            (1, _) => "st",
            (2, _) => "nd",
            (3, _) => "rd",
            _ => "th",
        };
        write!(f, "{}{ending} of {}", self.number, self.of)
    }
}

impl ThreadSnapshot {
    fn at_least(&self) -> Option<Duration> {
        self.running.map(|running| running.at_least)
    }
}

/// `in Read on count/2 for at least 2.9 s, blocks`, or `count/2 is idle`.
impl fmt::Display for ThreadSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(RunningHandler { state, at_least, block, .. }) = self.running else {
            return write!(f, "{} is idle", self.name);
        };
        let blocks = match block {
            None => "",
            Some(Block::Declared) => ", blocks",
            Some(Block::Seen) => ", blocks (seen)",
        };
        write!(f, "in {} on {} for at least {}{blocks}", state.name, self.name, Lasted(at_least))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v4_times_and_places_are_printed_for_people() {
        let printed = [7, 3_250, 59_999, 61_000, 7_320_000]
            .map(|millis| Lasted(Duration::from_millis(millis)).to_string());
        assert_eq!(printed, ["7 ms", "3.2 s", "59.9 s", "1 min 1 s", "2 h 2 min"]);
        let printed = [1, 2, 3, 4, 11, 12, 13, 21, 102, 111]
            .map(|number| Position { number, of: 200 }.to_string().replace(" of 200", ""));
        assert_eq!(
            printed,
            ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th"]
        );
    }
}
