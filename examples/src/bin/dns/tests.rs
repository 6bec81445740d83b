use std::fmt::Write;
use std::time::Duration;

use domain::base::iana::{Opcode, Rcode};
use domain::base::{Message, MessageBuilder, Rtype};
use fsm_runtime::check;
use fsm_runtime::sim::Session;

use super::*;

const ZONE: &str = "$ORIGIN example.org.
$TTL 3600
@ IN SOA ns1 admin 1 7200 900 1209600 300
@ IN NS ns1
@ IN MX 10 mail
ns1 IN A 192.0.2.53
mail IN A 192.0.2.25
www IN CNAME mail
lost IN CNAME nowhere
far IN CNAME example.net.
a.deep IN A 192.0.2.7
*.wild IN TXT any
sub IN NS ns.sub
ns.sub IN A 192.0.2.99
";

fn answers() -> Answers {
    let mut text = ZONE.to_owned();
    for number in 0..20 {
        writeln!(text, "big IN TXT {number}{}", "x".repeat(100)).unwrap();
    }
    Answers(Arc::new(Zone::parse(text.as_bytes(), None).unwrap()))
}

fn query(name: &str, rtype: Rtype) -> Vec<u8> {
    let mut question = MessageBuilder::new_vec().question();
    question.push((name.parse::<names::Domain>().unwrap(), rtype)).unwrap();
    question.finish()
}

/// The code of an answer, and the numbers of records in its sections.
fn summary(answer: &[u8]) -> (Rcode, [u16; 3]) {
    let answer = Message::from_octets(answer).unwrap();
    let counts = answer.header_counts();
    (answer.header().rcode(), [counts.ancount(), counts.nscount(), counts.arcount()])
}

/// A client of the server over TCP.
fn stream_client() -> StreamClient {
    StreamClient { answers: answers(), grace: Arc::default() }
}

#[test]
fn each_question_has_its_answer() {
    let answers = answers();
    for (name, rtype, rcode, counts) in [
        ("example.org", Rtype::MX, Rcode::NOERROR, [1, 0, 1]),
        ("EXAMPLE.org", Rtype::NS, Rcode::NOERROR, [1, 0, 1]),
        ("mail.example.org", Rtype::AAAA, Rcode::NOERROR, [0, 1, 0]),
        ("www.example.org", Rtype::A, Rcode::NOERROR, [2, 0, 0]),
        ("lost.example.org", Rtype::A, Rcode::NXDOMAIN, [1, 1, 0]),
        ("far.example.org", Rtype::A, Rcode::NOERROR, [1, 0, 0]),
        ("deep.example.org", Rtype::A, Rcode::NOERROR, [0, 1, 0]),
        ("x.y.wild.example.org", Rtype::TXT, Rcode::NOERROR, [1, 0, 0]),
        ("x.sub.example.org", Rtype::A, Rcode::NOERROR, [0, 1, 1]),
        ("none.example.org", Rtype::A, Rcode::NXDOMAIN, [0, 1, 0]),
        ("example.net", Rtype::A, Rcode::REFUSED, [0, 0, 0]),
    ] {
        let answer = answers.to(&query(name, rtype), Room::Datagram).unwrap();
        assert_eq!(summary(&answer), (rcode, counts), "{name} {rtype}");
    }
}

#[test]
fn what_is_too_large_for_a_datagram_is_asked_again_over_tcp() {
    let query = query("big.example.org", Rtype::TXT);
    let mut udp = Session::<Udp, _>::new(Client { answers: answers() });
    udp.send(&query);
    let answer = udp.receive();
    assert!(Message::from_octets(&*answer).unwrap().header().tc());
    assert_eq!(summary(&answer), (Rcode::NOERROR, [0, 0, 0]));
    let mut tcp = Session::<Tcp, _>::new(stream_client());
    tcp.send(&u16::try_from(query.len()).unwrap().to_be_bytes());
    tcp.send(&query);
    let answer = tcp.receive();
    assert_eq!(answer[..2], u16::try_from(answer.len() - 2).unwrap().to_be_bytes());
    assert_eq!(summary(&answer[2..]), (Rcode::NOERROR, [20, 0, 0]));
}

#[test]
fn what_is_no_query_has_no_answer() {
    let answers = answers();
    let mut query = query("example.org", Rtype::A);
    assert_eq!(answers.to(&query[..11], Room::Datagram), None);
    let cut = answers.to(&query[..20], Room::Datagram).unwrap();
    assert_eq!(summary(&cut).0, Rcode::FORMERR);
    // A reply; otherwise two servers could answer each other for ever.
    query[2] |= 0x80;
    assert_eq!(answers.to(&query, Room::Datagram), None);
    query[2] = Opcode::NOTIFY.to_int() << 3;
    let answer = answers.to(&query, Room::Datagram).unwrap();
    assert_eq!(summary(&answer).0, Rcode::NOTIMP);
}

#[test]
fn a_zone_that_cannot_be_served_is_refused() {
    let refused = |text: &str| Zone::parse(text.as_bytes(), None).unwrap_err();
    assert_eq!(refused("a.org. 60 IN A 192.0.2.1\n"), "a zone has one SOA record");
    assert!(refused(&format!("{ZONE}a IN CNAME @\n")).contains("in place of `@`"));
    assert!(
        refused(&format!("{ZONE}example.net. IN A 192.0.2.1\n")).contains("outside of the zone")
    );
}

#[test]
fn l7_cuts_of_a_stream_make_no_difference() {
    let query = query("www.example.org", Rtype::A);
    let len = u16::try_from(query.len()).unwrap().to_be_bytes();
    let input = [&len[..], &query, &len, &query].concat();
    check::splits::<Tcp, _>(stream_client, &input);
}

/// An answer over TCP has no word for the last one, so the stream ends behind one.
#[test]
fn a_client_that_pipelines_does_not_hold_a_drain_up() {
    let mut tcp = Session::<Tcp, _>::new(stream_client());
    let query = query("example.org", Rtype::MX);
    let message = [&u16::try_from(query.len()).unwrap().to_be_bytes(), &*query].concat();
    // A part of the next query is always there.
    let (first, rest) = message.split_at(5);
    tcp.send(first);
    tcp.drain();
    tcp.send(&[rest, first].concat());
    assert!(!tcp.receive().is_empty());
    assert_eq!(tcp.state(), Some("Query"));
    tcp.advance(Duration::from_secs(1));
    tcp.send(&[rest, first].concat());
    assert!(!tcp.receive().is_empty());
    assert_eq!(tcp.state(), None);
}
