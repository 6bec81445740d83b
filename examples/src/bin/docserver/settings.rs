//! The times that clients have; the operator sets them on the command line.

use std::num::NonZeroU64;
use std::time::Duration;

use clap::Args;
use fsm_examples::time_up_to;

// No doc comment, because clap would take it for the description of the program.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The longest time between two requests of a client; after it the server closes the connection
    /// without an answer
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = patience)]
    pub(crate) idle: Duration,
    /// The longest time from the first byte of a request to the end of its head; after it the answer is 408
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = patience)]
    pub(crate) head_timeout: Duration,
    /// The longest pause within a document. A client that sends nothing of it for that long gets 408; one
    /// whose socket takes less than 64 KiB of it in that time is disconnected. The buffer of the socket counts
    /// as the client, and has room again when a third of it is free. That is up to 1.4 MB, so the slowest client
    /// that is to be served must take that much in this time
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = patience)]
    pub(crate) stall: Duration,
    /// The least rate of an upload, in bytes per second, such as 500B or 1kB. An upload that falls behind it
    /// by more than the time of --stall gets 408, also if its length is not announced
    #[arg(long, value_name = "SIZE", default_value = "500B", value_parser = rate)]
    pub(crate) body_rate: NonZeroU64,
    /// The time between two comments on a stream of events, which keep proxies from closing it
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = patience)]
    pub(crate) keep_alive: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(60),
            head_timeout: Duration::from_secs(20),
            stall: Duration::from_secs(30),
            body_rate: const { NonZeroU64::new(500).unwrap() },
            keep_alive: Duration::from_secs(15),
        }
    }
}

/// Parses a time of which a deadline is made.
fn patience(text: &str) -> Result<Duration, String> {
    time_up_to(text, "1d")
}

/// Parses the bytes of a second.
fn rate(text: &str) -> Result<NonZeroU64, String> {
    NonZeroU64::new(size(text)?).ok_or_else(|| "at least 1B is necessary".to_owned())
}

/// Parses a size such as `500MB` or `8GiB`.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let unit = match &text[digits..] {
        "" | "B" => 1,
        "kB" => 1_000,
        "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "MiB" => 1 << 20,
        "GB" => 1_000_000_000,
        "GiB" => 1 << 30,
        unit => return Err(format!("`{unit}` is not a unit; use B, kB, KiB, MB, MiB, GB or GiB")),
    };
    let number: u64 =
        text[..digits].parse().map_err(|_| "a size is a number and a unit, such as `500MB`")?;
    number.checked_mul(unit).ok_or_else(|| "the size is too large".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        settings: Settings,
    }

    #[test]
    fn the_defaults_of_the_command_line_are_those_of_the_machines() {
        assert_eq!(Line::parse_from(["docserver"]).settings, Settings::default());
    }

    #[test]
    fn times_and_rates_have_bounds() {
        assert_eq!(patience("1440min"), patience("1d"));
        assert!(patience("1441min").is_err() && patience("0s").is_err());
        assert_eq!(rate("2kB").map(NonZeroU64::get), Ok(2_000));
        assert!(rate("0B").is_err());
    }
}
