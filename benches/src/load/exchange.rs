use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::response::{Expected, Received};
use super::stream;
use crate::error::Error;

/// The longest time without any event. It is long because servers under valgrind are slow.
const TIMEOUT: Duration = Duration::from_secs(60);

const BUFFER: usize = 256 * 1024;

/// A request and its response, repeated in a closed loop.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// The requests, which the exchanges use in turn.
    pub(crate) requests: Vec<Vec<u8>>,
    pub(crate) response: Expected,
}

/// The clients of one server; they share one thread.
pub(crate) struct Clients<'a> {
    exchange: &'a Exchange,
    connections: Vec<Client>,
    poll: Poll,
    events: Events,
    buffer: Box<[u8]>,
}

impl Exchange {
    pub(crate) fn connect(&self, address: SocketAddr, count: usize) -> Result<Clients<'_>, Error> {
        let poll = Poll::new()?;
        let connections = (0..count).map(|number| Client::connect(address, &poll, Token(number)));
        let connections = connections.collect::<io::Result<_>>();
        let connections =
            connections.map_err(Error::doing(format_args!("connect to {address}")))?;
        let (events, buffer) = (Events::with_capacity(1024), vec![0; BUFFER].into_boxed_slice());
        Ok(Clients { exchange: self, connections, poll, events, buffer })
    }

    fn request(&self, number: u64) -> &[u8] {
        &self.requests[usize::try_from(number).unwrap_or_default() % self.requests.len()]
    }
}

impl Clients<'_> {
    /// Makes `exchanges` exchanges, divided among the clients.
    pub(crate) fn run(&mut self, exchanges: u64) -> Result<(), Error> {
        self.run_numbers(0..exchanges).map_err(Error::doing("a client"))
    }

    fn run_numbers(&mut self, mut numbers: Range<u64>) -> io::Result<()> {
        let mut busy = 0;
        for client in &mut self.connections {
            let Some(number) = numbers.next() else { break };
            client.begin(number);
            client.advance(self.exchange, &mut numbers, &mut self.buffer)?;
            busy += 1;
        }
        while busy > 0 {
            self.poll.poll(&mut self.events, Some(TIMEOUT))?;
            if self.events.is_empty() {
                return Err(io::Error::other("the server does not answer"));
            }
            for event in &self.events {
                let client = &mut self.connections[event.token().0];
                client.set_readiness(event);
                let done = client.advance(self.exchange, &mut numbers, &mut self.buffer)?;
                busy -= usize::from(done);
            }
        }
        Ok(())
    }
}

struct Client {
    stream: TcpStream,
    /// The number of the current exchange.
    number: Option<u64>,
    /// Bytes of the request that are sent.
    sent: usize,
    received: Received,
    writable: bool,
    readable: bool,
    /// The server has closed its direction of the connection.
    read_closed: bool,
}

impl Client {
    fn connect(address: SocketAddr, poll: &Poll, token: Token) -> io::Result<Self> {
        let mut stream = stream::connect(address)?;
        poll.registry().register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self {
            stream,
            number: None,
            sent: 0,
            received: Received::default(),
            writable: true,
            readable: false,
            read_closed: false,
        })
    }

    fn begin(&mut self, number: u64) {
        self.number = Some(number);
        self.sent = 0;
        self.received.clear();
    }

    fn set_readiness(&mut self, event: &Event) {
        self.writable |= event.is_writable();
        self.readable |= event.is_readable();
        self.read_closed |= event.is_read_closed();
    }

    /// Sends and receives until the socket would block.
    ///
    /// Returns whether the client has completed its last exchange in this call.
    fn advance(
        &mut self,
        exchange: &Exchange,
        numbers: &mut Range<u64>,
        buffer: &mut [u8],
    ) -> io::Result<bool> {
        while let Some(number) = self.number {
            self.send(exchange.request(number))?;
            if !self.readable {
                break;
            }
            match self.stream.read(buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    // A short read has emptied the socket, unless the end of stream follows.
                    self.readable = count == buffer.len() || self.read_closed;
                    if exchange.response.take(&mut self.received, &buffer[..count])? {
                        self.number = None;
                        let Some(number) = numbers.next() else { return Ok(true) };
                        self.begin(number);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.readable = false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    fn send(&mut self, request: &[u8]) -> io::Result<()> {
        while self.writable && self.sent < request.len() {
            match self.stream.write(&request[self.sent..]) {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.writable = false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
