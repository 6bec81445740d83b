use std::io::{self, ErrorKind, Read};

use mio::event::Event;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use slab::Slab;

use crate::servers::mio_loop::send;
use crate::workload::ROOM_BYTES;

const LISTENER: Token = Token(usize::MAX);

struct Member {
    stream: TcpStream,
    /// A part of a line.
    part: Box<[u8]>,
    /// Lines that the socket has not accepted.
    unsent: Vec<u8>,
    has_joined: bool,
}

/// Serves with one thread and one poll. A line is written to the sockets of all members at once, without a
/// queue, a limit or a deadline.
pub(super) fn serve(listener: std::net::TcpListener) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let mut listener = TcpListener::from_std(listener);
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut members = Slab::new();
    let mut events = Events::with_capacity(1024);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        for event in &events {
            if event.token() == LISTENER {
                accept(&listener, &poll, &mut members)?;
            } else if on_event(&mut members, event, &mut buffer).is_err() {
                members.remove(event.token().0);
            }
        }
    }
}

fn accept(listener: &TcpListener, poll: &Poll, members: &mut Slab<Member>) -> io::Result<()> {
    loop {
        match listener.accept() {
            Ok((mut stream, _)) => {
                let entry = members.vacant_entry();
                let both = Interest::READABLE | Interest::WRITABLE;
                poll.registry().register(&mut stream, Token(entry.key()), both)?;
                let (part, unsent) = (Box::default(), Vec::new());
                entry.insert(Member { stream, part, unsent, has_joined: false });
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

/// Sends what is left, and reads until the socket would block. An error ends the connection.
fn on_event(members: &mut Slab<Member>, event: &Event, buffer: &mut [u8]) -> io::Result<()> {
    let Token(key) = event.token();
    let Some(member) = members.get_mut(key) else { return Ok(()) };
    if event.is_writable() && !member.unsent.is_empty() {
        let unsent = std::mem::take(&mut member.unsent);
        member.send(&unsent)?;
    }
    if !event.is_readable() {
        return Ok(());
    }
    loop {
        let Some(member) = members.get_mut(key) else { return Ok(()) };
        let part = member.part.len();
        buffer[..part].copy_from_slice(&member.part);
        let end = match member.stream.read(&mut buffer[part..]) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(length) => part + length,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let (lines, rest) = buffer[..end].as_chunks::<ROOM_BYTES>();
        if !member.part.is_empty() || !rest.is_empty() {
            member.part = rest.into();
        }
        for line in lines {
            speak(members, key, line)?;
        }
        // A short read has emptied the socket, unless the end of stream follows.
        if end < buffer.len() && !event.is_read_closed() {
            return Ok(());
        }
    }
}

fn speak(members: &mut Slab<Member>, speaker: usize, line: &[u8; ROOM_BYTES]) -> io::Result<()> {
    let Some(member) = members.get_mut(speaker) else { return Ok(()) };
    if !std::mem::replace(&mut member.has_joined, true) {
        return member.send(line);
    }
    for (key, member) in members.iter_mut() {
        if key != speaker && member.has_joined {
            // A member whose connection is broken has an event of its own.
            let _ = member.send(line);
        }
    }
    Ok(())
}

impl Member {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let sent = if self.unsent.is_empty() { send(&mut self.stream, bytes)? } else { 0 };
        self.unsent.extend_from_slice(&bytes[sent..]);
        Ok(())
    }
}
