//! Servers that a client must not talk to, and what it says of them; and `loadgen` over TLS.

use std::process::Command;

use fsm_tests::{Connection, Docserver, Server, TIMEOUT, example, run};
use serde_json::Value;

use super::authority::text;
use super::{Authority, Identity, addresses};

/// Runs `loadgen` for some requests. Returns its result and its log.
fn load(options: &[&str]) -> (Value, String) {
    let mut program = Command::new(example("loadgen"));
    program.args(["--json", "--requests", "200", "--connections", "5", "--timeout", "1s"]);
    let ran = run(program.args(options), TIMEOUT);
    let result = serde_json::from_str(&ran.stdout);
    (result.unwrap_or_else(|error| panic!("{error}: {ran:?}")), ran.stderr)
}

#[test]
fn loadgen_measures_servers_that_use_tls() {
    let authority = Authority::new();
    let (identity, file) = (authority.here(), authority.file());
    let docs = Docserver::new(&identity.options());
    let url = format!("https://localhost:{}/docs", docs.server().address().port());
    let kv = Server::kv(&[&identity.options()[..], &["--tls-port", "0"]].concat());
    let target = format!("tls:127.0.0.1:{}", addresses(&kv)[1].port());
    let trusting = ["--tls-ca", text(&file)];
    for trust in [&trusting[..], &["--tls-insecure"]] {
        for server in [&["--http", &*url][..], &["--resp", &target, "--pipeline", "16"]] {
            let (result, log) = load(&[server, trust].concat());
            let counts = (&result["requests"], &result["errors"]);
            assert_eq!(counts, (&Value::from(200), &Value::from(0)), "{result} {log}");
            assert_eq!(result["server"], *server[1], "{result}");
        }
    }
    docs.stop();
    kv.stop();
}

/// Checks what `loadgen` and `proxy tcp` say of a server with this certificate.
fn refused(identity: &Identity, authority: &Authority, options: &[&str], words: &str) {
    let docs = Docserver::new(&[&identity.options()[..], options].concat());
    let port = docs.server().address().port();
    let file = authority.file();
    let url = format!("https://localhost:{port}/docs");
    let (result, log) = load(&["--http", &url, "--tls-ca", text(&file)]);
    assert_eq!(result["requests"], 0, "{result}");
    assert!(result["errors_by_kind"]["tls"].as_u64() > Some(0), "{result}");
    assert!(log.contains(words) && log.contains(&format!("tls:localhost:{port}")), "{log}");
    assert_eq!(log.matches("cannot connect").count(), 1, "each cause is logged once: {log}");

    let mut command = Command::new(example("proxy"));
    command.args(["tcp", "--port", "0", "--to", &format!("tls:localhost:{port}"), "--tls-ca"]);
    command.arg(&file).args(["--log-level", "debug"]);
    let proxy = Server::start(&mut command);
    let mut client = Connection::new(proxy.address());
    // A server that wants a certificate says so after the handshake, as its answer to the request.
    client.send("GET /docs HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(client.is_at_end().unwrap_or(true));
    proxy.logs(words);
    docs.stop();
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let authority = Authority::new();
    let elsewhere = authority.issue(&["elsewhere.example"]);
    refused(&elsewhere, &authority, &[], "not valid for name");
}

#[test]
fn an_expired_certificate_is_refused() {
    let authority = Authority::new();
    refused(&authority.expired(), &authority, &[], "expired");
}

#[test]
fn a_certificate_of_an_unknown_authority_is_refused() {
    let authority = Authority::new();
    refused(&Authority::named("another one").here(), &authority, &[], "UnknownIssuer");
}

#[test]
fn a_server_that_asks_for_a_certificate_refuses_a_client_without_one() {
    let authority = Authority::new();
    let (identity, file) = (authority.here(), authority.file());
    let options = ["--tls-client-ca", text(&file)];
    refused(&identity, &authority, &options, "CertificateRequired");
}

#[test]
fn a_client_that_trusts_nobody_says_so_at_its_start() {
    for (options, words) in [
        (&["--tls-ca", "/nonexistent.pem"][..], "/nonexistent.pem"),
        (&["--tls-ca", "/dev/null"], "/dev/null has no certificate"),
    ] {
        let mut program = Command::new(example("loadgen"));
        let ran = run(program.args(["--resp", "tls:127.0.0.1:1"]).args(options), TIMEOUT);
        assert!(!ran.status.success() && ran.stderr.contains(words), "{ran:?}");
    }
}
