use std::io::{self, Read};

use fsm_runtime::{Decoded, Frame};
use mio::event::Event;
use mio::net::TcpStream;

use super::decoder::{Decoder, MAX};
use super::store::{Store, refuse};
use crate::servers::mio_loop::{self, Protocol, Status, send};

pub(super) fn serve(listener: std::net::TcpListener) -> io::Result<()> {
    let input = vec![0; MAX].into_boxed_slice();
    mio_loop::serve(listener, Server { store: Store::default(), input, output: Vec::new() })
}

/// The store and the buffers, which all connections share.
struct Server {
    store: Store,
    input: Box<[u8]>,
    output: Vec<u8>,
}

#[derive(Default)]
struct Connection {
    /// The beginning of an incomplete request.
    unread: Vec<u8>,
    /// Output that the socket has not accepted; the server reads again when it is sent.
    unsent: Vec<u8>,
    refused: bool,
}

impl Protocol for Server {
    type Connection = Connection;

    fn on_event(
        &mut self,
        connection: &mut Connection,
        stream: &mut TcpStream,
        event: &Event,
    ) -> io::Result<Status> {
        if !connection.unsent.is_empty() {
            let mut unsent = std::mem::take(&mut connection.unsent);
            unsent.drain(..send(stream, &unsent)?);
            connection.unsent = unsent;
            if !connection.unsent.is_empty() {
                return Ok(Status::Open);
            }
        }
        while !connection.refused {
            let held = connection.unread.len();
            self.input[..held].copy_from_slice(&connection.unread);
            let count = match stream.read(&mut self.input[held..]) {
                Ok(0) => return Ok(Status::Finished),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            connection.unread.clear();
            let end = held + count;
            let used = self.answer(connection, end);
            if used < end {
                connection.unread.extend_from_slice(&self.input[used..end]);
            }
            let sent = send(stream, &self.output)?;
            if sent < self.output.len() {
                connection.unsent.extend_from_slice(&self.output[sent..]);
            }
            self.output.clear();
            let was_short = end < self.input.len() && !event.is_read_closed();
            if was_short || !connection.unsent.is_empty() {
                break;
            }
        }
        let finished = connection.refused && connection.unsent.is_empty();
        Ok(if finished { Status::Finished } else { Status::Open })
    }
}

impl Server {
    /// Answers all complete requests in the first `end` bytes of the input; returns their length.
    fn answer(&mut self, connection: &mut Connection, end: usize) -> usize {
        let mut at = 0;
        while at < end {
            match Decoder.decode(&self.input[at..end]) {
                Ok(Decoded::Frame(request, used)) => {
                    self.store.answer(&request, &mut self.output);
                    at += used;
                }
                Ok(Decoded::More(least)) if least <= MAX && end - at < MAX => break,
                Ok(Decoded::More(_)) => {
                    refuse("too long", &mut self.output);
                    connection.refused = true;
                    break;
                }
                Err(why) => {
                    refuse(why, &mut self.output);
                    connection.refused = true;
                    break;
                }
            }
        }
        at
    }
}
