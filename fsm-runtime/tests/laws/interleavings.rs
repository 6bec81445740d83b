//! Messages and ticks between the bytes of the input make no difference (W3, L7).

use super::cuts::Greedy;
use super::waits::{Chat, Member};
use super::*;

const TICK: Duration = Duration::from_secs(20);

fn news() -> Vec<Arc<str>> {
    ["one", "two", "three"].map(Arc::from).to_vec()
}

#[test]
fn w3_messages_and_ticks_between_the_bytes_make_no_difference() {
    let input = b"a\n\nlonger line\nquit is no word\nhalf";
    check::interleavings::<Chat, _>(|| Member, input, &news(), TICK);
    check::interleavings::<Chat, _>(|| Member, b"a\nquit\nb\n", &news(), TICK);
    check::interleavings::<Chat, _>(|| Member, &[b'x'; 100], &news(), TICK);
    check::interleavings::<Chat, _>(|| Member, b"", &news(), TICK);
    check::interleavings::<Filing, _>(|| FilingHandler, b"doc3\nabcx0\nchat\nhi.", &[], TICK);
}

#[test]
fn w3_a_message_that_moves_the_machine_ends_the_comparison() {
    let messages = ["kick".into(), "lost".into()];
    check::interleavings::<Chat, _>(|| Member, b"ab\nc\n", &messages, TICK);
}

#[test]
fn l7_w3_cuts_of_what_is_discarded_make_no_difference() {
    check::splits::<Chat, _>(|| Member, &[&[b'x'; 80][..], b"\nafter\n"].concat());
}

/// A decoder that depends on cuts is found by the cuts that messages and ticks make.
#[state_machine(start = Word, message = u8, eof => Gone, refused => Gone)]
enum Torn {
    #[read(frame = Greedy, max = 64, limit => Gone, idle = 1min => Gone)]
    #[message]
    #[to(Word)]
    Word,
    #[end]
    Gone,
}

struct Reader;

impl torn::Handler for Reader {
    fn word(&mut self, _: &[u8], _: &mut Cx<'_, u8>) -> torn::AfterWord {
        torn::AfterWord::Word
    }

    fn word_message(&mut self, _: u8, _: &mut Cx<'_, u8>) -> torn::AfterWord {
        torn::AfterWord::Word
    }
}

#[test]
#[should_panic(expected = "cutting the input of `Torn` after byte 1 makes a difference")]
fn l7_w3_a_decoder_that_depends_on_what_comes_between_is_found() {
    check::interleavings::<Torn, _>(|| Reader, b"abcdef", &[1], Duration::ZERO);
}

/// Answers words, whose letters its handler collects.
#[state_machine(start = Letter, message = u8, eof => Gone)]
enum Letters {
    #[read(exact = 1, idle = 10min => Gone)]
    #[message]
    #[tick(20s)]
    #[to(Letter | Number)]
    Letter,
    #[read(exact = *len, max = 9, idle = 10min => Gone, limit => Gone)]
    #[message]
    #[to(Letter | Number)]
    Number { len: u8 },
    #[end]
    Gone,
}

/// A mistake of a handler.
#[derive(Clone, Copy, PartialEq)]
enum Mistake {
    /// A message clears the word.
    MessageClears,
    /// A tick clears the word.
    TickClears,
    /// A message changes the length that is read.
    MessageShortens,
    /// The answer to a message depends on the word.
    AnswersWord,
    /// The second message clears the word.
    SecondClears,
    /// No message is allowed.
    NoMessages,
    /// A message in a word is not allowed.
    NoMessageInWord,
    /// No letter is allowed.
    NoLetters,
}

struct Collector {
    mistake: Mistake,
    word: Vec<u8>,
    messages: usize,
}

impl letters::Handler for Collector {
    fn letter(&mut self, letter: &[u8; 1], cx: &mut Cx<'_, u8>) -> letters::AfterLetter {
        assert!(self.mistake != Mistake::NoLetters, "no letters");
        match letter[0] {
            b' ' => cx.write(&std::mem::take(&mut self.word)),
            len @ b'0'..=b'9' => return letters::AfterLetter::Number { len: len - b'0' },
            letter => self.word.push(letter),
        }
        letters::AfterLetter::Letter
    }

    fn letter_message(&mut self, _: u8, cx: &mut Cx<'_, u8>) -> letters::AfterLetter {
        self.messages += 1;
        match self.mistake {
            Mistake::MessageClears => self.word.clear(),
            Mistake::SecondClears if self.messages == 2 => self.word.clear(),
            Mistake::AnswersWord => cx.write(&self.word),
            Mistake::NoMessages => panic!("no messages"),
            Mistake::NoMessageInWord => assert!(self.word.is_empty(), "not in a word"),
            _ => {}
        }
        letters::AfterLetter::Letter
    }

    fn letter_tick(&mut self, _: &mut Cx<'_, u8>) -> letters::AfterLetter {
        if self.mistake == Mistake::TickClears {
            self.word.clear();
        }
        letters::AfterLetter::Letter
    }

    fn number(&mut self, _: &mut u8, _: &[u8], _: &mut Cx<'_, u8>) -> letters::AfterNumber {
        letters::AfterNumber::Letter
    }

    fn number_message(&mut self, len: &mut u8, _: u8, _: &mut Cx<'_, u8>) -> letters::AfterNumber {
        if self.mistake == Mistake::MessageShortens {
            *len -= 1;
        }
        letters::AfterNumber::Number
    }
}

/// Checks a handler with a mistake.
fn with(mistake: Mistake) {
    let make = || Collector { mistake, word: Vec::new(), messages: 0 };
    check::interleavings::<Letters, _>(make, b"ab c 3xyzd ", &[1, 2], TICK);
}

#[test]
#[should_panic(expected = "with message 1 after byte 1, `Letters` reads in another way than alone")]
fn w3_a_message_that_disturbs_what_is_read_is_found() {
    with(Mistake::MessageClears);
}

#[test]
#[should_panic(expected = "with a pause after byte 1, `Letters` reads in another way than alone")]
fn w3_a_tick_that_disturbs_what_is_read_is_found() {
    with(Mistake::TickClears);
}

#[test]
#[should_panic(expected = "with message 1 after byte 6, `Letters` reads in another way than alone")]
fn w3_a_message_that_changes_what_is_read_is_found() {
    with(Mistake::MessageShortens);
}

#[test]
#[should_panic(expected = "with message 1 after byte 0, message 2 after byte 1, `Letters` reads")]
fn w3_the_smallest_placement_is_shown() {
    with(Mistake::SecondClears);
}

#[test]
#[should_panic(
    expected = "with message 1 after byte 1, `Letters` answers message 1 in `Letter` with b\"a\" in place of b\"\""
)]
fn w3_an_answer_that_depends_on_what_was_read_is_found() {
    with(Mistake::AnswersWord);
}

#[test]
#[should_panic(expected = "no messages")]
fn the_check_of_interleavings_panics_with_the_panic_of_a_handler_of_messages() {
    with(Mistake::NoMessages);
}

#[test]
#[should_panic(expected = "no letters")]
fn the_check_of_interleavings_panics_with_the_panic_of_a_handler_of_input() {
    with(Mistake::NoLetters);
}

#[test]
#[should_panic(
    expected = "with message 1 after byte 1, a handler of `Letters` panics, and not with the same after the input: not in a word"
)]
fn a_panic_at_some_places_is_shown_with_its_place() {
    with(Mistake::NoMessageInWord);
}
