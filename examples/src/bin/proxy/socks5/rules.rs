//! The targets that clients may have.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// The lists of the operator.
///
/// An address is allowed if no rule denies it or its name, and if some rule allows it or its name, or there is no
/// rule that allows. An address of this machine or of its link ([`Special`]) also needs a rule for addresses that
/// allows nothing but such ones: neither `0.0.0.0/0` nor a name is meant to open them, and the owner of a name
/// chooses its addresses.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    pub(crate) allow: Vec<Rule>,
    pub(crate) deny: Vec<Rule>,
}

/// A network or a name, and perhaps a port: `10.0.0.0/8`, `[2001:db8::]/32`, `example.org:443`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Hosts {
    Net(Net),
    /// A name in lower case.
    Name(String),
    /// All names that end so, which begins with a dot.
    Below(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Net {
    base: IpAddr,
    prefix: u8,
}

/// The addresses that lead to this machine, its link, or the service from which a virtual machine learns its secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Special {
    Loopback,
    LinkLocal,
    Unspecified,
    Metadata,
}

/// Such services outside of the link-local addresses: those of Amazon over IPv6, Alibaba and Oracle.
const METADATA: [IpAddr; 3] = [
    IpAddr::V6(Ipv6Addr::new(0xFD00, 0xEC2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
];

impl Special {
    fn of(address: IpAddr) -> Option<Self> {
        match embedded(address) {
            address if METADATA.contains(&address) => Some(Self::Metadata),
            IpAddr::V4(address) if address.octets()[0] == 0 => Some(Self::Unspecified),
            IpAddr::V4(address) if address.is_loopback() => Some(Self::Loopback),
            IpAddr::V4(address) if address.is_link_local() => Some(Self::LinkLocal),
            IpAddr::V6(address) if address.is_unspecified() => Some(Self::Unspecified),
            IpAddr::V6(address) if address.is_loopback() => Some(Self::Loopback),
            IpAddr::V6(address) if address.is_unicast_link_local() => Some(Self::LinkLocal),
            _ => None,
        }
    }
}

/// The IPv4 address that an IPv6 address stands for, if it does: `::ffff:a.b.c.d`, `::a.b.c.d`,
/// `::ffff:0:a.b.c.d`, an address below the NAT64 prefixes `64:ff9b::/96` and `64:ff9b:1::/48`, or one of 6to4.
fn embedded(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address.to_canonical() else { return address.to_canonical() };
    let last =
        |[.., high, low]: [u16; 8]| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    let segments = v6.segments();
    match segments {
        // `::` and `::1` are themselves.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => address,
        [0, 0, 0, 0, 0 | 0xFFFF, 0, _, _]
        | [0x64, 0xFF9B, 0, 0, 0, 0, _, _]
        | [0x64, 0xFF9B, 1, ..] => last(segments).into(),
        [0x2002, high, low, ..] => {
            Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)).into()
        }
        _ => address,
    }
}

impl Rules {
    /// Whether a name may be looked up at all. Only its addresses decide about the rest.
    pub(crate) fn denies_name(&self, name: &str, port: u16) -> bool {
        self.deny.iter().any(|rule| rule.has_name(name, port))
    }

    /// Whether a client may connect to the address, which it has given itself or which its name has.
    pub(crate) fn allows(&self, name: Option<&str>, address: IpAddr, port: u16) -> bool {
        let fits = |rule: &&Rule| {
            rule.has_address(address, port) || name.is_some_and(|name| rule.has_name(name, port))
        };
        if self.deny.iter().any(|rule| fits(&rule)) {
            return false;
        }
        match Special::of(address) {
            Some(special) => self
                .allow
                .iter()
                .any(|rule| rule.has_address(address, port) && rule.is_only_for() == Some(special)),
            None => self.allow.is_empty() || self.allow.iter().any(|rule| fits(&rule)),
        }
    }
}

impl Rule {
    fn has_port(&self, port: u16) -> bool {
        self.port.is_none_or(|only| only == port)
    }

    fn has_address(&self, address: IpAddr, port: u16) -> bool {
        match &self.hosts {
            Hosts::Net(net) => {
                self.has_port(port) && (net.contains(address) || net.contains(embedded(address)))
            }
            _ => false,
        }
    }

    fn has_name(&self, name: &str, port: u16) -> bool {
        let name = plain(name);
        let fits = match &self.hosts {
            Hosts::Net(_) => false,
            Hosts::Name(own) => *own == name,
            Hosts::Below(end) => name.ends_with(end.as_str()),
        };
        fits && self.has_port(port)
    }

    /// The kind of special addresses of the network, if it has no others.
    fn is_only_for(&self) -> Option<Special> {
        let Hosts::Net(net) = self.hosts else { return None };
        let kind = Special::of(net.base)?;
        (Special::of(net.last()) == Some(kind)).then_some(kind)
    }
}

/// A name as it is compared: without regard to case and to a dot at its end.
fn plain(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

impl Net {
    fn bits(address: IpAddr) -> (u128, u8) {
        match address {
            IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
            IpAddr::V6(address) => (address.to_bits(), 128),
        }
    }

    /// The bits that differ within the network.
    fn free(self) -> u128 {
        let (_, size) = Self::bits(self.base);
        let free = u32::from(size - self.prefix);
        1_u128.checked_shl(free).map_or(u128::MAX, |bit| bit - 1)
    }

    fn contains(self, address: IpAddr) -> bool {
        let ((base, size), (bits, other)) = (Self::bits(self.base), Self::bits(address));
        size == other && base | self.free() == bits | self.free()
    }

    fn last(self) -> IpAddr {
        let last = Self::bits(self.base).0 | self.free();
        match self.base {
            IpAddr::V4(_) => {
                IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(last).unwrap_or(u32::MAX)))
            }
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(last)),
        }
    }
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_bare_v6 = text.matches(':').count() > 1 && !text.contains(']');
        let (hosts, port) = match text.rsplit_once(':') {
            Some((hosts, port)) if !is_bare_v6 && !port.contains(']') => {
                let port: u16 = port.parse().map_err(|_| format!("`{port}` is no port"))?;
                (hosts, Some(port))
            }
            _ => (text, None),
        };
        Ok(Self { hosts: self::hosts(hosts)?, port })
    }
}

fn hosts(text: &str) -> Result<Hosts, String> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let address = address.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(address);
    let Ok(base) = address.parse::<IpAddr>() else {
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if prefix.is_some() || address.is_empty() || !address.chars().all(is_name) {
            return Err("it is neither a network, such as 10.0.0.0/8, nor a name".to_owned());
        }
        let name = plain(address);
        let is_end = name.starts_with('.');
        return Ok(if is_end { Hosts::Below(name) } else { Hosts::Name(name) });
    };
    let most = Net::bits(base).1;
    let prefix = prefix.map_or(Ok(most), |text| {
        let prefix = text.parse::<u8>().ok().filter(|prefix| *prefix <= most);
        prefix.ok_or_else(|| format!("`{text}` is no number from 0 to {most}"))
    })?;
    let net = Net { base, prefix };
    if Net::bits(base).0 & net.free() != 0 {
        return Err(format!("the address has more than {prefix} bits"));
    }
    Ok(Hosts::Net(net))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(allow: &[&str], deny: &[&str]) -> Rules {
        let parse = |texts: &[&str]| {
            texts.iter().map(|text| text.parse().expect(text)).collect::<Vec<Rule>>()
        };
        Rules { allow: parse(allow), deny: parse(deny) }
    }

    fn allows(rules: &Rules, name: Option<&str>, address: &str) -> bool {
        rules.allows(name, address.parse().expect(address), 80)
    }

    #[test]
    fn addresses_of_this_machine_and_its_link_are_refused_in_each_spelling() {
        for address in [
            "127.0.0.1",
            "127.8.9.1",
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "::1",
            "::",
            "fe80::1",
            "::ffff:127.0.0.1",
            "::ffff:0.0.0.0",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::7f00:1",
            "2002:7f00:1::1",
            "::127.0.0.1",
            "::ffff:0:7f00:1",
            "fd00:ec2::254",
            "100.100.100.200",
            "192.0.0.192",
        ] {
            for allow in
                [&[][..], &["0.0.0.0/0", "::/0"], &["localhost", ".example.org"], &["0.0.0.0/1"]]
            {
                let rules = rules(allow, &[]);
                for name in [None, Some("localhost"), Some("a.example.org")] {
                    assert!(!allows(&rules, name, address), "{address} {name:?} {allow:?}");
                }
            }
        }
        let rules = rules(&["127.0.0.0/8", "169.254.0.0/16", "::1"], &["127.0.0.2"]);
        for (address, is_allowed) in [
            ("127.0.0.1", true),
            ("::ffff:127.0.0.1", true),
            ("::1", true),
            ("169.254.1.1", true),
            ("127.0.0.2", false),
            ("::ffff:127.0.0.2", false),
            ("0.0.0.0", false),
            ("10.0.0.1", false),
        ] {
            assert_eq!(allows(&rules, Some("localhost"), address), is_allowed, "{address}");
        }
    }

    #[test]
    fn without_a_list_all_others_are_allowed_and_with_one_only_these() {
        assert!(allows(&rules(&[], &[]), None, "10.0.0.1"));
        let rules = rules(
            &["10.0.0.0/8", ".example.org:80", "2001:db8::/32"],
            &["10.1.0.0/16", "bad.example.org"],
        );
        for (name, address, is_allowed) in [
            (None, "10.2.0.1", true),
            (None, "10.1.0.1", false),
            (None, "11.0.0.1", false),
            (None, "2001:db8::9", true),
            (None, "2001:db9::9", false),
            (Some("WWW.Example.org."), "11.0.0.1", true),
            (Some("bad.example.org"), "10.2.0.1", false),
            (Some("example.org"), "11.0.0.1", false),
        ] {
            assert_eq!(allows(&rules, name, address), is_allowed, "{name:?} {address}");
        }
        assert!(!rules.allows(Some("www.example.org"), "11.0.0.1".parse().expect("it is"), 81));
        assert!(rules.denies_name("BAD.example.org", 1) && !rules.denies_name("example.org", 1));
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for text in [
            "",
            "10.0.0.0/33",
            "10.0.0.1/8",
            "two words",
            "name:x",
            "name:70000",
            "name/8",
            "::/129",
        ] {
            assert!(text.parse::<Rule>().is_err(), "{text}");
        }
        for text in ["::1", "[::1]:80", "[2001:db8::]/32:80", "10.0.0.0/8:80", "localhost:80"] {
            assert!(text.parse::<Rule>().is_ok(), "{text}");
        }
    }
}
