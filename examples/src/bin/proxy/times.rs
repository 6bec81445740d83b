//! The times of a tunnel; the operator sets them on the command line.

use std::time::Duration;

use clap::Args;
use fsm_examples::time;

/// The longest time for connecting; the bound of the deadlines in the machines.
const MINUTE: Duration = Duration::from_secs(60);
/// The longest time without a byte.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

// No doc comment, because clap would take it for the description of the program.
#[derive(Args, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    /// The longest time for connecting to one target, at most 1min
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = connecting)]
    pub(crate) connect_timeout: Duration,
    /// The longest time in which no byte moves through a tunnel either way, at most 1440min
    #[arg(long, value_name = "TIME", default_value = "60min", value_parser = quiet)]
    pub(crate) idle: Duration,
    /// The same once one of the two sides has ended its stream
    #[arg(long, value_name = "TIME", default_value = "1min", value_parser = quiet)]
    pub(crate) half_closed: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            idle: Duration::from_secs(60 * 60),
            half_closed: MINUTE,
        }
    }
}

fn connecting(text: &str) -> Result<Duration, String> {
    bounded(text, MINUTE)
}

fn quiet(text: &str) -> Result<Duration, String> {
    bounded(text, DAY)
}

fn bounded(text: &str, most: Duration) -> Result<Duration, String> {
    match time(text)? {
        Duration::ZERO => Err("nothing is that fast".to_owned()),
        long if long > most => Err(format!("at most {}min are possible", most.as_secs() / 60)),
        time => Ok(time),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        times: Times,
    }

    #[test]
    fn the_defaults_of_the_command_line_are_those_of_the_machines() {
        assert_eq!(Line::parse_from(["proxy"]).times, Times::default());
    }

    #[test]
    fn times_have_bounds() {
        assert_eq!(connecting("1min"), Ok(MINUTE));
        assert!(connecting("61s").is_err() && connecting("0ms").is_err());
        assert_eq!(quiet("1440min"), Ok(DAY));
        assert!(quiet("1441min").is_err());
    }
}
