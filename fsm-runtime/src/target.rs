use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use crate::PoolError;

/// The longest name of a host, as in DNS.
const LONGEST_NAME: usize = 253;

/// A place to connect to.
///
/// ```
/// use fsm_runtime::Target;
///
/// assert_eq!("10.0.0.7:80".parse::<Target>()?, Target::Tcp("10.0.0.7:80".parse()?));
/// assert_eq!("example.org:80".parse::<Target>()?, Target::name("example.org", 80));
/// let encrypted = "tls:example.org:443".parse::<Target>()?;
/// assert_eq!(encrypted, Target::Tls(Box::new(Target::name("example.org", 443))));
/// assert_eq!("udp:10.0.0.7:53".parse::<Target>()?, Target::Udp("10.0.0.7:53".parse()?));
/// assert_eq!("unix:/run/app.sock".parse::<Target>()?.to_string(), "unix:/run/app.sock");
/// assert!("example.org".parse::<Target>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Target {
    /// A TCP address.
    Tcp(SocketAddr),
    /// The name of a host, and a TCP port. The name is looked up for each connection, on a thread of its own,
    /// so that a slow answer holds up nothing else. All its addresses are tried.
    Name(String, u16),
    /// The path of a Unix socket.
    Unix(PathBuf),
    /// A UDP address, for a machine that reads datagrams.
    Udp(SocketAddr),
    /// The name of a host, and a UDP port, for a machine that reads datagrams. The name is looked up for each
    /// connection, as that of [`Name`](Self::Name); the first address that this machine has a route to is used.
    UdpName(String, u16),
    /// A target of another kind, with TLS: only in a pool with `Builder::tls_client`, and so only with the
    /// feature `tls`.
    Tls(Box<Target>),
}

impl Target {
    /// The TCP port of a host. A name that is the text of an IP address is that address.
    pub fn name(host: impl Into<String>, port: u16) -> Self {
        let host = host.into();
        match host.parse::<IpAddr>() {
            Ok(address) => Self::Tcp(SocketAddr::new(address, port)),
            Err(_) => Self::Name(host, port),
        }
    }

    /// Whether a machine that reads datagrams connects to it.
    pub(crate) fn takes_datagrams(&self) -> bool {
        matches!(self, Self::Udp(_) | Self::UdpName(..))
    }

    /// The UDP port in place of a TCP port; `None` for another target.
    fn over_udp(self) -> Option<Self> {
        match self {
            Self::Tcp(address) => Some(Self::Udp(address)),
            Self::Name(host, port) => Some(Self::UdpName(host, port)),
            _ => None,
        }
    }
}

/// Reads `ADDRESS:PORT`, `[IPV6]:PORT`, `NAME:PORT` or `unix:PATH`, any of them after `tls:`, and one with a port
/// after `udp:`. It looks nothing up.
impl FromStr for Target {
    type Err = PoolError;

    fn from_str(text: &str) -> Result<Self, PoolError> {
        let refuse = |why: &str| PoolError::Target { target: text.to_owned(), why: why.to_owned() };
        if let Some(rest) = text.strip_prefix("tls:") {
            return match rest.parse::<Self>() {
                Ok(Self::Tls(_)) => Err(refuse("there is no TLS within TLS")),
                Ok(target) if target.takes_datagrams() => {
                    Err(refuse("TLS cannot encrypt datagrams"))
                }
                Ok(target) => Ok(Self::Tls(Box::new(target))),
                Err(PoolError::Target { why, .. }) => Err(refuse(&why)),
                Err(error) => Err(error),
            };
        }
        if let Some(rest) = text.strip_prefix("udp:") {
            return match rest.parse::<Self>() {
                Ok(target) => {
                    target.over_udp().ok_or_else(|| refuse("`udp:` is for an address or a name"))
                }
                Err(PoolError::Target { why, .. }) => Err(refuse(&why)),
                Err(error) => Err(error),
            };
        }
        if let Some(path) = text.strip_prefix("unix:") {
            if path.is_empty() {
                return Err(refuse("the path is missing"));
            }
            return Ok(Self::Unix(path.into()));
        }
        if let Ok(address) = text.parse::<SocketAddr>() {
            return if address.port() == 0 {
                Err(refuse("nothing listens on port 0"))
            } else {
                Ok(Self::Tcp(address))
            };
        }
        let Some((host, port)) = text.rsplit_once(':') else {
            return Err(refuse("the port is missing"));
        };
        let port = match port.parse::<u16>() {
            Ok(0) | Err(_) => return Err(refuse("the port is no number from 1 to 65535")),
            Ok(port) => port,
        };
        let is_odd = |letter: char| letter.is_whitespace() || letter.is_control() || letter == ':';
        match host {
            "" => Err(refuse("the host is missing")),
            host if host.len() > LONGEST_NAME => {
                Err(refuse("the name of the host is longer than 253 bytes"))
            }
            host if host.contains(is_odd) => Err(refuse(
                "the host is neither a name nor an address; an IPv6 address has brackets",
            )),
            host => Ok(Self::name(host, port)),
        }
    }
}

impl From<SocketAddr> for Target {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Name(host, port) => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Udp(address) => write!(f, "udp:{address}"),
            Self::UdpName(host, port) => write!(f, "udp:{host}:{port}"),
            Self::Tls(target) => write!(f, "tls:{target}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_target_is_refused_with_the_reason() {
        for (text, reason) in [
            ("example.org", "the port is missing"),
            ("example.org:", "the port is no number"),
            ("example.org:0", "the port is no number"),
            ("127.0.0.1:0", "nothing listens on port 0"),
            ("example.org:65536", "the port is no number"),
            (":80", "the host is missing"),
            ("::1:80", "an IPv6 address has brackets"),
            ("two words:80", "neither a name nor an address"),
            ("unix:", "the path is missing"),
            ("tls:example.org", "the port is missing"),
            ("tls:tls:example.org:1", "no TLS within TLS"),
            ("tls:udp:example.org:1", "TLS cannot encrypt datagrams"),
            ("udp:unix:/run/app.sock", "`udp:` is for an address or a name"),
            ("udp:udp:example.org:1", "`udp:` is for an address or a name"),
            ("udp:127.0.0.1:0", "nothing listens on port 0"),
        ] {
            let error = text.parse::<Target>().unwrap_err().to_string();
            assert!(error.contains(text) && error.contains(reason), "{error}");
        }
        let long = format!("{}:80", "a".repeat(LONGEST_NAME + 1));
        assert!(long.parse::<Target>().is_err());
    }

    #[test]
    fn what_is_printed_is_read_again() {
        for text in [
            "10.0.0.7:80",
            "[::1]:8080",
            "example.org:443",
            "unix:/run/a b.sock",
            "udp:[::1]:53",
            "udp:example.org:53",
        ] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        }
    }
}
