//! Bounds near the largest number, and what no length can say.

use fsm_runtime::check::frames;
use fsm_runtime::prelude::*;

use super::tags::T8;
use super::{mutated, round};

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
