//! Values that an encoder refuses, because its decoder would refuse it or read another frame.

use std::fmt::Debug;

use fsm_runtime::prelude::*;

#[frame(Commands, line = b"\r\n", max = 64)]
#[derive(Debug, PartialEq)]
pub enum Command<'a> {
    #[is("two")]
    Two { text: Option<&'a str>, number: Option<u8> },
    #[is("flag")]
    Flag {
        text: Option<&'a str>,
        #[is("now")]
        now: bool,
    },
    #[is("next")]
    Next {
        #[is("now")]
        now: bool,
        #[is("then")]
        then: bool,
        text: Option<&'a str>,
    },
    #[is("words")]
    Words {
        #[is("now")]
        now: bool,
        words: Words<'a>,
    },
    #[is("rest")]
    Rest {
        text: Option<&'a str>,
        #[rest]
        rest: Option<&'a [u8]>,
    },
}

#[frame(Lines, line = b"\r\n", max = 64)]
#[derive(Debug, PartialEq)]
pub struct Line<'a> {
    text: Option<&'a str>,
    #[is("now")]
    now: bool,
}

#[frame(Rests, line = b"\r\n", max = 64)]
#[derive(Debug, PartialEq)]
pub struct Rest<'a> {
    #[rest]
    rest: Option<&'a [u8]>,
}

#[frame(Texts, tag = u16)]
#[derive(Debug, PartialEq)]
pub enum Text<'a> {
    #[is(0xFFFF)]
    Null,
    #[other]
    Text {
        #[tag]
        len: u16,
        #[bytes(len <= 32767)]
        text: &'a str,
    },
}

fn is_written<F>(frame: F::Item<'static>, expected: &'static [u8])
where
    F: Frame<Error: PartialEq + Debug>,
    F::Item<'static>: Encode<Error = F::Error> + PartialEq + Debug,
{
    let mut out = Vec::new();
    frame.encode(&mut out).unwrap();
    assert_eq!(out.escape_ascii().to_string(), expected.escape_ascii().to_string());
    assert_eq!(frame.encoded_len(), out.len());
    assert_eq!(F::default().decode(expected), Ok(Decoded::Frame(frame, expected.len())));
}

#[test]
fn f1_what_follows_a_word_that_is_missing_is_not_written_in_its_place() {
    let disagrees = |field| Err(CommandsError::Disagrees { field });
    assert_eq!(Command::Two { text: None, number: Some(3) }.check(), disagrees("number"));
    assert_eq!(Command::Flag { text: None, now: true }.check(), disagrees("now"));
    assert_eq!(Command::Rest { text: None, rest: Some(b"a") }.check(), disagrees("rest"));
    is_written::<Commands>(Command::Two { text: None, number: None }, b"two\r\n");
    is_written::<Commands>(Command::Two { text: Some("a"), number: Some(3) }, b"two a 3\r\n");
    is_written::<Commands>(Command::Flag { text: Some("now"), now: false }, b"flag now\r\n");
    is_written::<Commands>(Command::Flag { text: Some("now"), now: true }, b"flag now now\r\n");
    is_written::<Commands>(Command::Rest { text: Some("a"), rest: Some(b"") }, b"rest a \r\n");
}

#[test]
fn f1_behind_a_flag_that_is_not_set_its_word_is_not_written() {
    let now = Err(CommandsError::Disagrees { field: "now" });
    let then = Err(CommandsError::Disagrees { field: "then" });
    let next = |now, then, text| Command::Next { now, then, text };
    assert_eq!(next(false, false, Some("now")).check(), now);
    assert_eq!(next(false, false, Some("then")).check(), then);
    assert_eq!(next(true, false, Some("then")).check(), then);
    let words = |now, words| Command::Words { now, words: Words::new(words) };
    assert_eq!(words(false, b"now a").check(), now);
    is_written::<Commands>(next(false, true, Some("now")), b"next then now\r\n");
    is_written::<Commands>(next(true, false, Some("now")), b"next now now\r\n");
    is_written::<Commands>(words(true, b"now a"), b"words now now a\r\n");
    is_written::<Commands>(words(false, b"nowadays"), b"words nowadays\r\n");
}

#[test]
fn f1_a_line_without_words_is_not_written_where_it_has_one() {
    let missing = LinesError::Missing { field: "text" };
    assert_eq!(Line { text: None, now: false }.check(), Err(missing.clone()));
    assert_eq!(Lines::default().decode(b"\r\n"), Err(missing));
    assert_eq!(Rest { rest: None }.check(), Err(RestsError::Missing { field: "rest" }));
    is_written::<Rests>(Rest { rest: Some(b"") }, b"\r\n");
}

#[test]
fn f1_a_tag_can_be_a_length() {
    is_written::<Texts>(Text::Null, b"\xFF\xFF");
    is_written::<Texts>(Text::Text { len: 3, text: "abc" }, b"\0\x03abc");
    let disagrees = TextsError::Disagrees { field: "text" };
    assert_eq!(Text::Text { len: 2, text: "abc" }.check(), Err(disagrees));
}
