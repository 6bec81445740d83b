//! Lines with two ends, and digits without one.

use fsm_runtime::check::frames;
use fsm_runtime::prelude::*;

use super::{mutated, round};

#[frame(Longs, line = b"\r\n" | b"\n", max = 6)]
#[derive(Debug, PartialEq)]
enum Long<'a> {
    #[is("a")]
    Word { word: &'a [u8], text: Option<&'a [u8]> },
    #[is("aa")]
    Number { number: u8 },
    #[other]
    Other {
        #[rest]
        line: &'a [u8],
    },
}

#[frame(Bodies, line = b"\r\n" | b"\n", max = 6)]
#[derive(Debug, PartialEq)]
struct Body<'a> {
    len: u8,
    #[bytes(len <= 4, then = b";")]
    body: &'a [u8],
}

#[frame(Opens)]
#[derive(Debug, PartialEq)]
struct Open<'a> {
    #[decimal]
    number: i16,
    #[until(b"\n", max = 6)]
    text: &'a [u8],
    #[hex]
    hex: u16,
    #[is(b'-')]
    dash: u8,
    #[decimal]
    len: u8,
    #[is(b"\r\n")]
    line_end: [u8; 2],
    #[bytes(len <= 4)]
    body: &'a [u8],
}

/// Nothing but a digit and the byte behind it.
#[frame(Dots)]
#[derive(Debug, PartialEq)]
struct Dot {
    #[decimal]
    number: i8,
    #[is(b'.')]
    dot: u8,
}

#[frame(Bounds, max = 3)]
#[derive(Debug, PartialEq)]
struct Bound<'a> {
    #[hex]
    number: u8,
    #[until(b"\n", max = 9)]
    text: &'a [u8],
}

#[frame(Nests)]
#[derive(Debug, PartialEq)]
struct Nest<'a> {
    first: Dot,
    count: u8,
    #[times(count <= 3)]
    dots: Times<'a, Dots>,
}

/// All texts of these letters up to that length.
fn texts(letters: &[u8], longest: u32) -> impl Iterator<Item = &'static [u8]> {
    (0..=longest).flat_map(move |len| {
        (0..letters.len().pow(len)).map(move |number| {
            let digits = (0..len).map(|at| number / letters.len().pow(at) % letters.len());
            &*Vec::leak(digits.map(|digit| letters[digit]).collect())
        })
    })
}

/// The line in `input`, by its definition.
fn line(input: &[u8], max: usize) -> Option<(&[u8], usize)> {
    let end = input.iter().position(|byte| *byte == b'\n')?;
    let line = input[..end].strip_suffix(b"\r").unwrap_or(&input[..end]);
    (line.len() <= max).then_some((line, end + 1))
}

#[test]
fn f1_a_line_may_have_either_of_two_ends() {
    frames::<Longs>();
    frames::<Bodies>();
    assert_eq!(Longs::MAX, 8);
    let layout = Longs::LAYOUT.unwrap();
    assert_eq!(layout.line_ends, [&b"\r\n"[..], b"\n"]);
    assert_eq!(layout.cases[0].fields[1].end, b"\n");
    for input in texts(b"ab\r\n", 6).filter(|input| !input.starts_with(b"a")) {
        let decoded = Longs::default().decode(input);
        match line(input, 6) {
            Some((line, used)) => {
                assert_eq!(decoded, Ok(Decoded::Frame(Long::Other { line }, used)));
            }
            None => assert!(matches!(decoded, Ok(Decoded::More(_))), "{decoded:?}"),
        }
    }
    for text in texts(b"a \r\n", 4).filter(|text| !text.is_empty()) {
        let is_word = !text.contains(&b' ') && !text.contains(&b'\n');
        let long = round::<Longs>(Long::Word { word: text, text: None });
        assert_eq!(long.is_ok(), is_word);
    }
    // Of several CRs one belongs to the end.
    let text = Long::Other { line: b"b\r" };
    assert_eq!(Longs::default().decode(b"b\r\r\n"), Ok(Decoded::Frame(text, 4)));
    assert_eq!(round::<Longs>(Long::Number { number: 7 }), Ok(b"aa 7\r\n".to_vec()));
    mutated::<Longs>(b"a b c\n");
    mutated::<Longs>(b"a b c\r\n");
    mutated::<Bodies>(b"3\nabc;");
}

#[test]
fn f2_a_line_with_two_ends_has_the_bound_without_them() {
    for (input, fits) in [
        (&b"bbbbbb\n"[..], true),
        (b"bbbbbb\r\n", true),
        (b"bbbbb\r\r\n", true),
        (b"bbbbbbb\n", false),
        (b"bbbbbbb\r\n", false),
        (b"bbbbbb\rb", false),
    ] {
        let decoded = Longs::default().decode(input);
        assert_eq!(matches!(decoded, Ok(Decoded::Frame(..))), fits, "{input:?}");
        assert_eq!(matches!(decoded, Err(LongsError::TooLong { max: 6, .. })), !fits, "{input:?}");
    }
    assert_eq!(Longs::default().decode(b"bbbbbb\r"), Ok(Decoded::More(8)));
}

#[test]
fn f1_digits_end_at_the_first_byte_that_is_none() {
    frames::<Opens>();
    mutated::<Opens>(b"-12ab\nfF-3\r\nabc");
    let open = |number, text| Open { number, text, hex: 0xAB, body: b"abc" };
    for text in texts(b"0-a\n", 4) {
        for number in [0, 7, -1, i16::MIN, i16::MAX] {
            let round = round::<Opens>(open(number, text));
            if text.starts_with(b"0") {
                assert_eq!(round, Err(OpensError::Disagrees { field: "text" }));
            } else {
                assert_eq!(round.is_ok(), !text.contains(&b'\n'));
            }
        }
    }
    assert_eq!(round::<Opens>(open(-5, b" x")), Ok(b"-5 x\nab-3\r\nabc".to_vec()));
}

#[test]
fn f2_digits_without_an_end_ask_for_no_more_than_there_may_be() {
    frames::<Dots>();
    frames::<Bounds>();
    frames::<Nests>();
    assert_eq!((Dots::MAX, Dots::default().decode(b"-128")), (5, Ok(Decoded::More(5))));
    assert_eq!(Dots::default().decode(b"0"), Ok(Decoded::More(2)));
    assert_eq!(Bounds::default().decode(b"aa"), Ok(Decoded::More(3)));
    let whole = Ok(Decoded::Frame(Bound { number: 0xAA, text: b"" }, 3));
    assert_eq!(Bounds::default().decode(b"aa\n"), whole);
}

#[test]
fn f5_digits_that_are_no_number_are_refused_at_the_first_wrong_byte() {
    for (input, field) in [
        (&b"x"[..], "number"),
        (b"00", "number"),
        (b"32768x", "number"),
        (b"--", "number"),
        (b"1\n-", "hex"),
        (b"1\n12345", "hex"),
        (b"1\nf-\r", "len"),
        (b"1\nf-256\r", "len"),
    ] {
        let refused = Opens::default().decode(input);
        assert_eq!(refused, Err(OpensError::Number { field }), "{}", input.escape_ascii());
        let before = Opens::default().decode(&input[..input.len() - 1]);
        assert!(matches!(before, Ok(Decoded::More(_))), "{}", input.escape_ascii());
    }
}
