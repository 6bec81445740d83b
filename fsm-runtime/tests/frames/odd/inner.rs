//! Delimiters that overlap, and frames in frames.

use fsm_runtime::check::frames;
use fsm_runtime::prelude::*;

use super::round;

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
