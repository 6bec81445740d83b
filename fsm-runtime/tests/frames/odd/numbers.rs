//! Numbers at their extremes.

use fsm_runtime::check::frames;
use fsm_runtime::prelude::*;

use super::{mutated, round};

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
