use std::io::{self, Write};

use mio::event::Event;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use slab::Slab;

/// The protocol in an event loop written by hand on mio.
pub(super) trait Protocol {
    type Connection: Default;

    /// Handles an event of a connection.
    ///
    /// Events are edge-triggered: the call must read until the socket would block.
    fn on_event(
        &mut self,
        connection: &mut Self::Connection,
        stream: &mut TcpStream,
        event: &Event,
    ) -> io::Result<Status>;
}

/// The status of a connection after an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Open,
    Finished,
}

const LISTENER: Token = Token(usize::MAX);

/// Serves with one thread and one poll; each connection is registered once, for both directions.
pub(super) fn serve<P: Protocol>(
    listener: std::net::TcpListener,
    mut protocol: P,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let mut listener = TcpListener::from_std(listener);
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut connections = Slab::<(TcpStream, P::Connection)>::new();
    let mut events = Events::with_capacity(1024);
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        for event in &events {
            if event.token() == LISTENER {
                accept(&listener, &poll, &mut connections)?;
                continue;
            }
            let Token(key) = event.token();
            let Some((stream, connection)) = connections.get_mut(key) else { continue };
            // An error ends only its own connection.
            let status = protocol.on_event(connection, stream, event).unwrap_or(Status::Finished);
            if status == Status::Finished {
                connections.remove(key);
            }
        }
    }
}

fn accept<C: Default>(
    listener: &TcpListener,
    poll: &Poll,
    connections: &mut Slab<(TcpStream, C)>,
) -> io::Result<()> {
    loop {
        match listener.accept() {
            Ok((mut stream, _)) => {
                let entry = connections.vacant_entry();
                let both = Interest::READABLE | Interest::WRITABLE;
                poll.registry().register(&mut stream, Token(entry.key()), both)?;
                entry.insert((stream, C::default()));
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

/// Sends until the socket would block; returns the number of bytes.
pub(super) fn send(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
    let mut sent = 0;
    while sent < bytes.len() {
        match stream.write(&bytes[sent..]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(length) => sent += length,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(sent)
}
