use domain::base::Message;
use domain::base::iana::Rcode;
use fsm_runtime::Running;
use fsm_runtime::prelude::*;

use crate::ask::{Asker, Patience, Query, Tcp, Udp};

/// A client of several servers, which are asked in turn until one answers.
pub(crate) struct Client {
    udp: Submitter<Udp>,
    tcp: Submitter<Tcp>,
    servers: usize,
    /// Closes the connections when it is dropped.
    _running: Running,
}

impl Client {
    pub(crate) fn connect(servers: &[String], patience: Patience) -> Result<Self, PoolError> {
        let mut udp = Pool::builder::<Udp>("udp").settings(patience);
        let mut tcp = Pool::builder::<Tcp>("tcp");
        for server in servers {
            udp = udp.connect(format!("udp:{server}"));
            tcp = tcp.connect(server);
        }
        let (udp, tcp) = (udp.handler(|_server| Asker), tcp.handler(|_server| Asker));
        Ok(Self {
            udp: udp.submitter()?,
            tcp: tcp.submitter()?,
            servers: servers.len(),
            _running: Pipeline::new().pool(udp).pool(tcp).start()?,
        })
    }

    /// The first answer that tells something, or else the last one; `None` if no server answers.
    pub(crate) fn ask(&self, query: &Query) -> Option<Message<Vec<u8>>> {
        let mut last = None;
        for _ in 0..self.servers {
            let Some(answer) = self.ask_one(query) else { continue };
            let rcode = answer.header().rcode();
            let says_nothing = [Rcode::SERVFAIL, Rcode::NOTIMP, Rcode::REFUSED].contains(&rcode);
            if !says_nothing {
                return Some(answer);
            }
            last = Some(answer);
        }
        last
    }

    /// The answer of the server whose turn it is.
    fn ask_one(&self, query: &Query) -> Option<Message<Vec<u8>>> {
        let answer = self.udp.submit(query.clone()).ok()?.wait()??;
        let answer = Message::from_octets(answer).ok()?;
        if !answer.header().tc() {
            return Some(answer);
        }
        let whole = self.tcp.submit(query.clone()).ok()?.wait()??;
        Message::from_octets(whole).ok()
    }
}
