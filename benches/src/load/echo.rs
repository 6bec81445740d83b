use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::stream;
use crate::error::Error;
use crate::workload::ECHO_BYTES;

/// The largest number of requests in flight on a connection.
const MAX_DEPTH: usize = 64;

/// Echo clients that share one thread.
pub(crate) struct Clients {
    poll: Poll,
    events: Events,
    connections: Vec<Client>,
    /// The requests of a pipeline, with one more, because a read may begin inside an answer.
    text: Vec<u8>,
    buffer: Vec<u8>,
}

struct Client {
    stream: TcpStream,
    /// Requests that are not sent yet.
    left: u64,
    /// Bytes of answers that are not received yet.
    awaited: usize,
}

impl Clients {
    pub(crate) fn new() -> Result<Self, Error> {
        let text: Vec<u8> = (b'!'..).take(ECHO_BYTES).collect();
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            connections: Vec::new(),
            text: text.repeat(MAX_DEPTH + 1),
            buffer: vec![0; ECHO_BYTES * MAX_DEPTH],
        })
    }

    pub(crate) fn connect(address: SocketAddr, count: usize) -> Result<Self, Error> {
        let mut clients = Self::new()?;
        clients.grow(address, count)?;
        Ok(clients)
    }

    /// Adds connections until there are `count`.
    pub(crate) fn grow(&mut self, address: SocketAddr, count: usize) -> Result<(), Error> {
        for number in self.connections.len()..count {
            let mut stream = stream::connect(address).map_err(Error::doing("connect"))?;
            self.poll.registry().register(&mut stream, Token(number), Interest::READABLE)?;
            self.connections.push(Client { stream, left: 0, awaited: 0 });
        }
        Ok(())
    }

    /// Makes `requests` requests, divided among the connections.
    ///
    /// Each connection sends `depth` requests, waits for all their answers, and sends the next.
    pub(crate) fn closed_loop(&mut self, requests: u64, depth: usize) -> Result<(), Error> {
        let share = requests / self.connections.len() as u64;
        for client in &mut self.connections {
            client.left = share;
            client.send_next(depth, &self.text)?;
        }
        let mut busy = if share == 0 { 0 } else { self.connections.len() };
        while busy > 0 {
            self.poll(None)?;
            for event in &self.events {
                let client = &mut self.connections[event.token().0];
                if client.awaited > 0 && client.receive(&self.text, &mut self.buffer)? {
                    client.send_next(depth, &self.text)?;
                    if client.awaited == 0 {
                        busy -= 1;
                    }
                }
            }
        }
        Ok(())
    }

    /// Makes a request on the first connection at a time, for `time`, and returns the latencies, sorted.
    pub(crate) fn one_by_one(&mut self, time: Duration) -> Result<Vec<Duration>, Error> {
        let (start, mut latencies) = (Instant::now(), Vec::new());
        while start.elapsed() < time {
            let begun = Instant::now();
            self.connections[0].left = 1;
            self.connections[0].send_next(1, &self.text)?;
            while self.connections[0].awaited > 0 {
                self.poll(None)?;
                self.connections[0].receive(&self.text, &mut self.buffer)?;
            }
            latencies.push(begun.elapsed());
        }
        latencies.sort_unstable();
        Ok(latencies)
    }

    /// Makes `rate` requests per second for `time`, and returns the number of answers.
    ///
    /// `busy` clients send at a time; another set of them takes over every tenth of a second.
    pub(crate) fn paced(&mut self, rate: u32, time: Duration, busy: usize) -> Result<u64, Error> {
        let stride = self.connections.len() / busy;
        let mut sent = 0;
        let mut answers = 0;
        let mut next = (0..busy).cycle();
        let start = Instant::now();
        while start.elapsed() < time {
            let elapsed = start.elapsed();
            let due = elapsed.as_micros() * u128::from(rate) / 1_000_000;
            let shift = usize::try_from(elapsed.as_millis() / 100).unwrap_or(0);
            while sent < due {
                let number = next.next().unwrap_or(0) * stride + shift;
                let number = number % self.connections.len();
                let client = &mut self.connections[number];
                // A client that waits for an answer omits its request.
                if client.awaited == 0 {
                    client.left = 1;
                    client.send_next(1, &self.text)?;
                }
                sent += 1;
            }
            self.poll(Some(Duration::from_millis(1)))?;
            for event in &self.events {
                let client = &mut self.connections[event.token().0];
                if client.awaited > 0 && client.receive(&self.text, &mut self.buffer)? {
                    answers += 1;
                }
            }
        }
        Ok(answers)
    }

    fn poll(&mut self, timeout: Option<Duration>) -> Result<(), Error> {
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() == ErrorKind::Interrupted => self.events.clear(),
            polled => polled.map_err(Error::doing("poll"))?,
        }
        Ok(())
    }
}

impl Client {
    /// Sends the next `depth` requests, or all that are left.
    fn send_next(&mut self, depth: usize, text: &[u8]) -> Result<(), Error> {
        let count = usize::try_from(self.left).unwrap_or(usize::MAX).min(depth);
        self.left -= count as u64;
        self.awaited = count * ECHO_BYTES;
        if count > 0 {
            // The send buffer is empty, because the server has answered all earlier requests.
            self.stream.write_all(&text[..self.awaited]).map_err(Error::doing("send"))?;
        }
        Ok(())
    }

    /// Reads from the socket; returns whether all answers are complete.
    fn receive(&mut self, text: &[u8], buffer: &mut [u8]) -> Result<bool, Error> {
        while self.awaited > 0 {
            match self.stream.read(buffer) {
                Ok(0) => return Err(Error::failed("the server closed a connection")),
                Ok(length) => {
                    let from = (ECHO_BYTES - self.awaited % ECHO_BYTES) % ECHO_BYTES;
                    if length > self.awaited || buffer[..length] != text[from..from + length] {
                        return Err(Error::failed("the server sent a wrong answer"));
                    }
                    self.awaited -= length;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::doing("receive")(error)),
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;

    use super::super::churn::churn;
    use super::*;

    /// Starts a server that applies `answer` to the bytes of each read and sends them back.
    ///
    /// Returns its address and the number of bytes that it has received.
    fn server(answer: fn(&mut Vec<u8>)) -> (SocketAddr, Arc<AtomicU64>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&received);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, count) = (stream.unwrap(), Arc::clone(&count));
                thread::spawn(move || {
                    let mut buffer = [0; 4096];
                    while let Ok(length @ 1..) = stream.read(&mut buffer) {
                        count.fetch_add(length as u64, Ordering::SeqCst);
                        let mut bytes = buffer[..length].to_vec();
                        answer(&mut bytes);
                        let _ = stream.write_all(&bytes);
                    }
                });
            }
        });
        (address, received)
    }

    #[test]
    fn a_closed_loop_makes_all_requests() {
        let (address, received) = server(|_| {});
        let mut clients = Clients::connect(address, 4).unwrap();
        clients.closed_loop(400, 1).unwrap();
        assert_eq!(received.load(Ordering::SeqCst), 400 * 64);
        // 100 requests per connection are six pipelines of 16 and one of 4.
        clients.closed_loop(400, 16).unwrap();
        assert_eq!(received.load(Ordering::SeqCst), 800 * 64);
    }

    #[test]
    fn a_wrong_answer_is_an_error() {
        let wrong: [fn(&mut Vec<u8>); 3] =
            [|bytes| bytes[63] ^= 1, |bytes| bytes.push(b'!'), |bytes| bytes.rotate_left(1)];
        for wrong in wrong {
            let mut clients = Clients::connect(server(wrong).0, 2).unwrap();
            assert!(clients.closed_loop(40, 1).is_err());
        }
        assert!(churn(server(|bytes| bytes.fill(0)).0, 1).is_err());
    }

    #[test]
    fn the_pace_does_not_depend_on_the_number_of_connections() {
        for connections in [10, 200] {
            let (address, received) = server(|_| {});
            let mut clients = Clients::connect(address, connections).unwrap();
            let answers = clients.paced(2_000, Duration::from_millis(500), 10).unwrap();
            assert!((500..=1_000).contains(&answers), "{answers} answers");
            assert!(received.load(Ordering::SeqCst) >= answers * 64);
        }
    }
}
