//! The parts of the rules F4 to F7 that the other tests do not show.

use fsm_runtime::prelude::*;

use crate::{Block, Blocks, BlocksError, Command, Commands, CommandsError};

#[test]
fn f4_items_are_lent_by_the_input() {
    let input = b"\xB1\x0C\x07\0\0\0\x03abc";
    let Ok(Decoded::Frame(Block { body, .. }, 10)) = Blocks::default().decode(input) else {
        panic!()
    };
    assert!(std::ptr::eq(body, &raw const input[7..]));
    let line = b"use tube\r\n";
    let decoded = Commands::default().decode(line);
    let Ok(Decoded::Frame(Command::Use { tube }, 10)) = decoded else { panic!() };
    assert!(std::ptr::eq(tube.as_bytes(), &raw const line[4..8]));
}

#[test]
fn f5_what_is_no_block_is_refused_by_its_first_wrong_byte() {
    let refused = |input: &[u8]| Blocks::default().decode(input).unwrap_err();
    assert_eq!(refused(b"G"), BlocksError::Magic);
    assert_eq!(refused(b"\xB1\x0D"), BlocksError::Magic);
    let too_long = BlocksError::TooLong { field: "body", len: 0x0010_0001, max: 0x0010_0000 };
    assert_eq!(refused(b"\xB1\x0C\x01\x00\x10\x00\x01"), too_long);
    assert_eq!(
        Blocks::default().decode(b"\xB1\x0C\x01\x00\x10\x00\x00"),
        Ok(Decoded::More(Blocks::MAX))
    );
}

#[test]
fn f5_each_refusal_of_a_line_names_its_field() {
    for (input, error) in [
        (&b"put 1\r\n"[..], CommandsError::Missing { field: "len" }),
        (b"put -1 1\r\n", CommandsError::Number { field: "priority" }),
        (b"put 01 1\r\n", CommandsError::Number { field: "priority" }),
        (b"put 4294967296 1\r\n", CommandsError::Number { field: "priority" }),
        (b"put 1 99999999999999999999\r\n", CommandsError::Number { field: "len" }),
        (b"put 1 65537\r\n", CommandsError::TooLong { field: "body", len: 65_537, max: 65_536 }),
        (b"put 1 2\r\nabc\r\n", CommandsError::End { field: "body" }),
        (b"use  a\r\n", CommandsError::Missing { field: "tube" }),
        (b"use \xFF\r\n", CommandsError::Utf8 { field: "tube" }),
        (b"reserve now\r\n", CommandsError::Surplus { field: "Reserve" }),
        (&[b'x'; 226], CommandsError::TooLong { field: "line", len: 226, max: 224 }),
    ] {
        assert_eq!(Commands::default().decode(input), Err(error), "{}", input.escape_ascii());
    }
}

#[frame(Sums)]
#[derive(Debug, PartialEq)]
struct Sum<'a> {
    sent: u64,
    #[bytes(sent * 4 - 8 <= 100)]
    bytes: &'a [u8],
}

#[frame(Signs)]
#[derive(Debug, PartialEq)]
struct Signed<'a> {
    len: i16,
    #[bytes(len + 1 <= 100)]
    bytes: &'a [u8],
}

#[test]
fn f6_lengths_do_not_wrap() {
    let sum = |sent: u64| {
        let more = Sums::default().decode(&sent.to_be_bytes()).map(|_| ());
        more.map_err(|error| error.to_string())
    };
    assert_eq!(sum(2), Ok(()));
    let too_short = Err("its length leaves no room for `bytes`".to_owned());
    assert_eq!(sum(1), too_short);
    assert_eq!(sum(u64::MAX), too_short);
    assert_eq!(sum(28), Err("the length of `bytes` is 104, and may be at most 100".to_owned()));

    let signed = |len: i16| Signs::default().decode(&len.to_be_bytes()).map(|_| ());
    let short = Err(SignsError::Short { field: "bytes" });
    assert_eq!(signed(-1), short);
    assert_eq!(signed(i16::MIN), short);
    assert_eq!(signed(99), Ok(()));
    let too_long = SignsError::TooLong { field: "bytes", len: 32_768, max: 100 };
    assert_eq!(signed(i16::MAX), Err(too_long));
}

#[test]
fn f7_the_layout_is_data() {
    let layout = Commands::LAYOUT.unwrap();
    assert_eq!((layout.name, layout.max, layout.tag), ("Command", Commands::MAX, Some("word")));
    let put = &layout.cases[0];
    assert_eq!((put.name, put.tags), ("Put", &[&b"put"[..]][..]));
    let fields: Vec<String> = put.fields.iter().map(ToString::to_string).collect();
    assert_eq!(
        fields,
        ["priority: u32", "len: u32", "body: &[u8], bytes(len <= 64KiB, then = b\"\\r\\n\")"]
    );
    assert_eq!(put.fields[2].end, b"\r\n");
    let block = Blocks::LAYOUT.unwrap();
    assert_eq!(block.cases[0].fields[0].literal, b"\xB1\x0C");
}

#[frame(Paddeds)]
#[derive(Debug, PartialEq)]
struct Padded {
    #[varint(padded, max = 5)]
    number: u64,
}

#[test]
fn f1_a_varint_may_be_padded_if_it_says_so() {
    let decoded = |input: &[u8]| Paddeds::default().decode(input);
    for input in [&b"\x01"[..], b"\x81\0", b"\x81\x80\x80\x80\0"] {
        assert_eq!(decoded(input), Ok(Decoded::Frame(Padded { number: 1 }, input.len())));
    }
    let wrong = Err(PaddedsError::Number { field: "number" });
    assert_eq!(decoded(b"\x81\x80\x80\x80\x80\0"), wrong);
    let mut out = Vec::new();
    Padded { number: 300 }.encode(&mut out).unwrap();
    assert_eq!(out, b"\xAC\x02");
    fsm_runtime::check::frames::<Paddeds>();
}
