//! The machines that ask a server.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use domain::base::message_builder::PushError;
use domain::base::name::ParsedName;
use domain::base::{Message, MessageBuilder, Rtype};
use domain::rdata::AllRecordData;
use fsm_runtime::prelude::*;

/// The most bytes of a datagram, which the query says. More might come in fragments.
const MOST: u16 = 1232;

/// The name of a question.
pub(crate) type Name = domain::base::Name<Vec<u8>>;

/// A query with a random id.
#[derive(Clone, Debug)]
pub(crate) struct Query(Message<Vec<u8>>);

/// How long a server is waited for.
#[derive(Clone, Debug)]
pub(crate) struct Patience {
    /// The time in which it must answer before it is asked again.
    pub(crate) wait: Duration,
    /// How often it is asked.
    pub(crate) tries: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self { wait: Duration::from_secs(1), tries: 3 }
    }
}

/// Asks a server one question, and asks again if no answer comes.
///
/// An answer ends the connection, so that each question has a port of its own. So does a server that does not answer:
/// the pool asks another one next.
#[state_machine(start = Free, job = Query, reply = Option<Vec<u8>>, settings = Patience)]
pub(crate) enum Udp {
    #[job(idle = 1min => Gone)]
    #[to(Answer)]
    #[rest]
    Free,

    /// To ignore a datagram gives the answer no more time.
    #[read(datagram, max = 4KiB, within = settings.wait <= 1min => Late)]
    #[to(Answer | Gone)]
    Answer { query: Query, tries: u32 },

    /// Asks again, or gives up.
    #[run]
    #[to(Answer | Gone)]
    Late {
        #[carry]
        query: Query,
        #[carry]
        tries: u32,
    },

    #[end]
    Gone,
}

/// A message behind its length.
#[frame(Messages)]
pub(crate) struct Framed<'a> {
    len: u16,
    #[bytes(len <= 65535)]
    message: &'a [u8],
}

/// Asks a server for an answer that is too large for a datagram.
#[state_machine(start = Free, job = Query, reply = Option<Vec<u8>>, eof => Lost)]
pub(crate) enum Tcp {
    #[job(idle = 10s => Gone, eof => Gone)]
    #[to(Answer)]
    #[rest]
    Free,

    #[read(frame = Messages, within = 10s => Lost, refused => Lost)]
    #[to(Free | Gone)]
    Answer { query: Query },

    #[run]
    #[to(Gone)]
    Lost,

    #[end]
    Gone,
}

/// The client's side of a connection.
pub(crate) struct Asker;

impl udp::Handler for Asker {
    fn free(&mut self, query: Query, cx: &mut Cx<'_, NoMessage, Patience>) -> udp::AfterFree {
        cx.write(query.bytes());
        udp::AfterFree::Answer { query, tries: 1 }
    }

    fn answer(
        &mut self,
        query: &mut Query,
        _tries: &mut u32,
        datagram: &[u8],
        _: &mut Cx<'_, NoMessage, Patience>,
    ) -> udp::AfterAnswer {
        if query.is_answered_by(datagram) {
            udp::AfterAnswer::Gone { reply: Some(datagram.to_vec()) }
        } else {
            udp::AfterAnswer::Answer
        }
    }

    fn late(
        &mut self,
        query: &mut Query,
        tries: &mut u32,
        cx: &mut Cx<'_, NoMessage, Patience>,
    ) -> udp::AfterLate {
        if *tries >= cx.settings().tries {
            return udp::AfterLate::Gone { reply: None };
        }
        cx.write(query.bytes());
        udp::AfterLate::Answer { query: query.clone(), tries: *tries + 1 }
    }
}

impl tcp::Handler for Asker {
    fn free(&mut self, query: Query, cx: &mut Cx<'_>) -> tcp::AfterFree {
        // A name has at most 255 bytes.
        let len = u16::try_from(query.bytes().len()).unwrap_or(u16::MAX);
        cx.write(&len.to_be_bytes());
        cx.write(query.bytes());
        tcp::AfterFree::Answer { query }
    }

    fn answer(
        &mut self,
        query: &mut Query,
        Framed { message, .. }: Framed<'_>,
        _: &mut Cx<'_>,
    ) -> tcp::AfterAnswer {
        if query.is_answered_by(message) {
            tcp::AfterAnswer::Free { reply: Some(message.to_vec()) }
        } else {
            tcp::AfterAnswer::Gone { reply: None }
        }
    }

    fn lost(&mut self, _: &mut Cx<'_>) -> tcp::AfterLost {
        tcp::AfterLost::Gone { reply: None }
    }
}

impl Query {
    pub(crate) fn new(name: &Name, rtype: Rtype) -> Result<Self, PushError> {
        let mut message = MessageBuilder::new_vec();
        // Its keys are random, so nobody can foresee the hash.
        let [first, second, ..] = RandomState::new().hash_one(()).to_be_bytes();
        message.header_mut().set_id(u16::from_be_bytes([first, second]));
        message.header_mut().set_rd(true);
        let mut question = message.question();
        question.push((name, rtype))?;
        let mut additional = question.additional();
        additional.opt(|opt| {
            opt.set_udp_payload_size(MOST);
            Ok(())
        })?;
        Ok(Self(additional.into_message()))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// Whether this is an answer with the id and the question, whose records can be read.
    fn is_answered_by(&self, bytes: &[u8]) -> bool {
        let Ok(answer) = Message::from_octets(bytes) else { return false };
        answer.is_answer(&self.0) && (answer.header().tc() || are_whole(&answer))
    }
}

/// Whether all records of an answer can be read.
fn are_whole(answer: &Message<&[u8]>) -> bool {
    let Ok(records) = answer.answer() else { return false };
    records.limit_to::<AllRecordData<_, ParsedName<_>>>().all(|record| record.is_ok())
}
