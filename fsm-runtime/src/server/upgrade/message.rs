use std::io;
use std::os::fd::OwnedFd;

use crate::Moves;
use crate::net::fd_channel::{FdChannel, ReceivedFrame};

/// The version of this protocol. Processes with different ones do not talk.
pub(super) const VERSION: u32 = 2;
/// The bytes with which the first message of a new process begins.
const MAGIC: &str = "fsm upgrade";

// The kinds of messages, which are those of their frames.
const HELLO: u8 = 1;
const REFUSED: u8 = 2;
const WELCOME: u8 = 3;
pub(super) const LISTENERS: u8 = 4;
pub(super) const DATA: u8 = 5;
const DATA_END: u8 = 6;
const READY: u8 = 7;
const GO: u8 = 8;
pub(super) const CONNECTIONS: u8 = 9;
const HAVE: u8 = 10;
const TAKEN: u8 = 11;
const COMMIT: u8 = 12;
const COMMITTED: u8 = 13;

/// A message between the old process and the new one.
#[derive(Debug)]
pub(super) enum Message {
    /// New: these are my pools.
    Hello { version: u32, process: u32, pools: Vec<String> },
    /// Either: this comes to nothing, and why. The old process goes on, and the new one ends.
    Refused { why: String },
    /// Old: so many listeners follow, and data if `data`, whose last part comes while all stand still if `still`.
    Welcome { version: u32, process: u32, listeners: u32, data: bool, still: bool },
    /// Old: listeners, each with its pool, its address, and how many of the same address come before.
    Listeners { names: Vec<(String, String, u32)>, sockets: Vec<OwnedFd> },
    /// Old: a piece of the data.
    Data { bytes: Vec<u8> },
    /// Old: a part of the data is complete.
    DataEnd,
    /// New: all pools run, and wait.
    Ready,
    /// Old: serve. I accept no more, and if all stood still no connection is left that waits.
    Go,
    /// Old: packed connections, each with its socket.
    Connections { packed: Vec<Vec<u8>>, sockets: Vec<OwnedFd> },
    /// New: the packed connections have come, and I begin to use their sockets.
    Have,
    /// New: the packed connections that I could not use, by number, and why. Their sockets are untouched.
    Taken { refused: Vec<(u32, String)> },
    /// Old: I drain now, and will not come back. With a last part of the data, serve.
    Commit,
    /// New: I know.
    Committed,
}

impl Message {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Hello { .. } => "hello",
            Self::Refused { .. } => "refused",
            Self::Welcome { .. } => "welcome",
            Self::Listeners { .. } => "listeners",
            Self::Data { .. } => "data",
            Self::DataEnd => "end of data",
            Self::Ready => "ready",
            Self::Go => "go",
            Self::Connections { .. } => "connections",
            Self::Have => "have",
            Self::Taken { .. } => "taken",
            Self::Commit => "commit",
            Self::Committed => "committed",
        }
    }

    /// Sends a message without descriptors.
    pub(super) fn send(&self, to: &FdChannel) -> io::Result<()> {
        let mut body = Vec::new();
        let kind = match self {
            Self::Hello { version, process, pools } => {
                MAGIC.to_owned().pack(&mut body);
                (*version, *process).pack(&mut body);
                pools.pack(&mut body);
                HELLO
            }
            Self::Refused { why } => {
                why.pack(&mut body);
                REFUSED
            }
            Self::Welcome { version, process, listeners, data, still } => {
                (*version, *process).pack(&mut body);
                (*listeners, *data, *still).pack(&mut body);
                WELCOME
            }
            Self::Data { bytes } => return to.send(DATA, bytes, &[]),
            Self::DataEnd => DATA_END,
            Self::Ready => READY,
            Self::Go => GO,
            Self::Have => HAVE,
            Self::Taken { refused } => {
                refused.pack(&mut body);
                TAKEN
            }
            Self::Commit => COMMIT,
            Self::Committed => COMMITTED,
            Self::Listeners { .. } | Self::Connections { .. } => {
                unreachable!("they are sent with descriptors")
            }
        };
        to.send(kind, &body, &[])
    }

    /// Receives a message; `None` if the other process has ended.
    pub(super) fn receive(from: &FdChannel) -> io::Result<Option<Self>> {
        let Some(ReceivedFrame { kind, body, descriptors }) = from.receive()? else {
            return Ok(None);
        };
        let message = Self::decode(kind, body, descriptors);
        let unknown = || {
            let why = format!("the other process has sent what is no message, of kind {kind}");
            io::Error::new(io::ErrorKind::InvalidData, why)
        };
        message.map(Some).ok_or_else(unknown)
    }

    fn decode(kind: u8, body: Vec<u8>, sockets: Vec<OwnedFd>) -> Option<Self> {
        if kind == DATA {
            return Some(Self::Data { bytes: body });
        }
        let mut from = &body[..];
        let message = match kind {
            HELLO => {
                if String::unpack(&mut from)? != MAGIC {
                    return None;
                }
                let (version, process) = Moves::unpack(&mut from)?;
                if version != VERSION {
                    // The rest may have another form.
                    return Some(Self::Hello { version, process, pools: Vec::new() });
                }
                Self::Hello { version, process, pools: Moves::unpack(&mut from)? }
            }
            REFUSED => Self::Refused { why: Moves::unpack(&mut from)? },
            WELCOME => {
                let (version, process) = Moves::unpack(&mut from)?;
                let (listeners, data, still) = Moves::unpack(&mut from)?;
                Self::Welcome { version, process, listeners, data, still }
            }
            LISTENERS => {
                let names: Vec<_> = Moves::unpack(&mut from)?;
                if names.len() != sockets.len() {
                    return None;
                }
                Self::Listeners { names, sockets }
            }
            DATA_END => Self::DataEnd,
            READY => Self::Ready,
            GO => Self::Go,
            CONNECTIONS => {
                let packed: Vec<_> = Moves::unpack(&mut from)?;
                if packed.len() != sockets.len() {
                    return None;
                }
                Self::Connections { packed, sockets }
            }
            HAVE => Self::Have,
            TAKEN => Self::Taken { refused: Moves::unpack(&mut from)? },
            COMMIT => Self::Commit,
            COMMITTED => Self::Committed,
            _ => return None,
        };
        from.is_empty().then_some(message)
    }
}

/// Says that the processes cannot talk.
pub(super) fn other_versions(old: u32, new: u32) -> String {
    format!(
        "the processes speak versions {old} and {new} of the upgrade; restart the server instead"
    )
}
