use std::io::{self, Read, Write};

use mio::event::Event;
use mio::net::TcpStream;

use super::chunk;
use crate::servers::by_hand::{self, Flow};

pub(crate) fn serve(listener: std::net::TcpListener) -> io::Result<()> {
    by_hand::serve(listener, Server)
}

struct Server;

enum Connection {
    Length { bytes: [u8; 8], come: usize },
    Sending { left: u64 },
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
        _: &Event,
    ) -> io::Result<Flow> {
        loop {
            match connection.go_on(stream) {
                Ok(0) => return Ok(Flow::Ends),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Flow::GoesOn),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Connection {
    /// Reads or writes once; says how many bytes that were.
    fn go_on(&mut self, stream: &mut TcpStream) -> io::Result<usize> {
        match self {
            Self::Length { bytes, come } => {
                let count = stream.read(&mut bytes[*come..])?;
                *come += count;
                if *come == bytes.len() {
                    *self = Self::Sending { left: u64::from_be_bytes(*bytes) };
                }
                Ok(count)
            }
            Self::Sending { left: 0 } => {
                *self = Self::default();
                self.go_on(stream)
            }
            Self::Sending { left } => {
                let count = stream.write(chunk(*left))?;
                *left -= count as u64;
                Ok(count)
            }
        }
    }
}
