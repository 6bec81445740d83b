//! The example `proxy http`: `docserver` behind it, and clients that do not notice.

use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::time::Duration;

use fsm_tests::{
    Connection, Docserver, MemoryGrowth, Random, Server, TIMEOUT, TempDir, client, example, get,
    one_at_a_time, put, request, run, run_with_input,
};

fn proxy(targets: &[SocketAddr], options: &[&str]) -> Server {
    let mut command = Command::new(example("proxy"));
    command.args(["http", "--port", "0"]).args(options);
    for target in targets {
        command.arg("--to").arg(target.to_string());
    }
    Server::start(&mut command)
}

/// An address on which nothing listens.
fn dead() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port should be free");
    listener.local_addr().expect("it is bound")
}

#[test]
fn documents_of_all_sizes_and_framings_pass_both_ways() {
    let Some(curl) = client("curl") else { return };
    let docs = Docserver::new(&[]);
    let server = proxy(&[docs.server().address()], &[]);
    let scratch = TempDir::new("proxy");
    for size in [0, 1, 300 * 1024, 3_000_000] {
        let bytes = Random::new(size as u64).next_bytes(size);
        let file = scratch.write("sent", &bytes);
        for (way, field) in [("length", "Expect:"), ("chunked", "Transfer-Encoding: chunked")] {
            let url = format!("http://{}/docs/{way}-{size}", server.address());
            let sent = bytes.clone();
            let mut put = Command::new(&curl);
            put.args(["--silent", "--fail", "--max-time", "20", "-H", field, "-T"]);
            let ran = if way == "chunked" {
                // curl would send the length of a file, too.
                run_with_input(put.args(["-", &url]), TIMEOUT, move |pipe| pipe.write_all(&sent))
            } else {
                run(put.arg(&file).arg(&url), TIMEOUT)
            };
            assert!(ran.status.success(), "{way} {size}: {ran:?}");
            // Both requests are sent on one connection.
            let got = scratch.path().join("got");
            let mut get = Command::new(&curl);
            get.args(["--silent", "--verbose", "--max-time", "20", "-o"]).arg(&got).arg(&url);
            let ran = run(get.args(["-o", "/dev/null"]).arg(&url), TIMEOUT);
            assert!(ran.status.success(), "{way} {size}: {ran:?}");
            assert!(ran.stderr.contains("Re-using existing connection"), "{ran:?}");
            assert!(ran.stderr.contains("< Via: 1.1 "), "{ran:?}");
            assert!(std::fs::read(&got).unwrap_or_default() == bytes, "{way} {size} has changed");
        }
    }
    assert_eq!(docs.filed(), 8);
    server.stop();
    docs.stop();
}

#[test]
fn pipelined_requests_are_answered_in_their_order() {
    let docs = Docserver::new(&[]);
    for name in ["a", "b", "c"] {
        docs.put(name, name.as_bytes()).expect(201);
    }
    let server = proxy(&[docs.server().address()], &[]);
    let mut client = Connection::new(server.address());
    let names = ["a", "b", "c", "none", "b"];
    let requests: String = names.iter().map(|name| get(&format!("/docs/{name}"))).collect();
    client.send(requests);
    for name in names {
        let answer = client.answer();
        if name == "none" {
            answer.expect(404);
        } else {
            assert_eq!(answer.expect(200).body, name.as_bytes());
        }
    }
    drop(client);
    server.stop();
    docs.stop();
}

#[test]
fn no_client_notices_a_dead_target() {
    let docs = Docserver::new(&[]);
    docs.put("a", b"hello").expect(201);
    let server = proxy(&[dead(), docs.server().address(), dead()], &[]);
    for _ in 0..20 {
        let answer = Connection::new(server.address()).ask(get("/docs/a"));
        assert_eq!(answer.expect(200).body, b"hello");
    }
    server.stop();
    docs.stop();

    let server = proxy(&[dead(), dead()], &[]);
    let mut client = Connection::new(server.address());
    client.ask(get("/docs/a")).expect(503);
    drop(client);
    server.stop();
}

/// The target closes connections that are at rest; the proxy opens another one for the next request.
#[test]
fn no_client_notices_that_the_target_closes_its_connection() {
    let docs = Docserver::new(&["--idle", "50ms"]);
    docs.put("a", b"hello").expect(201);
    let server = proxy(&[docs.server().address()], &[]);
    let mut client = Connection::new(server.address());
    for _ in 0..3 {
        assert_eq!(client.ask(get("/docs/a")).expect(200).body, b"hello");
        assert!(client.is_silent_for(Duration::from_millis(200)));
    }
    drop(client);
    server.stop();
    docs.stop();
}

#[test]
fn requests_that_others_could_read_differently_reach_no_target() {
    let docs = Docserver::new(&[]);
    let server = proxy(&[docs.server().address()], &[]);
    for fields in [
        &["Content-Length: 4", "Transfer-Encoding: chunked"][..],
        &["Content-Length: 4", "Content-Length: 5"],
        &["Content-Length: +4"],
        &["Transfer-Encoding: chunked, chunked"],
        &["Transfer-Encoding : chunked"],
    ] {
        let mut client = Connection::new(server.address());
        let answer = client.ask(request("PUT /docs/a", fields));
        assert!((400..=501).contains(&answer.status), "{fields:?}: {answer:?}");
        assert!(!answer.keeps_alive(), "{fields:?}");
        client.expect_end();
    }
    assert_eq!(docs.filed(), 0);
    server.stop();
    docs.stop();
}

#[test]
fn a_large_body_takes_no_memory() {
    let _exclusive = one_at_a_time();
    let docs = Docserver::new(&[]);
    let server = proxy(&[docs.server().address()], &[]);
    let bytes = Random::new(7).next_bytes(48_000_000);
    // Memory that each thread needs once does not count.
    for _ in 0..8 {
        Connection::new(server.address()).ask(put("small", &bytes[..200_000]));
        Connection::new(server.address()).ask(get("/docs/small")).expect(200);
    }
    let growth = MemoryGrowth::of(&server, || {
        Connection::new(server.address()).ask(put("large", &bytes)).expect(201);
        let mut client = Connection::new(server.address());
        let got = client.ask(get("/docs/large")).expect(200);
        assert!(got.body == bytes, "it has changed");
    });
    assert!(growth.grown <= 8 * 1024 * 1024, "memory grew by {} bytes", growth.grown);
    server.stop();
    docs.stop();
}
