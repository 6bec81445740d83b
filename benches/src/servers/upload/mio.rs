use std::io::{self, Read, Write};

use mio::event::Event;
use mio::net::TcpStream;

use super::CHUNK;
use crate::servers::mio_loop::{self, Protocol, Status};

pub(super) fn serve(listener: std::net::TcpListener) -> io::Result<()> {
    mio_loop::serve(listener, Upload { buffer: vec![0; CHUNK].into_boxed_slice() })
}

struct Upload {
    buffer: Box<[u8]>,
}

enum Connection {
    Length { bytes: [u8; 8], received: usize },
    Body { left: u64, received: u64 },
}

impl Default for Connection {
    fn default() -> Self {
        Self::Length { bytes: [0; 8], received: 0 }
    }
}

impl Protocol for Upload {
    type Connection = Connection;

    fn on_event(
        &mut self,
        connection: &mut Connection,
        stream: &mut TcpStream,
        event: &Event,
    ) -> io::Result<Status> {
        loop {
            let count = match stream.read(&mut self.buffer) {
                Ok(0) => return Ok(Status::Finished),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Status::Open),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let mut input = &self.buffer[..count];
            while let Some(received) = connection.take(&mut input) {
                // The send buffer has room, because a client waits for each answer.
                stream.write_all(&received.to_be_bytes())?;
            }
            if count < self.buffer.len() && !event.is_read_closed() {
                return Ok(Status::Open);
            }
        }
    }
}

impl Connection {
    /// Consumes input; returns the length of a body that is complete.
    fn take(&mut self, input: &mut &[u8]) -> Option<u64> {
        loop {
            match self {
                Self::Length { bytes, received } => {
                    *received += input.read(&mut bytes[*received..]).ok()?;
                    if *received < bytes.len() {
                        return None;
                    }
                    *self = Self::Body { left: u64::from_be_bytes(*bytes), received: 0 };
                }
                Self::Body { left, received } => {
                    let count = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                    *input = &input[count..];
                    *left -= count as u64;
                    *received += count as u64;
                    if *left > 0 {
                        return None;
                    }
                    let received = *received;
                    *self = Self::default();
                    return Some(received);
                }
            }
        }
    }
}
