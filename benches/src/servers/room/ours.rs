use std::sync::{Arc, Mutex, PoisonError};

use fsm_runtime::prelude::*;

use crate::error::Error;
use crate::servers::fsm_pool;

type Line = Arc<[u8; 64]>;

#[state_machine(start = Join, message = Line, eof => Gone)]
enum Room {
    #[read(exact = 64, idle = 60s => Gone)]
    #[to(Member)]
    Join,
    /// Speaks and hears.
    #[read(exact = 64, idle = 60s => Gone)]
    #[message]
    #[to(Member)]
    #[rest]
    Member,
    #[end]
    Gone,
}

struct Client {
    members: Arc<Mutex<Vec<Key>>>,
}

impl room::Handler for Client {
    fn join(&mut self, line: &[u8; 64], cx: &mut Cx<'_, Line>) -> room::AfterJoin {
        self.members.lock().unwrap_or_else(PoisonError::into_inner).push(cx.key());
        cx.write(line);
        room::AfterJoin::Member
    }

    fn member(&mut self, line: &[u8; 64], cx: &mut Cx<'_, Line>) -> room::AfterMember {
        let (line, speaker) = (Arc::new(*line), cx.key());
        let mut members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        members.retain(|key| *key == speaker || cx.post(*key, Arc::clone(&line)).is_ok());
        room::AfterMember::Member
    }

    fn member_message(&mut self, line: Line, cx: &mut Cx<'_, Line>) -> room::AfterMember {
        cx.write(&line[..]);
        room::AfterMember::Member
    }
}

pub(super) fn serve() -> Result<(), Error> {
    let members = Arc::<Mutex<Vec<Key>>>::default();
    let pool = Pool::builder::<Room>("room").listen("127.0.0.1:0").max_connections(20_000);
    let pool = pool.handler(move |_peer| Client { members: Arc::clone(&members) });
    fsm_pool::serve(pool.start()?)
}
