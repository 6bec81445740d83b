use std::io::{ErrorKind, Read, Write};
use std::net::{self, SocketAddr};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::error::Error;
use crate::workload::ROOM_BYTES;

/// A room of silent members.
pub(crate) struct Room {
    poll: Poll,
    events: Events,
    members: Vec<Member>,
}

struct Member {
    stream: TcpStream,
    /// Bytes of the line that the member has not heard yet.
    missing: usize,
}

impl Room {
    pub(crate) fn new() -> Result<Self, Error> {
        let (poll, events) = (Poll::new()?, Events::with_capacity(1024));
        Ok(Self { poll, events, members: Vec::new() })
    }

    /// Adds members until there are `count`.
    pub(crate) fn grow(&mut self, address: SocketAddr, count: usize) -> Result<(), Error> {
        for number in self.members.len()..count {
            let stream = join(address)?;
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            self.poll.registry().register(&mut stream, Token(number), Interest::READABLE)?;
            self.members.push(Member { stream, missing: 0 });
        }
        Ok(())
    }

    /// One more member says that number of lines, each of them when all others have heard the one before.
    pub(crate) fn speak(&mut self, address: SocketAddr, lines: u64) -> Result<(), Error> {
        let mut speaker = join(address)?;
        for letter in (b'a'..=b'z').cycle().zip(0..lines).map(|(letter, _)| letter) {
            let line = [letter; ROOM_BYTES];
            speaker.write_all(&line).map_err(Error::doing("send"))?;
            self.hear(&line)?;
        }
        Ok(())
    }

    /// Waits until all members have heard the line.
    fn hear(&mut self, line: &[u8; ROOM_BYTES]) -> Result<(), Error> {
        for member in &mut self.members {
            member.missing = ROOM_BYTES;
        }
        let mut waiting = self.members.len();
        while waiting > 0 {
            match self.poll.poll(&mut self.events, None) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                polled => polled.map_err(Error::doing("poll"))?,
            }
            for event in &self.events {
                let member = &mut self.members[event.token().0];
                if member.missing > 0 && member.receive(line)? {
                    waiting -= 1;
                }
            }
        }
        Ok(())
    }
}

/// Connects, and waits for the line that says that it is a member.
fn join(address: SocketAddr) -> Result<net::TcpStream, Error> {
    let mut stream = net::TcpStream::connect(address).map_err(Error::doing("connect"))?;
    stream.set_nodelay(true)?;
    let (line, mut answer) = ([b'!'; ROOM_BYTES], [0; ROOM_BYTES]);
    stream.write_all(&line).map_err(Error::doing("send"))?;
    stream.read_exact(&mut answer).map_err(Error::doing("receive"))?;
    if answer != line {
        return Err(Error::failed("the server sent a wrong answer"));
    }
    Ok(stream)
}

impl Member {
    /// Reads from the socket; returns whether the line is complete.
    fn receive(&mut self, line: &[u8; ROOM_BYTES]) -> Result<bool, Error> {
        // One more byte than a line has, so that a line that comes twice is noticed.
        let mut buffer = [0; ROOM_BYTES + 1];
        while self.missing > 0 {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(Error::failed("the server closed a connection")),
                Ok(length) => {
                    if length > self.missing || buffer[..length] != line[..length] {
                        return Err(Error::failed("a member heard a wrong line"));
                    }
                    self.missing -= length;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::doing("receive")(error)),
            }
        }
        Ok(true)
    }
}
