//! A server that reads PROXY headers, and the clients that send them.

#![cfg(unix)]

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

use fsm_runtime::prelude::*;
use fsm_runtime::proxy::{self, Origin};
use fsm_runtime::{Address, Running};
use fsm_tests::{TIMEOUT, TempDir, client, eventually, run};

/// Answers each request with the address of its client.
#[state_machine(start = Header, eof => Gone, limit => Gone, refused => Refused)]
enum Web {
    #[read(frame = proxy::Header, within = 20s => Gone)]
    #[to(Request)]
    Header,
    #[read(until = b"\r\n\r\n", max = 8KiB, within = 20s => Gone)]
    #[to(Gone)]
    Request,
    #[run]
    #[to(Gone)]
    Refused {
        #[error]
        why: proxy::Error,
    },
    #[end]
    Gone,
}

struct Client {
    /// That of the socket, until the header names another one.
    source: SocketAddr,
    said: String,
}

impl web::Handler for Client {
    fn header(&mut self, origin: Origin<'_>, _cx: &mut Cx<'_>) -> web::AfterHeader {
        self.source = origin.source().unwrap_or(self.source);
        self.said = format!("{origin:?}");
        web::AfterHeader::Request
    }

    fn request(&mut self, _head: &[u8], cx: &mut Cx<'_>) -> web::AfterRequest {
        writeln!(cx, "HTTP/1.0 200 OK\r\n\r\n{} {}", self.source, self.said);
        web::AfterRequest::Gone
    }

    fn refused(&mut self, why: &mut proxy::Error, cx: &mut Cx<'_>) -> web::AfterRefused {
        writeln!(cx, "HTTP/1.0 400 Bad Request\r\n\r\n{why}");
        web::AfterRefused::Gone
    }
}

/// The running server and its address.
fn server() -> (Running, SocketAddr) {
    let pool = Pool::builder::<Web>("web").listen("127.0.0.1:0").handler(|peer| match peer {
        Peer::Tcp(source) => Client { source, said: String::new() },
        other => panic!("{other}"),
    });
    let running = pool.start().expect("a port should be free");
    let Address::Tcp(address) = running.addresses()[0].clone() else { panic!() };
    (running, address)
}

fn curl(options: &[&str], address: SocketAddr) -> Option<String> {
    let mut curl = Command::new(client("curl")?);
    curl.args(["--silent", "--show-error", "--max-time", "20", "--write-out", "%{local_port}"]);
    let ran = run(curl.args(options).arg(format!("http://{address}/")), TIMEOUT);
    assert!(ran.status.success(), "{ran:?}");
    Some(ran.stdout)
}

#[test]
fn curl_announces_itself() {
    let (running, address) = server();
    let Some(said) = curl(&["--haproxy-protocol"], address) else { return };
    let (said, port) = said.rsplit_once('\n').expect("a line");
    assert!(said.starts_with(&format!("127.0.0.1:{port} ")), "{said} {port}");
    assert!(said.contains("V1") && said.contains(&format!("destination: {address}")), "{said}");
    drop(running);
}

#[test]
fn a_client_without_a_proxy_hears_why_it_is_refused() {
    let (running, address) = server();
    let Some(said) = curl(&[], address) else { return };
    assert!(said.starts_with("the connection does not begin with a PROXY header\n"), "{said}");
    drop(running);
}

/// `HAProxy`, which is ended when the test is.
struct Haproxy(Child);

impl Drop for Haproxy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn haproxy_announces_its_clients() {
    let Some(haproxy) = client("haproxy") else { return };
    let (running, address) = server();
    let directory = TempDir::new("haproxy");
    for (send, version) in [
        ("send-proxy", "V1"),
        ("send-proxy-v2", "V2"),
        ("send-proxy-v2 proxy-v2-options crc32c,unique-id", "7F000001"),
    ] {
        // `HAProxy` writes no port that it has chosen itself, so it listens on one that was free.
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port should be free");
        let front = free.local_addr().expect("it is bound");
        drop(free);
        let config = format!(
            "defaults\n mode tcp\n timeout connect 20s\n timeout client 20s\n timeout server 20s\n\
             listen front\n bind {front}\n unique-id-format %{{+X}}o\\ %ci:%cp\n \
             server web {address} {send}\n"
        );
        let path = directory.path().join("haproxy.cfg");
        fs::write(&path, config).expect("it can be written");
        let mut command = Command::new(&haproxy);
        command.arg("-db").arg("-f").arg(&path).stdout(Stdio::null()).stderr(Stdio::null());
        let _haproxy = Haproxy(command.spawn().expect("it should start"));
        eventually("haproxy listens", || TcpStream::connect(front).is_ok());
        let Some(said) = curl(&[], front) else { return };
        let (said, port) = said.rsplit_once('\n').expect("a line");
        assert!(said.starts_with(&format!("127.0.0.1:{port} ")), "{said} {port}");
        if version == "7F000001" {
            assert!(said.contains("unique_id: Some(["), "{said}");
        } else {
            assert!(said.contains(version), "{said}");
        }
        assert!(said.contains(&format!("destination: {front}")), "{said}");
    }
    drop(running);
}
