//! `fsm_runtime::proxy`: what of the PROXY protocol is read, refused and written.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use fsm_runtime::prelude::*;
use fsm_runtime::proxy::{Ends, Error, Header, Origin, Version};

use crate::protocols::proxy::{LOCAL, V4, V6, VALUES};

mod refused;

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// Decodes a whole header, and every beginning of it, alone and in pieces. None asks for more than there is,
/// or for no more than it has.
#[track_caller]
fn read(bytes: &[u8]) -> Origin<'_> {
    for end in 0..bytes.len() {
        match Header.decode(&bytes[..end]) {
            Ok(Decoded::More(total)) => {
                assert!((end + 1..=bytes.len()).contains(&total), "{total} of {end}");
            }
            other => panic!("{other:?} after {end} bytes of {}", bytes.escape_ascii()),
        }
    }
    let followed = [bytes, b"\r\nmore"].concat();
    let Ok(Decoded::Frame(_, used)) = Header.decode(&followed) else { panic!() };
    assert_eq!(used, bytes.len());
    match Header.decode(bytes) {
        Ok(Decoded::Frame(origin, used)) if used == bytes.len() => origin,
        other => panic!("{other:?}: {}", bytes.escape_ascii()),
    }
}

/// Writes a header, which is read as the same.
#[track_caller]
fn written(origin: &Origin<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    assert_eq!(origin.encode(&mut out), Ok(()), "{origin:?}");
    assert_eq!(out.len(), origin.encoded_len(), "{origin:?}");
    assert_eq!(read(&out), *origin);
    out
}

fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let len = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [SIGNATURE, &[command, family], &len, rest].concat()
}

#[test]
fn f3_the_lines_of_the_specification_are_read_however_they_are_cut() {
    let ends = |source, destination| Ends::Inet {
        source: address(source),
        destination: address(destination),
    };
    let most = "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535";
    for (line, len, ends) in [
        (
            "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
            56,
            ends("255.255.255.255:65535", "255.255.255.255:65535"),
        ),
        (
            "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff \
             ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
            104,
            ends(most, most),
        ),
        (
            "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n",
            47,
            ends("192.168.0.1:56324", "192.168.0.11:443"),
        ),
        ("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", 32, ends("0.0.0.0:0", "0.0.0.0:0")),
        ("PROXY TCP6 :: ::1 0 0\r\n", 23, ends("[::]:0", "[::1]:0")),
        (
            "PROXY TCP6 ::ffff:192.0.2.7 ::FFFF:C000:208 1 2\r\n",
            49,
            ends("[::ffff:c000:207]:1", "[::ffff:c000:208]:2"),
        ),
        ("PROXY UNKNOWN\r\n", 15, Ends::Unknown),
        (
            "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff \
             ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
            107,
            Ends::Unknown,
        ),
        ("PROXY UNKNOWN \r \n \r\r\n", 21, Ends::Unknown),
    ] {
        assert_eq!(line.len(), len, "{line}");
        let origin = read(line.as_bytes());
        assert_eq!((origin.version, origin.ends), (Version::V1, ends), "{line}");
    }
}

#[test]
fn f3_binary_headers_of_haproxy_are_read_however_they_are_cut() {
    let one = address("127.0.0.1:1");
    let ends = |source: u16, destination: u16| Ends::Inet {
        source: SocketAddr::new(one.ip(), source),
        destination: SocketAddr::new(one.ip(), destination),
    };
    assert_eq!(read(V4).ends, ends(0xA112, 0xA69F));
    assert_eq!(read(V4), Header::v2(address("127.0.0.1:41234"), address("127.0.0.1:42655")));
    assert_eq!(read(V6), Header::v2(address("[::1]:58586"), address("[::1]:46261")));
    assert_eq!(read(LOCAL), Header::local());
    let values = read(VALUES);
    assert_eq!(values.ends, ends(0xC7DE, 0xB4B5));
    assert_eq!(values.unique_id, Some(&b"7F000001:C7DE"[..]));
    assert_eq!((values.authority, values.alpn), (None, None));
}

#[test]
fn f1_headers_of_haproxy_are_written_as_they_were_sent() {
    for header in [V4, V6, LOCAL] {
        assert_eq!(written(&read(header)), header);
    }
    for line in ["PROXY TCP4 127.0.0.1 127.0.0.1 1 65535\r\n", "PROXY TCP6 ::1 ::2 1 2\r\n"] {
        assert_eq!(written(&read(line.as_bytes())), line.as_bytes());
    }
    assert_eq!(written(&Header::unknown(Version::V1)), b"PROXY UNKNOWN\r\n");
    assert_eq!(written(&Header::unknown(Version::V2)), v2(0x21, 0x00, b""));
}

#[test]
fn values_that_nobody_knows_are_skipped_and_those_without_a_client_ignored() {
    let ends: &[u8] = b"\x01\x02\x03\x04\x05\x06\x07\x08\0\x09\0\x0A";
    let values = b"\x04\0\x02\0\0\x02\0\x0Bexample.org\xEE\0\0\x01\0\x02h2\x04\0\0";
    let with = v2(0x21, 0x11, &[ends, values].concat());
    let origin = read(&with);
    assert_eq!((origin.authority, origin.alpn), (Some("example.org"), Some(&b"h2"[..])));
    assert_eq!(origin.source(), Some(address("1.2.3.4:9")));
    assert_eq!(origin.destination(), Some(address("5.6.7.8:10")));
    // Datagrams have the same addresses.
    assert_eq!(read(&v2(0x21, 0x12, ends)).source(), Some(address("1.2.3.4:9")));
    // `LOCAL` may have any family.
    for family in [0x00, 0x11, 0x31, 0xFF] {
        assert_eq!(read(&v2(0x20, family, b"\x02\xFF")), Header::local());
    }
    // The addresses of these are of no known length.
    for family in [0x00, 0x01, 0x10, 0x20, 0x30] {
        assert_eq!(read(&v2(0x21, family, b"\x02\xFF")), Header::unknown(Version::V2));
    }
}

#[test]
fn paths_of_unix_sockets_have_no_padding() {
    let path = [b'/'; 108];
    for (source, destination) in [(&b""[..], &b"/run/web.sock"[..]), (b"\0abstract", &path)] {
        let origin = Header::unix(source, destination);
        assert_eq!(written(&origin).len(), 16 + 216);
        assert_eq!(origin.source(), None);
    }
}

#[test]
fn f1_what_would_not_be_read_again_is_not_written() {
    let (v4, v6) = (address("1.2.3.4:5"), address("[::1]:5"));
    let mut full = Header::v2(v4, v6);
    assert_eq!(full.check(), Err(Error::Families));
    assert_eq!(Header::v1(v6, v4).check(), Err(Error::Families));
    full.ends = Ends::Inet { source: v4, destination: v4 };
    full.alpn = Some(&[b'a'; 505]);
    assert_eq!(written(&full).len(), Header::MAX);
    full.alpn = Some(&[b'a'; 506]);
    assert_eq!(full.check(), Err(Error::TooLong { len: 537 }));
    let long = vec![b'a'; 70_000];
    full.alpn = Some(&long);
    assert_eq!(full.check(), Err(Error::TooLong { len: 70_031 }));
    full.alpn = None;
    full.unique_id = Some(&[0; 129]);
    assert_eq!(full.check(), Err(Error::Value { kind: Some(5) }));
    for path in [&b"/run\0"[..], &[b'a'; 109]] {
        assert_eq!(Header::unix(path, b"").check(), Err(Error::Path));
    }
    let no_place = |origin: Origin<'_>| match origin.encode(&mut Vec::new()) {
        Err(error) => error.to_string(),
        Ok(()) => panic!("{origin:?}"),
    };
    let mut line = Header::v1(v4, v4);
    line.authority = Some("a");
    let mut unknown = Header::unknown(Version::V2);
    unknown.authority = Some("a");
    let mut local = Header::local();
    local.version = Version::V1;
    let mut unix = Header::unix(b"", b"");
    unix.version = Version::V1;
    for (origin, field) in [
        (line, "an authority, a protocol or an id"),
        (unknown, "an authority, a protocol or an id"),
        (local, "`LOCAL`"),
        (unix, "paths of Unix sockets"),
    ] {
        assert_eq!(no_place(origin), format!("such a header has no place for {field}"));
    }
}

/// A sequence of numbers (`SplitMix64`).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// Often with runs of zeros, which have a short form in IPv6.
    fn address(&mut self, is_v4: bool) -> SocketAddr {
        let mask = self.next() & self.next() & self.next();
        let port = u16::try_from(self.next() >> (48 + self.below(16))).unwrap();
        if is_v4 {
            let bits = u32::try_from((self.next() & mask) >> 32).unwrap();
            return SocketAddr::new(Ipv4Addr::from(bits).into(), port);
        }
        let high = u128::from(if self.below(2) == 0 { 0 } else { self.next() & mask });
        let low = self.next() & if self.below(3) == 0 { 0xFFFF_FFFF } else { u64::MAX };
        let mapped = if self.below(3) == 0 { 0xFFFF << 32 } else { 0 };
        let bits = (high << 64) | u128::from(low) | mapped;
        SocketAddr::new(Ipv6Addr::from(bits).into(), port)
    }

    fn bytes(&mut self, most: u64) -> Vec<u8> {
        (0..self.below(most + 1)).map(|_| self.next().to_be_bytes()[0]).collect()
    }
}

#[test]
fn f1_whatever_is_written_is_read_as_the_same() {
    let mut random = Random(1);
    for _ in 0..2_000 {
        let is_v4 = random.below(2) == 0;
        let (source, destination) = (random.address(is_v4), random.address(is_v4));
        written(&Header::v1(source, destination));
        let (alpn, id) = (random.bytes(90), random.bytes(128));
        let authority = random.bytes(60).escape_ascii().to_string();
        let mut paths = [random.bytes(108), random.bytes(108)];
        for path in &mut paths {
            path.truncate(path.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1));
        }
        let unix = random.below(5) == 0;
        let mut origin =
            if unix { Header::unix(&paths[0], &paths[1]) } else { Header::v2(source, destination) };
        origin.alpn = Some(&alpn[..]).filter(|_| !unix && random.below(2) == 0);
        origin.authority = Some(&authority[..]).filter(|_| !unix && random.below(2) == 0);
        origin.unique_id = Some(&id[..]).filter(|_| random.below(2) == 0);
        written(&origin);
    }
}

#[test]
fn f1_f2_f3_grown_headers_keep_the_rules() {
    fsm_runtime::check::frames::<Header>();
}

#[state_machine(start = Header, eof => Gone)]
enum Named {
    #[read(frame = Header, refused => Refused, within = 5s => Gone)]
    #[to(Line)]
    Header,
    #[read(until = b"\n", max = 64, limit => Gone, idle = 60s => Gone)]
    #[to(Line)]
    Line,
    #[run]
    #[to(Gone)]
    Refused {
        #[error]
        why: Error,
    },
    #[end]
    Gone,
}

struct Client(Option<SocketAddr>);

impl named::Handler for Client {
    fn header(&mut self, origin: Origin<'_>, _cx: &mut Cx<'_>) -> named::AfterHeader {
        self.0 = origin.source().or(self.0);
        named::AfterHeader::Line
    }

    fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> named::AfterLine {
        // Announces its client to the next server.
        let to = address("192.0.2.1:443");
        Header::v1(self.0.unwrap_or(to), to).encode(cx).expect("both are of IPv4");
        cx.write(line);
        cx.write(b"\n");
        named::AfterLine::Line
    }

    fn refused(&mut self, why: &mut Error, cx: &mut Cx<'_>) -> named::AfterRefused {
        writeln!(cx, "{why}");
        named::AfterRefused::Gone
    }
}

#[test]
fn f2_a_state_that_reads_a_header_needs_no_bound_and_hands_the_address_on() {
    let fsm_runtime::Wait::Read { max, .. } = Named::SPEC.states[0].waits[0] else { panic!() };
    assert_eq!(max, 536);
    let input = b"PROXY TCP4 192.0.2.7 192.0.2.1 9 443\r\nhello\n";
    fsm_runtime::check::splits::<Named, _>(|| Client(None), input);
    let mut peer = fsm_runtime::sim::Session::<Named, _>::new(Client(None));
    peer.send(input);
    assert_eq!(&peer.receive()[..], &input[..]);
    let mut peer = fsm_runtime::sim::Session::<Named, _>::new(Client(None));
    peer.send(b"GET / HTTP/1.1\r\n");
    assert_eq!(&peer.receive()[..], b"the connection does not begin with a PROXY header\n");
}
