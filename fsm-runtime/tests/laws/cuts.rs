//! Cuts in the input make no difference (L7).

use super::*;

#[test]
fn l7_cuts_make_no_difference() {
    check::splits::<Filing, _>(
        || FilingHandler,
        b"doc3\nabcx0\nlong9\n123456789chat\nhello world, this is it.",
    );
    check::splits::<Filing, _>(|| FilingHandler, b"doc3\na!c");
    check::splits::<Filing, _>(|| FilingHandler, b"a line without an end is cut off at its limit");
    check::splits::<Filing, _>(|| FilingHandler, b"z\n and a length over the maximum");
    check::splits::<Filing, _>(|| FilingHandler, b"");
}

/// A decoder that returns all available bytes as a frame, which the law forbids.
#[derive(Default)]
pub(super) struct Greedy;

impl Frame for Greedy {
    type Item<'a> = &'a [u8];
    type Error = std::convert::Infallible;

    fn decode<'a>(&mut self, input: &'a [u8]) -> Result<Decoded<&'a [u8]>, Self::Error> {
        Ok(Decoded::Frame(input, input.len()))
    }
}

#[state_machine(start = Word, eof => Gone, refused => Gone)]
enum Words {
    #[read(frame = Greedy, max = 64, limit => Gone, idle = 1min => Gone)]
    #[to(Word)]
    #[rest]
    Word,
    #[end]
    Gone,
}

struct Reader;

impl words::Handler for Reader {
    fn word(&mut self, _word: &[u8], _cx: &mut Cx<'_>) -> words::AfterWord {
        words::AfterWord::Word
    }
}

#[test]
#[should_panic(expected = "makes a difference")]
fn l7_a_decoder_that_depends_on_cuts_is_found() {
    check::splits::<Words, _>(|| Reader, b"abcdef");
}

/// Asserts that its input is a digit.
#[state_machine(start = Digit, eof => Left)]
enum Digits {
    #[read(exact = 1, idle = 10s => Left)]
    #[to(Digit)]
    Digit,
    #[end]
    Left,
}

struct DigitsHandler;

impl digits::Handler for DigitsHandler {
    fn digit(&mut self, digit: &[u8; 1], _: &mut Cx<'_>) -> digits::AfterDigit {
        assert!(digit[0].is_ascii_digit(), "no digit: {digit:?}");
        digits::AfterDigit::Digit
    }
}

#[test]
#[should_panic(expected = "no digit: [97]")]
fn the_check_of_cuts_panics_with_the_panic_of_a_handler() {
    check::splits::<Digits, _>(|| DigitsHandler, b"12a4");
}

/// Skips as many bytes as a digit says, then the rest of the line.
#[state_machine(start = Count, eof => Left, within = 10s => Left)]
enum Skip {
    #[read(exact = 1)]
    #[to(Bytes)]
    Count,
    #[discard(exact = n)]
    #[to(Rest)]
    Bytes { n: u64 },
    #[discard(until = b"\r\n")]
    #[to(Count)]
    Rest,
    #[end]
    Left,
}

struct Skipper;

impl skip::Handler for Skipper {
    fn count(&mut self, digit: &[u8; 1], _: &mut Cx<'_>) -> skip::AfterCount {
        skip::AfterCount::Bytes { n: u64::from(digit[0] - b'0') }
    }

    fn rest(&mut self, cx: &mut Cx<'_>) -> skip::AfterRest {
        cx.write(b".");
        skip::AfterRest::Count
    }
}

#[test]
fn l7_what_is_thrown_away_counts_in_each_piece() {
    let input = b"5\r\n\r\n\r\r\n0\n\r\n9123456789abc\r\n";
    let mut peer = Session::<Skip, _>::new(Skipper);
    for byte in input {
        peer.send(&[*byte]);
    }
    assert_eq!(peer.receive(), b"...");
    check::splits::<Skip, _>(|| Skipper, input);
}
