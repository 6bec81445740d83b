//! Machines in tasks of tokio, behind TLS that rustls's own layer for tokio does.

mod serve;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use fsm_runtime::embed::{Host, HostBuilder};
use fsm_runtime::prelude::*;
use fsm_tests::eventually;
use rcgen::CertifiedKey;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, StreamOwned};
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::TlsAcceptor;

/// More than the buffers of the system and of the machine take.
const FLOOD: usize = 16 * 1024 * 1024;

/// The settings that differ from test to test.
struct Times {
    /// How long a client may say nothing.
    idle: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self { idle: Duration::from_secs(60) }
    }
}

/// Sends lines back in capitals.
#[state_machine(start = Line, settings = Times, eof => Gone, limit => Gone)]
enum Shout {
    #[read(until = b"\n", max = 1KiB, idle = settings.idle <= 1h => Late)]
    #[to(Line | Gone)]
    Line,
    /// Says that it has waited long enough.
    #[run]
    #[to(Gone)]
    Late,
    #[end]
    Gone,
}

struct Client;

impl shout::Handler for Client {
    fn line(&mut self, line: &[u8], cx: &mut Cx<'_, NoMessage, Times>) -> shout::AfterLine {
        assert_ne!(line, b"panic", "requested");
        if line == b"flood" {
            cx.write(&vec![b'f'; FLOOD]);
        }
        cx.write(&line.to_ascii_uppercase());
        cx.write(b"\n");
        if line == b"bye" { shout::AfterLine::Gone } else { shout::AfterLine::Line }
    }

    fn late(&mut self, cx: &mut Cx<'_, NoMessage, Times>) -> shout::AfterLate {
        cx.write(b"too late\n");
        shout::AfterLate::Gone
    }
}

/// A server on a runtime of tokio, until it is dropped.
struct Server {
    address: SocketAddr,
    host: Host<Shout, Client>,
    client: Arc<ClientConfig>,
    _runtime: Runtime,
}

impl Server {
    fn start(times: Times) -> io::Result<Self> {
        let names = vec!["localhost".to_owned()];
        let CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(names).expect("a certificate");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
        let acceptor = acceptor(cert.der().clone(), key);
        let client = client(cert.der().clone());

        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let host = HostBuilder::new().settings(times).build();
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.spawn(serve::accept(listener, acceptor, host.clone(), || Client));
        Ok(Self { address, host, client, _runtime: runtime })
    }

    fn connect(&self) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
        let socket = TcpStream::connect(self.address)?;
        socket.set_read_timeout(Some(fsm_tests::TIMEOUT))?;
        let name = "localhost".try_into().expect("a name");
        let session = ClientConnection::new(Arc::clone(&self.client), name).expect("a session");
        Ok(StreamOwned::new(session, socket))
    }
}

fn acceptor(cert: CertificateDer<'static>, key: PrivateKeyDer<'static>) -> TlsAcceptor {
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![cert], key);
    TlsAcceptor::from(Arc::new(config.expect("it fits its key")))
}

fn client(cert: CertificateDer<'static>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(cert).expect("a certificate");
    Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
}

#[test]
fn m1_a_machine_serves_clients_of_tokio_rustls() -> io::Result<()> {
    let server = Server::start(Times::default())?;
    let mut client = server.connect()?;
    for piece in ["he", "llo\nand ", "more\nb", "ye\n"] {
        client.write_all(piece.as_bytes())?;
        client.flush()?;
    }
    // The end has `close_notify`, or this would be an error.
    let mut answer = String::new();
    client.read_to_string(&mut answer)?;
    assert_eq!(answer, "HELLO\nAND MORE\nBYE\n");
    eventually("its end is counted", || server.host.stats().done == 1);
    Ok(())
}

#[test]
fn m2_a_deadline_passes_in_a_task_that_waits() -> io::Result<()> {
    let server = Server::start(Times { idle: Duration::from_millis(100) })?;
    let mut client = server.connect()?;
    client.write_all(b"half a line")?;
    let mut answer = String::new();
    client.read_to_string(&mut answer)?;
    assert_eq!(answer, "too late\n");
    Ok(())
}

#[test]
fn m3_a_client_that_reads_late_gets_all_that_it_was_to_get() -> io::Result<()> {
    let server = Server::start(Times::default())?;
    let mut client = server.connect()?;
    // The machine takes what comes behind it only when most of the flood has left.
    for line in ["flood\n", "one\n", "flood\n", "bye\n"] {
        client.write_all(line.as_bytes())?;
    }
    let mut answer = Vec::new();
    client.read_to_end(&mut answer)?;
    let flood = [vec![b'f'; FLOOD], b"FLOOD\n".to_vec()].concat();
    assert!(answer == [&flood[..], b"ONE\n", &flood[..], b"BYE\n"].concat(), "{}", answer.len());
    Ok(())
}

#[test]
fn m4_a_panic_in_a_task_is_a_reset_for_its_client_alone() -> io::Result<()> {
    let server = Server::start(Times::default())?;
    let (mut first, mut second) = (server.connect()?, server.connect()?);
    second.write_all(b"one\n")?;
    let mut answer = [0; 4];
    second.read_exact(&mut answer)?;
    first.write_all(b"panic\n")?;
    // There is no `close_notify`: what has come is not the whole.
    assert!(first.read(&mut [0; 16]).is_err(), "the stream is cut off");
    assert_eq!(server.host.stats().panicked, 1);
    second.write_all(b"two\n")?;
    second.read_exact(&mut answer)?;
    assert_eq!(&answer, b"TWO\n");
    Ok(())
}
