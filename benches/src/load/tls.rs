//! Clients that use TLS.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::exchange::Exchange;
use super::response::{Expected, Received};
use crate::certificate::{Certificate, NAME};
use crate::error::Error;

/// Bytes of a request and of its answer.
pub(crate) const SIZE: usize = 1024;

/// The longest time without an answer. It is long because servers under valgrind are slow.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Clients that share one thread.
#[derive(Debug)]
pub(crate) struct Clients<'a> {
    config: Arc<ClientConfig>,
    exchange: &'a Exchange,
    connections: Vec<Client>,
}

#[derive(Debug)]
struct Client(StreamOwned<ClientConnection, TcpStream>);

/// A request that an echo server answers.
pub(crate) fn echo() -> Exchange {
    let text: Vec<u8> = (b'!'..=b'~').cycle().take(SIZE).collect();
    Exchange { requests: vec![text.clone()], response: Expected::Bytes(text) }
}

/// A request for a document of the same size.
pub(crate) fn http(path: &str) -> Exchange {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {NAME}\r\n\r\n");
    Exchange { requests: vec![request.into_bytes()], response: Expected::Http { body: SIZE } }
}

/// A session of a client that has not begun.
pub(crate) fn session(config: &Arc<ClientConfig>) -> Result<ClientConnection, Error> {
    let name = ServerName::try_from(NAME).map_err(Error::because)?;
    ClientConnection::new(Arc::clone(config), name).map_err(Error::because)
}

impl<'a> Clients<'a> {
    pub(crate) fn new(certificate: &Certificate, exchange: &'a Exchange) -> Result<Self, Error> {
        Ok(Self { config: certificate.client()?, exchange, connections: Vec::new() })
    }

    /// Adds connections until there are `count`. Each makes its handshake and one exchange.
    pub(crate) fn grow(&mut self, address: SocketAddr, count: usize) -> Result<(), Error> {
        while self.connections.len() < count {
            let mut client = Client::connect(address, &self.config)?;
            client.exchange(self.exchange)?;
            self.connections.push(client);
        }
        Ok(())
    }

    /// Makes `exchanges` exchanges, divided among the connections: all send, and then all receive.
    pub(crate) fn run(&mut self, exchanges: u64) -> Result<(), Error> {
        for _ in 0..exchanges / self.connections.len() as u64 {
            for client in &mut self.connections {
                client.send(self.exchange).map_err(Error::doing("send"))?;
            }
            for client in &mut self.connections {
                client.receive(self.exchange).map_err(Error::doing("receive"))?;
            }
        }
        Ok(())
    }

    /// Opens `count` connections one after the other. Each makes its handshake and one exchange.
    pub(crate) fn churn(&self, address: SocketAddr, count: u64) -> Result<(), Error> {
        for _ in 0..count {
            let mut client = Client::connect(address, &self.config)?;
            client.exchange(self.exchange)?;
            client.0.conn.send_close_notify();
            client.0.flush()?;
        }
        Ok(())
    }
}

impl Client {
    fn connect(address: SocketAddr, config: &Arc<ClientConfig>) -> Result<Self, Error> {
        let stream = TcpStream::connect(address).map_err(Error::doing("connect"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        Ok(Self(StreamOwned::new(session(config)?, stream)))
    }

    fn exchange(&mut self, exchange: &Exchange) -> Result<(), Error> {
        self.send(exchange).map_err(Error::doing("send"))?;
        self.receive(exchange).map_err(Error::doing("receive"))
    }

    fn send(&mut self, exchange: &Exchange) -> io::Result<()> {
        self.0.write_all(&exchange.requests[0])?;
        self.0.flush()
    }

    fn receive(&mut self, exchange: &Exchange) -> io::Result<()> {
        let (mut received, mut buffer) = (Received::default(), [0; 2 * SIZE]);
        loop {
            match self.0.read(&mut buffer)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count if exchange.response.take(&mut received, &buffer[..count])? => return Ok(()),
                _ => {}
            }
        }
    }
}
