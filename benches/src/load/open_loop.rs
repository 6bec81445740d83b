use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::stream;
use crate::error::Error;
use crate::workload::{ECHO_BYTES, REFUSAL};

const REQUEST: [u8; ECHO_BYTES] = [b'!'; ECHO_BYTES];
/// The time before the measurement begins.
const WARM_UP: Duration = Duration::from_millis(300);

/// Clients that send at a fixed rate and do not wait for answers.
pub(crate) struct OpenLoop {
    pub(crate) connections: usize,
    /// Requests per second of all connections together.
    pub(crate) rate: f64,
    pub(crate) time: Duration,
}

/// The answers to an open loop.
pub(crate) struct Outcome {
    /// Answers per second that were no refusals.
    pub(crate) good: f64,
    /// Refusals per second.
    pub(crate) refused: f64,
    /// Nanoseconds from the scheduled time of a request to its answer, refusals excluded.
    ///
    /// It includes requests without an answer, which count until the end of the measurement.
    pub(crate) latency: Histogram<u64>,
}

/// The state of a running open loop.
struct Run {
    clients: Vec<Client>,
    poll: Poll,
    start: Instant,
    sent: u32,
    good: u32,
    refused: u32,
    latency: Histogram<u64>,
}

struct Client {
    stream: TcpStream,
    /// Scheduled times of the requests without an answer.
    scheduled: VecDeque<Instant>,
    /// The next answer, and the number of its bytes that are received.
    answer: [u8; ECHO_BYTES],
    received: usize,
}

/// A complete answer.
struct Answer {
    /// The scheduled time of its request.
    scheduled: Instant,
    is_refusal: bool,
}

impl OpenLoop {
    pub(crate) fn run(&self, address: SocketAddr) -> Result<Outcome, Error> {
        let mut run = self.start(address)?;
        let mut events = Events::with_capacity(1024);
        let end = run.start + WARM_UP + self.time;
        loop {
            let now = Instant::now();
            if now >= end {
                break;
            }
            run.send_due(self.rate, now)?;
            // The clients have a processor of their own, and sleeping would make them late.
            match run.poll.poll(&mut events, Some(Duration::ZERO)) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                polled => polled.map_err(Error::doing("poll"))?,
            }
            for event in &events {
                run.receive(event.token())?;
            }
        }
        run.record_unanswered(end);
        let per_second = |count: u32| f64::from(count) / self.time.as_secs_f64();
        let (good, refused) = (per_second(run.good), per_second(run.refused));
        Ok(Outcome { good, refused, latency: run.latency })
    }

    fn start(&self, address: SocketAddr) -> Result<Run, Error> {
        let poll = Poll::new()?;
        let mut clients = Vec::new();
        for number in 0..self.connections {
            let mut stream = stream::connect(address).map_err(Error::doing("connect"))?;
            poll.registry().register(&mut stream, Token(number), Interest::READABLE)?;
            clients.push(Client::new(stream));
        }
        let longest = u64::try_from((WARM_UP + self.time).as_nanos()).unwrap_or(u64::MAX);
        let latency = Histogram::new_with_bounds(1, longest, 3)
            .map_err(|error| Error::failed(error.to_string()))?;
        Ok(Run { clients, poll, start: Instant::now(), sent: 0, good: 0, refused: 0, latency })
    }
}

impl Run {
    /// Sends the requests that are scheduled until now, on the connections in turn.
    fn send_due(&mut self, rate: f64, now: Instant) -> Result<(), Error> {
        loop {
            let due = self.start + Duration::from_secs_f64(f64::from(self.sent) / rate);
            if due > now {
                return Ok(());
            }
            let client = self.sent as usize % self.clients.len();
            self.clients[client].send(due)?;
            self.sent += 1;
        }
    }

    /// Counts the complete answers of a client, after the warm-up.
    fn receive(&mut self, Token(client): Token) -> Result<(), Error> {
        while let Some(answer) = self.clients[client].receive()? {
            let now = Instant::now();
            if now < self.start + WARM_UP {
                continue;
            }
            if answer.is_refusal {
                self.refused += 1;
            } else {
                self.good += 1;
                self.record(now.saturating_duration_since(answer.scheduled));
            }
        }
        Ok(())
    }

    fn record_unanswered(&mut self, end: Instant) {
        for client in std::mem::take(&mut self.clients) {
            for scheduled in client.scheduled {
                self.record(end.saturating_duration_since(scheduled));
            }
        }
    }

    fn record(&mut self, latency: Duration) {
        self.latency.saturating_record(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
    }
}

impl Client {
    fn new(stream: TcpStream) -> Self {
        Self { stream, scheduled: VecDeque::new(), answer: [0; ECHO_BYTES], received: 0 }
    }

    fn send(&mut self, scheduled: Instant) -> Result<(), Error> {
        // The send buffer has room for the few requests that the server has not read.
        self.stream.write_all(&REQUEST).map_err(Error::doing("send"))?;
        self.scheduled.push_back(scheduled);
        Ok(())
    }

    /// Reads the next complete answer; `None` if the socket has no more bytes.
    fn receive(&mut self) -> Result<Option<Answer>, Error> {
        while self.received < ECHO_BYTES {
            match self.stream.read(&mut self.answer[self.received..]) {
                Ok(0) => return Err(Error::failed("the server closed a connection")),
                Ok(length) => self.received += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::doing("receive")(error)),
            }
        }
        self.received = 0;
        let scheduled = self.scheduled.pop_front();
        let scheduled = scheduled.ok_or_else(|| Error::failed("an answer without a request"))?;
        match self.answer {
            REQUEST => Ok(Some(Answer { scheduled, is_refusal: false })),
            REFUSAL => Ok(Some(Answer { scheduled, is_refusal: true })),
            _ => Err(Error::failed("the server sent a wrong answer")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Starts a server of one connection that pauses before each answer and refuses every other
    /// request.
    fn slow(pause: Duration) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; ECHO_BYTES];
            let mut refuses = false;
            while stream.read_exact(&mut request).is_ok() {
                thread::sleep(pause);
                let answer = if refuses { REFUSAL } else { request };
                refuses = !refuses;
                if stream.write_all(&answer).is_err() {
                    break;
                }
            }
        });
        address
    }

    #[test]
    fn the_latency_includes_the_time_in_the_server() {
        let load = OpenLoop { connections: 1, rate: 50.0, time: Duration::from_secs(1) };
        let outcome = load.run(slow(Duration::from_millis(5))).unwrap();
        assert!((15.0..=26.0).contains(&outcome.good), "{}", outcome.good);
        assert!((15.0..=26.0).contains(&outcome.refused), "{}", outcome.refused);
        assert!(outcome.latency.value_at_quantile(0.5) >= 5_000_000);
        assert!(outcome.latency.min() < 1_000_000_000);
    }

    #[test]
    fn the_latency_counts_from_the_scheduled_time() {
        let load = OpenLoop { connections: 1, rate: 400.0, time: Duration::from_secs(1) };
        let outcome = load.run(slow(Duration::from_millis(5))).unwrap();
        // The server answers half of the requests, so the last one waits for half of the time.
        assert!(outcome.latency.max() > 300_000_000, "{}", outcome.latency.max());
    }
}
