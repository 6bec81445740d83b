use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::Error;

/// The bytes of a request, and of its answer.
pub(crate) const REQUEST: usize = 64;
/// The most requests that a connection has on their way.
const DEPTH: usize = 64;

/// Clients that send 64 bytes and wait for them to come back, in one thread.
pub(crate) struct Clients {
    poll: Poll,
    events: Events,
    all: Vec<Client>,
    /// Requests without end; an answer begins wherever another has ended.
    text: Vec<u8>,
    buffer: Vec<u8>,
}

struct Client {
    stream: TcpStream,
    /// Requests that were not sent yet.
    left: u64,
    /// Bytes of answers that have not come yet.
    awaited: usize,
}

impl Clients {
    pub(crate) fn new() -> Result<Self, Error> {
        let text: Vec<u8> = (b'!'..).take(REQUEST).collect();
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            all: Vec::new(),
            text: text.repeat(DEPTH + 1),
            buffer: vec![0; REQUEST * DEPTH],
        })
    }

    pub(crate) fn connect(address: SocketAddr, count: usize) -> Result<Self, Error> {
        let mut clients = Self::new()?;
        clients.grow(address, count)?;
        Ok(clients)
    }

    /// Connects until there are so many.
    pub(crate) fn grow(&mut self, address: SocketAddr, count: usize) -> Result<(), Error> {
        for number in self.all.len()..count {
            // It blocks until the connection is there, so a backlog never overflows.
            let stream = std::net::TcpStream::connect(address).map_err(Error::doing("connect"))?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            self.poll.registry().register(&mut stream, Token(number), Interest::READABLE)?;
            self.all.push(Client { stream, left: 0, awaited: 0 });
        }
        Ok(())
    }

    /// So many requests in all, as soon as the answers to `depth` of them have come, the next
    /// `depth` on each connection.
    pub(crate) fn closed_loop(&mut self, requests: u64, depth: usize) -> Result<(), Error> {
        let share = requests / self.all.len() as u64;
        for client in &mut self.all {
            client.left = share;
            client.next(depth, &self.text)?;
        }
        let mut busy = if share == 0 { 0 } else { self.all.len() };
        while busy > 0 {
            self.poll(None)?;
            for event in &self.events {
                let client = &mut self.all[event.token().0];
                if client.awaited > 0 && client.answered(&self.text, &mut self.buffer)? {
                    client.next(depth, &self.text)?;
                    if client.awaited == 0 {
                        busy -= 1;
                    }
                }
            }
        }
        Ok(())
    }

    /// So many requests a second, as far as the server answers, from so many of the clients at a time:
    /// every tenth of a second it is others' turn. Says how many answers came.
    pub(crate) fn paced(&mut self, rate: u32, time: Duration, busy: usize) -> Result<u64, Error> {
        let stride = self.all.len() / busy;
        let mut asked = 0;
        let mut answered = 0;
        let mut next = (0..busy).cycle();
        let began = Instant::now();
        while began.elapsed() < time {
            let elapsed = began.elapsed();
            let due = elapsed.as_micros() * u128::from(rate) / 1_000_000;
            let shift = usize::try_from(elapsed.as_millis() / 100).unwrap_or(0);
            while asked < due {
                let number = next.next().unwrap_or(0) * stride + shift;
                let number = number % self.all.len();
                let client = &mut self.all[number];
                // One whose answer has not come sends nothing.
                if client.awaited == 0 {
                    client.left = 1;
                    client.next(1, &self.text)?;
                }
                asked += 1;
            }
            self.poll(Some(Duration::from_millis(1)))?;
            for event in &self.events {
                let client = &mut self.all[event.token().0];
                if client.awaited > 0 && client.answered(&self.text, &mut self.buffer)? {
                    answered += 1;
                }
            }
        }
        Ok(answered)
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
    /// Sends the next `depth` requests, or as many as are left.
    fn next(&mut self, depth: usize, text: &[u8]) -> Result<(), Error> {
        let count = usize::try_from(self.left).unwrap_or(usize::MAX).min(depth);
        self.left -= count as u64;
        self.awaited = count * REQUEST;
        if count > 0 {
            // A socket whose answers have all come takes these few bytes.
            self.stream.write_all(&text[..self.awaited]).map_err(Error::doing("send"))?;
        }
        Ok(())
    }

    /// Reads what has come; says whether all answers have.
    fn answered(&mut self, text: &[u8], buffer: &mut [u8]) -> Result<bool, Error> {
        while self.awaited > 0 {
            match self.stream.read(buffer) {
                Ok(0) => return Err(Error::failed("the server has closed a connection")),
                Ok(length) => {
                    let from = (REQUEST - self.awaited % REQUEST) % REQUEST;
                    if length > self.awaited || buffer[..length] != text[from..from + length] {
                        return Err(Error::failed("the server has sent something else"));
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

/// So many connections, 16 at a time, each with one request; the client closes it.
pub(crate) fn churn(address: SocketAddr, connections: u64) -> Result<(), Error> {
    let mut left = connections;
    while left > 0 {
        let count = left.min(16);
        left -= count;
        let mut streams = Vec::with_capacity(16);
        for _ in 0..count {
            let mut stream =
                std::net::TcpStream::connect(address).map_err(Error::doing("connect"))?;
            stream.write_all(&[b'!'; REQUEST]).map_err(Error::doing("send"))?;
            streams.push(stream);
        }
        for mut stream in streams {
            let mut answer = [0; REQUEST];
            stream.read_exact(&mut answer).map_err(Error::doing("receive"))?;
            if answer != [b'!'; REQUEST] {
                return Err(Error::failed("the server has sent something else"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;

    use super::*;

    /// A server that answers each piece with what `answer` makes of it; how many bytes it has got.
    fn server(answer: fn(&mut Vec<u8>)) -> (SocketAddr, Arc<AtomicU64>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let got = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&got);
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
        (address, got)
    }

    #[test]
    fn a_closed_loop_makes_the_requests_that_it_says() {
        let (address, got) = server(|_| {});
        let mut clients = Clients::connect(address, 4).unwrap();
        clients.closed_loop(400, 1).unwrap();
        assert_eq!(got.load(Ordering::SeqCst), 400 * 64);
        // 100 on each connection are six times 16, and four.
        clients.closed_loop(400, 16).unwrap();
        assert_eq!(got.load(Ordering::SeqCst), 800 * 64);
    }

    #[test]
    fn an_answer_that_is_another_one_is_found_out() {
        let wrong: [fn(&mut Vec<u8>); 3] =
            [|bytes| bytes[63] ^= 1, |bytes| bytes.push(b'!'), |bytes| bytes.rotate_left(1)];
        for wrong in wrong {
            let mut clients = Clients::connect(server(wrong).0, 2).unwrap();
            assert!(clients.closed_loop(40, 1).is_err());
        }
        assert!(churn(server(|bytes| bytes.fill(0)).0, 1).is_err());
    }

    #[test]
    fn a_pace_is_kept_however_many_there_are() {
        for connections in [10, 200] {
            let (address, got) = server(|_| {});
            let mut clients = Clients::connect(address, connections).unwrap();
            let answers = clients.paced(2_000, Duration::from_millis(500), 10).unwrap();
            assert!((500..=1_000).contains(&answers), "{answers} answers");
            assert!(got.load(Ordering::SeqCst) >= answers * 64);
        }
    }
}
