use std::io::{self, Write};

use mio::event::Event;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use slab::Slab;

/// What one writes on mio for a protocol; what is around it is the same for all of them.
pub(crate) trait Service {
    type Connection: Default;

    /// Goes on with a connection of which the poll has told. It is told once: what can be read now
    /// must be read.
    fn turn(
        &mut self,
        connection: &mut Self::Connection,
        stream: &mut TcpStream,
        event: &Event,
    ) -> io::Result<Flow>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    GoesOn,
    Ends,
}

const LISTENER: Token = Token(usize::MAX);

/// One thread, one poll; each connection is registered once, for reading and writing.
pub(crate) fn serve<S: Service>(listener: std::net::TcpListener, mut service: S) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let mut listener = TcpListener::from_std(listener);
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut connections = Slab::<(TcpStream, S::Connection)>::new();
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
            // A connection that fails is over, and no other knows of it.
            if service.turn(connection, stream, event).unwrap_or(Flow::Ends) == Flow::Ends {
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

/// Sends as much as the socket takes.
pub(crate) fn send(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
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
