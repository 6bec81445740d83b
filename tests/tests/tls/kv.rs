//! `kv` on a port with TLS and on one without.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use fsm_tests::{Connection, RunOutput, Server, TIMEOUT, all_in_ci, client, run};

use super::{Authority, Stream, addresses};

/// A server with the addresses of both ports.
struct Both {
    server: Server,
    plain: SocketAddr,
    encrypted: SocketAddr,
    authority: Authority,
}

impl Both {
    fn start() -> Self {
        let authority = Authority::new();
        let identity = authority.here();
        let server = Server::kv(&[&identity.options()[..], &["--tls-port", "0"]].concat());
        let [plain, encrypted] = addresses(&server);
        Self { server, plain, encrypted, authority }
    }

    /// A client program that uses TLS.
    fn run(&self, program: PathBuf, options: &[&str], within: Duration) -> RunOutput {
        let mut command = Command::new(program);
        command.args(["-h", "127.0.0.1", "-p", &self.encrypted.port().to_string(), "--tls"]);
        run(command.arg("--cacert").arg(self.authority.file()).args(options), within)
    }

    fn cli(&self, command: &[&str]) -> Option<String> {
        let ran = self.run(client("redis-cli")?, command, TIMEOUT);
        assert!(ran.status.success(), "{ran:?}");
        Some(ran.stdout)
    }
}

#[test]
fn both_ports_have_the_same_keys_and_channels() {
    let both = Both::start();
    let Some(set) = both.cli(&["set", "a", "secret"]) else { return };
    assert_eq!(set, "OK\n");
    let mut plain = Connection::new(both.plain);
    plain.expect(&["GET", "a"], "$6\r\nsecret\r\n");
    plain.expect(&["SET", "b", "open"], "+OK\r\n");
    assert_eq!(both.cli(&["get", "b"]).as_deref(), Some("open\n"));

    plain.command(&["SUBSCRIBE", "news"]);
    assert_eq!(both.cli(&["publish", "news", "one"]).as_deref(), Some("1\n"));
    assert_eq!(plain.reply(), b"*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$3\r\none\r\n");

    let mut encrypted = Stream::connect(both.encrypted, &both.authority.client());
    encrypted.send(fsm_tests::encode(&["SUBSCRIBE", "news"]));
    encrypted.until(":1\r\n");
    Connection::new(both.plain).expect(&["PUBLISH", "news", "two"], ":2\r\n");
    assert_eq!(encrypted.until("two\r\n"), "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$3\r\ntwo\r\n");
    drop((plain, encrypted));
    both.server.stop();
}

#[test]
fn redis_benchmark_runs_without_errors() {
    let Some(program) = client("redis-benchmark") else { return };
    let both = Both::start();
    let (many, some) = (all_in_ci("50000", "2000"), all_in_ci("2000", "200"));
    for (options, last) in [
        (&["-t", "ping,set,get", "-n", many][..], "GET"),
        (&["-t", "set,get", "-n", many, "-P", "32", "-d", "3000"], "GET"),
        (&["-t", "lrange", "-n", some, "-P", "32"], "LRANGE_600 (first 600 elements)"),
    ] {
        let options = [options, &["-q"]].concat();
        let ran = both.run(program.clone(), &options, Duration::from_secs(120));
        assert!(ran.status.success() && !ran.stderr.contains("rror"), "{ran:?}");
        assert!(ran.stdout.contains(&format!("{last}: ")), "no {last}: {ran:?}");
    }
    both.server.stop();
}
