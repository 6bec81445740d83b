use std::panic;

use proc_macro2::TokenStream;
use syn::{Data, DeriveInput};

use super::edits::edited;
use super::inputs;

/// The initial frames, as arguments and item.
const FRAMES: [(&str, &str); 9] = [
    (
        "Blocks",
        "pub struct Block<'a> { #[is(0xB10C)] magic: u16, pub kind: u8, len: u32,
         #[bytes(len <= 1MiB)] pub body: &'a [u8] }",
    ),
    (
        "Commands, line = b\"\\r\\n\", max = 224, ignore_case",
        "#[derive(Debug)] pub enum Command<'a> {
            #[is(\"put\")] Put { priority: u32, len: u32,
                #[bytes(len <= 64KiB, then = b\"\\r\\n\")] body: &'a [u8] },
            #[is(\"get\" | \"gets\")] Get { keys: Words<'a> },
            #[is(\"set\")] Set { #[hex] cas: u64, ttl: Option<i32>, #[is(\"noreply\")] noreply: bool },
            #[is(\"reserve\")] Reserve,
            #[other] Other { #[rest] line: &'a [u8] } }",
    ),
    (
        "Requests, crate = ::other",
        "struct Request<'a> { #[is(b'*')] kind: u8, #[decimal(then = b\"\\r\\n\")] count: u32,
         #[times(count <= 64)] arguments: Times<'a, self::Bulks> }",
    ),
    (
        "Publishes",
        "pub(crate) struct Publish<'a> { head: u8, #[varint(max = 4)] len: u32,
         #[part(len <= 256KiB, then = b\";\")] topic_len: u16, #[bytes(topic_len - 4 <= 65531)] topic: &'a str,
         #[when(head & 6 != 0)] id: Option<u16>, #[secret] #[rest] payload: &'a [u8] }",
    ),
    (
        "Bodies, le, tag = u24",
        "enum Body<'a> {
            #[is(3 | 4)] Publish { #[tag] kind: u24, len: u16, #[bytes(len <= LIMIT)] topic: &'a str,
                #[rest] rest: Times<'a, Blocks> },
            #[is(PING)] Ping,
            #[other] Other { #[tag] kind: u24, #[rest] rest: &'a [u8] } }",
    ),
    (
        "Packets",
        "struct Packet<'a> { head: u8, #[varint] len: u64, #[part(len <= 256KiB)] #[tag(head >> 4)] body: Body<'a>,
         #[be] crc: u24, more: Bulk<'a> }",
    ),
    (
        "Startups",
        "struct Startup<'a> { #[is(b\"PRI\")] magic: [u8; 3], salt: [u8; SALT], a: u24,
         #[until(b\"\\0\", max = 20)] user: &'a str, #[le] b: i16, #[until(b\"\\r\\n\", max = 20)] more: &'a [u8],
         #[hex(then = b\";\")] number: u64, #[decimal(then = b\",\")] signed: i8 }",
    ),
    ("Lines, line = b\"\\n\", max = 1KiB", "struct Line<'a> { #[is(\"go\")] go: &'a str, a: i64, b: &'a [u8] }"),
    ("Pings", "pub union Ping { a: u8, b: u24 }"),
];

/// Text that an edit of a frame may insert.
const FRAME_WORDS: [&str; 62] = [
    "is",
    "le",
    "be",
    "varint",
    "decimal",
    "hex",
    "bytes",
    "until",
    "rest",
    "part",
    "tag",
    "when",
    "times",
    "other",
    "secret",
    "then",
    "max",
    "line",
    "crate",
    "len",
    "head",
    "kind",
    "count",
    "body",
    "u8",
    "u16",
    "u24",
    "u64",
    "i32",
    "usize",
    "bool",
    "str",
    "Option<u8>",
    "Times<'a, Bulks>",
    "Words<'a>",
    "Block<'a>",
    "Vec<u8>",
    "&'a [u8]",
    "&[u8]",
    "[u8; 18446744073709551615]",
    "[u8; 0]",
    "#[rest]",
    "#[le]",
    "#[is(3)]",
    "#[cfg(x)]",
    "#[bytes(len <= 4)]",
    "len * 0",
    "64KiB",
    "0",
    "300",
    "-1",
    "18446744073709551615",
    "99999999999999999999",
    "4GiB",
    "b\"\"",
    "b\" \"",
    "\"get\"",
    "b'x'",
    "'x'",
    "<=",
    "'a",
    "struct",
];

#[test]
fn l10_whatever_is_typed_the_frame_stays() {
    for seed in 1..=inputs() {
        let (args, item) = edited(seed, &FRAMES, &FRAME_WORDS);
        let checked = panic::catch_unwind(|| check_frame(args.clone(), item.clone()));
        assert!(checked.is_ok(), "seed {seed}: #[frame({args})] {item}");
    }
}

fn check_frame(args: TokenStream, item: TokenStream) {
    let text = crate::frame::frame(args, item.clone()).to_string();
    let is_refused = text.contains("compile_error");
    let Ok(read) = syn::parse2::<DeriveInput>(item) else {
        // It is neither a struct nor an enum, or rustc has refused it as well.
        return;
    };
    // A type of that name would be replaced.
    if read.ident == "u24" {
        return;
    }
    // The item is still there, by its name.
    let kind = match read.data {
        Data::Struct(_) => "struct",
        Data::Enum(_) => "enum",
        Data::Union(_) => "union",
    };
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains(&format!("{kind} {}", read.ident)), "{text}");
    assert!(is_refused || text.contains("__Framed for"), "{text}");
}
