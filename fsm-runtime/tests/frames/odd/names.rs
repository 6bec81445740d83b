//! Fields of any name, kept or optional.

use fsm_runtime::check::frames;
use fsm_runtime::prelude::*;

use super::tags::{T8, Tag8};

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
