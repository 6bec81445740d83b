use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use fsm_runtime::check;
use fsm_runtime::sim::Session;

use super::*;
use crate::store::Store;
use crate::subscriber::{Backlog, Limits, Published};

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
    check::splits::<Connection, _>(|| Client::new(&Arc::new(Server::new(Store::new(0)))), input);
    let channels = b"SUBSCRIBE a b\r\nPING\r\nGET k\r\nUNSUBSCRIBE\r\nRPUSH l 1\r\nBLPOP l 0\r\n";
    check::splits::<Connection, _>(|| Client::new(&Arc::new(Server::new(Store::new(0)))), channels);
    let wrong = b"PING\r\n*2\r\n$3\r\nGET\r\n$9999999999\r\n";
    check::splits::<Connection, _>(|| Client::new(&Arc::new(Server::new(Store::new(0)))), wrong);
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
    assert_eq!((peer.receive(), peer.ended()), (Vec::new().into(), Some(Ended::Done)));
}

#[test]
fn a_client_that_sends_nothing_for_the_timeout_is_disconnected() {
    let settings = Settings::default();
    settings.set_timeout(300);
    let client = Client::new(&Arc::new(Server::new(Store::new(0))));
    let mut peer = Peer::with_settings(client, settings.clone());
    peer.advance(Duration::from_secs(299));
    peer.send(b"PING\r\n");
    peer.advance(Duration::from_secs(299));
    assert_eq!(peer.state(), Some("Command"));
    // A part of a command does not restart the idle time.
    peer.send(b"PIN");
    peer.advance(Duration::from_secs(1));
    assert_eq!(peer.ended(), Some(Ended::Done));

    // Without a timeout, which is the default.
    let mut peer = connect();
    peer.advance(Duration::from_secs(365 * 86_400));
    assert_eq!(peer.state(), Some("Command"));
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

fn published(backlog: &Arc<Backlog>, channel: &[u8], text: &[u8]) -> Event {
    let text = Published::new(channel, None, text);
    assert!(backlog.add(text.len(), &Limits::default(), 1));
    Event::Published { text: Arc::new(text), backlog: Arc::clone(backlog) }
}

/// A publisher posts after it has released the store, so that a message may come too late.
#[test]
fn a_message_that_comes_after_the_unsubscription_is_dropped() {
    let server = Arc::new(Server::new(Store::new(0)));
    let mut peer = Peer::new(Client::new(&server));
    peer.send(b"SUBSCRIBE a\r\n");
    assert_eq!((peer.receive().len(), peer.state()), (30, Some("Subscribed")));
    let backlog = server.backlog(b"a");
    for _ in 0..2 {
        peer.post(published(&backlog, b"b", b"text")).unwrap();
    }
    peer.send(b"UNSUBSCRIBE a\r\n");
    peer.post(published(&backlog, b"a", b"text")).unwrap();
    peer.send(b"PING\r\n");
    assert!(peer.receive().ends_with(b":0\r\n+PONG\r\n"));
    assert_eq!(peer.state(), Some("Command"));
    assert!(backlog.keeps_up(&Limits::parse("pubsub 1 0 0").unwrap(), 1), "nothing is left in it");
}

#[test]
fn subscriptions_count_as_memory_and_end_with_the_connection() {
    let server = Arc::new(Server::new(Store::new(1000)));
    let mut peer = Peer::new(Client::new(&server));
    peer.send(b"SUBSCRIBE a b\r\nPSUBSCRIBE c*\r\n");
    let used = server.used();
    assert!((3 * 128..500).contains(&used), "{used}");
    peer.receive();
    peer.send(b"SUBSCRIBE a c d e f g h\r\n");
    assert!(
        peer.receive().ends_with(b"-OOM command not allowed when used memory > 'maxmemory'.\r\n")
    );
    peer.send(b"UNSUBSCRIBE b\r\n");
    drop(peer);
    assert_eq!((server.used(), server.hears_nothing()), (0, true));
}

#[test]
fn a_subscriber_that_lags_takes_its_messages_when_it_reads() {
    let server = Arc::new(Server::new(Store::new(0)));
    let mut peer = Peer::new(Client::new(&server));
    peer.send(b"SUBSCRIBE a\r\n");
    peer.receive();
    peer.window(1000);
    let (backlog, text) = (server.backlog(b"a"), vec![b'x'; 200_000]);
    peer.post(published(&backlog, b"a", &text)).unwrap();
    peer.post(published(&backlog, b"a", b"last")).unwrap();
    for second in 0..30 {
        assert_eq!((peer.state(), peer.ended()), (Some("Lagging"), None), "{second}");
        peer.advance(Duration::from_secs(1));
    }
    let received = peer.receive();
    assert!(received.len() > 200_000 && received.ends_with(b"$4\r\nlast\r\n"));
    assert_eq!(peer.state(), Some("Subscribed"));
}

/// The sessions are of pools of their own, so that no message tells the client that its wait is over.
#[test]
fn an_element_that_came_in_time_is_not_lost_when_the_time_passes() {
    let server = Arc::new(Server::new(Store::new(0)));
    let [mut waiter, mut other] = [(); 2].map(|()| Peer::new(Client::new(&server)));
    waiter.send(b"BLPOP l 10\r\nPING\r\n");
    assert_eq!((waiter.receive(), waiter.state()), (Vec::new().into(), Some("Blocked")));
    other.send(b"RPUSH l 1\r\nLLEN l\r\n");
    assert_eq!(other.receive(), b":1\r\n:0\r\n");
    waiter.advance(Duration::from_secs(10));
    assert_eq!(waiter.receive(), b"*2\r\n$1\r\nl\r\n$1\r\n1\r\n+PONG\r\n");
    waiter.send(b"BLPOP l 10\r\n");
    waiter.advance(Duration::from_secs(10));
    assert_eq!((waiter.receive(), waiter.state()), (b"*-1\r\n".into(), Some("Command")));
}

#[test]
fn a_wait_counts_as_memory_and_ends_with_the_connection() {
    let server = Arc::new(Server::new(Store::new(1000)));
    let [mut waiter, mut other] = [(); 2].map(|()| Peer::new(Client::new(&server)));
    waiter.send(b"BLPOP a b c 0\r\n");
    assert!((3 * 128..500).contains(&server.used()), "{}", server.used());
    other.send(b"BLPOP a b c d e f 0\r\nPING\r\n");
    let refused = b"-OOM command not allowed when used memory > 'maxmemory'.\r\n+PONG\r\n";
    assert_eq!(other.receive(), refused);
    waiter.end();
    assert_eq!((waiter.ended(), server.used()), (Some(Ended::Done), 0));
    other.send(b"RPUSH a 1\r\nLLEN a\r\n");
    assert_eq!(other.receive(), b":1\r\n:1\r\n");
}

/// RESP has no word for the last answer, so the stream ends behind one.
#[test]
fn a_client_that_pipelines_does_not_hold_a_drain_up() {
    let mut peer = Peer::new(Client::new(&Arc::new(Server::new(Store::new(0)))));
    // A part of the next command is always there.
    peer.send(b"PIN");
    peer.drain();
    peer.send(b"G\r\nPING\r\nPIN");
    assert_eq!(peer.receive(), b"+PONG\r\n+PONG\r\n");
    assert_eq!(peer.state(), Some("Command"));
    peer.advance(Duration::from_secs(1));
    peer.send(b"G\r\nPING\r\nPIN");
    assert_eq!(peer.receive(), b"+PONG\r\n");
    assert_eq!(peer.state(), None);
}
