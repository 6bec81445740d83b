use std::io::{self, Read, Write};

use mio::event::Event;
use mio::net::TcpStream;

use super::CHUNK;
use crate::servers::by_hand::{self, Flow};

pub(crate) fn serve(listener: std::net::TcpListener) -> io::Result<()> {
    by_hand::serve(listener, Server { buffer: vec![0; CHUNK].into_boxed_slice() })
}

struct Server {
    buffer: Box<[u8]>,
}

enum Connection {
    Length { bytes: [u8; 8], come: usize },
    Body { left: u64, taken: u64 },
}

impl Default for Connection {
    fn default() -> Self {
        Self::Length { bytes: [0; 8], come: 0 }
    }
}

impl by_hand::Service for Server {
    type Connection = Connection;

    fn turn(
        &mut self,
        connection: &mut Connection,
        stream: &mut TcpStream,
        event: &Event,
    ) -> io::Result<Flow> {
        loop {
            let count = match stream.read(&mut self.buffer) {
                Ok(0) => return Ok(Flow::Ends),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Flow::GoesOn),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let mut input = &self.buffer[..count];
            while let Some(taken) = connection.take(&mut input) {
                // A client waits for the answer before it sends more, so there is room for it.
                stream.write_all(&taken.to_be_bytes())?;
            }
            if count < self.buffer.len() && !event.is_read_closed() {
                return Ok(Flow::GoesOn);
            }
        }
    }
}

impl Connection {
    /// Takes from the input; gives the size of a body when it has come.
    fn take(&mut self, input: &mut &[u8]) -> Option<u64> {
        loop {
            match self {
                Self::Length { bytes, come } => {
                    *come += input.read(&mut bytes[*come..]).ok()?;
                    if *come < bytes.len() {
                        return None;
                    }
                    *self = Self::Body { left: u64::from_be_bytes(*bytes), taken: 0 };
                }
                Self::Body { left, taken } => {
                    let count = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                    *input = &input[count..];
                    *left -= count as u64;
                    *taken += count as u64;
                    if *left > 0 {
                        return None;
                    }
                    let taken = *taken;
                    *self = Self::default();
                    return Some(taken);
                }
            }
        }
    }
}
