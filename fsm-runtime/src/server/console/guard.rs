use std::net::{Ipv4Addr, Ipv6Addr};

use subtle::ConstantTimeEq;

/// Decides which requests are answered, and which may change something.
pub(super) struct Guard {
    token: Option<String>,
    hosts: Vec<String>,
}

impl Guard {
    pub(super) fn new(token: Option<String>, hosts: Vec<String>) -> Self {
        Self { token, hosts }
    }

    /// Whether there are requests that change something.
    pub(super) fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Whether this is the token. The time that it takes depends on the length alone.
    pub(super) fn is_token(&self, given: &[u8]) -> bool {
        self.token.as_ref().is_some_and(|token| token.as_bytes().ct_eq(given).into())
    }

    /// Whether the value of a `Host` field is an IP address, `localhost` or a name that was allowed.
    pub(super) fn allows_host(&self, host: &str) -> bool {
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
            _ => host,
        };
        if let Some(address) = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
            return address.parse::<Ipv6Addr>().is_ok();
        }
        name.parse::<Ipv4Addr>().is_ok()
            || name.eq_ignore_ascii_case("localhost")
            || self.hosts.iter().any(|allowed| name.eq_ignore_ascii_case(allowed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v6_hosts_are_addresses_localhost_and_names_that_were_allowed() {
        let guard = Guard::new(None, vec!["ops.example".to_owned()]);
        let allowed =
            ["127.0.0.1", "10.0.0.7:9180", "[::1]", "[::1]:9180", "localhost:1", "OPS.example:80"];
        for host in allowed {
            assert!(guard.allows_host(host), "{host}");
        }
        let foreign = [
            "evil.example",
            "evil.example:9180",
            "localhost.evil.example",
            "127.0.0.1.evil",
            "::1",
            "a:b",
            ":1",
            "",
        ];
        for host in foreign {
            assert!(!guard.allows_host(host), "{host}");
        }
    }

    #[test]
    fn v6_a_token_fits_as_a_whole_and_without_one_none_fits() {
        let guard = Guard::new(Some("secret".to_owned()), Vec::new());
        assert!(guard.is_token(b"secret"));
        for other in [&b""[..], b"secre", b"secrets", b"secreT"] {
            assert!(!guard.is_token(other));
        }
        assert!(!Guard::new(None, Vec::new()).is_token(b""));
    }
}
