use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;

use fsm_tests::TIMEOUT;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

/// A client of rustls.
pub(crate) struct Stream(StreamOwned<ClientConnection, TcpStream>);

impl Stream {
    pub(crate) fn connect(address: SocketAddr, config: &Arc<ClientConfig>) -> Self {
        let socket = TcpStream::connect(address).expect("it should connect");
        socket.set_read_timeout(Some(TIMEOUT)).expect("a socket takes options");
        let name = "localhost".try_into().expect("a name");
        let session = ClientConnection::new(Arc::clone(config), name).expect("a session");
        Self(StreamOwned::new(session, socket))
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes.as_ref()).expect("the server should take what is sent");
    }

    fn try_send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)?;
        self.0.flush()
    }

    /// Reads until the text that was read ends with this one.
    pub(crate) fn until(&mut self, end: &str) -> String {
        let mut text = Vec::new();
        while !text.ends_with(end.as_bytes()) {
            let mut byte = [0];
            self.0.read_exact(&mut byte).unwrap_or_else(|error| {
                panic!("{error} after {:?}", String::from_utf8_lossy(&text));
            });
            text.push(byte[0]);
        }
        String::from_utf8(text).expect("text")
    }

    /// The certificate of the server, after the first answer.
    pub(crate) fn certificate(&self) -> CertificateDer<'static> {
        let certificates = self.0.conn.peer_certificates();
        certificates.expect("the handshake is over")[0].clone().into_owned()
    }

    /// Ends the stream of the socket without `close_notify`. Returns the socket, which would be reset if it were
    /// dropped with tickets of the server unread.
    pub(crate) fn cut(self) -> TcpStream {
        let Self(StreamOwned { sock, .. }) = self;
        sock.shutdown(Shutdown::Write).expect("it is connected");
        sock
    }
}

/// Sends a request on a connection of its own. Returns the answer and the server's certificate.
pub(crate) fn ask(
    address: SocketAddr,
    config: &Arc<ClientConfig>,
    path: &str,
) -> io::Result<(String, CertificateDer<'static>)> {
    let mut stream = Stream::connect(address, config);
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.try_send(request.as_bytes())?;
    let mut answer = String::new();
    // The end of the stream without `close_notify` would be an error here.
    stream.0.read_to_string(&mut answer)?;
    Ok((answer, stream.certificate()))
}
