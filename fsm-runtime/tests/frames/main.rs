//! Frames that are declared.
#![allow(clippy::unwrap_used, missing_docs)]

mod protocols;
mod written;

use fsm_runtime::prelude::*;

#[frame(Blocks)]
#[derive(Debug, PartialEq, Clone, Copy)]
pub struct Block<'a> {
    #[is(0xB10C)]
    magic: u16,
    pub kind: u8,
    len: u32,
    #[bytes(len <= 1MiB)]
    pub body: &'a [u8],
}

#[frame(Commands, line = b"\r\n", max = 224)]
#[derive(Debug, PartialEq, Clone, Copy)]
pub enum Command<'a> {
    #[is("put")]
    Put {
        priority: u32,
        len: u32,
        #[bytes(len <= 64KiB, then = b"\r\n")]
        body: &'a [u8],
    },
    #[is("use")]
    Use { tube: &'a str },
    #[is("get")]
    Get { keys: Words<'a> },
    #[is("set")]
    Set {
        ttl: Option<i32>,
        #[is("noreply")]
        noreply: bool,
    },
    #[is("reserve")]
    Reserve,
    #[other]
    Other {
        #[rest]
        line: &'a [u8],
    },
}

#[frame(Bulks)]
#[derive(Debug, PartialEq, Clone, Copy)]
pub struct Bulk<'a> {
    #[is(b'$')]
    kind: u8,
    #[decimal(then = b"\r\n")]
    len: u32,
    #[bytes(len <= 512KiB, then = b"\r\n")]
    bytes: &'a [u8],
}

#[frame(Requests)]
#[derive(Debug, PartialEq, Clone, Copy)]
pub struct Request<'a> {
    #[is(b'*')]
    kind: u8,
    #[decimal(then = b"\r\n")]
    count: u32,
    #[times(count <= 64)]
    arguments: Times<'a, Bulks>,
}

#[frame(Publishes)]
#[derive(Debug, PartialEq, Clone, Copy)]
pub struct Publish<'a> {
    head: u8,
    #[varint(max = 4)]
    len: u32,
    #[part(len <= 256KiB)]
    topic_len: u16,
    #[bytes(topic_len <= 65535)]
    topic: &'a str,
    #[when(head & 6 != 0)]
    id: Option<u16>,
    #[rest]
    payload: &'a [u8],
}

#[frame(Bodies, tag = u8)]
#[derive(Debug, PartialEq, Clone, Copy)]
pub enum Body<'a> {
    #[is(3)]
    Publish {
        topic_len: u16,
        #[bytes(topic_len <= 65535)]
        topic: &'a str,
        #[rest]
        rest: &'a [u8],
    },
    #[is(12)]
    Ping,
    #[other]
    Other {
        #[tag]
        kind: u8,
        #[rest]
        rest: &'a [u8],
    },
}

#[frame(Packets)]
#[derive(Debug, PartialEq, Clone, Copy)]
pub struct Packet<'a> {
    head: u8,
    #[varint(max = 4)]
    len: u32,
    #[part(len <= 256KiB)]
    #[tag(head >> 4)]
    body: Body<'a>,
}

#[frame(Addresses, tag = u8)]
#[derive(Debug, PartialEq, Clone, Copy)]
pub enum Address<'a> {
    #[is(1)]
    V4 { ip: [u8; 4] },
    #[is(3)]
    Name {
        len: u8,
        #[bytes(len <= 255)]
        name: &'a str,
    },
    #[is(4)]
    V6 { ip: [u8; 16] },
}

#[frame(SocksRequests)]
#[derive(Debug, PartialEq, Clone, Copy)]
pub struct SocksRequest<'a> {
    #[is(5)]
    version: u8,
    command: u8,
    #[is(0)]
    reserved: u8,
    address: Address<'a>,
    port: u16,
}

#[frame(Netstrings)]
#[derive(Debug, PartialEq, Clone, Copy)]
pub struct Netstring<'a> {
    #[decimal(then = b":")]
    len: u32,
    #[bytes(len <= 9999, then = b",")]
    text: &'a [u8],
}

#[frame(Startups)]
#[derive(Debug, PartialEq, Clone, Copy)]
pub struct Startup<'a> {
    a: u24,
    #[until(b"\0", max = 20)]
    user: &'a str,
    #[le]
    b: i16,
    #[until(b"\r\n", max = 20)]
    more: &'a [u8],
    #[hex(then = b";")]
    number: u64,
}

#[test]
fn f1_round() {
    let mut out = Vec::new();
    Block { kind: 7, body: b"abc" }.encode(&mut out).unwrap();
    assert_eq!(out, b"\xB1\x0C\x07\0\0\0\x03abc");
    assert_eq!(
        Blocks::default().decode(&out),
        Ok(Decoded::Frame(Block { kind: 7, body: b"abc" }, 10))
    );
    out.clear();
    let put = Command::Put { priority: 9, body: b"hello" };
    put.encode(&mut out).unwrap();
    assert_eq!(out, b"put 9 5\r\nhello\r\n");
    assert_eq!(put.encoded_len(), out.len());
    assert_eq!(Commands::default().decode(&out), Ok(Decoded::Frame(put, out.len())));
    for line in [
        &b"use a\r\n"[..],
        b"get a b\r\n",
        b"get\r\n",
        b"set\r\n",
        b"set -3\r\n",
        b"set 3 noreply\r\n",
        b"reserve\r\n",
        b"what else\r\n",
    ] {
        let Ok(Decoded::Frame(command, used)) = Commands::default().decode(line) else {
            panic!("{} {:?}", line.escape_ascii(), Commands::default().decode(line))
        };
        assert_eq!(used, line.len());
        out.clear();
        command.encode(&mut out).unwrap();
        assert_eq!(out, line);
    }
    let get = b"*2\r\n$3\r\nGET\r\n$4\r\n\r\n$1\r\n*1";
    let Ok(Decoded::Frame(request, 23)) = Requests::default().decode(get) else { panic!() };
    assert_eq!(
        request.arguments.iter().map(|it| it.bytes).collect::<Vec<_>>(),
        [&b"GET"[..], b"\r\n$1"]
    );
    out.clear();
    request.encode(&mut out).unwrap();
    assert_eq!(out, get[..23]);
    let publish = Publish { head: 0x32, topic: "a/b", id: Some(7), payload: b"hi" };
    out.clear();
    publish.encode(&mut out).unwrap();
    assert_eq!(out, b"\x32\x09\0\x03a/b\0\x07hi");
    assert_eq!(Publishes::default().decode(&out), Ok(Decoded::Frame(publish, 11)));
    let packet = Packet { head: 0x32, body: Body::Publish { topic: "a/b", rest: b"\0\x07hi" } };
    assert_eq!(Packets::default().decode(&out), Ok(Decoded::Frame(packet, 11)));
    out.clear();
    packet.encode(&mut out).unwrap();
    assert_eq!(out, b"\x32\x09\0\x03a/b\0\x07hi");
    let socks = SocksRequest { command: 1, address: Address::Name { name: "a.de" }, port: 80 };
    out.clear();
    socks.encode(&mut out).unwrap();
    assert_eq!(out, b"\x05\x01\0\x03\x04a.de\0\x50");
    assert_eq!(SocksRequests::default().decode(&out), Ok(Decoded::Frame(socks, 11)));
    out.clear();
    Netstring { text: b"hello" }.encode(&mut out).unwrap();
    assert_eq!(out, b"5:hello,");
    let startup = Startup { a: 0x010203, user: "me", b: -2, more: b"x", number: 0xBEEF };
    out.clear();
    startup.encode(&mut out).unwrap();
    assert_eq!(out, b"\x01\x02\x03me\0\xFE\xFFx\r\nbeef;");
    assert_eq!(Startups::default().decode(&out), Ok(Decoded::Frame(startup, 16)));
    assert_eq!(Packets::MAX, 1 + 4 + 256 * 1024);
    assert_eq!(Requests::MAX, 1 + 12 + 64 * Bulks::MAX);
    println!("{:#?}", Packets::LAYOUT);
}
