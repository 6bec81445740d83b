//! The command line.

use std::error::Error;
use std::fmt;
use std::num::NonZeroUsize;
use std::time::Duration;

use ::http::Uri;
use clap::{ArgGroup, Parser};
use fsm_examples::tls::{Trust, unchecked};
use fsm_examples::{count, time, time_up_to};
use fsm_runtime::{Pool, Target, TlsClient};

/// Loads a Redis or HTTP/1.1 server with requests, and measures how it answers
///
/// Without --rate each connection sends its next request when the answer to the one before has come. With --rate
/// requests are due at fixed times, and latencies count from these times, so that a server that stalls does not
/// hide it. Everything runs on one thread. The result goes to standard output, also after Ctrl-C, and a line for
/// each second to standard error. The exit code is 1 if no request was answered.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "loadgen",
    version,
    after_help = "Try: loadgen --resp 127.0.0.1:6380 --connections 1000 --duration 5s",
    group(ArgGroup::new("server").required(true).args(["resp", "http"]))
)]
pub(crate) struct Options {
    /// A Redis server, which gets GET and SET: `ADDRESS:PORT`, `[IPV6]:PORT`, `NAME:PORT` or `unix:PATH`, and with
    /// TLS one of the first three after `tls:`
    #[arg(long, value_name = "ADDRESS", value_parser = target)]
    resp: Option<String>,
    /// A document of an HTTP server, which gets GET: `http://HOST:PORT/PATH` or `https://HOST:PORT/PATH`
    #[arg(long, value_name = "URL", value_parser = Url::parse)]
    http: Option<Url>,
    #[command(flatten)]
    trust: Trust,
    /// Takes any server for the right one: neither its certificate nor its name is checked, so that anybody between
    /// may read and change all. For servers with certificates of their own making
    #[arg(long, conflicts_with = "tls_ca")]
    tls_insecure: bool,
    /// The number of connections
    #[arg(long, value_name = "N", default_value = "50", value_parser = count::<{ Pool::MAX_CONNECTIONS }>)]
    pub(crate) connections: NonZeroUsize,
    /// The requests in a second over all connections, at fixed times. Without it each connection sends as fast
    /// as the server answers
    #[arg(long, value_name = "REQUESTS", value_parser = count::<10_000_000>)]
    pub(crate) rate: Option<NonZeroUsize>,
    /// The number of requests altogether. The run ends when all are answered, and all count, so that --duration and
    /// --warmup do not apply. A request whose connection ends before the answer is not sent again. The run also
    /// ends when there is no connection for the time of --timeout
    #[arg(
        long,
        value_name = "N",
        conflicts_with_all = ["duration", "warmup"],
        value_parser = clap::value_parser!(u64).range(1..),
    )]
    pub(crate) requests: Option<u64>,
    /// The time in which requests count, such as 500ms, 10s or 2min
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = long)]
    pub(crate) duration: Duration,
    /// The time before that, for connecting and for the server's caches
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = time)]
    pub(crate) warmup: Duration,
    /// The longest time for an answer, for connecting, and for the last answers; at most 1h
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = long)]
    pub(crate) timeout: Duration,
    /// The requests that a connection to Redis sends before the first one is answered. With --rate there is more
    /// than one only where requests are late: one that is due while another waits for its answer is sent with
    /// the next answer
    #[arg(long, value_name = "N", default_value = "1", conflicts_with = "http", value_parser = count::<10_000>)]
    pub(crate) pipeline: NonZeroUsize,
    /// The percentage of SET among the commands; the others are GET
    #[arg(
        long,
        value_name = "PERCENT",
        default_value = "10",
        conflicts_with = "http",
        value_parser = clap::value_parser!(u8).range(0..=100),
    )]
    pub(crate) sets: u8,
    /// The bytes of a value that SET sets, at most 1 MiB
    #[arg(long, value_name = "BYTES", default_value = "64", conflicts_with = "http", value_parser = count::<{ 1 << 20 }>)]
    pub(crate) value_size: NonZeroUsize,
    /// The number of keys, among which each command chooses at random
    #[arg(long, value_name = "N", default_value = "10000", conflicts_with = "http", value_parser = count::<1_000_000_000>)]
    pub(crate) keys: NonZeroUsize,
    /// Prints the result as JSON, with times in microseconds
    #[arg(long)]
    pub(crate) json: bool,
}

/// The beginning of targets that use TLS.
const TLS: &str = "tls:";

/// The server that gets the load.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Server<'a> {
    Resp(&'a str),
    Http(&'a Url),
}

impl Options {
    pub(crate) fn server(&self) -> Server<'_> {
        match (&self.resp, &self.http) {
            (_, Some(url)) => Server::Http(url),
            (target, None) => Server::Resp(target.as_deref().unwrap_or_default()),
        }
    }

    /// The settings of TLS; `None` if the server is not to use it.
    pub(crate) fn tls(&self) -> Result<Option<TlsClient>, Box<dyn Error>> {
        let encrypts = match self.server() {
            Server::Resp(target) => target.starts_with(TLS),
            Server::Http(url) => url.target.starts_with(TLS),
        };
        if !encrypts {
            return Ok(None);
        }
        Ok(Some(if self.tls_insecure { unchecked() } else { self.trust.client()? }))
    }
}

/// The parts of a URL that a request needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    /// `http` or `https`.
    scheme: &'static str,
    /// The server as a target of a pool.
    pub(crate) target: String,
    /// The server as the field `Host` names it.
    pub(crate) host: String,
    pub(crate) path: String,
}

impl Url {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "write it like http://127.0.0.1:7070/path".to_owned();
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        let (scheme, layer, usual_port) = match uri.scheme_str() {
            Some("http") => ("http", "", 80),
            Some("https") => ("https", TLS, 443),
            _ => return Err(wrong()),
        };
        let authority = uri.authority().ok_or_else(wrong)?;
        let host = authority.host();
        let port = match authority.as_str().strip_prefix(host) {
            Some("") => usual_port,
            Some(_) => authority.port_u16().ok_or("the port is no number")?,
            None => return Err("a name of a user is not sent".to_owned()),
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let host_field =
            if port == usual_port { host.to_owned() } else { format!("{host}:{port}") };
        Ok(Self {
            scheme,
            target: target(&format!("{layer}{host}:{port}"))?,
            host: host_field,
            path: path.to_owned(),
        })
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, host, path, .. } = self;
        write!(f, "{scheme}://{host}{path}")
    }
}

fn target(text: &str) -> Result<String, String> {
    text.parse::<Target>().map(|_| text.to_owned()).map_err(|error| error.to_string())
}

fn long(text: &str) -> Result<Duration, String> {
    time_up_to(text, "1h")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Options::command().debug_assert();
    }

    #[test]
    fn urls() {
        for (text, target, host, path) in [
            ("http://a.b/", "a.b:80", "a.b", "/"),
            ("http://a:81/b?c=d", "a:81", "a:81", "/b?c=d"),
            ("http://[::1]:81/", "[::1]:81", "[::1]:81", "/"),
            ("https://a.b/", "tls:a.b:443", "a.b", "/"),
            ("https://a:80/b", "tls:a:80", "a:80", "/b"),
        ] {
            let url = Url::parse(text).unwrap();
            assert_eq!((&*url.target, &*url.host, &*url.path), (target, host, path));
            assert_eq!(url.to_string(), text);
        }
        assert_eq!(Url::parse("http://a.b").unwrap().path, "/");
        for text in ["", "a", "a:81", "/b", "ftp://a/", "http://", "http://a:x/", "http://me@a/"] {
            assert!(Url::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn one_server_is_named() {
        let parses = |line: &str| Options::try_parse_from(line.split(' ')).is_ok();
        assert!(parses("loadgen --resp a:1"));
        assert!(parses("loadgen --resp tls:a:1 --tls-ca ca.pem"));
        assert!(parses("loadgen --http https://a/ --tls-insecure"));
        assert!(parses("loadgen --http http://a/ --rate 10"));
        assert!(parses("loadgen --http http://a/ --rate 10 --requests 3 --timeout 1s"));
        for line in [
            "loadgen",
            "loadgen --resp a",
            "loadgen --resp tls:a:1 --tls-ca ca.pem --tls-insecure",
            "loadgen --resp a:1 --http http://a/",
            "loadgen --http http://a/ --pipeline 2",
            "loadgen --resp a:1 --sets 101",
            "loadgen --resp a:1 --duration 0s",
            "loadgen --resp a:1 --timeout 61min",
            "loadgen --resp a:1 --connections 0",
            "loadgen --resp a:1 --requests 0",
            "loadgen --resp a:1 --requests 1 --duration 1s",
            "loadgen --resp a:1 --requests 1 --warmup 0s",
        ] {
            assert!(!parses(line), "{line}");
        }
    }
}
