use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use super::protocol::{Arrived, Protocol};

/// The use that a client makes of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Habit {
    /// It asks once, and again at the end.
    Rests,
    /// It asks again and again.
    Works,
    /// It makes a new one for each request.
    IsNew,
}

/// A client, and the connection that it has.
pub(super) struct Client {
    pub(super) habit: Habit,
    token: Token,
    address: SocketAddr,
    protocol: Protocol,
    stream: Option<TcpStream>,
    /// The connection is established.
    is_connected: bool,
    /// When the request was sent whose answer is to come.
    asked: Option<Instant>,
    input: Vec<u8>,
    pub(super) answers: u64,
    pub(super) longest: Duration,
}

/// The fate of a connection.
#[derive(Debug)]
pub(super) enum Event {
    /// Nothing worth mentioning.
    Nothing,
    Answered {
        closes: bool,
    },
    /// The server has closed it while nothing was to come.
    Closed,
    /// It ended, and an answer was to come.
    Failed(io::Error),
    /// It was never established.
    Refused(io::Error),
}

impl Client {
    pub(super) fn new(
        habit: Habit,
        number: usize,
        address: SocketAddr,
        protocol: Protocol,
    ) -> Self {
        Self {
            habit,
            token: Token(number),
            address,
            protocol,
            stream: None,
            is_connected: false,
            asked: None,
            input: Vec::new(),
            answers: 0,
            longest: Duration::ZERO,
        }
    }

    /// Since when it waits for an answer.
    pub(super) fn waits_since(&self) -> Option<Instant> {
        self.asked
    }

    pub(super) fn waits(&self) -> bool {
        self.asked.is_some()
    }

    pub(super) fn is_open(&self) -> bool {
        self.stream.is_some()
    }

    /// Sends a request, on a new connection if there is none.
    pub(super) fn ask(&mut self, registry: &Registry) -> Event {
        self.asked = Some(Instant::now());
        self.input.clear();
        if self.stream.is_some() {
            return self.send();
        }
        self.is_connected = false;
        let connected = TcpStream::connect(self.address).and_then(|mut stream| {
            registry.register(&mut stream, self.token, Interest::READABLE | Interest::WRITABLE)?;
            Ok(stream)
        });
        match connected {
            Ok(stream) => {
                self.stream = Some(stream);
                Event::Nothing
            }
            Err(error) => self.end(Event::Refused(error)),
        }
    }

    pub(super) fn hear(&mut self, is_writable: bool) -> Event {
        let Some(stream) = &self.stream else { return Event::Nothing };
        if !self.is_connected {
            if let Ok(Some(error)) | Err(error) = stream.take_error() {
                return self.end(Event::Refused(error));
            }
            if !is_writable || stream.peer_addr().is_err() {
                return Event::Nothing;
            }
            let _ = stream.set_nodelay(true);
            self.is_connected = true;
            let sent = self.send();
            if !matches!(sent, Event::Nothing) {
                return sent;
            }
        }
        self.receive()
    }

    /// Ends a connection whose answer does not come.
    pub(super) fn give_up(&mut self) -> Event {
        self.end(Event::Failed(ErrorKind::TimedOut.into()))
    }

    fn send(&mut self) -> Event {
        let request = self.protocol.request(self.habit == Habit::IsNew);
        let Some(stream) = &mut self.stream else { return Event::Nothing };
        // The socket has room, because all before has been answered.
        match stream.write_all(&request) {
            Ok(()) => Event::Nothing,
            Err(error) => self.end(Event::Failed(error)),
        }
    }

    fn receive(&mut self) -> Event {
        let mut bytes = [0; 4096];
        loop {
            let Some(stream) = &mut self.stream else { return Event::Nothing };
            let error = match stream.read(&mut bytes) {
                Ok(0) => ErrorKind::UnexpectedEof.into(),
                Ok(count) => {
                    self.input.extend_from_slice(&bytes[..count]);
                    match self.protocol.look(&self.input) {
                        Ok(Arrived::Part) => continue,
                        Ok(Arrived::Whole { closes }) => return self.answered(closes),
                        Err(error) => error,
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Event::Nothing,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => error,
            };
            let event = if self.waits() { Event::Failed(error) } else { Event::Closed };
            return self.end(event);
        }
    }

    fn answered(&mut self, closes: bool) -> Event {
        if let Some(asked) = self.asked.take() {
            self.longest = self.longest.max(asked.elapsed());
        }
        self.answers += 1;
        self.input.clear();
        if closes || self.habit == Habit::IsNew {
            self.stream = None;
        }
        Event::Answered { closes }
    }

    fn end(&mut self, event: Event) -> Event {
        (self.stream, self.asked) = (None, None);
        event
    }
}
