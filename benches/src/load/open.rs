use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::echo::REQUEST;
use crate::Error;

const TEXT: [u8; REQUEST] = [b'!'; REQUEST];
/// So long it is not measured, at the beginning.
const WARM_UP: Duration = Duration::from_millis(300);

/// Clients that ask when it is time to, whether they have answers or not: the load that people are.
pub(crate) struct OpenLoop {
    pub(crate) connections: usize,
    /// Requests a second, of all together.
    pub(crate) rate: f64,
    pub(crate) time: Duration,
}

/// What they got.
pub(crate) struct Answers {
    /// Answers a second that were not refusals.
    pub(crate) good: f64,
    /// Refusals a second.
    pub(crate) refused: f64,
    /// How long who was not refused waited, since it was time to ask, in nanoseconds. Who still waited
    /// at the end is among them.
    pub(crate) waited: Histogram<u64>,
}

struct Client {
    stream: TcpStream,
    /// When it was time to ask what is not answered.
    asked: VecDeque<Instant>,
    /// Bytes of the next answer.
    answer: [u8; REQUEST],
    come: usize,
}

impl OpenLoop {
    pub(crate) fn run(&self, address: SocketAddr) -> Result<Answers, Error> {
        let mut poll = Poll::new()?;
        let mut events = Events::with_capacity(1024);
        let mut clients = Vec::new();
        for number in 0..self.connections {
            let stream = std::net::TcpStream::connect(address).map_err(Error::doing("connect"))?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            poll.registry().register(&mut stream, Token(number), Interest::READABLE)?;
            clients.push(Client { stream, asked: VecDeque::new(), answer: [0; REQUEST], come: 0 });
        }
        let (begin, mut asked, mut good, mut refused) = (Instant::now(), 0_u32, 0_u32, 0_u32);
        let (from, end) = (begin + WARM_UP, begin + WARM_UP + self.time);
        let longest = u64::try_from((WARM_UP + self.time).as_nanos()).unwrap_or(u64::MAX);
        let waited = Histogram::new_with_bounds(1, longest, 3);
        let mut waited = waited.map_err(|error| Error::failed(error.to_string()))?;
        let mut record = |time: Duration| {
            waited.saturating_record(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
        };
        loop {
            let now = Instant::now();
            if now >= end {
                break;
            }
            loop {
                let due = begin + Duration::from_secs_f64(f64::from(asked) / self.rate);
                if due > now {
                    break;
                }
                clients[asked as usize % self.connections].ask(due)?;
                asked += 1;
            }
            // It has a processor of its own, and sleeping would make it late.
            match poll.poll(&mut events, Some(Duration::ZERO)) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                polled => polled.map_err(Error::doing("poll"))?,
            }
            for event in &events {
                let client = &mut clients[event.token().0];
                while let Some((since, is_good)) = client.answered()? {
                    let now = Instant::now();
                    if now < from {
                        continue;
                    }
                    if is_good {
                        good += 1;
                        record(now.saturating_duration_since(since));
                    } else {
                        refused += 1;
                    }
                }
            }
        }
        for since in clients.iter().flat_map(|client| &client.asked) {
            record(end.saturating_duration_since(*since));
        }
        let each = |count: u32| f64::from(count) / self.time.as_secs_f64();
        Ok(Answers { good: each(good), refused: each(refused), waited })
    }
}

impl Client {
    fn ask(&mut self, due: Instant) -> Result<(), Error> {
        // The server reads slower than it is asked only by as much as these few bytes are.
        self.stream.write_all(&TEXT).map_err(Error::doing("send"))?;
        self.asked.push_back(due);
        Ok(())
    }

    /// The next answer that is whole: since when it was waited for, and whether it is no refusal.
    fn answered(&mut self) -> Result<Option<(Instant, bool)>, Error> {
        while self.come < REQUEST {
            match self.stream.read(&mut self.answer[self.come..]) {
                Ok(0) => return Err(Error::failed("the server has closed a connection")),
                Ok(length) => self.come += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::doing("receive")(error)),
            }
        }
        self.come = 0;
        let since = self.asked.pop_front();
        let since = since.ok_or_else(|| Error::failed("an answer to no request"))?;
        Ok(Some((since, self.answer == TEXT)))
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// A server of one connection that takes its time, and refuses every other request.
    fn slow(pause: Duration) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; REQUEST];
            let mut refuses = false;
            while stream.read_exact(&mut request).is_ok() {
                thread::sleep(pause);
                let answer = if refuses { [b'-'; REQUEST] } else { request };
                refuses = !refuses;
                if stream.write_all(&answer).is_err() {
                    break;
                }
            }
        });
        address
    }

    #[test]
    fn who_is_answered_has_waited_as_long_as_it_took() {
        let load = OpenLoop { connections: 1, rate: 50.0, time: Duration::from_secs(1) };
        let answers = load.run(slow(Duration::from_millis(5))).unwrap();
        assert!((15.0..=26.0).contains(&answers.good), "{}", answers.good);
        assert!((15.0..=26.0).contains(&answers.refused), "{}", answers.refused);
        assert!(answers.waited.value_at_quantile(0.5) >= 5_000_000);
        assert!(answers.waited.min() < 1_000_000_000);
    }

    #[test]
    fn who_waits_in_a_queue_waits_since_it_was_time_to_ask() {
        let load = OpenLoop { connections: 1, rate: 400.0, time: Duration::from_secs(1) };
        let answers = load.run(slow(Duration::from_millis(5))).unwrap();
        // Half of what is asked for is answered, so that the last one has waited half of the time.
        assert!(answers.waited.max() > 300_000_000, "{}", answers.waited.max());
    }
}
