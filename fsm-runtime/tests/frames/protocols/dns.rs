//! DNS over TCP.

use fsm_runtime::prelude::*;

use super::{Recorded, are_read, are_written, is_refused};

#[frame(Messages)]
#[derive(Debug, PartialEq)]
pub struct Message<'a> {
    len: u16,
    #[part(len <= 65535)]
    id: u16,
    flags: u16,
    questions: u16,
    answers: u16,
    authorities: u16,
    additional: u16,
    #[rest]
    records: &'a [u8],
}

/// A message with its questions, whose names are not compressed in a query.
#[frame(Queries)]
#[derive(Debug, PartialEq)]
pub struct Query<'a> {
    len: u16,
    #[part(len <= 65535)]
    id: u16,
    flags: u16,
    count: u16,
    others: [u8; 6],
    #[times(count <= 8)]
    questions: Times<'a, Questions>,
    #[rest]
    records: &'a [u8],
}

#[frame(Questions)]
#[derive(Debug, PartialEq)]
pub struct Question<'a> {
    #[until(b"\0", max = 255)]
    name: &'a [u8],
    kind: u16,
    class: u16,
}

// dig 9.18.49: `dig +tcp +nocookie example.test A`
const ONE: &[u8] = b"\0)\xEEs\x01 \0\x01\0\0\0\0\0\x01\x07example\x04test\0\0\x01\0\x01\
    \0\0)\x04\xD0\0\0\0\0\0\0";
// dig 9.18.49: `dig +tcp +noedns +norecurse www.example.test TXT`
const TEXT: &[u8] = b"\0\"\xAAo\0 \0\x01\0\0\0\0\0\0\x03www\x07example\x04test\0\0\x10\0\x01";
// dig 9.18.49: `dig +tcp +noedns +keepopen a.test A b.test AAAA`
const TWO: &[u8] = b"\0\x18\x98<\x01 \0\x01\0\0\0\0\0\0\x01a\x04test\0\0\x01\0\x01\
    \0\x18QR\x01 \0\x01\0\0\0\0\0\0\x01b\x04test\0\0\x1C\0\x01";

fn messages() -> Vec<Recorded<Messages>> {
    let query = |id, flags, additional, records| Message {
        id,
        flags,
        questions: 1,
        answers: 0,
        authorities: 0,
        additional,
        records,
    };
    vec![
        (ONE, vec![query(0xEE73, 0x0120, 1, &ONE[14..])]),
        (TEXT, vec![query(0xAA6F, 0x0020, 0, &TEXT[14..])]),
        (
            TWO,
            vec![
                query(0x983C, 0x0120, 0, b"\x01a\x04test\0\0\x01\0\x01"),
                query(0x5152, 0x0120, 0, b"\x01b\x04test\0\0\x1C\0\x01"),
            ],
        ),
    ]
}

fn queries() -> Vec<Recorded<Queries>> {
    let query = |id, flags, additional, at: usize| Query {
        id,
        flags,
        others: [0, 0, 0, 0, 0, additional],
        questions: Times::encoded(&ONE[14..at]).unwrap(),
        records: &ONE[at..],
    };
    vec![(ONE, vec![query(0xEE73, 0x0120, 1, 32)])]
}

#[test]
fn f3_queries_of_dig_are_the_same_however_they_are_cut() {
    are_read::<Messages>(&messages());
    are_read::<Queries>(&queries());
    let mut questions = queries().remove(0).1.remove(0).questions.iter();
    let name = b"\x07example\x04test";
    assert_eq!(questions.next(), Some(Question { name, kind: 1, class: 1 }));
    assert_eq!(questions.next(), None);
}

#[test]
fn f1_queries_of_dig_are_written_as_they_were_sent() {
    are_written::<Messages>(&messages());
    are_written::<Queries>(&queries());
}

#[test]
fn f3_a_message_without_room_for_its_header_is_refused() {
    is_refused::<Messages>(
        b"\0\x0B\0\0\0\0\0\0\0\0\0\0\0",
        MessagesError::Short { field: "additional" },
    );
    is_refused::<Messages>(b"\0\0", MessagesError::Short { field: "additional" });
}
