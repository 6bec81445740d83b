//! The times of a tunnel; the operator sets them on the command line.

use std::time::Duration;

use clap::Args;
use fsm_examples::time_up_to;

// No doc comment, because clap would take it for the description of the program.
#[derive(Args, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    /// The longest time for connecting to one target, at most 1min
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = connecting)]
    pub(crate) connect_timeout: Duration,
    /// The longest time in which no byte moves through a tunnel either way, at most 1d
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = quiet)]
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
            half_closed: Duration::from_secs(60),
        }
    }
}

fn connecting(text: &str) -> Result<Duration, String> {
    time_up_to(text, "1min")
}

fn quiet(text: &str) -> Result<Duration, String> {
    time_up_to(text, "1d")
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
        assert_eq!(connecting("1min"), Ok(Duration::from_secs(60)));
        assert!(connecting("61s").is_err() && connecting("0ms").is_err());
        assert_eq!(quiet("1440min"), quiet("1d"));
        assert!(quiet("1441min").is_err());
    }
}
