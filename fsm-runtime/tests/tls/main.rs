//! TLS between connections and their sockets: the rules E1 to E4 on real sockets.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(clippy::unwrap_used, clippy::needless_pass_by_value, reason = "a test fails by panicking")]

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use fsm_runtime::prelude::*;
use fsm_runtime::{Running, Stats, TlsClient, TlsServer};
use rustls::{ClientConnection, ServerConfig, ServerConnection, StreamOwned};

use crate::certificates::{Authority, client_config, server_config};

mod certificates;
mod files;
mod hand_off;
mod hostile;
mod junction;
mod opened;
mod other;
mod relay;
mod starttls;
mod truncated;

/// Answers lines; a line with a number is answered with so many bytes.
#[state_machine(start = Line, eof => Gone, limit => Gone)]
enum Lines {
    #[read(until = b"\n", max = 64KiB, idle = 20s => Gone)]
    #[to(Line | Bulk | Gone)]
    #[rest]
    Line,
    /// Takes so many bytes, and answers their sum.
    #[read(exact = left <= 64MiB, within = 60s => Gone)]
    #[to(Line)]
    Bulk { left: usize },
    #[end]
    Gone,
}

struct Client;

impl lines::Handler for Client {
    fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> lines::AfterLine {
        let text = String::from_utf8_lossy(line).into_owned();
        match text.split_once(' ') {
            Some(("send", count)) => cx.send(vec![b'x'; count.parse().unwrap()]),
            Some(("take", count)) => {
                return lines::AfterLine::Bulk { left: count.parse().unwrap() };
            }
            _ => match &*text {
                "bye" => {
                    cx.write(b"see you\n");
                    return lines::AfterLine::Gone;
                }
                "who" => {
                    let tls = cx.tls().unwrap();
                    let certificates = tls.certificates().len();
                    let alpn = tls.alpn().map(String::from_utf8_lossy).unwrap_or_default();
                    let told = format!(
                        "{} {alpn} {certificates} {} {:?}\n",
                        tls.server_name().unwrap_or_default(),
                        tls.is_resumed(),
                        tls.version().unwrap()
                    );
                    cx.write(told.as_bytes());
                }
                _ => writeln!(cx, "{text}!"),
            },
        }
        lines::AfterLine::Line
    }

    fn bulk(&mut self, _: &mut usize, bytes: &[u8], cx: &mut Cx<'_>) -> lines::AfterBulk {
        let sum: u64 = bytes.iter().map(|byte| u64::from(*byte)).sum();
        writeln!(cx, "{sum}");
        lines::AfterBulk::Line
    }
}

/// A pool of `Lines` whose certificate is for `localhost`.
struct Server {
    running: Running,
    authority: Authority,
    tls: TlsServer,
}

impl Server {
    fn start() -> Self {
        let authority = Authority::new();
        let tls = TlsServer::new(server_config(&authority, "localhost"));
        let running = Pool::builder::<Lines>("lines")
            .tls(tls.clone())
            .listen("127.0.0.1:0")
            .handler(|_peer| Client)
            .start()
            .unwrap();
        Self { running, authority, tls }
    }

    fn address(&self) -> SocketAddr {
        self.running.addresses()[0].to_string().parse().unwrap()
    }

    fn connect(&self) -> BufReader<StreamOwned<ClientConnection, TcpStream>> {
        connect(self.address(), client_config(&self.authority).into())
    }

    /// Waits until the counters are like this.
    fn until(&self, holds: impl Fn(Stats) -> bool) {
        until(|| holds(self.running.stats()));
    }
}

fn connect(
    address: SocketAddr,
    config: Arc<rustls::ClientConfig>,
) -> BufReader<StreamOwned<ClientConnection, TcpStream>> {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let session = ClientConnection::new(config, "localhost".try_into().unwrap()).unwrap();
    BufReader::new(StreamOwned::new(session, stream))
}

fn ask(peer: &mut BufReader<StreamOwned<ClientConnection, TcpStream>>, line: &str) -> String {
    peer.get_mut().write_all(format!("{line}\n").as_bytes()).unwrap();
    let mut answer = String::new();
    peer.read_line(&mut answer).unwrap();
    answer.trim_end().to_owned()
}

fn until(mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(20), "not in time");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn e1_a_pool_with_tls_needs_no_state_for_it() {
    let server = Server::start();
    let mut peer = server.connect();
    assert_eq!(ask(&mut peer, "hello"), "hello!");
    assert_eq!(ask(&mut peer, "who"), "localhost  0 false TLSv1_3");
    assert_eq!(ask(&mut peer, "bye"), "see you");
    let mut rest = Vec::new();
    peer.read_to_end(&mut rest).expect("the end is told");
    assert!(rest.is_empty());
    server.until(|stats| stats.done == 1 && stats.open == 0);
}

#[test]
fn e4_megabytes_pass_both_ways_at_the_peers_pace() {
    const SIZE: usize = 8 << 20;
    let server = Server::start();
    let mut peer = server.connect();
    writeln!(peer.get_mut(), "send {SIZE}").unwrap();
    // The socket fills up meanwhile.
    server.until(|stats| stats.open == 1);
    thread::sleep(Duration::from_millis(50));
    let mut got = vec![0; SIZE];
    peer.read_exact(&mut got).unwrap();
    assert!(got.iter().all(|byte| *byte == b'x'));

    writeln!(peer.get_mut(), "take {SIZE}").unwrap();
    let bytes: Vec<u8> = (0..SIZE).map(|n| u8::try_from(n % 251).unwrap()).collect();
    for part in bytes.chunks(100_000) {
        peer.get_mut().write_all(part).unwrap();
    }
    let sum: u64 = bytes.iter().map(|byte| u64::from(*byte)).sum();
    let mut answer = String::new();
    peer.read_line(&mut answer).unwrap();
    assert_eq!(answer.trim_end(), sum.to_string());
    assert_eq!(ask(&mut peer, "still there?"), "still there?!");
}

#[test]
fn e1_a_client_that_does_not_trust_the_server_tells_it() {
    let server = Server::start();
    let mut stranger = connect(server.address(), client_config(&Authority::new()).into());
    let error = stranger.get_mut().write_all(b"hello\n").unwrap_err();
    assert!(error.to_string().contains("invalid peer certificate"), "{error}");
    drop(stranger);
    server.until(|stats| stats.tls_failures == 1);
}

#[test]
fn e1_what_is_no_tls_gets_an_alert() {
    let server = Server::start();
    let mut peer = TcpStream::connect(server.address()).unwrap();
    peer.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    peer.read_to_end(&mut answer).unwrap();
    assert_eq!(answer[..1], [21], "an alert");
    server.until(|stats| stats.tls_failures == 1);
}

#[test]
fn e1_certificates_are_replaced_without_a_restart() {
    let server = Server::start();
    let mut before = server.connect();
    assert_eq!(ask(&mut before, "hello"), "hello!");
    let renewed = Authority::new();
    server.tls.replace(server_config(&renewed, "localhost"));
    let mut after = connect(server.address(), client_config(&renewed).into());
    assert_eq!(ask(&mut after, "hello"), "hello!");
    assert_eq!(ask(&mut before, "still"), "still!");
}

#[test]
fn e1_a_session_is_resumed() {
    let server = Server::start();
    let config = Arc::new(client_config(&server.authority));
    let mut first = connect(server.address(), Arc::clone(&config));
    assert!(ask(&mut first, "who").contains("false"));
    let mut second = connect(server.address(), config);
    assert!(ask(&mut second, "who").contains("true"));
}

#[test]
fn e1_alpn_and_client_certificates_are_told() {
    let authority = Authority::new();
    let mut config = certificates::server_that_asks(&authority, "localhost");
    config.alpn_protocols = vec![b"lines/1".to_vec()];
    let running = Pool::builder::<Lines>("lines")
        .tls(config)
        .listen("127.0.0.1:0")
        .handler(|_peer| Client)
        .start()
        .unwrap();
    let address = running.addresses()[0].to_string().parse().unwrap();
    let mut config = certificates::client_with_certificate(&authority);
    config.alpn_protocols = vec![b"lines/1".to_vec()];
    let mut peer = connect(address, config.into());
    assert_eq!(ask(&mut peer, "who"), "localhost lines/1 1 false TLSv1_3");
    // One without a certificate is refused.
    let mut nobody = connect(address, client_config(&authority).into());
    let refused = nobody.get_mut().write_all(b"who\n").and_then(|()| {
        let mut line = String::new();
        nobody.read_line(&mut line).map(drop)
    });
    assert!(refused.unwrap_err().to_string().contains("CertificateRequired"));
    until(|| running.stats().tls_failures == 1);
}
