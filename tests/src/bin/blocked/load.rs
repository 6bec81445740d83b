use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

/// The bytes of a request and of an answer.
pub(crate) const SIZE: usize = 8;
/// The first byte of a request whose handler blocks.
pub(crate) const BLOCK: u8 = b'b';

/// The time at the beginning that is not measured.
const WARM_UP: Duration = Duration::from_millis(100);
/// The time without an answer after which the run fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// Connections that each send the next request when the answer arrives. All run on one thread, to
/// leave the processors to the server.
pub(crate) struct Load {
    pub(crate) connections: usize,
    /// The number of connections whose handlers block.
    pub(crate) blockers: usize,
    pub(crate) time: Duration,
}

/// The result of a run.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    /// Answers per second to connections whose handlers do not block, and to those whose handlers
    /// do.
    pub(crate) others: f64,
    pub(crate) blockers: f64,
    /// Latencies of connections whose handlers do not block, in milliseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

struct Connection {
    stream: TcpStream,
    blocks: bool,
    asked: Instant,
    /// The bytes of the answer received so far.
    come: usize,
}

impl Load {
    pub(crate) fn run(&self, address: SocketAddr) -> io::Result<Measured> {
        let mut poll = Poll::new()?;
        let mut events = Events::with_capacity(self.connections.max(1));
        let mut connections = Vec::new();
        for number in 0..self.connections {
            let stream = std::net::TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            poll.registry().register(&mut stream, Token(number), Interest::READABLE)?;
            let blocks = number < self.blockers;
            connections.push(Connection { stream, blocks, asked: Instant::now(), come: 0 });
        }
        for connection in &mut connections {
            connection.ask(Instant::now())?;
        }
        let begin = Instant::now() + WARM_UP;
        let end = begin + self.time;
        let (mut waited, mut blocked) = (Vec::new(), 0_u32);
        loop {
            poll.poll(&mut events, Some(PATIENCE))?;
            let now = Instant::now();
            if events.is_empty() {
                return Err(io::Error::new(ErrorKind::TimedOut, "the server does not answer"));
            }
            if now >= end {
                break;
            }
            for event in &events {
                let connection = &mut connections[event.token().0];
                if !connection.has_answer()? {
                    continue;
                }
                let now = Instant::now();
                if now >= begin && connection.blocks {
                    blocked += 1;
                } else if now >= begin {
                    waited.push(now - connection.asked);
                }
                connection.ask(now)?;
            }
        }
        waited.sort_unstable();
        let seconds = self.time.as_secs_f64();
        let at = |hundredth: usize| {
            let index = (waited.len() * hundredth / 100).min(waited.len().saturating_sub(1));
            waited.get(index).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
        };
        let others = f64::from(u32::try_from(waited.len()).unwrap_or(u32::MAX)) / seconds;
        let blockers = f64::from(blocked) / seconds;
        Ok(Measured { others, blockers, p50: at(50), p99: at(99) })
    }
}

impl Connection {
    fn ask(&mut self, now: Instant) -> io::Result<()> {
        self.asked = now;
        let first = if self.blocks { BLOCK } else { b'q' };
        let mut request = [b'.'; SIZE];
        request[0] = first;
        // `write_all` cannot block, because the socket's buffer is empty: an answer has arrived
        // since the last request.
        self.stream.write_all(&request)
    }

    /// Reads the available bytes; returns whether the answer is complete.
    fn has_answer(&mut self) -> io::Result<bool> {
        let mut bytes = [0; 2 * SIZE];
        loop {
            match self.stream.read(&mut bytes) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(n) => self.come += n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            if self.come >= SIZE {
                // The socket is empty now, because only one answer is due at a time.
                self.come = 0;
                return Ok(true);
            }
        }
    }
}
