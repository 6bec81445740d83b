//! TLS on the other socket of a connection (S4, S5, E12, E14).

use super::relay::To;
use super::*;

/// Sends a text to a target, and ends. Says why it cannot.
#[state_machine(start = Hello, settings = To)]
enum Sends {
    #[run]
    #[to(Dial)]
    Hello,
    #[connect(within = never, refused => Refused)]
    #[to(Send)]
    Dial,
    #[run]
    #[to(Gone)]
    Send,
    #[run]
    #[to(Gone)]
    Refused {
        #[error]
        error: io::Error,
    },
    #[end]
    Gone,
}

struct Sender(usize);

impl sends::Handler for Sender {
    fn hello(&mut self, cx: &mut Cx<'_, NoMessage, To>) -> sends::AfterHello {
        sends::AfterHello::Dial { to: cx.settings().0.clone().unwrap() }
    }

    fn dial(&mut self, _: Connected, _: &mut Cx<'_, NoMessage, To>) -> sends::AfterDial {
        sends::AfterDial::Send
    }

    fn send(&mut self, cx: &mut Cx<'_, NoMessage, To>) -> sends::AfterSend {
        cx.other().send(vec![b'x'; self.0]);
        sends::AfterSend::Gone
    }

    fn refused(
        &mut self,
        error: &mut io::Error,
        cx: &mut Cx<'_, NoMessage, To>,
    ) -> sends::AfterRefused {
        write!(cx, "{error}");
        sends::AfterRefused::Gone
    }
}

/// A pool whose connections send so many bytes to this server.
fn start(authority: &Authority, target: &TcpListener, length: usize) -> (Running, TcpStream) {
    let port = target.local_addr().unwrap().port();
    let running = Pool::builder::<Sends>("sends")
        .settings(To(Some(format!("tls:localhost:{port}").parse().unwrap())))
        .tls_client(client_config(authority))
        .send_timeout(Duration::from_millis(500))
        .listen_plain("127.0.0.1:0")
        .handler(move |_peer| Sender(length))
        .start()
        .unwrap();
    let address: SocketAddr = running.addresses()[0].to_string().parse().unwrap();
    let client = TcpStream::connect(address).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    (running, client)
}

/// The server's end of a connection of the pool.
fn accept(target: &TcpListener, config: ServerConfig) -> StreamOwned<ServerConnection, TcpStream> {
    let (stream, _) = target.accept().unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), stream)
}

#[test]
fn s5_e12_a_handshake_of_the_other_socket_that_does_not_go_on_is_late_also_without_a_deadline() {
    let target = TcpListener::bind("127.0.0.1:0").unwrap();
    let (_running, mut client) = start(&Authority::new(), &target, 1);
    // It takes the ClientHello and says nothing.
    let (silent, _) = target.accept().unwrap();
    let mut said = String::new();
    client.read_to_string(&mut said).unwrap();
    assert_eq!(said, "the peer has not made its handshake in time");
    drop(silent);
}

#[test]
fn s4_the_end_of_an_encrypted_connection_to_a_target_comes_behind_all_that_is_queued() {
    const LENGTH: usize = 8 << 20;
    let (authority, target) = (Authority::new(), TcpListener::bind("127.0.0.1:0").unwrap());
    let (running, mut client) = start(&authority, &target, LENGTH);
    let mut server = accept(&target, server_config(&authority, "localhost"));
    let mut got = vec![0; LENGTH];
    server.read_exact(&mut got).unwrap();
    assert_eq!(server.read(&mut [0]).expect("the end is told"), 0);
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
    drop((server, client));
    assert_eq!(running.drain().unwrap().done, 1);
}

#[test]
fn e14_a_handshake_of_the_other_socket_in_many_small_records_goes_on_by_itself() {
    let (authority, target) = (Authority::new(), TcpListener::bind("127.0.0.1:0").unwrap());
    let (_running, _client) = start(&authority, &target, 5);
    // The flight of the server, with many copies of its certificate, comes in one segment after another.
    let (certificate, key) = authority.issue("localhost");
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate; 100], key)
        .unwrap();
    config.max_fragment_size = Some(64);
    let mut server = accept(&target, config);
    let mut got = [0; 5];
    server.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"xxxxx");
}
