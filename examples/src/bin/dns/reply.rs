//! Answers to queries.

use std::sync::Arc;

use domain::base::iana::{Class, Opcode, OptRcode, Rcode};
use domain::base::message_builder::{
    AdditionalBuilder, AnswerBuilder, PushError, StaticCompressor,
};
use domain::base::{Message, MessageBuilder, Name, Rtype, Ttl};
use domain::rdata::ZoneRecordData;

use crate::lookup::Found;
use crate::names::Labels;
use crate::zone::{Data, Node, RecordSet, Zone, host};

/// The most bytes of an answer to a client that does not say what it takes.
const PLAIN: usize = 512;
/// The most bytes of a datagram. More might be sent in fragments.
const MOST: usize = 1232;
/// The bytes of the record that answers one of EDNS.
const EDNS: usize = 11;
/// The most aliases that are followed.
const ALIASES: usize = 8;

type Target = StaticCompressor<Vec<u8>>;

/// How an answer travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    Datagram,
    Stream,
}

/// The answers that a zone has.
#[derive(Clone, Debug)]
pub(crate) struct Answers(pub(crate) Arc<Zone>);

/// The EDNS options of a client.
#[derive(Clone, Copy)]
struct Edns {
    size: usize,
    is_known: bool,
    /// The client understands DNSSEC, which its answer repeats (RFC 3225).
    dnssec_ok: bool,
}

impl Answers {
    /// The answer to a query; `None` if it is none.
    pub(crate) fn to(&self, query: &[u8], room: Room) -> Option<Vec<u8>> {
        let query = Message::from_octets(query).ok()?;
        let header = query.header();
        if header.qr() {
            return None;
        }
        let edns = query.opt().map(|opt| Edns {
            size: opt.udp_payload_size().into(),
            is_known: opt.version() == 0,
            dnssec_ok: opt.dnssec_ok(),
        });
        let size = match (room, edns) {
            (Room::Stream, _) => usize::from(u16::MAX),
            (Room::Datagram, None) => PLAIN,
            (Room::Datagram, Some(edns)) => edns.size.clamp(PLAIN, MOST),
        };
        let mut builder =
            MessageBuilder::from_target(Target::new(Vec::with_capacity(PLAIN))).ok()?;
        builder.set_push_limit(size - edns.map_or(0, |_| EDNS));
        let answer = match query.sole_question() {
            _ if header.opcode() != Opcode::QUERY => {
                builder.start_error(&query, Rcode::NOTIMP).additional()
            }
            Err(_) => builder.start_error(&query, Rcode::FORMERR).additional(),
            Ok(_) if edns.is_some_and(|edns| !edns.is_known) => {
                builder.start_error(&query, Rcode::NOERROR).additional()
            }
            Ok(question) => {
                let rcode =
                    if question.qclass() == Class::IN { Rcode::NOERROR } else { Rcode::REFUSED };
                let name = Labels::new(question.qname());
                let mut answer = builder.start_answer(&query, rcode).ok()?;
                answer.header_mut().set_ra(false);
                if rcode == Rcode::NOERROR {
                    self.fill(answer, name, question.qtype(), room)
                } else {
                    answer.additional()
                }
            }
        };
        finish(answer, edns)
    }

    /// Fills the sections of an answer.
    fn fill(
        &self,
        mut answer: AnswerBuilder<Target>,
        name: Labels,
        rtype: Rtype,
        room: Room,
    ) -> AdditionalBuilder<Target> {
        if rtype == Rtype::ANY && room == Room::Datagram {
            return truncated(answer);
        }
        if rtype == Rtype::AXFR || rtype == Rtype::IXFR {
            return refused(answer);
        }
        answer.header_mut().set_aa(true);
        let mut name = name;
        for aliases in 0..ALIASES {
            let node = match self.0.find(&name, rtype) {
                Found::Node(node) => node,
                Found::Outside if aliases == 0 => {
                    answer.header_mut().set_aa(false);
                    return refused(answer);
                }
                Found::Outside => return answer.additional(),
                Found::Elsewhere(start, servers) => {
                    answer.header_mut().set_aa(aliases > 0);
                    return self.refer(answer, &name.asked[start..], servers);
                }
                Found::Nothing => {
                    answer.header_mut().set_rcode(Rcode::NXDOMAIN);
                    return self.negative(answer);
                }
            };
            let sets = asked(node, rtype);
            if sets.clone().next().is_some() {
                for set in sets.clone() {
                    if push(&mut answer, &name.asked, set).is_err() {
                        return truncated(answer);
                    }
                }
                return self.with_addresses(answer.additional(), sets);
            }
            let Some(alias) = node.set(Rtype::CNAME) else { return self.negative(answer) };
            if push(&mut answer, &name.asked, alias).is_err() {
                return truncated(answer);
            }
            let Some(ZoneRecordData::Cname(target)) = alias.data.first() else { break };
            name = Labels::new(target.cname());
        }
        answer.additional()
    }

    /// Says that there is no such name or no such record, and for how long.
    fn negative(&self, answer: AnswerBuilder<Target>) -> AdditionalBuilder<Target> {
        let mut authority = answer.authority();
        let apex = self.0.nodes.get(&self.0.apex);
        let Some(set) = apex.and_then(|apex| apex.set(Rtype::SOA)) else {
            return authority.additional();
        };
        let Some(data @ ZoneRecordData::Soa(soa)) = set.data.first() else {
            return authority.additional();
        };
        let ttl = set.ttl.min(soa.minimum());
        if authority.push((owner(&self.0.apex), Class::IN, ttl, data)).is_err() {
            authority.header_mut().set_tc(true);
        }
        authority.additional()
    }

    /// Names the servers that know more.
    fn refer(
        &self,
        answer: AnswerBuilder<Target>,
        cut: &[u8],
        servers: &RecordSet,
    ) -> AdditionalBuilder<Target> {
        let mut authority = answer.authority();
        for data in &servers.data {
            if authority.push((owner(cut), Class::IN, servers.ttl, data)).is_err() {
                authority.header_mut().set_tc(true);
                break;
            }
        }
        self.with_addresses(authority.additional(), std::iter::once(servers))
    }

    /// Adds the addresses of the hosts that records name, as far as there is room.
    fn with_addresses<'a>(
        &'a self,
        mut additional: AdditionalBuilder<Target>,
        sets: impl Iterator<Item = &'a RecordSet>,
    ) -> AdditionalBuilder<Target> {
        for data in sets.flat_map(|set| &set.data) {
            let Some(host) = host(data) else { continue };
            let host = Labels::new(host);
            for rtype in [Rtype::A, Rtype::AAAA] {
                let Some(set) = self.0.addresses(&host.lower, rtype) else { continue };
                for data in &set.data {
                    if additional.push((owner(&host.asked), Class::IN, set.ttl, data)).is_err() {
                        return additional;
                    }
                }
            }
        }
        additional
    }
}

/// The records of a name that a question is for.
fn asked(node: &Node, rtype: Rtype) -> impl Iterator<Item = &RecordSet> + Clone {
    node.sets.iter().filter(move |set| set.rtype == rtype || rtype == Rtype::ANY)
}

fn push(answer: &mut AnswerBuilder<Target>, name: &[u8], set: &RecordSet) -> Result<(), PushError> {
    let ttl: Ttl = set.ttl;
    set.data.iter().try_for_each(|data: &Data| answer.push((owner(name), Class::IN, ttl, data)))
}

/// A name from its bytes.
fn owner(name: &[u8]) -> &Name<[u8]> {
    Name::from_slice(name).unwrap_or(Name::root_slice())
}

/// Tells the client to ask over TCP.
fn truncated(mut answer: AnswerBuilder<Target>) -> AdditionalBuilder<Target> {
    answer.rewind();
    answer.header_mut().set_tc(true);
    answer.additional()
}

fn refused(mut answer: AnswerBuilder<Target>) -> AdditionalBuilder<Target> {
    answer.header_mut().set_rcode(Rcode::REFUSED);
    answer.additional()
}

/// Adds what answers EDNS, for which room was kept.
fn finish(mut answer: AdditionalBuilder<Target>, edns: Option<Edns>) -> Option<Vec<u8>> {
    if let Some(edns) = edns {
        answer.clear_push_limit();
        let added = answer.opt(|opt| {
            opt.set_udp_payload_size(u16::try_from(MOST).unwrap_or(u16::MAX));
            opt.set_dnssec_ok(edns.dnssec_ok);
            if !edns.is_known {
                opt.set_rcode(OptRcode::BADVERS);
            }
            Ok(())
        });
        added.ok()?;
    }
    Some(answer.finish().into_target())
}
