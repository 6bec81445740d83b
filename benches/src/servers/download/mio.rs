use std::io::{self, Read, Write};

use mio::event::Event;
use mio::net::TcpStream;

use super::chunk;
use crate::servers::mio_loop::{self, Protocol, Status};

pub(super) fn serve(listener: std::net::TcpListener) -> io::Result<()> {
    mio_loop::serve(listener, Download)
}

struct Download;

enum Connection {
    Length { bytes: [u8; 8], received: usize },
    Sending { left: u64 },
}

impl Default for Connection {
    fn default() -> Self {
        Self::Length { bytes: [0; 8], received: 0 }
    }
}

impl Protocol for Download {
    type Connection = Connection;

    fn on_event(
        &mut self,
        connection: &mut Connection,
        stream: &mut TcpStream,
        _: &Event,
    ) -> io::Result<Status> {
        loop {
            match connection.step(stream) {
                Ok(0) => return Ok(Status::Finished),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Status::Open),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Connection {
    /// Reads or writes once; returns the number of bytes.
    fn step(&mut self, stream: &mut TcpStream) -> io::Result<usize> {
        match self {
            Self::Length { bytes, received } => {
                let count = stream.read(&mut bytes[*received..])?;
                *received += count;
                if *received == bytes.len() {
                    *self = Self::Sending { left: u64::from_be_bytes(*bytes) };
                }
                Ok(count)
            }
            Self::Sending { left: 0 } => {
                *self = Self::default();
                self.step(stream)
            }
            Self::Sending { left } => {
                let count = stream.write(chunk(*left))?;
                *left -= count as u64;
                Ok(count)
            }
        }
    }
}
