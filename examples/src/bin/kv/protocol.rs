//! The protocol: the states of a client's connection.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use fsm_runtime::Peer;
use fsm_runtime::prelude::*;

use crate::command::{Flow, Session, execute};
use crate::reply::Out;
use crate::request::{Decoder, Error, Request};
use crate::store::Store;

/// The log names a possible attack at most this often.
const WARN_AGAIN: Duration = Duration::from_secs(60);

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
        refused => Refused,
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

/// What the connections share, and the clock that expires keys.
pub(crate) struct Server {
    shared: Mutex<Shared>,
    clock: Box<dyn Fn() -> SystemTime + Send + Sync>,
}

struct Shared {
    store: Store,
    /// The time of the last command on the clock of the pool, and in milliseconds since the Unix epoch.
    time: Option<(Instant, i64)>,
    /// When the log last named a possible attack.
    warned: Option<Instant>,
}

impl Server {
    /// A server with the clock of the system.
    pub(crate) fn new(store: Store) -> Self {
        Self::with_clock(store, SystemTime::now)
    }

    /// A server with a clock, which may be set back and forward.
    pub(crate) fn with_clock(
        mut store: Store,
        clock: impl Fn() -> SystemTime + Send + Sync + 'static,
    ) -> Self {
        store.started = unix_millis(clock());
        let shared = Shared { store, time: None, warned: None };
        Self { shared: Mutex::new(shared), clock: Box::new(clock) }
    }

    /// The memory in use.
    #[cfg(test)]
    pub(crate) fn used(&self) -> usize {
        self.shared().store.used
    }

    /// Whether no client watches a key.
    #[cfg(test)]
    pub(crate) fn watches_nothing(&self) -> bool {
        self.shared().store.watches.is_empty()
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds since the Unix epoch; negative before it. `now` is the time on the clock of the pool.
    ///
    /// This reads the clock of the system again whenever that of the pool has moved, because the system's
    /// may be set at any time and expiry times follow it.
    fn unix_time(&self, shared: &mut Shared, now: Instant) -> i64 {
        match shared.time {
            Some((read, time)) if read == now => time,
            _ => {
                let time = unix_millis((self.clock)());
                shared.time = Some((now, time));
                time
            }
        }
    }
}

fn unix_millis(time: SystemTime) -> i64 {
    let millis = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => millis(after),
        Err(error) => -millis(error.duration()),
    }
}

/// The state of one connection.
pub(crate) struct Client {
    server: Arc<Server>,
    session: Session,
}

impl Client {
    /// A client in memory.
    #[cfg(test)]
    pub(crate) fn new(server: &Arc<Server>) -> Self {
        Self::at(server, Peer::Memory)
    }

    /// The client at an address.
    pub(crate) fn at(server: &Arc<Server>, peer: Peer) -> Self {
        let now = unix_millis((server.clock)());
        let session = Session::new(&mut server.shared().store, peer, now);
        Self { server: Arc::clone(server), session }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.session.end(&mut self.server.shared().store);
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
        let mut shared = self.server.shared();
        let now = self.server.unix_time(&mut shared, cx.now());
        match execute(&mut shared.store, &mut self.session, &request, now, cx) {
            Flow::Next => connection::AfterCommand::Command,
            Flow::Quit => connection::AfterCommand::Leaving,
            Flow::Attack => {
                let now = cx.now();
                let warns = shared.warned.is_none_or(|at| now.duration_since(at) > WARN_AGAIN);
                if warns {
                    shared.warned = Some(now);
                }
                drop(shared);
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

    type Peer = Session<Connection, Client>;

    fn connect() -> Peer {
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
        assert_eq!((peer.receive(), peer.ended()), (b"".into(), Some(Ended::Done)));
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
    fn with_clock(start: SystemTime) -> (impl Fn(SystemTime, &mut Peer), Peer) {
        let time = Arc::new(Mutex::new(start));
        let clock = Arc::clone(&time);
        let clock = move || *clock.lock().expect("no test panics while it holds the lock");
        let server = Server::with_clock(Store::new(0), clock);
        let set = move |now, peer: &mut Peer| {
            *time.lock().expect("no test panics while it holds the lock") = now;
            // The server looks at it when the pool's clock moves.
            peer.advance(Duration::from_millis(1));
        };
        (set, Session::new(Client::new(&Arc::new(server))))
    }

    #[test]
    fn absolute_expiry_times_follow_a_clock_that_is_set() {
        let hour = Duration::from_secs(3600);
        let start = UNIX_EPOCH + Duration::from_secs(1_000_000);
        let (set, mut peer) = with_clock(start);
        peer.send(b"SET a 1 EXAT 1000100\r\nSET b 1 PXAT 1000100000\r\nSET c 1\r\n");
        peer.send(b"EXPIREAT c 1000100\r\nSET d 1 EXAT 1003700\r\n");
        assert_eq!(peer.receive(), b"+OK\r\n+OK\r\n+OK\r\n:1\r\n+OK\r\n");
        set(start - hour, &mut peer);
        peer.send(b"TTL a\r\nPTTL b\r\nTTL c\r\nTTL d\r\n");
        assert_eq!(peer.receive(), b":3700\r\n:3700000\r\n:3700\r\n:7300\r\n");
        set(start + hour, &mut peer);
        peer.send(b"TTL a\r\nPTTL b\r\nTTL c\r\nTTL d\r\nDBSIZE\r\n");
        assert_eq!(peer.receive(), b":-2\r\n:-2\r\n:-2\r\n:100\r\n:1\r\n");
    }

    /// Before 1970, and after the year 9999.
    #[test]
    fn clocks_far_from_today() {
        let far = Duration::from_secs(400_000_000_000);
        for start in [UNIX_EPOCH - far, UNIX_EPOCH, UNIX_EPOCH + far] {
            let (set, mut peer) = with_clock(start);
            peer.send(b"SET a 1 EX 10\r\nTTL a\r\nSET b 1 PXAT 9223372036854775807\r\n");
            assert_eq!(peer.receive(), b"+OK\r\n:10\r\n+OK\r\n");
            peer.send(b"SET c 1\r\nEXPIRE c 10\r\nEXPIRE c 20 GT\r\nPEXPIRETIME b\r\n");
            assert_eq!(peer.receive(), b"+OK\r\n:1\r\n:1\r\n:9223372036854775807\r\n");
            set(start + Duration::from_secs(15), &mut peer);
            peer.send(b"EXISTS a b c\r\nTTL b\r\nKEYS a\r\nDBSIZE\r\n");
            let answers = String::from_utf8(peer.receive().into()).unwrap();
            assert!(answers.starts_with(":2\r\n:") && answers.ends_with("*0\r\n:2\r\n"));
        }
    }

    #[test]
    fn keys_expire_to_the_millisecond() {
        let start = UNIX_EPOCH + Duration::from_secs(1_000_000);
        let (set, mut peer) = with_clock(start);
        peer.send(b"SET a 1 PX 1500\r\n");
        set(start + Duration::from_millis(1_500), &mut peer);
        peer.send(b"EXISTS a\r\n");
        set(start + Duration::from_millis(1_501), &mut peer);
        peer.send(b"EXISTS a\r\n");
        assert_eq!(peer.receive(), b"+OK\r\n:1\r\n:0\r\n");
    }
}
