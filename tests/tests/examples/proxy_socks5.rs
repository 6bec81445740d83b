//! The example `proxy socks5`, with curl as its client.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::thread;

use fsm_tests::{Connection, RunOutput, Server, TIMEOUT, client, example, run};

const LOCAL: [&str; 4] = ["--allow", "127.0.0.0/8", "--allow", "::1"];

fn proxy(options: &[&str]) -> Server {
    Server::start(Command::new(example("proxy")).args(["socks5", "--port", "0"]).args(options))
}

/// A server that answers each request with `hello`. A name may have addresses of both families.
fn web() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port should be free");
    let port = listener.local_addr().expect("it is bound").port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a client");
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello");
        }
    });
    port
}

/// The answer that curl gets through the proxy; `None` if there is no curl.
fn curl(server: &Server, proxy: &str, options: &[&str], url: &str) -> Option<RunOutput> {
    let mut curl = Command::new(client("curl")?);
    curl.args(["--silent", "--show-error", "--max-time", "20", "--noproxy", "", proxy]);
    curl.arg(server.address().to_string()).args(options).arg(url);
    Some(run(&mut curl, TIMEOUT))
}

#[test]
fn curl_names_and_addresses() {
    let (server, port) = (proxy(&LOCAL), web());
    for (option, host) in [
        ("--socks5-hostname", "localhost"),
        ("--socks5-hostname", "127.0.0.1"),
        ("--socks5", "127.0.0.1"),
    ] {
        let Some(ran) = curl(&server, option, &[], &format!("http://{host}:{port}/")) else {
            return;
        };
        assert_eq!(ran.stdout, "hello", "{option} {host}: {ran:?}");
    }
    let log = server.stop();
    assert!(log.contains("both sides have ended") && log.contains("back=43"), "{log}");
}

#[test]
fn curl_logs_in() {
    let options = [&LOCAL[..], &["--user", "ann:secret"]].concat();
    let (server, url) = (proxy(&options), format!("http://localhost:{}/", web()));
    let with = |user: &[&str]| curl(&server, "--socks5-hostname", user, &url);
    let Some(ran) = with(&["--proxy-user", "ann:secret"]) else { return };
    assert_eq!(ran.stdout, "hello", "{ran:?}");
    for wrong in [&["--proxy-user", "ann:wrong"][..], &["--proxy-user", "eve:secret"], &[]] {
        let Some(ran) = with(wrong) else { return };
        // 97 is that of a proxy's refusal.
        assert_eq!((ran.status.code(), &*ran.stdout), (Some(97), ""), "{wrong:?}: {ran:?}");
    }
    let log = server.stop();
    assert!(log.contains("wrong login") && log.contains("user=eve"), "{log}");
    assert!(!log.contains("secret"), "{log}");
    assert!(!log.contains("ann:wrong") && !log.contains("password"), "{log}");
}

#[test]
fn what_leads_to_this_machine_is_refused_also_by_name() {
    let (server, port) = (proxy(&[]), web());
    for host in ["127.0.0.1", "127.1", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "localhost"] {
        let url = format!("http://{host}:{port}/");
        let Some(ran) = curl(&server, "--socks5-hostname", &[], &url) else { return };
        assert_eq!(ran.status.code(), Some(97), "{host}: {ran:?}");
        assert!(ran.stderr.contains("(2)"), "{host}: {ran:?}");
    }
    let log = server.stop();
    assert!(!log.contains("the tunnel"), "{log}");
}

#[test]
fn lists_allow_and_deny() {
    let (open, closed) = (web(), web());
    let server = proxy(&["--allow", &format!("127.0.0.0/8:{open}"), "--deny", "evil.localhost"]);
    let code = |target: SocketAddr| reply(&server, &address(target));
    assert_eq!(code(([127, 0, 0, 1], open).into()), 0);
    assert_eq!(code(([127, 0, 0, 1], closed).into()), 2);
    assert_eq!(code(([10, 0, 0, 1], open).into()), 2);
    let evil = [&b"\x03\x0eevil.localhost"[..], &open.to_be_bytes()].concat();
    assert_eq!(reply(&server, &evil), 2);
    server.stop();
}

#[test]
fn failures_have_their_codes() {
    let server = proxy(&LOCAL);
    let dead = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port");
    assert_eq!(reply(&server, &address(dead)), 5);
    let server = proxy(&[]);
    assert_eq!(reply(&server, b"\x03\x14no.such.host.invalid\0\x50"), 4);
    assert_eq!(reply(&server, b"\x05"), 8);
    server.stop();
}

/// An IPv4 target in a request.
fn address(target: SocketAddr) -> Vec<u8> {
    let SocketAddr::V4(target) = target else { panic!("{target}") };
    [&[1][..], &target.ip().octets(), &target.port().to_be_bytes()].concat()
}

/// The code of the reply to a request for this target.
fn reply(server: &Server, target: &[u8]) -> u8 {
    let mut stream = Connection::new(server.address());
    stream.send(b"\x05\x01\x00");
    assert_eq!(stream.bytes(2), b"\x05\x00");
    stream.send([b"\x05\x01\x00", target].concat());
    stream.bytes(10)[1]
}
