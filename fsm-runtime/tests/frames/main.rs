//! Frames that are declared.
#![allow(clippy::unwrap_used, missing_docs)]

mod fuzz;
mod laws;
mod odd;
mod protocols;
mod proxy;
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
#[derive(Debug, PartialEq, Clone)]
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
fn f1_each_kind_of_field_is_encoded_and_decoded() {
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
    let sent = b"\x32\x09\0\x03a/b\0\x07hi";
    let packet = Packet { head: 0x32, body: Body::Publish { topic: "a/b", rest: b"\0\x07hi" } };
    assert_eq!(Packets::default().decode(sent), Ok(Decoded::Frame(packet, 11)));
    out.clear();
    packet.encode(&mut out).unwrap();
    assert_eq!(out, b"\x32\x09\0\x03a/b\0\x07hi");
    let startup = Startup { a: 0x0001_0203, user: "me", b: -2, more: b"x", number: 0xBEEF };
    out.clear();
    startup.encode(&mut out).unwrap();
    assert_eq!(out, b"\x01\x02\x03me\0\xFE\xFFx\r\nbeef;");
    assert_eq!(Startups::default().decode(&out), Ok(Decoded::Frame(startup, 16)));
    assert_eq!(Packets::MAX, 1 + 4 + 256 * 1024);
    assert_eq!(Requests::MAX, 1 + 12 + 64 * Bulks::MAX);
}

#[test]
fn f1_what_is_encoded_is_decoded_again() {
    fsm_runtime::check::frames::<Blocks>();
    fsm_runtime::check::frames::<Commands>();
    fsm_runtime::check::frames::<Bulks>();
    fsm_runtime::check::frames::<Requests>();
    fsm_runtime::check::frames::<Packets>();
    fsm_runtime::check::frames::<Startups>();
}

#[state_machine(start = Wait, eof => Gone)]
enum Mirror {
    #[read(frame = Blocks, refused => Gone, idle = 60s => Gone)]
    #[to(Wait)]
    Wait,
    #[end]
    Gone,
}

struct Client;

impl mirror::Handler for Client {
    fn wait(&mut self, block: Block<'_>, cx: &mut Cx<'_>) -> mirror::AfterWait {
        let block = Block { kind: block.kind + 1, ..block };
        block.encode(cx).expect("a body that was decoded is not too long");
        mirror::AfterWait::Wait
    }
}

#[test]
fn f2_a_state_takes_the_bound_of_its_frames() {
    let mut peer = fsm_runtime::sim::Session::<Mirror, _>::new(Client);
    peer.send(b"\xB1\x0C\x07\0\0\0\x03abc");
    assert_eq!(peer.receive(), b"\xB1\x0C\x08\0\0\0\x03abc");
    let state = &Mirror::SPEC.states[0];
    let fsm_runtime::Wait::Read { max, .. } = state.waits[0] else { panic!() };
    assert_eq!(max, Blocks::MAX);
    assert_eq!(state.layout, Blocks::LAYOUT);
    peer.send(b"G");
    assert_eq!(peer.state(), None);
}
#[frame(Trickles)]
struct Trickle<'a> {
    #[until(b"\r\n", max = 512KiB)]
    first: &'a [u8],
    inner: Inner<'a>,
    count: u8,
    #[times(count <= 9)]
    items: Times<'a, Inners>,
    #[until(b"\r\n", max = 512KiB)]
    last: &'a [u8],
}

#[frame(Inners)]
struct Inner<'a> {
    #[until(b"\n", max = 512KiB)]
    bytes: &'a [u8],
}

/// It takes minutes if a byte is searched more than once.
#[test]
fn f3_no_byte_is_searched_twice() {
    let mut bytes = vec![b'x'; 4 * (1 << 19) + 4 + 1 + 2];
    for (at, end) in [(1, &b"\r\n"[..]), (2, b"\n\x01"), (3, b"\n"), (4, b"\r\n")] {
        let at = (at * (1 << 19)) + [0, 2, 4, 5][at - 1];
        bytes[at..at + end.len()].copy_from_slice(end);
    }
    let mut decoder = Trickles::default();
    for end in 0..bytes.len() {
        let more = decoder.decode(&bytes[..end]).map_err(|error| error.to_string());
        assert!(matches!(more, Ok(Decoded::More(total)) if total > end), "{end}");
    }
    let Ok(Decoded::Frame(trickle, used)) = decoder.decode(&bytes) else { panic!() };
    assert_eq!(used, bytes.len());
    assert_eq!([trickle.first.len(), trickle.inner.bytes.len(), trickle.last.len()], [1 << 19; 3]);
    assert_eq!(trickle.items.iter().map(|item| item.bytes.len()).sum::<usize>(), 1 << 19);
}

const fn limit() -> u32 {
    5
}

#[frame(Limiteds)]
#[derive(Debug, PartialEq)]
struct Limited<'a> {
    len: u8,
    #[bytes(len <= limit() <= 9)]
    bytes: &'a [u8],
}

#[test]
fn f2_a_bound_may_be_computed_within_another_one() {
    let decoded = |input: &'static [u8]| Limiteds::default().decode(input);
    assert_eq!(decoded(b"\x05hello"), Ok(Decoded::Frame(Limited { bytes: b"hello" }, 6)));
    let too_long = LimitedsError::TooLong { field: "bytes", len: 6, max: 5 };
    assert_eq!(decoded(b"\x06"), Err(too_long.clone()));
    assert_eq!(Limited { bytes: b"hello!" }.encode(&mut Vec::new()), Err(too_long));
    assert_eq!(Limiteds::MAX, 10);
}

#[frame(Manies, max = 20)]
#[derive(Debug, PartialEq)]
struct Many<'a> {
    count: u32,
    #[times(count <= 4294967295)]
    items: Times<'a, Limiteds>,
}

#[test]
fn f2_a_whole_frame_may_have_a_bound_of_its_own() {
    assert_eq!(Manies::MAX, 20);
    let decoded = |input: &'static [u8]| Manies::default().decode(input);
    let too_long = |len| ManiesError::TooLong { field: "Many", len, max: 20 };
    // As many frames of one byte do not fit.
    assert_eq!(decoded(b"\0\0\0\x11"), Err(too_long(21)));
    assert_eq!(decoded(b"\0\0\0\x10"), Ok(Decoded::More(20)));
    assert_eq!(decoded(b"\0\0\0\x10\x01a"), Err(too_long(21)));
    let Ok(Decoded::Frame(many, 7)) = decoded(b"\0\0\0\x02\x01a\0") else { panic!() };
    assert_eq!(many.items.len(), 2);
    let bytes = b"\x05hello".repeat(3);
    let many = Many { items: Times::encoded(&bytes).unwrap() };
    assert_eq!(many.encode(&mut Vec::new()), Err(too_long(22)));
    fsm_runtime::check::frames::<Manies>();
}
