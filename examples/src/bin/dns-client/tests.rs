use domain::base::Rtype;
use fsm_runtime::sim::Session;

use super::*;
use crate::ask::{Asker, Tcp, Udp};

fn query() -> Query {
    Query::new(&"example.org".parse().unwrap(), Rtype::MX).unwrap()
}

/// The query as its own answer, without records.
fn answer(query: &Query) -> Vec<u8> {
    let mut answer = query.bytes().to_vec();
    answer[2] |= 0x80;
    answer
}

#[test]
fn each_query_has_an_id_of_its_own() {
    let ids: std::collections::BTreeSet<_> =
        (0..64).map(|_| query().bytes()[..2].to_vec()).collect();
    assert!(ids.len() > 60, "{ids:?}");
}

#[test]
fn only_an_answer_with_the_id_and_the_question_is_taken() {
    let (mut server, query) = (Session::<Udp, _>::new(Asker), query());
    let job = server.submit(query.clone()).unwrap();
    assert_eq!(server.receive(), query.bytes());
    let right = answer(&query);
    let (mut wrong_id, mut other_name) = (right.clone(), right.clone());
    wrong_id[1] ^= 1;
    other_name[13] ^= 1;
    // It announces more records than there are.
    let mut cut_short = right.clone();
    cut_short[7] = 2;
    for wrong in [&wrong_id[..], &other_name, query.bytes(), &right[..11], b"?", &cut_short] {
        server.send(wrong);
        assert_eq!(server.state(), Some("Answer"));
    }
    server.send(&right);
    assert_eq!(job.wait(), Some(Some(right)));
    assert_eq!(server.ended(), Some(fsm_runtime::Ended::Done));
}

#[test]
fn a_server_is_asked_three_times_and_wrong_answers_give_it_no_more_time() {
    let (mut server, query) = (Session::<Udp, _>::new(Asker), query());
    let job = server.submit(query.clone()).unwrap();
    for _ in 0..3 {
        assert_eq!(server.receive(), query.bytes());
        server.advance(Duration::from_millis(900));
        server.send(b"wrong");
        assert_eq!(server.receive(), b"");
        server.advance(Duration::from_millis(100));
    }
    assert_eq!(job.wait(), Some(None));
}

#[test]
fn the_answer_to_the_first_try_may_come_after_the_second_one() {
    let (mut server, query) = (Session::<Udp, _>::new(Asker), query());
    let job = server.submit(query.clone()).unwrap();
    server.advance(Duration::from_secs(1));
    let tries = [server.receive(), server.receive(), server.receive()];
    assert_eq!(tries.map(|bytes| bytes.len()), [query.bytes().len(), query.bytes().len(), 0]);
    server.send(&answer(&query));
    assert_eq!(job.wait(), Some(Some(answer(&query))));
}

#[test]
fn an_answer_over_tcp_is_behind_its_length() {
    let (mut server, query) = (Session::<Tcp, _>::new(Asker), query());
    let job = server.submit(query.clone()).unwrap();
    let len = u16::try_from(query.bytes().len()).unwrap().to_be_bytes();
    assert_eq!(server.receive(), [&len[..], query.bytes()].concat());
    server.send(&len);
    server.send(&answer(&query));
    assert_eq!(job.wait(), Some(Some(answer(&query))));
    // The connection is kept for the next question, which the server does not answer.
    let lost = server.submit(query).unwrap();
    server.end();
    assert_eq!(lost.wait(), Some(None));
}
