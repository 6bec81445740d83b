use crate::{Moves, PackedFields};

/// The version of the form in which a packed connection is encoded, and a mark that tells it from other bytes.
const FORM: [u8; 4] = *b"fsm\x01";

/// A connection on its way to another process, without its socket.
///
/// The two processes may be versions of a program, so all is by name: the pool, the state, its fields. Times are
/// in milliseconds that are left, because the clocks of pools begin with their processes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PackedConnection {
    /// The name of the pool.
    pub(crate) pool: String,
    /// The name of the machine.
    pub(crate) machine: String,
    /// The name of the state.
    pub(crate) state: String,
    /// The fields of the state.
    pub(crate) fields: PackedFields,
    /// The bytes that [`MovesHandler::pack`](crate::MovesHandler::pack) has written.
    pub(crate) handler: Vec<u8>,
    /// Input that was read and not used.
    pub(crate) unread: Vec<u8>,
    /// Output that the socket has not taken.
    pub(crate) unsent: Vec<u8>,
    /// The end of the peer's stream was read.
    pub(crate) ended: bool,
    /// The stream to the peer was shut down.
    pub(crate) shut: bool,
    /// A deadline has passed since the unsent output was last below the mark.
    pub(crate) expired_while_full: bool,
    /// The time in which the peer must take some of the unsent output.
    pub(crate) send_left: Option<u64>,
    /// The timers of the state, in their order.
    pub(crate) timers: Vec<TimerLeft>,
}

/// A timer of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerLeft {
    /// The event from which it counts, as a number.
    pub(crate) counts: u8,
    pub(crate) left: Left,
}

/// The time that a timer has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// It does not run.
    Unarmed,
    /// It runs, and has so many milliseconds left.
    Runs(u64),
    /// It stands still, with so many milliseconds left.
    Paused(u64),
}

crate::moves_by_fields!(
    PackedConnection {
        pool,
        machine,
        state,
        fields,
        handler,
        unread,
        unsent,
        ended,
        shut,
        expired_while_full,
        send_left,
        timers,
    },
    TimerLeft { counts, left },
);

impl PackedConnection {
    /// Appends the packed connection to `into`.
    pub(crate) fn encode(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(&FORM);
        self.pack(into);
    }

    /// The packed connection that all of these bytes make; `None` if they are none, or those of another form.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut from = bytes.strip_prefix(&FORM)?;
        let packed = Self::unpack(&mut from)?;
        from.is_empty().then_some(packed)
    }
}

impl Moves for Left {
    fn pack(&self, into: &mut Vec<u8>) {
        match self {
            Self::Unarmed => 0_u8.pack(into),
            Self::Runs(left) => (1_u8, *left).pack(into),
            Self::Paused(left) => (2_u8, *left).pack(into),
        }
    }

    fn unpack(from: &mut &[u8]) -> Option<Self> {
        Some(match u8::unpack(from)? {
            0 => Self::Unarmed,
            1 => Self::Runs(u64::unpack(from)?),
            2 => Self::Paused(u64::unpack(from)?),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed() -> PackedConnection {
        PackedConnection {
            pool: "kv".to_owned(),
            machine: "Kv".to_owned(),
            state: "Command".to_owned(),
            fields: PackedFields::of(&[("name", b"x"), ("empty", b"")]),
            handler: vec![1, 2, 3],
            unread: b"GET k".to_vec(),
            unsent: vec![0xff; 300],
            ended: true,
            shut: false,
            expired_while_full: true,
            send_left: Some(30_000),
            timers: vec![
                TimerLeft { counts: 0, left: Left::Runs(7) },
                TimerLeft { counts: 4, left: Left::Paused(u64::MAX) },
                TimerLeft { counts: 1, left: Left::Unarmed },
            ],
        }
    }

    fn encoded(packed: &PackedConnection) -> Vec<u8> {
        let mut bytes = Vec::new();
        packed.encode(&mut bytes);
        bytes
    }

    #[test]
    fn u1_a_packed_connection_is_decoded_as_it_was_encoded() {
        for packed in [packed(), PackedConnection::default()] {
            let bytes = encoded(&packed);
            assert_eq!(PackedConnection::decode(&bytes), Some(packed));
            for cut in 0..bytes.len() {
                assert_eq!(PackedConnection::decode(&bytes[..cut]), None);
            }
            assert_eq!(PackedConnection::decode(&[&bytes[..], b"x"].concat()), None);
        }
    }

    /// A packed connection that differs in some bytes decodes to one that takes no more memory than the bytes, or
    /// not at all.
    #[test]
    fn u1_no_bytes_make_decoding_panic() {
        let good = encoded(&packed());
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random
        };
        let mut decoded = 0;
        for _ in 0..20_000 {
            let mut bytes = good.clone();
            for _ in 0..=next() % 4 {
                let at = usize::try_from(next()).unwrap() % bytes.len();
                bytes[at] = u8::try_from(next() % 256).unwrap();
            }
            if next() % 8 == 0 {
                bytes.truncate(usize::try_from(next()).unwrap() % bytes.len());
            }
            if let Some(packed) = PackedConnection::decode(&bytes) {
                assert!(encoded(&packed).len() <= bytes.len());
                decoded += 1;
            }
        }
        assert!(decoded > 1_000, "{decoded}");
    }
}
