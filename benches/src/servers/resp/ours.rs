use std::sync::{Arc, Mutex, PoisonError};

use fsm_runtime::prelude::*;

use super::decoder::{Decoder, Refusal, Request};
use super::store::{Store, refuse};
use crate::error::Error;
use crate::servers::fsm_pool;
use crate::servers::listener::ANY_PORT;

pub(super) fn serve() -> Result<(), Error> {
    let store = Arc::<Mutex<Store>>::default();
    let pool = Pool::builder::<Connection>("resp")
        .listen(ANY_PORT)
        .handler(move |_peer| Client { store: Arc::clone(&store) });
    fsm_pool::serve(pool.start()?)
}

/// A client's connection.
#[state_machine(start = Command, eof => Closed)]
enum Connection {
    /// Waits for the next command.
    #[read(
        frame = Decoder,
        max = 64KiB,
        idle = 5min => Closed,
        limit => TooLong,
        refused => Refused,
    )]
    #[to(Command)]
    #[rest]
    Command,

    /// Answers an invalid command.
    #[run]
    #[to(Leaving)]
    Refused {
        #[error]
        why: Refusal,
    },

    /// Answers a command that is too long.
    #[run]
    #[to(Leaving)]
    TooLong,

    /// Waits until the last answer is sent.
    #[flush(within = 5s => Closed)]
    #[to(Closed)]
    Leaving,

    #[end]
    Closed,
}

struct Client {
    store: Arc<Mutex<Store>>,
}

impl connection::Handler for Client {
    #[inline]
    fn command(&mut self, request: Request<'_>, cx: &mut Cx<'_>) -> connection::AfterCommand {
        self.store.lock().unwrap_or_else(PoisonError::into_inner).answer(&request, cx);
        connection::AfterCommand::Command
    }

    fn refused(&mut self, why: &mut Refusal, cx: &mut Cx<'_>) -> connection::AfterRefused {
        refuse(why, cx);
        connection::AfterRefused::Leaving
    }

    fn too_long(&mut self, cx: &mut Cx<'_>) -> connection::AfterTooLong {
        refuse("too long", cx);
        connection::AfterTooLong::Leaving
    }
}
