//! Declarations that are odd: numbers at their extremes, words that may be missing, names of locals.
#![allow(clippy::cast_possible_truncation)]

use std::fmt::Debug;

use fsm_runtime::prelude::*;

mod bounds;
mod ends;
mod inner;
mod lines;
mod names;
mod numbers;
mod tags;

/// A written frame is read as the same frame; a refused one leaves no byte.
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
