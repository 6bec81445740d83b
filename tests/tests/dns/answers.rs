//! The answers of `dns`.

use std::collections::BTreeSet;

use fsm_tests::{Nsd, client};

use super::*;

/// Questions as `dig` takes them.
const QUESTIONS: &[&str] = &[
    "example.org A +noedns",
    "mail.example.org A",
    "mail.example.org AAAA",
    "MAIL.Example.ORG A",
    "www.example.org A",
    "www.example.org AAAA",
    "www.example.org CNAME",
    "www.example.org MX",
    "chain.example.org A",
    "lost.example.org A",
    "far.example.org A",
    "deep.example.org A",
    "a.deep.example.org A",
    "none.example.org A",
    "x.none.example.org A",
    "x.wild.example.org TXT",
    "x.y.wild.example.org A",
    "x.wild.example.org MX",
    "here.wild.example.org TXT",
    "x.here.wild.example.org TXT",
    "alias.wild.example.org TXT",
    "wild.example.org TXT",
    "*.wild.example.org TXT",
    "sub.example.org NS",
    "sub.example.org DS",
    "x.sub.example.org A",
    "ns.sub.example.org A",
    "example.org SOA",
    "example.org NS",
    "example.org MX",
    "example.org TXT",
    "_dns._udp.example.org SRV",
    "mail.example.org TYPE65280",
    "example.net A",
    ". NS",
    "org SOA",
    "big.example.org TXT +noedns +ignore",
    "big.example.org TXT +bufsize=4096 +ignore",
    "big.example.org TXT",
    "medium.example.org TXT +noedns +ignore",
    "medium.example.org TXT +bufsize=600 +ignore",
    "medium.example.org TXT +bufsize=1232 +ignore",
    "medium.example.org TXT +bufsize=0 +ignore",
    "mail.example.org A +edns=1 +noednsnegotiation",
    "mail.example.org A CH",
    "mail.example.org A +dnssec",
    "mail.example.org A +adflag +cdflag",
    "mail.example.org A +nsid",
    "mail.example.org A +cookie",
    "mail.example.org A +subnet=192.0.2.0/24",
    "mail.example.org A +ednsopt=65001:01",
];

/// The parts in which both servers must agree: the code, the flags, EDNS, and the records of the answer and of the authority. Which
/// addresses come beside is theirs to choose.
fn said(program: &Path, server: SocketAddr, question: &str) -> BTreeSet<String> {
    let ran = dig(program, server, question);
    assert!(ran.status.success(), "{question}: {ran:?}");
    let mut section = "";
    let mut said = BTreeSet::new();
    for line in ran.stdout.lines() {
        if let Some(rest) = line.strip_prefix(";; ->>HEADER<<- ") {
            said.insert(rest.split(", id").next().unwrap_or_default().to_owned());
        } else if let Some(rest) = line.strip_prefix(";; flags: ") {
            said.insert(rest.split("; ").next().unwrap_or_default().to_owned());
        } else if line.starts_with("; EDNS: ") {
            said.insert(line.to_owned());
        } else if line.ends_with(" SECTION:") {
            section = line;
        } else if !line.starts_with(';') && !line.is_empty() && !section.contains("ADDITIONAL") {
            said.insert(format!("{section} {line}"));
        }
    }
    said
}

#[test]
fn answers_are_those_of_nsd() {
    let (Some(program), Some(nsd)) = (client("dig"), client("nsd")) else { return };
    let (nsd, (server, _folder)) = (Nsd::start(&nsd, &zone()), start());
    for question in QUESTIONS {
        let [ours, theirs] =
            [server.address(), nsd.address()].map(|server| said(&program, server, question));
        assert_eq!(ours, theirs, "{question}");
    }
    server.stop();
}

/// Starts `dns` on a free port.
fn start() -> (Server, TempDir) {
    dns(&format!("127.0.0.1:{}", free_port()), &[])
}

#[test]
fn dig_gets_records_and_what_is_large_over_tcp() {
    let Some(program) = client("dig") else { return };
    let (server, _folder) = start();
    for (question, records) in [
        ("example.org MX +short", "10 mail.example.org."),
        ("www.example.org A +short", "mail.example.org.\n192.0.2.25"),
        ("example.org TXT +short", "\"one\" \"two words\""),
        ("any.wild.example.org TXT +short", "\"any\""),
        ("none.example.org A +short", ""),
    ] {
        let ran = dig(&program, server.address(), question);
        assert_eq!(ran.stdout.trim_end(), records, "{question}");
    }
    let cut = dig(&program, server.address(), "big.example.org TXT +ignore").stdout;
    assert!(cut.contains("flags: qr aa tc;") && cut.contains("ANSWER: 0"), "{cut}");
    let whole = dig(&program, server.address(), "big.example.org TXT").stdout;
    assert!(whole.contains("retrying in TCP mode") && whole.contains("ANSWER: 20"), "{whole}");
    server.stop();
}

#[test]
fn d1_each_address_answers_for_itself() {
    let Some(program) = client("dig") else { return };
    let port = free_port();
    let (server, _folder) = dns(&format!("0.0.0.0:{port}"), &[]);
    for host in ["127.0.0.1", "127.0.0.2", "127.9.9.9"] {
        // dig takes no answer from another address.
        let ran = dig(&program, format!("{host}:{port}").parse().unwrap(), "mail.example.org A");
        assert!(ran.stdout.contains("status: NOERROR"), "{host}: {ran:?}");
        assert!(ran.stdout.contains(&format!("SERVER: {host}#{port}")), "{host}: {ran:?}");
    }
    server.stop();
}
