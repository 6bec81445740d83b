use std::io::{self, ErrorKind, Read};

use mio::event::Event;
use mio::net::TcpStream;

use crate::servers::mio_loop::{self, Protocol, Status, send};

/// The most bytes of one read; all connections share one buffer.
const BUFFER: usize = 64 * 1024;

/// An echo without deadlines and limits: only an error or the end of stream ends a connection.
struct Echo {
    buffer: Vec<u8>,
}

pub(super) fn serve(listener: std::net::TcpListener) -> io::Result<()> {
    mio_loop::serve(listener, Echo { buffer: vec![0; BUFFER] })
}

impl Protocol for Echo {
    /// Output that the socket has not accepted; the server reads again when it is sent.
    type Connection = Box<[u8]>;

    /// Sends received bytes back. A short read has emptied the socket, unless the end of stream
    /// follows.
    fn on_event(
        &mut self,
        unsent: &mut Box<[u8]>,
        stream: &mut TcpStream,
        event: &Event,
    ) -> io::Result<Status> {
        if !unsent.is_empty() {
            let sent = send(stream, unsent)?;
            *unsent = unsent[sent..].into();
        }
        while unsent.is_empty() {
            match stream.read(&mut self.buffer) {
                Ok(0) => return Ok(Status::Finished),
                Ok(length) => {
                    let sent = send(stream, &self.buffer[..length])?;
                    if sent < length {
                        *unsent = self.buffer[sent..length].into();
                    } else if length < self.buffer.len() && !event.is_read_closed() {
                        return Ok(Status::Open);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Status::Open),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Status::Open)
    }
}
