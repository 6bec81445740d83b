//! `docserver` over HTTPS, with curl and with a client that cuts its stream off.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;

use fsm_tests::{
    Docserver, Random, RunOutput, Server, TIMEOUT, TempDir, client, eventually, example, run,
};

use super::authority::text;
use super::{Authority, Stream, addresses};

struct Curl<'a> {
    program: PathBuf,
    authority: &'a Authority,
}

impl<'a> Curl<'a> {
    fn of(authority: &'a Authority) -> Option<Self> {
        Some(Self { program: client("curl")?, authority })
    }

    fn run(&self, options: &[&str]) -> RunOutput {
        let mut command = Command::new(&self.program);
        command.args(["--silent", "--show-error", "--max-time", "20", "--http1.1"]);
        command.arg("--cacert").arg(self.authority.file());
        run(command.args(options), TIMEOUT)
    }
}

fn https(docs: &Docserver, path: &str) -> String {
    format!("https://{}{path}", docs.server().address())
}

#[test]
fn curl_uploads_and_downloads() {
    let authority = Authority::new();
    let Some(curl) = Curl::of(&authority) else { return };
    let docs = Docserver::new(&authority.here().options());
    let scratch = TempDir::new("curl");
    for size in [0, 1, 16_384, 300_000, 3_000_000] {
        let bytes = Random::new(size as u64).next_bytes(size);
        let sent = scratch.write("sent", &bytes);
        let url = https(&docs, &format!("/docs/{size}"));
        let ran = curl.run(&["--fail", "-T", text(&sent), &url]);
        assert!(ran.status.success() && ran.stdout.contains("\"len\":"), "{size}: {ran:?}");
        let got = scratch.path().join("got");
        let _ = fs::remove_file(&got);
        let ran = curl.run(&["--fail", "-o", text(&got), &url]);
        assert!(ran.status.success(), "{size}: {ran:?}");
        assert!(fs::read(&got).unwrap_or_default() == bytes, "{size} has changed");
    }
    let url = https(&docs, "/docs/300000");
    let range = curl.run(&[
        "--fail",
        "--range",
        "100000-199999",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code} %{size_download}",
        &url,
    ]);
    // The server may answer with the whole document, as HTTP lets it.
    assert!(["206 100000", "200 300000"].contains(&&*range.stdout), "{range:?}");
    let two = curl.run(&["-v", "-o", "/dev/null", &url, "-o", "/dev/null", &url]);
    assert!(two.stderr.contains("ALPN: server accepted http/1.1"), "{two:?}");
    assert!(two.stderr.contains("Re-using existing connection"), "{two:?}");
    assert!(!two.stderr.contains("missing close_notify"), "{two:?}");
    docs.stop();
}

/// The server answers before it has read the document, and its answer arrives.
#[test]
fn curl_reads_why_its_document_is_too_large() {
    let authority = Authority::new();
    let Some(curl) = Curl::of(&authority) else { return };
    let identity = authority.here();
    let docs = Docserver::new(&[&identity.options()[..], &["--max-size", "1MB"]].concat());
    let scratch = TempDir::new("curl");
    let sent = scratch.write("sent", vec![b'x'; 8_000_000]);
    let url = https(&docs, "/docs/large");
    for field in ["Expect:", "Transfer-Encoding: chunked"] {
        let ran = curl.run(&["-H", field, "-T", text(&sent), &url]);
        assert!(ran.stdout.contains("the document is too large"), "{field}: {ran:?}");
    }
    assert_eq!((docs.filed(), docs.temporary()), (0, 0));
    docs.stop();
}

#[test]
fn clients_without_tls_are_sent_to_the_address_with_it() {
    let authority = Authority::new();
    let Some(curl) = Curl::of(&authority) else { return };
    let data = TempDir::new("docs");
    let free = TcpListener::bind("127.0.0.1:0").expect("a port should be free");
    let address = free.local_addr().expect("it is bound");
    drop(free);
    let mut command = Command::new(example("docserver"));
    command.arg("--data").arg(data.path()).args(["--listen", &address.to_string()]);
    let server =
        Server::start(command.args(["--redirect-http", "0"]).args(authority.here().options()));
    let [_, plain] = addresses(&server);
    let url = format!("http://{plain}/docs?limit=3");
    let ran = curl.run(&["-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", &url]);
    assert_eq!(ran.stdout, format!("308 https://{address}/docs?limit=3"), "{ran:?}");
    let ran = curl.run(&["--location", &url]);
    assert!(ran.stdout.contains("\"docs\":[]"), "{ran:?}");
    // A client that speaks the other protocol gets no document.
    let ran = curl.run(&[&format!("http://{address}/")]);
    assert!(!ran.status.success() || ran.stdout.is_empty(), "{ran:?}");
    let ran = curl.run(&[&format!("https://{plain}/")]);
    assert!(!ran.status.success(), "{ran:?}");
    server.stop();
}

#[test]
fn certificates_of_clients_are_asked_for() {
    let authority = Authority::new();
    let Some(curl) = Curl::of(&authority) else { return };
    let (identity, file) = (authority.here(), authority.file());
    let docs =
        Docserver::new(&[&identity.options()[..], &["--tls-client-ca", text(&file)]].concat());
    let url = https(&docs, "/docs");
    let ran = curl.run(&[&url]);
    let says = ran.stderr.contains("certificate required");
    assert!(!ran.status.success() && says, "{ran:?}");
    let mine = authority.issue(&["somebody"]);
    let mine = ["--cert", text(&mine.chain), "--key", text(&mine.key)];
    let ran = curl.run(&[&mine[..], &["--fail", &url]].concat());
    assert!(ran.status.success() && ran.stdout.contains("\"docs\":[]"), "{ran:?}");
    let other = Authority::new().issue(&["somebody"]);
    let other = ["--cert", text(&other.chain), "--key", text(&other.key)];
    let ran = curl.run(&[&other[..], &["--fail", &url]].concat());
    assert!(!ran.status.success(), "{ran:?}");
    docs.stop();
}

#[test]
fn e3_an_upload_that_is_cut_off_leaves_no_document() {
    let authority = Authority::new();
    let options = [&authority.here().options()[..], &["--log-level", "debug"]].concat().join("\n");
    let docs = Docserver::new(&options.split('\n').collect::<Vec<_>>());
    let head = "PUT /docs/a HTTP/1.1\r\nHost: localhost\r\n";
    for rest in ["Content-Length: 1000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n1f4\r\n"] {
        let mut stream = Stream::connect(docs.server().address(), &authority.client());
        stream.send(format!("{head}{rest}{}", "x".repeat(500)));
        eventually("the upload has begun", || docs.temporary() == 1);
        let _socket = stream.cut();
        eventually("the upload has ended", || docs.temporary() == 0);
    }
    assert_eq!(docs.filed(), 0);
    docs.server().logs("a connection ends: truncated");
    let (answer, _) = super::stream::ask(docs.server().address(), &authority.client(), "/docs/a")
        .expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    docs.stop();
}
