//! Version 2 of the PROXY protocol.

use fsm_runtime::prelude::*;

use super::{Recorded, are_read, are_written, is_refused};

#[frame(Headers)]
#[derive(Debug, PartialEq)]
pub struct Header<'a> {
    #[is(b"\r\n\r\n\0\r\nQUIT\n")]
    signature: [u8; 12],
    command: Command,
    family: u8,
    len: u16,
    #[part(len <= 2KiB)]
    #[tag(family)]
    ends: Ends,
    #[rest]
    values: Times<'a, Values>,
}

#[frame(Commands, tag = u8)]
#[derive(Debug, PartialEq)]
pub enum Command {
    #[is(0x20)]
    Local,
    #[is(0x21)]
    Proxy,
}

#[frame(BothEnds, tag = u8)]
#[derive(Debug, PartialEq)]
pub enum Ends {
    #[is(0x00)]
    Unknown,
    #[is(0x11)]
    V4 { source: [u8; 4], target: [u8; 4], source_port: u16, target_port: u16 },
    #[is(0x21)]
    V6 { source: [u8; 16], target: [u8; 16], source_port: u16, target_port: u16 },
    #[is(0x31)]
    Unix { source: [u8; 108], target: [u8; 108] },
}

#[frame(Values)]
#[derive(Debug, PartialEq)]
pub struct Value<'a> {
    kind: u8,
    len: u16,
    #[bytes(len <= 2KiB)]
    value: &'a [u8],
}

// HAProxy 2.6.12: `server s 127.0.0.1:42277 send-proxy-v2`
pub(crate) const V4: &[u8] =
    b"\r\n\r\n\0\r\nQUIT\n!\x11\0\x0C\x7F\0\0\x01\x7F\0\0\x01\xA1\x12\xA6\x9F";
// HAProxy 2.6.12: the same, with `bind [::1]:46261`
pub(crate) const V6: &[u8] = b"\r\n\r\n\0\r\nQUIT\n!!\0$\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\
    \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\xE4\xDA\xB4\xB5";
// HAProxy 2.6.12: `unique-id-format %{+X}o\ %ci:%cp` and
// `server s 127.0.0.1:34589 send-proxy-v2 proxy-v2-options crc32c,unique-id`
pub(crate) const VALUES: &[u8] =
    b"\r\n\r\n\0\r\nQUIT\n!\x11\0#\x7F\0\0\x01\x7F\0\0\x01\xC7\xDE\xB4\xB5\
    \x03\0\x04\x10\xC2\x08\xF9\x05\0\r7F000001:C7DE";
// HAProxy 2.6.12: the health check of `server s 127.0.0.1:42277 send-proxy-v2 check`
pub(crate) const LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n \0\0\0";

fn headers() -> Vec<Recorded<Headers>> {
    let v4 = |source_port, target_port| Ends::V4 {
        source: [127, 0, 0, 1],
        target: [127, 0, 0, 1],
        source_port,
        target_port,
    };
    let one = 1_u128.to_be_bytes();
    let v6 = Ends::V6 { source: one, target: one, source_port: 58586, target_port: 46261 };
    let proxy = |ends, values| {
        let values = Times::encoded(values).unwrap();
        vec![Header { command: Command::Proxy, ends, values }]
    };
    let local = Header { command: Command::Local, ends: Ends::Unknown, values: Times::default() };
    vec![
        (V4, proxy(v4(41234, 42655), b"")),
        (V6, proxy(v6, b"")),
        (VALUES, proxy(v4(51166, 46261), &VALUES[28..])),
        (LOCAL, vec![local]),
    ]
}

#[test]
fn f3_headers_of_haproxy_are_the_same_however_they_are_cut() {
    are_read::<Headers>(&headers());
    let values = headers().remove(2).1.remove(0).values;
    assert!(values.iter().eq([
        Value { kind: 3, value: b"\x10\xC2\x08\xF9" },
        Value { kind: 5, value: b"7F000001:C7DE" }
    ]));
}

#[test]
fn f1_headers_of_haproxy_are_written_as_they_were_sent() {
    are_written::<Headers>(&headers());
}

#[test]
fn f3_what_is_no_proxy_header_is_refused() {
    is_refused::<Headers>(b"GET / HTTP/1.1\r\n\r\n", HeadersError::Signature);
    is_refused::<Headers>(b"\r\n\r\n\0\r\nQUIT\r\n", HeadersError::Signature);
    is_refused::<Headers>(
        b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\0",
        HeadersError::Command(CommandsError::Tag),
    );
    // The addresses do not fit, and neither does a value.
    is_refused::<Headers>(
        b"\r\n\r\n\0\r\nQUIT\n!\x11\0\x02\x7F\0",
        HeadersError::Short { field: "ends" },
    );
    is_refused::<Headers>(
        b"\r\n\r\n\0\r\nQUIT\n \0\0\x04\x03\0\x02a",
        HeadersError::Short { field: "values" },
    );
}
