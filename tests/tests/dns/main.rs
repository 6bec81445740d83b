//! The examples `dns` and `dns-client`, with `dig` and beside NSD.

#![cfg(unix)]

use std::fmt::Write;
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::Command;

use fsm_tests::{RunOutput, Server, TIMEOUT, TempDir, example, run};

mod answers;
mod asked;
mod flood;

/// The zone that the tests ask about.
fn zone() -> String {
    let mut zone = String::from(
        "$ORIGIN example.org.
$TTL 3600
@ IN SOA ns1 admin 1 7200 900 1209600 300
@ IN NS ns1
@ IN NS ns2.example.net.
@ IN MX 10 mail
@ IN TXT \"one\" \"two words\"
ns1 IN A 192.0.2.53
ns1 IN AAAA 2001:db8::53
mail IN A 192.0.2.25
mail IN AAAA 2001:db8::25
www IN CNAME mail
chain IN CNAME www
lost IN CNAME nowhere
far IN CNAME example.net.
a.deep IN A 192.0.2.7
*.wild IN TXT \"any\"
*.wild IN A 192.0.2.8
here.wild IN A 192.0.2.9
alias.wild IN CNAME x.wild
sub IN NS ns.sub
ns.sub IN A 192.0.2.99
_dns._udp IN SRV 0 5 53 ns1
",
    );
    for (name, records) in [("medium", 7), ("big", 20)] {
        for number in 0..records {
            let text = "x".repeat(100);
            writeln!(zone, "{name} IN TXT \"{number}{text}\"").expect("a string takes it");
        }
    }
    zone
}

/// Starts `dns` at an address, with further options.
fn dns(listen: &str, options: &[&str]) -> (Server, TempDir) {
    let folder = TempDir::new("dns");
    let file = folder.write("zone", zone());
    let mut command = Command::new(example("dns"));
    command.arg("--zone").arg(file).args(["--listen", listen]).args(options);
    (Server::start(&mut command), folder)
}

/// A port that is free for TCP and for UDP.
fn free_port() -> u16 {
    let free = (0..10).find_map(|_| {
        let address = TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?;
        UdpSocket::bind(address).is_ok().then_some(address.port())
    });
    free.expect("a port should be free")
}

/// Asks a server with `dig`.
fn dig(program: &Path, server: SocketAddr, question: &str) -> RunOutput {
    let (host, port): (IpAddr, u16) = (server.ip(), server.port());
    let mut command = Command::new(program);
    command.args([&format!("@{host}"), "-p", &port.to_string()]);
    // Nothing of the user's.
    command.env("HOME", "/nonexistent").args(["+norecurse", "+tries=1", "+time=10"]);
    run(command.args(question.split(' ')), TIMEOUT)
}
