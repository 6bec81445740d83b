//! The protocol: the states of a client's connection.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use fsm_runtime::prelude::*;

use crate::command::{Flow, Session, execute};
use crate::reply::Out;
use crate::request::{Decoder, Error, Request};
use crate::store::Store;

/// A Redis client's connection.
#[state_machine(start = Command, eof => Leaving)]
pub(crate) enum Connection {
    /// Between two commands: waits for the next one. A client that sends none for five minutes is
    /// disconnected. A drain closes the connection here, because no command is in progress.
    #[read(
        frame = Decoder,
        max = 64MiB,
        idle = 5min => Closed,
        limit => TooBig,
        error => Refused,
    )]
    #[to(Command | Leaving)]
    #[rest]
    Command,

    /// Answers input that is no command, and closes, because the next command has no known start.
    #[run]
    #[to(Leaving)]
    Refused {
        #[error]
        why: Error,
    },

    /// Answers a command of more than 64 MiB.
    #[run]
    #[to(Leaving)]
    TooBig,

    /// Waits until the last answer is sent.
    #[flush(within = 5s => Closed)]
    #[to(Closed)]
    Leaving,

    /// The connection is over.
    #[end]
    Closed,
}

/// The store, and the clock that expires its keys.
pub(crate) struct Server {
    store: Mutex<Store>,
    started: Instant,
    epoch: u64,
}

impl Server {
    pub(crate) fn new(store: Store) -> Self {
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let epoch = u64::try_from(epoch.as_millis()).unwrap_or(u64::MAX);
        Self { store: Mutex::new(store), started: Instant::now(), epoch }
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds since the Unix epoch.
    fn unix_time(&self, now: Instant) -> u64 {
        let running = now.saturating_duration_since(self.started);
        self.epoch + u64::try_from(running.as_millis()).unwrap_or(u64::MAX)
    }
}

/// The state of one connection.
pub(crate) struct Client {
    server: Arc<Server>,
    session: Session,
}

impl Client {
    pub(crate) fn new(server: &Arc<Server>) -> Self {
        let mut store = server.store();
        store.clients += 1;
        let session = Session::new(&mut store);
        Self { server: Arc::clone(server), session }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.server.store().clients -= 1;
    }
}

impl connection::Handler for Client {
    fn command(&mut self, request: Request<'_>, cx: &mut Cx<'_>) -> connection::AfterCommand {
        let now = self.server.unix_time(cx.now());
        let mut store = self.server.store();
        match execute(&mut store, &mut self.session, &request, now, cx) {
            Flow::Next => connection::AfterCommand::Command,
            Flow::Quit => connection::AfterCommand::Leaving,
        }
    }

    fn refused(&mut self, why: &mut Error, cx: &mut Cx<'_>) -> connection::AfterRefused {
        cx.error(&format!("ERR {why}"));
        connection::AfterRefused::Leaving
    }

    fn too_big(&mut self, cx: &mut Cx<'_>) -> connection::AfterTooBig {
        cx.error("ERR Protocol error: the command is larger than 64 MiB");
        connection::AfterTooBig::Leaving
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use fsm_runtime::check;
    use fsm_runtime::sim::Session;

    use super::*;

    fn connect() -> Session<Connection, Client> {
        Session::new(Client::new(&Arc::new(Server::new(Store::new(0)))))
    }

    #[test]
    fn commands_are_answered_in_order() {
        let mut peer = connect();
        peer.send(b"SET a 1\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\nNONSENSE\r\nPING\r\n");
        let answers = peer.receive();
        assert!(answers.starts_with(b"+OK\r\n$1\r\n1\r\n-ERR unknown command 'NONSENSE'"));
        assert!(answers.ends_with(b"+PONG\r\n"));
    }

    #[test]
    fn l7_cuts_make_no_difference() {
        let input =
            b"SET a 1\r\n*3\r\n$6\r\nAPPEND\r\n$1\r\na\r\n$3\r\n234\r\nGET a\r\n\r\n*0\r\nQUIT\r\n";
        check::splits::<Connection, _>(
            || Client::new(&Arc::new(Server::new(Store::new(0)))),
            input,
        );
        let wrong = b"PING\r\n*2\r\n$3\r\nGET\r\n$9999999999\r\n";
        check::splits::<Connection, _>(
            || Client::new(&Arc::new(Server::new(Store::new(0)))),
            wrong,
        );
    }

    #[test]
    fn a_malformed_command_is_answered_and_ends_the_connection() {
        let mut peer = connect();
        peer.send(b"*1\r\n$1073741824\r\n");
        assert_eq!(peer.receive(), b"-ERR Protocol error: invalid bulk length\r\n");
        assert_eq!(peer.ended(), Some(Ended::Done));
    }

    #[test]
    fn a_command_of_over_64_mib_is_answered_before_it_is_complete() {
        let mut peer = connect();
        peer.send(b"*2\r\n$4\r\nECHO\r\n$67108864\r\n");
        let answer = b"-ERR Protocol error: the command is larger than 64 MiB\r\n";
        assert_eq!(peer.receive(), answer);
        assert_eq!(peer.ended(), Some(Ended::Done));
    }

    #[test]
    fn a_client_that_sends_nothing_for_five_minutes_is_disconnected() {
        let mut peer = connect();
        peer.advance(Duration::from_secs(299));
        peer.send(b"PING\r\n");
        peer.advance(Duration::from_secs(299));
        assert_eq!(peer.state(), Some("Command"));
        // A part of a command does not restart the idle time.
        peer.send(b"PIN");
        peer.advance(Duration::from_secs(1));
        assert_eq!(peer.ended(), Some(Ended::Done));
    }

    #[test]
    fn clients_are_counted_while_they_are_there() {
        let server = Arc::new(Server::new(Store::new(0)));
        let mut peer = Session::<Connection, _>::new(Client::new(&server));
        let other = Session::<Connection, _>::new(Client::new(&server));
        peer.send(b"INFO clients\r\n");
        assert!(peer.receive().windows(19).any(|text| text == b"connected_clients:2"));
        drop(other);
        peer.send(b"INFO clients\r\n");
        assert!(peer.receive().windows(19).any(|text| text == b"connected_clients:1"));
    }

    #[test]
    fn keys_expire_by_the_clock_of_the_port() {
        let mut peer = connect();
        peer.send(b"SET a 1 PX 1500\r\n");
        peer.advance(Duration::from_millis(1_400));
        peer.send(b"EXISTS a\r\n");
        peer.advance(Duration::from_millis(200));
        peer.send(b"EXISTS a\r\n");
        assert_eq!(peer.receive(), b"+OK\r\n:1\r\n:0\r\n");
    }
}
