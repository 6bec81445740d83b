//! The operations of a handler's `Cx` on the two sockets of a connection.

use std::any::Any;
use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::sync::Arc;

use bytes::Bytes;

#[cfg(feature = "tls")]
use crate::TlsSession;
use crate::net::other_end::{Link, OtherEnd, Relay, RelayEnd};
use crate::net::send_buffer::SendBuffer;
use crate::net::tls_progress::Securing;
use crate::net::transport::{OtherAccess, PeerAddr};
use crate::{Connected, Connecting, Moved, Peer, Relaying, Target};

/// The socket of a connection together with its other one, for the `Cx` of a handler.
pub(in crate::connection) struct BothEnds<'a, S> {
    socket: &'a S,
    other: RefCell<Borrowed<'a>>,
}

struct Borrowed<'a> {
    end: &'a mut OtherEnd,
    send: &'a mut SendBuffer,
}

impl<'a, S> BothEnds<'a, S> {
    pub(super) fn new(socket: &'a S, end: &'a mut OtherEnd, send: &'a mut SendBuffer) -> Self {
        Self { socket, other: RefCell::new(Borrowed { end, send }) }
    }
}

impl<S: PeerAddr> PeerAddr for BothEnds<'_, S> {
    fn peer(&self) -> io::Result<Peer> {
        self.socket.peer()
    }

    fn other(&self) -> Option<&dyn OtherAccess> {
        Some(self)
    }

    #[cfg(feature = "tls")]
    fn tls(&self) -> Option<TlsSession<'_>> {
        self.socket.tls()
    }

    fn layer(&self) -> Option<&dyn Any> {
        self.socket.layer()
    }

    fn secured(&self) -> Securing<'_> {
        self.socket.secured()
    }

    fn leave_tls(&self) {
        self.socket.leave_tls();
    }
}

impl<S> OtherAccess for BothEnds<'_, S> {
    fn write(&self, bytes: &[u8]) {
        self.other.borrow_mut().send.write(bytes);
    }

    fn send(&self, bytes: Bytes) {
        self.other.borrow_mut().send.send(bytes);
    }

    fn send_file(&self, file: Arc<File>, at: u64, len: usize) {
        self.other.borrow_mut().send.send_file(file, at, len);
    }

    fn queued(&self) -> usize {
        self.other.borrow().send.len()
    }

    fn begin_call(&self) {
        let Borrowed { end, send } = &mut *self.other.borrow_mut();
        end.queued_before = send.len();
    }

    fn connect(&self, target: Target) {
        let Borrowed { end, .. } = &mut *self.other.borrow_mut();
        end.stale = if end.is_open() { end.queued_before } else { 0 };
        end.named = Some(target);
    }

    fn connected(&self) -> Connecting {
        let Borrowed { end, send } = &mut *self.other.borrow_mut();
        if end.named.is_some() {
            return Connecting::Waiting;
        }
        match std::mem::replace(&mut end.link, Link::Closed) {
            Link::Open { stream, peer, news: Some(reused) } => {
                end.link = Link::Open { stream, peer, news: None };
                Connecting::Connected(Connected { peer, reused })
            }
            Link::Failed(error) => {
                send.discard();
                Connecting::Failed(error)
            }
            other => {
                end.link = other;
                Connecting::Waiting
            }
        }
    }

    fn relayed(&self, begin: &dyn Fn() -> Relay) -> Relaying {
        let mut other = self.other.borrow_mut();
        let relay = other.end.relay.get_or_insert_with(begin);
        let moved = relay.moved();
        let Some(end) = relay.end.take() else { return Relaying::Waiting };
        other.end.relay = None;
        other.end.moved = moved;
        match end {
            RelayEnd::Done => Relaying::Done(moved),
            RelayEnd::Eof => Relaying::Eof,
            RelayEnd::Gone => Relaying::Gone,
        }
    }

    fn moved(&self) -> Moved {
        let end = &self.other.borrow().end;
        end.relay.as_ref().map_or(end.moved, Relay::moved)
    }

    fn leave(&self) {
        let mut other = self.other.borrow_mut();
        if let Some(relay) = other.end.relay.take() {
            other.end.moved = relay.moved();
        }
        if other.end.named.take().is_some() || !other.end.is_open() {
            other.end.close(false);
            other.send.discard();
        }
    }
}
