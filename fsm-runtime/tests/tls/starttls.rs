//! TLS that begins in a state: a mail server with STARTTLS.

use std::sync::Mutex;

use super::*;
use fsm_runtime::sim::Session;

mod checked;
mod client;
mod hostile;
mod named;
mod openssl;
mod simulated;

/// A mail server that takes mail only over TLS.
#[state_machine(start = Greet, eof => Gone, limit => Gone, idle = 20s => Gone)]
enum Mail {
    #[run]
    #[to(Command)]
    Greet,
    #[read(until = b"\r\n", max = 1KiB)]
    #[to(Command | Secure | Gone)]
    #[rest]
    Command,
    #[tls(within = 1s => Late, error => Failed)]
    #[to(Command | Gone)]
    Secure,
    #[run]
    #[to(Gone)]
    Late,
    /// Tells why, and leaves.
    #[run]
    #[to(Gone)]
    Failed {
        #[error]
        why: io::Error,
    },
    #[end]
    Gone,
}

/// The actions of all clients of a server.
type Log = Arc<Mutex<Vec<String>>>;

struct Sender {
    log: Log,
    /// The length of a line that precedes the answer to STARTTLS.
    padding: usize,
}

impl Sender {
    fn note(&self, what: impl Into<String>) {
        self.log.lock().unwrap().push(what.into());
    }
}

impl mail::Handler for Sender {
    fn greet(&mut self, cx: &mut Cx<'_>) -> mail::AfterGreet {
        cx.write(b"220 mail.test\r\n");
        mail::AfterGreet::Command
    }

    fn command(&mut self, line: &[u8], cx: &mut Cx<'_>) -> mail::AfterCommand {
        let line = String::from_utf8_lossy(line).into_owned();
        self.note(&*line);
        match line.split(' ').next().unwrap_or_default() {
            "EHLO" if cx.tls().is_some() => cx.write(b"250 mail.test\r\n"),
            "EHLO" => cx.write(b"250-mail.test\r\n250 STARTTLS\r\n"),
            "STARTTLS" => {
                if self.padding > 0 {
                    cx.send(vec![b'x'; self.padding]);
                }
                cx.write(b"220 go ahead\r\n");
                return mail::AfterCommand::Secure;
            }
            "MAIL" if cx.tls().is_some() => cx.write(b"250 ok\r\n"),
            "MAIL" => cx.write(b"530 must issue STARTTLS first\r\n"),
            "QUIT" => {
                cx.write(b"221 bye\r\n");
                return mail::AfterCommand::Gone;
            }
            _ => cx.write(b"500 what?\r\n"),
        }
        mail::AfterCommand::Command
    }

    fn secure(&mut self, tls: TlsSession<'_>, cx: &mut Cx<'_>) -> mail::AfterSecure {
        let name = tls.server_name().unwrap_or_default();
        let alpn = String::from_utf8_lossy(tls.alpn().unwrap_or_default()).into_owned();
        self.note(format!("secured {name} {alpn} {}", cx.queued()));
        if alpn == "http/1.1" { mail::AfterSecure::Gone } else { mail::AfterSecure::Command }
    }

    fn late(&mut self, _: &mut Cx<'_>) -> mail::AfterLate {
        self.note("late");
        mail::AfterLate::Gone
    }

    fn failed(&mut self, why: &mut io::Error, _: &mut Cx<'_>) -> mail::AfterFailed {
        self.note(format!("failed: {why}"));
        mail::AfterFailed::Gone
    }
}

/// A pool of `Mail`, and what its clients have done.
struct MailServer {
    running: Running,
    authority: Authority,
    log: Log,
}

impl MailServer {
    fn start() -> Self {
        Self::with_padding(0)
    }

    fn with_padding(padding: usize) -> Self {
        let authority = Authority::new();
        let mut config = server_config(&authority, "localhost");
        config.alpn_protocols = vec![b"smtp".to_vec(), b"http/1.1".to_vec()];
        let log = Log::default();
        let running = Pool::builder::<Mail>("mail")
            .tls(config)
            .listen("127.0.0.1:0")
            .handler({
                let log = Arc::clone(&log);
                move |_peer| Sender { log: Arc::clone(&log), padding }
            })
            .start()
            .unwrap();
        Self { running, authority, log }
    }

    fn address(&self) -> SocketAddr {
        self.running.addresses()[0].to_string().parse().unwrap()
    }

    /// A client that has got the greeting.
    fn connect(&self) -> BufReader<TcpStream> {
        let stream = TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut peer = BufReader::new(stream);
        assert_eq!(line(&mut peer), "220 mail.test");
        peer
    }

    fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Waits until all connections have ended.
    fn until_quiet(&self) {
        until(|| self.running.stats().open == 0);
    }
}

/// The TLS of a client that has said STARTTLS.
fn secure(
    peer: BufReader<TcpStream>,
    config: rustls::ClientConfig,
) -> BufReader<StreamOwned<ClientConnection, TcpStream>> {
    let session = ClientConnection::new(config.into(), "localhost".try_into().unwrap());
    BufReader::new(StreamOwned::new(session.unwrap(), peer.into_inner()))
}

fn line(peer: &mut impl BufRead) -> String {
    let mut line = String::new();
    peer.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

/// Says something, and returns the line that answers it.
fn say<S: Read + Write>(peer: &mut BufReader<S>, text: &str) -> String {
    peer.get_mut().write_all(format!("{text}\r\n").as_bytes()).unwrap();
    line(peer)
}

#[test]
fn e1_tls_begins_in_a_state_after_plaintext() {
    let server = MailServer::start();
    let mut peer = server.connect();
    assert_eq!(say(&mut peer, "EHLO me"), "250-mail.test");
    assert_eq!(line(&mut peer), "250 STARTTLS");
    assert_eq!(say(&mut peer, "MAIL FROM:<a@b>"), "530 must issue STARTTLS first");
    assert_eq!(say(&mut peer, "STARTTLS"), "220 go ahead");
    let mut config = client_config(&server.authority);
    config.alpn_protocols = vec![b"smtp".to_vec()];
    let mut peer = secure(peer, config);
    assert_eq!(say(&mut peer, "EHLO me"), "250 mail.test");
    assert_eq!(say(&mut peer, "MAIL FROM:<a@b>"), "250 ok");
    assert_eq!(say(&mut peer, "QUIT"), "221 bye");
    let mut rest = Vec::new();
    peer.read_to_end(&mut rest).expect("the end is told");
    assert!(rest.is_empty());
    server.until_quiet();
    let expected = [
        "EHLO me",
        "MAIL FROM:<a@b>",
        "STARTTLS",
        "secured localhost smtp 0",
        "EHLO me",
        "MAIL FROM:<a@b>",
        "QUIT",
    ];
    assert_eq!(server.log(), expected);
    assert_eq!(server.running.stats().done, 1);
}

#[test]
fn e1_the_agreed_protocol_is_a_verdict() {
    let server = MailServer::start();
    let mut peer = server.connect();
    assert_eq!(say(&mut peer, "STARTTLS"), "220 go ahead");
    let mut config = client_config(&server.authority);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let mut peer = secure(peer, config);
    let _ = peer.get_mut().write_all(b"GET /\r\n");
    let mut rest = Vec::new();
    let _ = peer.read_to_end(&mut rest);
    assert!(rest.is_empty());
    server.until_quiet();
    assert_eq!(server.log(), ["STARTTLS", "secured localhost http/1.1 0"]);
}

#[test]
fn e1_a_handshake_that_stalls_is_late() {
    let server = MailServer::start();
    let mut peer = server.connect();
    assert_eq!(say(&mut peer, "STARTTLS"), "220 go ahead");
    // The first byte of a record.
    peer.get_mut().write_all(&[22]).unwrap();
    server.until_quiet();
    assert_eq!(server.log(), ["STARTTLS", "late"]);
}

#[test]
fn e1_a_handshake_that_fails_takes_the_error_edge_and_tells_why() {
    let server = MailServer::start();
    let mut peer = server.connect();
    assert_eq!(say(&mut peer, "STARTTLS"), "220 go ahead");
    let mut peer = secure(peer, client_config(&Authority::new()));
    let error = peer.get_mut().write_all(b"EHLO me\r\n").unwrap_err();
    assert!(error.to_string().contains("invalid peer certificate"), "{error}");
    drop(peer);
    server.until_quiet();
    let log = server.log();
    assert!(log[1].starts_with("failed: received fatal alert: "), "{log:?}");
    assert_eq!(log.len(), 2);

    let server = MailServer::start();
    let mut peer = server.connect();
    assert_eq!(say(&mut peer, "STARTTLS"), "220 go ahead");
    drop(peer);
    server.until_quiet();
    assert_eq!(server.log(), ["STARTTLS", "failed: the peer ended its stream in the handshake"]);
    assert_eq!(server.running.stats().done, 1);
}

#[test]
fn e1_there_is_no_tls_within_tls() {
    let server = MailServer::start();
    let mut peer = server.connect();
    assert_eq!(say(&mut peer, "STARTTLS"), "220 go ahead");
    let mut peer = secure(peer, client_config(&server.authority));
    assert_eq!(say(&mut peer, "STARTTLS"), "220 go ahead");
    assert_eq!(line(&mut peer), "");
    server.until_quiet();
    assert_eq!(server.log()[2..], ["STARTTLS", "failed: TLS has begun on this connection before"]);
}

#[test]
fn e2_what_was_written_before_leaves_plain_and_in_order() {
    const PADDING: usize = 4 << 20;
    let server = MailServer::with_padding(PADDING);
    let mut peer = server.connect();
    peer.get_mut().write_all(b"STARTTLS\r\n").unwrap();
    // The socket fills up meanwhile.
    thread::sleep(Duration::from_millis(100));
    let mut padding = vec![0; PADDING];
    peer.read_exact(&mut padding).unwrap();
    assert!(padding.iter().all(|byte| *byte == b'x'));
    assert_eq!(line(&mut peer), "220 go ahead");
    let mut peer = secure(peer, client_config(&server.authority));
    assert_eq!(say(&mut peer, "QUIT"), "221 bye");
}

#[test]
fn e2_a_peer_that_does_not_take_what_was_written_before_is_late() {
    let server = MailServer::with_padding(64 << 20);
    let mut peer = server.connect();
    peer.get_mut().write_all(b"STARTTLS\r\n").unwrap();
    until(|| server.log() == ["STARTTLS", "late"]);
}

#[test]
fn e1_a_pool_without_tls_does_not_start_with_a_machine_that_begins_it() {
    let pool = Pool::builder::<Mail>("mail")
        .listen("127.0.0.1:0")
        .handler(|_peer| Sender { log: Log::default(), padding: 0 });
    assert_eq!(
        pool.start().unwrap_err().to_string(),
        "the pool `mail` cannot encrypt all its connections: its machine has a `#[tls]` state; give it \
         `tls(..)` with the settings of a server, or `tls_client(..)`"
    );
}
