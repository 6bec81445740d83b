//! Lines with words that may be missing, and words that are those of other cases.

use fsm_runtime::check::frames;
use fsm_runtime::prelude::*;

use super::round;

#[frame(WordLines, line = b"\r\n", max = 64)]
#[derive(Debug, PartialEq)]
struct WordLine<'a> {
    words: Words<'a>,
}

#[frame(FlagLines, line = b"\r\n", max = 64)]
#[derive(Debug, PartialEq)]
struct FlagLine<'a> {
    #[is("now")]
    now: bool,
    #[is("then")]
    then: bool,
    text: &'a str,
}
#[frame(FlagWords, line = b"\r\n", max = 64)]
#[derive(Debug, PartialEq)]
struct FlagWord<'a> {
    #[is("now")]
    now: bool,
    words: Words<'a>,
}
#[frame(FlagNums, line = b"\n", max = 64)]
#[derive(Debug, PartialEq)]
struct FlagNum {
    #[is("now")]
    now: bool,
    number: Option<i64>,
}

#[test]
fn f1_a_line_that_begins_with_what_may_be_missing() {
    assert_eq!(
        round::<WordLines>(WordLine { words: Words::new(b"") }),
        Err(WordLinesError::Missing { field: "words" })
    );
    round::<WordLines>(WordLine { words: Words::new(b"a") }).unwrap();
    frames::<WordLines>();
    frames::<FlagLines>();
    frames::<FlagWords>();
    frames::<FlagNums>();
    for now in [false, true] {
        for then in [false, true] {
            for text in ["a", "now", "then"] {
                let _ = round::<FlagLines>(FlagLine { now, then, text });
            }
        }
        for words in [&b""[..], b"a", b" ", b"now", b" now", b"now a"] {
            let _ = round::<FlagWords>(FlagWord { now, words: Words::new(words) });
        }
        for number in [None, Some(i64::MIN), Some(0), Some(i64::MAX)] {
            let _ = round::<FlagNums>(FlagNum { now, number });
        }
    }
    assert_eq!(
        round::<FlagLines>(FlagLine { now: false, then: false, text: "a" }),
        Ok(b"a\r\n".to_vec())
    );
}

#[frame(Others, line = b"\r\n", max = 64, ignore_case)]
#[derive(Debug, PartialEq)]
enum Other<'a> {
    #[is("put")]
    Put { text: &'a str },
    #[other]
    Other {
        #[is("now")]
        now: bool,
        first: Option<&'a str>,
    },
}

#[test]
fn f1_a_line_for_all_others_has_no_word_of_another_case() {
    frames::<Others>();
    for now in [false, true] {
        for first in [None, Some("put"), Some("PUT"), Some("x"), Some("now")] {
            let _ = round::<Others>(Other::Other { now, first });
        }
    }
}
