//! The protocol: the states of a client's connection.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fsm_runtime::prelude::*;

use crate::command::{Flow, Session, execute};
use crate::reply::Out;
use crate::request::{Decoder, Error, Request};
use crate::store::Store;

/// The log names a possible attack again after so many milliseconds.
const WARN_AGAIN: u64 = 60_000;

/// A Redis client's connection.
#[state_machine(start = Command, eof => Leaving)]
pub(crate) enum Connection {
    /// Between two commands: waits for the next one. A client that sends none for five minutes is
    /// disconnected. A drain closes the connection here, because no command is in progress.
    #[read(
        frame = Decoder,
        max = 1GiB,
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

    /// Answers a command of more than 1 GiB.
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
    clock: Box<dyn Fn() -> SystemTime + Send + Sync>,
}

impl Server {
    /// A server with the clock of the system.
    pub(crate) fn new(store: Store) -> Self {
        Self::with_clock(store, SystemTime::now)
    }

    /// A server with a clock, which may be set back and forward.
    pub(crate) fn with_clock(
        store: Store,
        clock: impl Fn() -> SystemTime + Send + Sync + 'static,
    ) -> Self {
        Self { store: Mutex::new(store), clock: Box::new(clock) }
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds since the Unix epoch; negative before it.
    ///
    /// Each command asks the clock of the system again, because that may be set at any time and
    /// expiry times follow it.
    fn unix_time(&self) -> i64 {
        let millis = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        match (self.clock)().duration_since(UNIX_EPOCH) {
            Ok(after) => millis(after),
            Err(error) => -millis(error.duration()),
        }
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

fn warn_of_attack(cx: &Cx<'_>) {
    let peer = cx.peer().map_or_else(|error| error.to_string(), |peer| peer.to_string());
    tracing::warn!(
        %peer,
        "possible attack: a client sent `POST` or `Host:`, as a browser does for a web page; its \
         connection is closed"
    );
}

impl connection::Handler for Client {
    fn command(&mut self, request: Request<'_>, cx: &mut Cx<'_>) -> connection::AfterCommand {
        let now = self.server.unix_time();
        let mut store = self.server.store();
        match execute(&mut store, &mut self.session, &request, now, cx) {
            Flow::Next => connection::AfterCommand::Command,
            Flow::Quit => connection::AfterCommand::Leaving,
            Flow::Attack => {
                let warns = now.abs_diff(store.warned) > WARN_AGAIN;
                if warns {
                    store.warned = now;
                }
                drop(store);
                if warns {
                    warn_of_attack(cx);
                }
                connection::AfterCommand::Leaving
            }
        }
    }

    fn refused(&mut self, why: &mut Error, cx: &mut Cx<'_>) -> connection::AfterRefused {
        cx.error(&format!("ERR {why}"));
        connection::AfterRefused::Leaving
    }

    fn too_big(&mut self, cx: &mut Cx<'_>) -> connection::AfterTooBig {
        cx.error("ERR Protocol error: the command is larger than 1 GiB");
        connection::AfterTooBig::Leaving
    }
}

#[cfg(test)]
mod tests {
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
    fn the_lines_of_an_http_request_end_the_connection() {
        let mut peer = connect();
        peer.send(b"POST / HTTP/1.1\r\nHost: kv\r\n\r\nFLUSHALL\r\n");
        assert_eq!((peer.receive(), peer.ended()), (Vec::new(), Some(Ended::Done)));
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

    /// A clock that starts at this time, and a client of a server with that clock.
    fn with_clock(start: SystemTime) -> (Arc<Mutex<SystemTime>>, Session<Connection, Client>) {
        let time = Arc::new(Mutex::new(start));
        let clock = Arc::clone(&time);
        let clock = move || *clock.lock().expect("no test panics while it holds the lock");
        let server = Server::with_clock(Store::new(0), clock);
        (time, Session::new(Client::new(&Arc::new(server))))
    }

    #[test]
    fn absolute_expiry_times_follow_a_clock_that_is_set() {
        let hour = Duration::from_secs(3600);
        let start = UNIX_EPOCH + Duration::from_secs(1_000_000);
        let (time, mut peer) = with_clock(start);
        peer.send(b"SET a 1 EXAT 1000100\r\nSET b 1 PXAT 1000100000\r\nSET c 1\r\n");
        peer.send(b"EXPIREAT c 1000100\r\nSET d 1 EXAT 1003700\r\n");
        assert_eq!(peer.receive(), b"+OK\r\n+OK\r\n+OK\r\n:1\r\n+OK\r\n");
        *time.lock().unwrap() = start - hour;
        peer.send(b"TTL a\r\nPTTL b\r\nTTL c\r\nTTL d\r\n");
        assert_eq!(peer.receive(), b":3700\r\n:3700000\r\n:3700\r\n:7300\r\n");
        *time.lock().unwrap() = start + hour;
        peer.send(b"TTL a\r\nPTTL b\r\nTTL c\r\nTTL d\r\nDBSIZE\r\n");
        assert_eq!(peer.receive(), b":-2\r\n:-2\r\n:-2\r\n:100\r\n:1\r\n");
    }

    /// Before 1970, and after the year 9999.
    #[test]
    fn clocks_far_from_today() {
        let far = Duration::from_secs(400_000_000_000);
        for start in [UNIX_EPOCH - far, UNIX_EPOCH, UNIX_EPOCH + far] {
            let (time, mut peer) = with_clock(start);
            peer.send(b"SET a 1 EX 10\r\nTTL a\r\nSET b 1 PXAT 9223372036854775807\r\n");
            assert_eq!(peer.receive(), b"+OK\r\n:10\r\n+OK\r\n");
            peer.send(b"SET c 1\r\nEXPIRE c 10\r\nEXPIRE c 20 GT\r\nPEXPIRETIME b\r\n");
            assert_eq!(peer.receive(), b"+OK\r\n:1\r\n:1\r\n:9223372036854775807\r\n");
            *time.lock().unwrap() = start + Duration::from_secs(15);
            peer.send(b"EXISTS a b c\r\nTTL b\r\nKEYS a\r\nDBSIZE\r\n");
            let answers = String::from_utf8(peer.receive()).unwrap();
            assert!(answers.starts_with(":2\r\n:") && answers.ends_with("*0\r\n:2\r\n"));
        }
    }

    #[test]
    fn keys_expire_to_the_millisecond() {
        let start = UNIX_EPOCH + Duration::from_secs(1_000_000);
        let (time, mut peer) = with_clock(start);
        peer.send(b"SET a 1 PX 1500\r\n");
        *time.lock().unwrap() = start + Duration::from_millis(1_500);
        peer.send(b"EXISTS a\r\n");
        *time.lock().unwrap() = start + Duration::from_millis(1_501);
        peer.send(b"EXISTS a\r\n");
        assert_eq!(peer.receive(), b"+OK\r\n:1\r\n:0\r\n");
    }
}
