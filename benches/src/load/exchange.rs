use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::http;
use crate::Error;

/// How long nothing at all may happen; servers under valgrind are slow.
const PATIENCE: Duration = Duration::from_secs(60);

const BUFFER: usize = 256 * 1024;

/// What clients do in a closed loop: each sends a request, waits for the answer, and sends the next.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// Requests: each exchange takes the next of them, and after the last the first.
    pub(crate) requests: Vec<Vec<u8>>,
    pub(crate) answer: Answer,
}

/// What the answer to a request is.
#[derive(Debug)]
pub(crate) enum Answer {
    These(Vec<u8>),
    Bytes(usize),
    /// A response of HTTP that says that all is well, with a body of so many bytes.
    Http {
        body: usize,
    },
}

/// Clients of one server, in one thread.
pub(crate) struct Clients<'a> {
    exchange: &'a Exchange,
    all: Vec<Client>,
    poll: Poll,
    events: Events,
    buffer: Box<[u8]>,
}

impl Exchange {
    pub(crate) fn connect(&self, address: SocketAddr, count: usize) -> Result<Clients<'_>, Error> {
        let poll = Poll::new()?;
        let all = (0..count).map(|number| Client::connect(address, &poll, Token(number)));
        let all = all.collect::<io::Result<_>>();
        let all = all.map_err(Error::doing(format_args!("connect to {address}")))?;
        let (events, buffer) = (Events::with_capacity(1024), vec![0; BUFFER].into_boxed_slice());
        Ok(Clients { exchange: self, all, poll, events, buffer })
    }

    fn request(&self, number: u64) -> &[u8] {
        &self.requests[usize::try_from(number).unwrap_or_default() % self.requests.len()]
    }
}

impl Clients<'_> {
    /// So many exchanges in all.
    pub(crate) fn run(&mut self, exchanges: u64) -> Result<(), Error> {
        self.run_all(0..exchanges).map_err(Error::doing("a client"))
    }

    fn run_all(&mut self, mut numbers: Range<u64>) -> io::Result<()> {
        let mut busy = 0;
        for client in &mut self.all {
            let Some(number) = numbers.next() else { break };
            client.begin(number);
            client.go_on(self.exchange, &mut numbers, &mut self.buffer)?;
            busy += 1;
        }
        while busy > 0 {
            self.poll.poll(&mut self.events, Some(PATIENCE))?;
            if self.events.is_empty() {
                return Err(io::Error::other("there is no answer"));
            }
            for event in &self.events {
                let client = &mut self.all[event.token().0];
                client.told(event);
                busy -= usize::from(client.go_on(self.exchange, &mut numbers, &mut self.buffer)?);
            }
        }
        Ok(())
    }
}

struct Client {
    stream: TcpStream,
    /// The number of its exchange, if it is in one.
    number: Option<u64>,
    /// How much of the request is sent.
    sent: usize,
    come: Come,
    writable: bool,
    readable: bool,
    ends: bool,
}

impl Client {
    fn connect(address: SocketAddr, poll: &Poll, token: Token) -> io::Result<Self> {
        let stream = std::net::TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        poll.registry().register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        let (readable, writable, ends) = (false, true, false);
        Ok(Self { stream, number: None, sent: 0, come: Come::default(), writable, readable, ends })
    }

    fn begin(&mut self, number: u64) {
        self.number = Some(number);
        self.sent = 0;
        self.come.clear();
    }

    fn told(&mut self, event: &Event) {
        self.writable |= event.is_writable();
        self.readable |= event.is_readable();
        self.ends |= event.is_read_closed();
    }

    /// Does what can be done now; says whether it has just done its last exchange.
    fn go_on(
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
                    // Behind a short read there is nothing, unless it is the end.
                    self.readable = count == buffer.len() || self.ends;
                    if exchange.answer.take(&mut self.come, &buffer[..count])? {
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

/// What has come of an answer.
#[derive(Debug, Default)]
pub(crate) struct Come {
    /// Bytes without a head.
    count: usize,
    head: http::Head,
}

impl Come {
    fn clear(&mut self) {
        self.count = 0;
        self.head.clear();
    }
}

impl Answer {
    /// Takes what has come next; says whether the answer is whole.
    fn take(&self, come: &mut Come, bytes: &[u8]) -> io::Result<bool> {
        let bytes = match self {
            Self::Http { .. } => come.head.take(bytes)?,
            _ => bytes,
        };
        let end = come.count + bytes.len();
        let (whole, right) = match self {
            Self::These(answer) => (answer.len(), answer.get(come.count..end) == Some(bytes)),
            Self::Bytes(count) => (*count, end <= *count),
            Self::Http { body } => {
                if come.head.is_whole() && come.head.length() != *body {
                    return Err(io::Error::other("the body has another length"));
                }
                (*body, end <= *body)
            }
        };
        if !right {
            let said = bytes[..bytes.len().min(80)].escape_ascii();
            return Err(io::Error::other(format!("the answer is wrong: {said}")));
        }
        come.count = end;
        let headless = matches!(self, Self::Http { .. }) && !come.head.is_whole();
        Ok(end == whole && !headless)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(answer: &Answer, pieces: &[&[u8]]) -> Vec<bool> {
        let mut come = Come::default();
        pieces.iter().map(|piece| answer.take(&mut come, piece).unwrap()).collect()
    }

    #[test]
    fn an_answer_is_whole_when_all_of_it_has_come() {
        let pieces: [&[u8]; 2] = [b"+O", b"K\r\n"];
        assert_eq!(whole(&Answer::These(b"+OK\r\n".to_vec()), &pieces), [false, true]);
        assert_eq!(whole(&Answer::Bytes(5), &pieces), [false, true]);
        let pieces: [&[u8]; 3] = [b"HTTP/1.1 200 OK\r\ncontent-", b"length: 3\r\n\r\na", b"bc"];
        assert_eq!(whole(&Answer::Http { body: 3 }, &pieces), [false, false, true]);
        let pieces: [&[u8]; 2] = [b"HTTP/1.1 204 No Content\r\n\r", b"\n"];
        assert_eq!(whole(&Answer::Http { body: 0 }, &pieces), [false, true]);
    }

    #[test]
    fn an_answer_that_is_wrong_is_seen() {
        let wrong: [(Answer, &[u8]); 5] = [
            (Answer::These(b"+OK\r\n".to_vec()), b"-ER"),
            (Answer::These(b"+OK\r\n".to_vec()), b"+OK\r\n+"),
            (Answer::Bytes(1), b"ab"),
            (Answer::Http { body: 1 }, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"),
            (Answer::Http { body: 0 }, b"HTTP/1.1 500 No\r\n\r\n"),
        ];
        for (answer, bytes) in wrong {
            assert!(answer.take(&mut Come::default(), bytes).is_err(), "{answer:?}");
        }
    }
}
