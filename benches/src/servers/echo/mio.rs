use std::io::{self, ErrorKind, Read};

use mio::event::Event;
use mio::net::TcpStream;

use crate::servers::by_hand::{self, Flow, Service, send};

/// What one read gets at most: all connections share one buffer.
const BUFFER: usize = 64 * 1024;

/// The loop that one writes by hand: an error ends a connection, and there is nothing else.
struct Echo {
    buffer: Vec<u8>,
}

pub(crate) fn serve(listener: std::net::TcpListener) -> io::Result<()> {
    by_hand::serve(listener, Echo { buffer: vec![0; BUFFER] })
}

impl Service for Echo {
    /// What the socket did not take. Nothing more is read until it has.
    type Connection = Box<[u8]>;

    /// Sends back what has come. A short read has emptied the socket, unless its end is behind it.
    fn turn(
        &mut self,
        rest: &mut Box<[u8]>,
        stream: &mut TcpStream,
        event: &Event,
    ) -> io::Result<Flow> {
        if !rest.is_empty() {
            let sent = send(stream, rest)?;
            *rest = rest[sent..].into();
        }
        while rest.is_empty() {
            match stream.read(&mut self.buffer) {
                Ok(0) => return Ok(Flow::Ends),
                Ok(length) => {
                    let sent = send(stream, &self.buffer[..length])?;
                    if sent < length {
                        *rest = self.buffer[sent..length].into();
                    } else if length < self.buffer.len() && !event.is_read_closed() {
                        return Ok(Flow::GoesOn);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Flow::GoesOn),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Flow::GoesOn)
    }
}
