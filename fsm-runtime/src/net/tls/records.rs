//! Calls of rustls that process records, and make them.

use rustls::Error;
use rustls::client::UnbufferedClientConnection;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncryptError, UnbufferedConnectionCommon, UnbufferedStatus,
    WriteTraffic,
};

use crate::net::layered::codec::{DecodedBytes, Sinks, Unread};

/// The most bytes that a record adds to its plaintext: head, type, nonce and tag.
const OVERHEAD: usize = 64;

/// A connection of rustls, of either side.
pub(super) trait ProcessRecords {
    type Data;

    /// Whether it has messages for its peer.
    fn has_messages(&self) -> bool;

    fn process<'c, 'i>(
        &'c mut self,
        incoming: &'i mut [u8],
    ) -> UnbufferedStatus<'c, 'i, Self::Data>;
}

impl ProcessRecords for UnbufferedServerConnection {
    type Data = rustls::server::ServerConnectionData;

    fn has_messages(&self) -> bool {
        self.wants_write()
    }

    fn process<'c, 'i>(
        &'c mut self,
        incoming: &'i mut [u8],
    ) -> UnbufferedStatus<'c, 'i, Self::Data> {
        let connection: &mut UnbufferedConnectionCommon<_> = self;
        connection.process_tls_records(incoming)
    }
}

impl ProcessRecords for UnbufferedClientConnection {
    type Data = rustls::client::ClientConnectionData;

    fn has_messages(&self) -> bool {
        self.wants_write()
    }

    fn process<'c, 'i>(
        &'c mut self,
        incoming: &'i mut [u8],
    ) -> UnbufferedStatus<'c, 'i, Self::Data> {
        let connection: &mut UnbufferedConnectionCommon<_> = self;
        connection.process_tls_records(incoming)
    }
}

/// The kind of record that [`write`] writes.
#[derive(Clone, Copy)]
pub(super) enum Encrypt<'a> {
    Plain(&'a [u8]),
    CloseNotify,
}

/// The types of records.
const KINDS: std::ops::RangeInclusive<u8> = 20..=24;

/// Whether the bytes begin with a whole record, or with what cannot be one.
pub(super) fn has_record(bytes: &[u8]) -> bool {
    match bytes {
        [kind, _, _, _, _, ..] if !KINDS.contains(kind) => true,
        [_, _, _, high, low, rest @ ..] => {
            rest.len() >= usize::from(u16::from_be_bytes([*high, *low]))
        }
        _ => false,
    }
}

pub(super) fn decrypt<C: ProcessRecords>(
    connection: &mut C,
    incoming: &mut [u8],
    mut into: Sinks<'_>,
    has_closed: &mut bool,
) -> Result<DecodedBytes, Error> {
    let mut done = DecodedBytes::default();
    while into.rest.is_empty() && done.plain < into.plain.len() {
        let UnbufferedStatus { mut discard, state } =
            connection.process(&mut incoming[done.used..]);
        let is_plain = matches!(state, Ok(ConnectionState::ReadTraffic(_)));
        let goes_on = match state {
            Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                while let Some(record) = traffic.next_record() {
                    let record = record?;
                    discard += record.discard;
                    done.plain += into.put(done.plain, record.payload);
                }
                true
            }
            Ok(state) => tell(state, into.outgoing, has_closed),
            Err(error) => {
                done.used += discard;
                tell_failure(connection, &mut incoming[done.used..], into.outgoing);
                return Err(error);
            }
        };
        done.used += discard;
        // Another call would find nothing behind the last record of plaintext.
        let is_last = is_plain && !has_record(&incoming[done.used..]);
        if !goes_on || (is_last && !connection.has_messages()) {
            break;
        }
    }
    Ok(done)
}

/// Handles a state that brings no plaintext. Returns whether there may be more to process.
fn tell<D>(
    state: ConnectionState<'_, '_, D>,
    outgoing: &mut Vec<u8>,
    has_closed: &mut bool,
) -> bool {
    match state {
        ConnectionState::EncodeTlsData(mut encode) => {
            append(outgoing, 0, |room| match encode.encode(room) {
                Ok(written) => Some(Ok(written)),
                Err(EncodeError::InsufficientSize(size)) => Some(Err(size.required_size)),
                Err(EncodeError::AlreadyEncoded) => None,
            });
            true
        }
        ConnectionState::TransmitTlsData(transmit) => {
            transmit.done();
            true
        }
        ConnectionState::PeerClosed => {
            *has_closed = true;
            true
        }
        _ => false,
    }
}

/// Appends the alerts that tell the peer why the session has failed. A failed session must not process records again,
/// so this stops where no alert is left.
fn tell_failure<C: ProcessRecords>(
    connection: &mut C,
    incoming: &mut [u8],
    outgoing: &mut Vec<u8>,
) {
    while connection.has_messages() {
        let Ok(state) = connection.process(incoming).state else { return };
        if !tell(state, outgoing, &mut false) {
            return;
        }
    }
}

/// Appends a record. Returns whether it could be made, which the handshake must be over for.
pub(super) fn write<C: ProcessRecords>(
    connection: &mut C,
    what: Encrypt<'_>,
    unread: Unread<'_>,
    outgoing: &mut Vec<u8>,
    has_closed: &mut bool,
) -> Result<bool, Error> {
    let Unread { incoming, rest } = unread;
    let mut used = 0;
    let made = loop {
        let UnbufferedStatus { mut discard, state } = connection.process(&mut incoming[used..]);
        match state? {
            ConnectionState::WriteTraffic(mut traffic) => {
                used += discard;
                break what.append(&mut traffic, outgoing)?;
            }
            ConnectionState::ReadTraffic(mut traffic) => {
                while let Some(record) = traffic.next_record() {
                    let record = record?;
                    discard += record.discard;
                    rest.extend_from_slice(record.payload);
                }
            }
            state => {
                if !tell(state, outgoing, has_closed) {
                    break false;
                }
            }
        }
        used += discard;
    };
    incoming.drain(..used);
    Ok(made)
}

impl Encrypt<'_> {
    fn append<D>(
        &self,
        traffic: &mut WriteTraffic<'_, D>,
        outgoing: &mut Vec<u8>,
    ) -> Result<bool, Error> {
        let mut made = false;
        let room = OVERHEAD + if let Self::Plain(plain) = self { plain.len() } else { 0 };
        append(outgoing, room, |room| {
            let written = match self {
                Self::Plain(plain) => traffic.encrypt(plain, room),
                Self::CloseNotify => traffic.queue_close_notify(room),
            };
            match written {
                Ok(written) => {
                    made = true;
                    Some(Ok(written))
                }
                Err(EncryptError::InsufficientSize(size)) => Some(Err(size.required_size)),
                Err(EncryptError::EncryptExhausted) => None,
            }
        });
        if made { Ok(true) } else { Err(Error::EncryptError) }
    }
}

/// Appends what `write` writes into `room` bytes. It says how many it needs, if those are too few, or gives up.
fn append(
    outgoing: &mut Vec<u8>,
    mut room: usize,
    mut write: impl FnMut(&mut [u8]) -> Option<Result<usize, usize>>,
) {
    let len = outgoing.len();
    loop {
        outgoing.resize(len + room, 0);
        match write(&mut outgoing[len..]) {
            Some(Ok(written)) => return outgoing.truncate(len + written),
            Some(Err(required)) if required > room => room = required,
            _ => return outgoing.truncate(len),
        }
    }
}
