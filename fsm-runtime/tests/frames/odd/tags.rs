//! Tags of all widths, sent before or not, kept or not.

use fsm_runtime::check::frames;
use fsm_runtime::prelude::*;

use super::round;

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
pub(super) enum Tag8<'a> {
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
