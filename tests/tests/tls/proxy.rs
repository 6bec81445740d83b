//! `proxy` with TLS on both of its sides.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use fsm_tests::{Docserver, Random, Server, TIMEOUT, TempDir, client, example, run};

use super::authority::text;
use super::{Authority, Identity};

/// A proxy with TLS for its clients.
fn proxy(kind: &str, target: &str, identity: &Identity, authority: &Authority) -> Server {
    let mut command = Command::new(example("proxy"));
    command.args([kind, "--port", "0", "--to", target]).args(identity.options());
    Server::start(command.arg("--tls-ca").arg(authority.file()))
}

#[test]
fn documents_pass_both_ways_with_tls_on_both_sides() {
    let Some(curl) = client("curl") else { return };
    let authority = Authority::new();
    let identity = authority.here();
    let docs = Docserver::new(&identity.options());
    let target = format!("tls:localhost:{}", docs.server().address().port());
    let scratch = TempDir::new("proxy");
    for kind in ["tcp", "http"] {
        let server = proxy(kind, &target, &identity, &authority);
        for size in [0, 1, 300_000, 3_000_000] {
            let bytes = Random::new(size as u64).next_bytes(size);
            let sent = scratch.write("sent", &bytes);
            let got = scratch.write("got", "");
            let url = format!("https://{}/docs/{kind}-{size}", server.address());
            for options in [&["-T", text(&sent), &url][..], &["-o", text(&got), &url]] {
                let mut command = Command::new(&curl);
                command.args(["--silent", "--show-error", "--fail", "--max-time", "20"]);
                let ran = run(command.arg("--cacert").arg(authority.file()).args(options), TIMEOUT);
                assert!(ran.status.success(), "{kind} {size}: {ran:?}");
            }
            let got = std::fs::read(got).expect("it is there");
            assert!(got == bytes, "{kind} {size} has changed");
        }
        server.stop();
    }
    assert_eq!(docs.filed(), 8);
    docs.stop();
}

/// A server of HTTP that tells the head of each request.
fn telling() -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port should be free");
    let address = listener.local_addr().expect("it is bound");
    let (sender, heads) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.expect("a client"));
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                assert!(stream.read_line(&mut head).expect("a line") > 0, "{head}");
            }
            let _ = sender.send(head);
            let answer = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
            stream.get_mut().write_all(answer).expect("the proxy reads");
        }
    });
    (address, heads)
}

#[test]
fn the_target_is_told_that_its_client_uses_tls() {
    let Some(curl) = client("curl") else { return };
    let authority = Authority::new();
    let (target, heads) = telling();
    let server = proxy("http", &target.to_string(), &authority.here(), &authority);
    let mut command = Command::new(&curl);
    command.args(["--silent", "--show-error", "--fail", "--max-time", "20", "--cacert"]);
    command.arg(authority.file()).arg(format!("https://localhost:{}/", server.port()));
    let ran = run(&mut command, TIMEOUT);
    assert!(ran.status.success(), "{ran:?}");
    let head = heads.recv_timeout(TIMEOUT).expect("a request");
    assert!(head.contains("\r\nX-Forwarded-Proto: https\r\n"), "{head}");
    server.stop();
}
