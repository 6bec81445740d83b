//! Declarations that are odd: numbers at their extremes, words that may be missing, names of locals.
#![allow(clippy::cast_possible_truncation)]

use std::fmt::Debug;

use fsm_runtime::check::frames;
use fsm_runtime::prelude::*;

/// What is written is read as the same frame; what is not written leaves no byte.
fn round<F>(frame: F::Item<'static>) -> Result<Vec<u8>, F::Error>
where
    F: Frame<Error: PartialEq + Debug>,
    F::Item<'static>: Encode<Error = F::Error> + PartialEq + Debug,
{
    let mut out = Vec::new();
    if let Err(error) = frame.encode(&mut out) {
        assert!(out.is_empty());
        return Err(error);
    }
    assert_eq!(frame.encoded_len(), out.len(), "{frame:?}");
    let written = out.clone();
    out.extend(b"\r\nrest");
    let out: &'static [u8] = Vec::leak(out);
    assert_eq!(
        F::default().decode(out),
        Ok(Decoded::Frame(frame, written.len())),
        "{}",
        out.escape_ascii()
    );
    Ok(written)
}

#[frame(Doubles)]
#[derive(Debug, PartialEq)]
struct Double<'a> {
    n: u8,
    #[bytes(n * 2 <= 100)]
    body: &'a [u8],
}

#[test]
fn f1_a_length_that_no_field_can_say_is_not_written() {
    assert_eq!(
        round::<Doubles>(Double { body: b"a" }),
        Err(DoublesError::Disagrees { field: "body" })
    );
    assert_eq!(round::<Doubles>(Double { body: b"ab" }), Ok(b"\x01ab".to_vec()));
    frames::<Doubles>();
}

#[frame(WordLines, line = b"\r\n", max = 64)]
#[derive(Debug, PartialEq)]
struct WordLine<'a> {
    words: Words<'a>,
}

#[frame(FlagLines, line = b"\r\n", max = 64)]
#[derive(Debug, PartialEq)]
struct FlagLine<'a> {
    #[is("now")]
    now: bool,
    #[is("then")]
    then: bool,
    text: &'a str,
}
#[frame(FlagWords, line = b"\r\n", max = 64)]
#[derive(Debug, PartialEq)]
struct FlagWord<'a> {
    #[is("now")]
    now: bool,
    words: Words<'a>,
}
#[frame(FlagNums, line = b"\n", max = 64)]
#[derive(Debug, PartialEq)]
struct FlagNum {
    #[is("now")]
    now: bool,
    number: Option<i64>,
}

#[test]
fn f1_a_line_that_begins_with_what_may_be_missing() {
    assert_eq!(
        round::<WordLines>(WordLine { words: Words::new(b"") }),
        Err(WordLinesError::Missing { field: "words" })
    );
    round::<WordLines>(WordLine { words: Words::new(b"a") }).unwrap();
    frames::<WordLines>();
    frames::<FlagLines>();
    frames::<FlagWords>();
    frames::<FlagNums>();
    for now in [false, true] {
        for then in [false, true] {
            for text in ["a", "now", "then"] {
                let _ = round::<FlagLines>(FlagLine { now, then, text });
            }
        }
        for words in [&b""[..], b"a", b" ", b"now", b" now", b"now a"] {
            let _ = round::<FlagWords>(FlagWord { now, words: Words::new(words) });
        }
        for number in [None, Some(i64::MIN), Some(0), Some(i64::MAX)] {
            let _ = round::<FlagNums>(FlagNum { now, number });
        }
    }
    assert_eq!(
        round::<FlagLines>(FlagLine { now: false, then: false, text: "a" }),
        Ok(b"a\r\n".to_vec())
    );
}

#[frame(Others, line = b"\r\n", max = 64, ignore_case)]
#[derive(Debug, PartialEq)]
enum Other<'a> {
    #[is("put")]
    Put { text: &'a str },
    #[other]
    Other {
        #[is("now")]
        now: bool,
        first: Option<&'a str>,
    },
}

#[test]
fn f1_a_line_for_all_others_has_no_word_of_another_case() {
    frames::<Others>();
    for now in [false, true] {
        for first in [None, Some("put"), Some("PUT"), Some("x"), Some("now")] {
            let _ = round::<Others>(Other::Other { now, first });
        }
    }
}

#[frame(Le, le, tag = u16)]
#[derive(Debug, PartialEq)]
enum LeTag {
    #[is(1)]
    One { a: u24, b: i16 },
    #[is(0x0203 | 4)]
    Two {
        #[tag]
        tag: u16,
    },
    #[other]
    Other {
        #[tag]
        at: u16,
        #[is(0x8001)]
        input: u16,
        #[is(0x7f)]
        line: i8,
        #[be]
        #[is(0x0102)]
        words: u16,
    },
}
#[frame(T24, tag = u24)]
#[derive(Debug, PartialEq)]
enum Tag24 {
    #[is(1)]
    One,
    #[other]
    Other {
        #[tag]
        tag: u24,
    },
}
#[frame(Tag24s)]
#[derive(Debug, PartialEq)]
struct In24 {
    kind: u32,
    #[tag(kind)]
    body: Tag24,
}
#[frame(T32, tag = u32)]
#[derive(Debug, PartialEq)]
enum Tag32 {
    #[is(1)]
    One,
    #[other]
    Other {
        #[tag]
        tag: u32,
    },
}
#[frame(Tag32s)]
#[derive(Debug, PartialEq)]
struct In32 {
    kind: u24,
    #[tag(kind)]
    body: Tag32,
}
#[frame(T8, tag = u8)]
#[derive(Debug, PartialEq)]
enum Tag8<'a> {
    #[is(1)]
    One,
    #[is(2 | 3)]
    More {
        #[tag]
        tag: u8,
        #[until(b"\0", max = 9)]
        text: &'a str,
    },
    #[other]
    Other {
        #[tag]
        tag: u8,
    },
}
#[frame(Tag8s)]
#[derive(Debug, PartialEq)]
struct In8<'a> {
    #[varint(max = 1)]
    kind: u8,
    #[tag(kind)]
    body: Tag8<'a>,
}
#[frame(When8s)]
#[derive(Debug, PartialEq)]
struct When8<'a> {
    flags: u8,
    kind: u8,
    #[when(flags & 1 != 0)]
    #[tag(kind)]
    body: Option<Tag8<'a>>,
    #[when(flags & 2 != 0)]
    plain: Option<Tag8<'a>>,
    n: u8,
    #[when(flags & 4 != 0)]
    #[times(n <= 5)]
    items: Option<Times<'a, T8>>,
    #[when(flags & 8 != 0)]
    #[until(b"aab", max = 9)]
    until: Option<&'a [u8]>,
    #[hex(then = b";")]
    end: u64,
}
#[frame(U64Tag, tag = u64, le)]
#[derive(Debug, PartialEq)]
enum Tag64 {
    #[is(0xFFFF_FFFF_FFFF_FFFF)]
    Max {
        #[is(0x7FFF_FFFF_FFFF_FFFF)]
        #[be]
        a: i64,
    },
    #[is(3)]
    Three { value: u64 },
}

#[test]
fn f1_tags_fit_the_fields_that_have_them() {
    assert_eq!(round::<Le>(LeTag::One { a: 1, b: 2 }), Ok(b"\x01\0\x01\0\0\x02\0".to_vec()));
    frames::<Le>();
    frames::<T24>();
    frames::<Tag24s>();
    frames::<Tag32s>();
    frames::<Tag8s>();
    frames::<When8s>();
    frames::<U64Tag>();
    let _ = round::<T24>(Tag24::Other { tag: 1 << 24 | 5 });
    let _ = round::<Tag24s>(In24 { body: Tag24::Other { tag: 1 << 24 | 5 } });
    assert!(Tag24s::default().decode(b"\x01\0\0\x05").is_err());
    let _ = round::<Tag32s>(In32 { body: Tag32::Other { tag: 1 << 24 | 5 } });
    let _ = round::<Tag8s>(In8 { body: Tag8::Other { tag: 200 } });
    for flags in 0..16 {
        for present in 0..16 {
            let _ = round::<When8s>(When8 {
                flags,
                kind: 2,
                n: 1,
                body: (present & 1 != 0).then_some(Tag8::More { tag: 2, text: "x" }),
                plain: (present & 2 != 0).then_some(Tag8::Other { tag: 9 }),
                items: (present & 4 != 0).then(|| Times::encoded(b"\x01\x02a\0").unwrap()),
                until: (present & 8 != 0).then_some(b"aa"),
                end: u64::MAX,
            });
        }
    }
}

#[frame(Nums)]
#[derive(Debug, PartialEq)]
struct Num {
    #[decimal(then = b"\r\n")]
    a: u64,
    #[decimal(then = b"-")]
    b: i64,
    #[decimal(then = b" ")]
    c: i8,
    #[decimal(then = b";;")]
    d: u24,
    #[hex(then = b";")]
    e: u24,
    #[hex(then = b"\r\n")]
    f: u64,
    #[varint]
    g: u24,
    #[varint]
    h: u64,
    #[varint(max = 1)]
    i: u16,
    #[varint]
    j: u8,
    #[decimal(then = b":")]
    k: i16,
    #[hex(then = b":")]
    l: u8,
}
#[frame(LineNums, line = b"\n", max = 200)]
#[derive(Debug, PartialEq)]
struct LineNum {
    a: u64,
    b: i64,
    c: i8,
    d: u24,
    #[hex]
    e: u24,
    #[hex]
    f: u64,
    g: Option<u8>,
    #[hex]
    h: Option<u16>,
}

#[test]
fn f1_numbers_at_their_extremes() {
    frames::<Nums>();
    mutated::<LineNums>(b"12 -3 -128 16777215 ffffff ffff 3 1\n");
    mutated::<LineNums>(b"0 0 0 0 0 0\n");
    for a in
        [0, 1, 127, 128, 255, 256, u64::MAX, 9_999_999_999_999_999_999, 10_000_000_000_000_000_000]
    {
        for b in [0, -1, i64::MIN, i64::MAX] {
            for d in [0, 1, (1 << 24) - 1, 1 << 24, u32::MAX] {
                for c in [0, i8::MIN, i8::MAX] {
                    let num = Num {
                        a,
                        b,
                        c,
                        d,
                        e: d,
                        f: a,
                        g: d,
                        h: a,
                        i: a as u16,
                        j: a as u8,
                        k: b as i16,
                        l: a as u8,
                    };
                    let ok = round::<Nums>(num).is_ok();
                    assert_eq!(ok, d < 1 << 24 && a as u16 <= 127);
                    let g = (a > 3).then_some(a as u8);
                    let num = LineNum {
                        a,
                        b,
                        c,
                        d,
                        e: d,
                        f: a,
                        g,
                        h: g.filter(|_| a > 127).map(|_| a as u16),
                    };
                    assert_eq!(round::<LineNums>(num).is_ok(), d < 1 << 24);
                }
            }
        }
    }
}

#[frame(Shorts, max = 20)]
#[derive(Debug, PartialEq)]
struct Short<'a> {
    len: u8,
    #[part(len <= 255, then = b"\r\n")]
    #[rest]
    body: &'a [u8],
}
const BIG: usize = usize::MAX;
#[frame(Bigs, max = 1KiB)]
#[derive(Debug, PartialEq)]
struct Big<'a> {
    len: u64,
    #[bytes(len <= BIG, then = b"x")]
    body: &'a [u8],
    #[until(b"\0", max = BIG)]
    until: &'a str,
    many: u64,
    #[times(many <= BIG)]
    times: Times<'a, T8>,
}
#[frame(InParts)]
#[derive(Debug, PartialEq)]
struct InPart<'a> {
    size: i32,
    #[part(size - 4 <= 64, then = b"ab")]
    len: u64,
    #[bytes(len * 4 <= BIG, then = b"x")]
    body: &'a [u8],
    #[until(b"aab", max = BIG)]
    until: &'a [u8],
    many: u8,
    #[times(many <= 9)]
    times: Times<'a, T8>,
    #[rest]
    rest: Times<'a, T8>,
}
#[test]
fn f6_lengths_near_the_largest_number() {
    let body = &[7; 17][..];
    round::<Shorts>(Short { body }).unwrap();
    assert!(round::<Shorts>(Short { body: &[7; 18] }).is_err());
    assert!(Shorts::default().decode(b"\x12").is_err());
    assert_eq!(Shorts::default().decode(b"\x11"), Ok(Decoded::More(20)));
    mutated::<Bigs>(b"\0\0\0\0\0\0\0\x02abxtext\0\0\0\0\0\0\0\0\x02\x01\x02a\0");
    mutated::<InParts>(b"\0\0\0\x1d\0\0\0\0\0\0\0\x01bodyxaaaab\x02\x01\x02a\0\x01\x09ab");
    for len in
        [u64::MAX, u64::MAX - 1, u64::MAX / 4, u64::MAX / 4 + 1, 1 << 62, 1 << 63, i64::MAX as u64]
    {
        let mut bytes = len.to_be_bytes().to_vec();
        assert!(Bigs::default().decode(&bytes).is_err());
        bytes.extend(b"\0\0\0\x20");
        bytes.rotate_right(4);
        bytes.extend([0; 24]);
        bytes.extend(b"ab");
        let _ = InParts::default().decode(&bytes);
        bytes.resize(100, 0);
        let _ = InParts::default().decode(&bytes);
    }
    for size in [-1, 0, 3, i32::MIN, i32::MAX] {
        assert!(InParts::default().decode(&i32::to_be_bytes(size)).is_err());
    }
    let mut big = vec![0; 8];
    big.extend(b"x\0");
    for many in [u64::MAX, u64::MAX / 4] {
        let mut big = big.clone();
        big.extend(many.to_be_bytes());
        assert!(Bigs::default().decode(&big).is_err());
    }
}

#[frame(Braces)]
#[derive(Debug, PartialEq)]
struct Brace<'a> {
    #[is(b'{')]
    open: u8,
    #[is(b"{}")]
    both: [u8; 2],
    zero: [u8; 0],
    sized: [u8; SIZE],
    #[is(5)]
    r#type: u8,
    r#fn: u8,
    #[bytes(r#fn <= 9)]
    r#match: &'a str,
}
const SIZE: usize = 3;

#[frame(Names)]
#[derive(Debug, PartialEq)]
struct Name<'a> {
    input: u8,
    at: u16,
    words: u8,
    count: u8,
    len: u8,
    end: u8,
    value: u8,
    out: u8,
    error: u8,
    max: u8,
    total: u8,
    found: u8,
    number: u8,
    #[bytes(len <= 9)]
    bytes: &'a [u8],
    #[when(max & 1 != 0)]
    #[until(b"\0", max = 9)]
    text: Option<&'a str>,
    #[times(count <= 9)]
    frame: Times<'a, T8>,
    used: Tag8<'a>,
    #[part(end <= 200)]
    #[varint]
    part_end: u32,
    #[bytes(part_end <= 50)]
    outer: &'a str,
    #[when(value > 3)]
    #[varint]
    this: Option<u32>,
}

#[frame(Kept)]
#[derive(Debug, PartialEq)]
struct KeptPart<'a> {
    head: u8,
    total: u16,
    #[part(u64::from(total) + u64::from(head) <= 64)]
    #[varint]
    n: u32,
    #[when(n > 3)]
    x: Option<u8>,
    #[decimal(then = b" ")]
    m: i16,
    #[when(m > 3)]
    y: Option<u8>,
    #[rest]
    rest: &'a [u8],
}
#[frame(Optionals)]
#[derive(Debug, PartialEq)]
struct Optional<'a> {
    flags: u8,
    n: u8,
    #[when(flags & 1 != 0)]
    #[bytes(n + 4 <= 100)]
    body: Option<&'a [u8]>,
    m: i16,
    #[when(flags & 2 != 0)]
    #[bytes(m * 2 <= 100, then = b"|")]
    text: Option<&'a str>,
    #[when(flags & 4 != 0)]
    #[decimal(then = b":")]
    digits: Option<i64>,
    #[when(flags & 4 != 0)]
    #[varint]
    var: Option<u24>,
    #[when(flags & 4 != 0)]
    int: Option<u24>,
    #[when(flags & 4 != 0)]
    array: Option<[u8; 3]>,
    #[when(flags & 8 != 0)]
    inner: Option<KeptPart<'a>>,
    #[until(b"bb", max = 9)]
    last: &'a [u8],
}
#[test]
fn f1_fields_of_any_name_kept_or_optional() {
    frames::<Braces>();
    frames::<Names>();
    frames::<Kept>();
    frames::<Optionals>();
    assert_eq!(BracesError::Open { found: 3 }.to_string(), "`open` is 3, and not b'{'");
    assert_eq!(BracesError::Type { found: 3 }.to_string(), "`type` is 3, and not 5");
}

#[frame(Untils)]
#[derive(Debug, PartialEq)]
struct Until<'a> {
    #[until(b"aab", max = 5)]
    a: &'a [u8],
    #[until(b"aa", max = 5)]
    b: &'a [u8],
    #[until(b"abab", max = 5)]
    c: &'a [u8],
    #[until(b"\r\n", max = 0 + 5)]
    d: &'a str,
}
#[test]
fn f1_delimiters_that_overlap() {
    let all: Vec<&'static [u8]> = (0..=5_usize)
        .flat_map(|len| {
            (0..1_u32 << len).map(move |bits| {
                let bytes: Vec<u8> = (0..len).map(|i| b'a' + (bits >> i & 1) as u8).collect();
                &*Vec::leak(bytes)
            })
        })
        .collect();
    for text in &all {
        let one: &[u8] = b"b";
        let _ = round::<Untils>(Until { a: text, b: one, c: one, d: "" });
        let _ = round::<Untils>(Until { a: one, b: text, c: one, d: "\r" });
        let _ = round::<Untils>(Until { a: one, b: one, c: text, d: "\r" });
    }
    frames::<Untils>();
}

#[frame(OuterTexts)]
#[derive(Debug)]
struct OuterText<'a> {
    inner: InnerText<'a>,
    has: u8,
    #[when(has == 1)]
    second: Option<InnerText<'a>>,
    #[until(b"\n", max = 512KiB)]
    last: &'a [u8],
}
#[frame(InnerTexts)]
#[derive(Debug)]
struct InnerText<'a> {
    len: u32,
    #[bytes(len <= 1MiB)]
    text: &'a str,
    part: u32,
    #[part(part <= 1MiB)]
    #[until(b"\0", max = 1MiB)]
    until: &'a [u8],
}

/// It takes minutes if the text or the part of an inner frame is read at each call.
#[test]
fn f3_an_inner_frame_is_read_once() {
    let mut inner = Vec::new();
    let text = "\u{e9}".repeat(1 << 18);
    InnerText { text: &text, until: text.as_bytes() }.encode(&mut inner).unwrap();
    let mut bytes = inner.clone();
    bytes.push(1);
    bytes.extend(inner);
    bytes.extend(vec![b'x'; 1 << 18]);
    bytes.push(b'\n');
    let mut decoder = OuterTexts::default();
    for end in 0..bytes.len() {
        let more = decoder.decode(&bytes[..end]).map_err(|error| error.to_string());
        assert!(matches!(more, Ok(Decoded::More(total)) if total > end), "{end} {more:?}");
    }
    let Ok(Decoded::Frame(frame, used)) = decoder.decode(&bytes) else { panic!() };
    assert_eq!(used, bytes.len());
    assert_eq!(frame.second.unwrap().text, text);
}

/// Changed bytes give the same however they are cut, and what is read is written again.
fn mutated<F>(frame: &[u8])
where
    F: Frame<Error: PartialEq + Debug>,
    for<'a> F::Item<'a>: Encode<Error = F::Error> + PartialEq + Debug,
{
    assert!(
        matches!(F::default().decode(frame), Ok(Decoded::Frame(_, used)) if used == frame.len()),
        "{:?}",
        F::default().decode(frame)
    );
    let max = F::LAYOUT.unwrap().max;
    for at in 0..frame.len() {
        for byte in [0, 1, 2, 3, 9, 0x7f, 0x80, 0xff, b' ', b'a', b'b', b'-', b'0', b'\n'] {
            for kind in 0..3 {
                let mut bytes = frame.to_vec();
                match kind {
                    0 => bytes[at] = byte,
                    1 => bytes.insert(at, byte),
                    _ => {
                        bytes[at] = byte;
                        bytes.truncate(at + 1);
                    }
                }
                bytes.extend(b"more");
                let mut out = Vec::new();
                let whole = F::default().decode(&bytes);
                let mut decoder = F::default();
                let mut cut = decoder.decode(b"");
                for end in 1..=bytes.len() {
                    match cut {
                        Ok(Decoded::More(total)) => {
                            assert!(total >= end && total <= max, "{total} {end} {max}");
                            cut = decoder.decode(&bytes[..end]);
                        }
                        _ => break,
                    }
                }
                let too_long = format!("{cut:?}").contains("TooLong");
                assert!(
                    whole == cut || (too_long && whole.is_err()),
                    "{whole:?} {cut:?} {}",
                    bytes.escape_ascii()
                );
                if let Ok(Decoded::Frame(item, used)) = whole {
                    item.encode(&mut out).unwrap();
                    assert_eq!(out.len(), item.encoded_len());
                    let again = F::default().decode(&out);
                    assert_eq!(
                        again,
                        Ok(Decoded::Frame(item, out.len())),
                        "{}",
                        bytes[..used].escape_ascii()
                    );
                }
            }
        }
    }
}

#[frame(Taggeds, tag = u8, max = 6)]
#[derive(Debug, PartialEq)]
enum Tagged<'a> {
    #[is(1)]
    Counted {
        len: u8,
        #[bytes(len <= 9)]
        bytes: &'a [u8],
    },
    #[is(2)]
    Ended {
        #[until(b"\0", max = 9)]
        text: &'a str,
    },
}

#[frame(Outers)]
#[derive(Debug, PartialEq)]
struct Outer<'a> {
    last: u8,
    kind: u8,
    #[tag(kind)]
    inner: Tagged<'a>,
    #[when(last > 0)]
    again: Option<Tagged<'a>>,
    end: u8,
}

#[test]
fn f2_the_bound_of_a_whole_frame_counts_a_tag_that_was_sent_before() {
    let too_long = TaggedsError::TooLong { field: "Tagged", len: 7, max: 6 };
    assert_eq!(Outers::default().decode(b"\x01\x01\x05aaaaa"), Err(OutersError::Inner(too_long)));
    frames::<Taggeds>();
    frames::<Outers>();
}
