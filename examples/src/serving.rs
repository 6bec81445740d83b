use std::num::{NonZeroUsize, ParseIntError};
#[cfg(unix)]
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::ArgPredicate;
use fsm_runtime::{
    Address, Builder, Connection, Console, Encrypted, Machine, Pipeline, Pool, PoolError, Transport,
};
#[cfg(unix)]
use fsm_runtime::{Upgrade, UpgradeData};
use tracing_subscriber::filter::LevelFilter;

use crate::log::{Flush, Stderr};

// No doc comment, because clap would take it for the description of the program.
#[expect(missing_docs, reason = "see above")]
#[derive(Args, Clone, Debug)]
pub struct Serving<const PORT: u16> {
    /// An address to listen on: `ADDRESS:PORT`, `[IPV6]:PORT`, `NAME:PORT`, `unix:PATH`, or
    /// `fd:NAME` for sockets that a service manager such as systemd has passed. It may be given several times. `0.0.0.0` and `[::]` are all addresses of this machine; port 0 lets
    /// the system choose one
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub listen: Vec<Address>,
    /// Short for `--listen 127.0.0.1:PORT`, and the default if there is no `--listen`
    #[arg(
        long,
        default_value = PORT.to_string(),
        default_value_if("listen", ArgPredicate::IsPresent, None),
    )]
    pub port: Option<u16>,
    /// The maximum number of connections; others wait in the backlog until one ends
    #[arg(long, value_name = "N", default_value = "10000", value_parser = count::<{ Pool::MAX_CONNECTIONS }>)]
    pub max_connections: NonZeroUsize,
    /// Shares the ports with other processes of the same user that do so, too, such as one that takes the place of
    /// this one (`SO_REUSEPORT`); it cannot be upgraded
    #[cfg(unix)]
    #[arg(long, conflicts_with = "upgrade")]
    pub reuse_port: bool,
    /// The time in which clients may finish after SIGTERM or SIGINT, such as 500ms, 30s or 2min.
    /// After that, and after a second signal, the server closes their connections
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = time)]
    pub drain_within: Duration,
    /// The least important lines of the log on standard error: error, warn, info, debug, trace, or
    /// off for none
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    pub log_level: LevelFilter,
    /// An address for the console, which says where each connection is and why it waits: a page for
    /// browsers, `/metrics` for Prometheus, and `curl -sN ADDRESS/top`; or the port of 127.0.0.1. All
    /// who can connect to it can read it
    #[arg(long, value_name = "ADDRESS", value_parser = port_or_address)]
    pub console: Option<Address>,
    /// The word with which the console ends connections and drains pools, or `@FILE` for the first line of a
    /// file, because a command line can be seen by others
    #[arg(long, value_name = "TOKEN", requires = "console", value_parser = token)]
    pub console_token: Option<String>,
    /// The path of a Unix socket at which a new process of this program finds this one and takes over: its
    /// listeners, and the connections that can move. SIGUSR2 starts the program anew with the same options
    #[cfg(unix)]
    #[arg(long, value_name = "PATH")]
    pub upgrade: Option<PathBuf>,
}

impl<const PORT: u16> Serving<PORT> {
    /// Starts the log of the process. Dropping the result waits for the last lines.
    ///
    /// # Errors
    ///
    /// Says so if the system refuses the thread of the log.
    ///
    /// # Panics
    ///
    /// Panics if the process has a log already.
    pub fn start_log(&self) -> Result<Flush, PoolError> {
        let (log, flush) = Stderr::start()
            .map_err(|error| PoolError::Io { what: "start the log".to_owned(), error })?;
        tracing_subscriber::fmt().with_writer(log).with_max_level(self.log_level).init();
        Ok(flush)
    }

    /// Sets the addresses and limits of the pool that accepts the clients.
    pub fn pool<M, L>(&self, pool: Builder<M, L>) -> Builder<M, L>
    where
        M: Machine<Seed = (), Kind = Connection>,
        L: Transport,
    {
        let pool = self.addresses().fold(pool, |pool, address| pool.listen(address.to_string()));
        self.limits(pool)
    }

    /// Sets the addresses, whose clients do not use TLS, and limits of a pool that has others, too.
    pub fn plain_pool<M>(&self, pool: Builder<M, Encrypted>) -> Builder<M, Encrypted>
    where
        M: Machine<Seed = (), Kind = Connection>,
    {
        let addresses = self.addresses();
        self.limits(addresses.fold(pool, |pool, address| pool.listen_plain(address.to_string())))
    }

    /// Adds to the pools the console and the upgrades that the options ask for.
    pub fn pipeline(&self, pools: Pipeline) -> Pipeline {
        self.pipeline_with(pools, |console| console)
    }

    /// The same for a console that `set` changes.
    pub fn pipeline_with(&self, pools: Pipeline, set: impl FnOnce(Console) -> Console) -> Pipeline {
        #[cfg(unix)]
        let pools = match &self.upgrade {
            Some(path) if !pools.is_upgradable() => pools.upgradable(path.as_path()),
            _ => pools,
        };
        let Some(address) = &self.console else { return pools };
        let console = set(Console::new(address.to_string()));
        pools.console(match &self.console_token {
            Some(token) => console.token(token),
            None => console,
        })
    }

    /// Hands this data over to a new process, too, if the options ask for upgrades.
    #[cfg(unix)]
    pub fn hand_over(&self, pools: Pipeline, data: impl UpgradeData) -> Pipeline {
        match &self.upgrade {
            Some(path) => pools.upgradable(Upgrade::new(path).data(data)),
            None => pools,
        }
    }

    /// Moves the connections together to a new process, if the options ask for upgrades.
    #[cfg(unix)]
    pub fn move_together(&self, pools: Pipeline) -> Pipeline {
        match &self.upgrade {
            Some(path) => pools.upgradable(Upgrade::new(path).together()),
            None => pools,
        }
    }

    /// The addresses that are listened on, as the options say.
    pub fn addresses(&self) -> impl Iterator<Item = Address> {
        let port = self.port.map(|port| Address::Tcp(([127, 0, 0, 1], port).into()));
        port.into_iter().chain(self.listen.iter().cloned())
    }

    fn limits<M, L>(&self, pool: Builder<M, L>) -> Builder<M, L>
    where
        M: Machine<Seed = (), Kind = Connection>,
        L: Transport,
    {
        #[cfg(unix)]
        let pool = if self.reuse_port { pool.reuse_port() } else { pool };
        pool.max_connections(self.max_connections.get()).drain_within(self.drain_within)
    }
}

fn address(text: &str) -> Result<Address, String> {
    Address::parse(text).map_err(|error| error.to_string())
}

fn token(text: &str) -> Result<String, String> {
    let token = match text.strip_prefix('@') {
        Some(path) => std::fs::read_to_string(path).map_err(|error| error.to_string())?,
        None => text.to_owned(),
    };
    match token.lines().next() {
        Some(token) if !token.is_empty() => Ok(token.to_owned()),
        _ => Err("it must not be empty".to_owned()),
    }
}

/// Parses an address to listen on, or a port of 127.0.0.1.
///
/// # Errors
///
/// Says what is wrong with the text.
pub fn port_or_address(text: &str) -> Result<Address, String> {
    match text.parse::<u16>() {
        Ok(port) => Ok(Address::Tcp(([127, 0, 0, 1], port).into())),
        Err(_) => address(text),
    }
}

/// Parses a number from 1 to `MOST`.
///
/// # Errors
///
/// Says what is wrong with the text.
pub fn count<const MOST: usize>(text: &str) -> Result<NonZeroUsize, String> {
    let number: NonZeroUsize = text.parse().map_err(|error: ParseIntError| error.to_string())?;
    if number.get() > MOST { Err(format!("at most {MOST} are possible")) } else { Ok(number) }
}

/// Parses a time such as `50ms`, `2s`, `1min`, `1h` or `1d`.
///
/// # Errors
///
/// Says what is wrong with the text.
pub fn time(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 =
        text[..digits].parse().map_err(|_| "a time is a number and a unit, such as `50ms`")?;
    let millis = match &text[digits..] {
        "ms" => Some(number),
        "s" => number.checked_mul(1_000),
        "min" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        "d" => number.checked_mul(86_400_000),
        "" => return Err(format!("`{text}` has no unit; add ms, s, min, h or d")),
        unit => return Err(format!("`{unit}` is not a unit; use ms, s, min, h or d")),
    };
    millis.map(Duration::from_millis).ok_or_else(|| "the time is too long".to_owned())
}

/// Parses a time that is more than 0 and at most `most`, which is as [`time`] takes it.
///
/// # Errors
///
/// Says what is wrong with the text.
pub fn time_up_to(text: &str, most: &str) -> Result<Duration, String> {
    match time(text)? {
        Duration::ZERO => Err("it must be more than 0".to_owned()),
        long if long > time(most)? => Err(format!("at most {most} are possible")),
        time => Ok(time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        assert_eq!(count::<64>("1").map(NonZeroUsize::get), Ok(1));
        assert_eq!(count::<64>("64").map(NonZeroUsize::get), Ok(64));
        for text in ["", "0", "-1", "many", "65", "18446744073709551616"] {
            assert!(count::<64>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times() {
        assert_eq!(time("50ms"), Ok(Duration::from_millis(50)));
        assert_eq!(time("2s"), Ok(Duration::from_secs(2)));
        assert_eq!(time("1min"), Ok(Duration::from_secs(60)));
        assert_eq!(time("24h"), time("1d"));
        for text in ["", "5", "s", "-1s", "5y", "18446744073709551615min"] {
            assert!(time(text).is_err(), "{text}");
        }
        assert_eq!(time_up_to("60min", "1h"), Ok(Duration::from_secs(3600)));
        assert!(time_up_to("0s", "1h").is_err());
        assert_eq!(time_up_to("61min", "1h"), Err("at most 1h are possible".to_owned()));
    }
}
