use std::fmt;

/// The events that may wake a machine: one bit for each kind of wait.
///
/// ```
/// use fsm_runtime::WaitSet;
///
/// let waits = WaitSet::READ | WaitSet::MESSAGE;
/// assert!(waits.contains(WaitSet::READ));
/// assert!(!waits.contains(WaitSet::writable(1)));
/// assert_eq!(WaitSet::writable(4096).below(), 4096);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
// Counted: a `Step` is returned in a register, because it has eight bytes.
#[repr(Rust, packed(2))]
pub struct WaitSet {
    kinds: u16,
    below: u32,
}

impl WaitSet {
    /// Input, or the end of the peer's stream.
    pub const READ: Self = Self::of(1);
    /// A message that was posted to the connection or job.
    pub const MESSAGE: Self = Self::of(1 << 1);
    /// The reply of another pool, or a permit for the job there.
    pub const REPLY: Self = Self::of(1 << 2);
    /// A permit to enter another pool.
    pub const ROOM: Self = Self::of(1 << 3);
    /// A timer.
    pub const TIMER: Self = Self::of(1 << 4);

    /// The end of the peer's stream, with nothing unread before it.
    pub const END: Self = Self::of(1 << 5);
    /// The end of the stream to the peer, which the runtime sends.
    pub const SHUTDOWN: Self = Self::of(1 << 6);

    /// A job for a connection that answers jobs.
    pub const JOB: Self = Self::of(1 << 7);

    /// A connection to the target that the machine has named.
    pub const CONNECT: Self = Self::of(1 << 8);
    /// Input of the other socket, or the end of its stream.
    pub const READ_OTHER: Self = Self::of(1 << 9);
    /// Bytes to pass on from one socket to the other.
    pub const RELAY: Self = Self::of(1 << 10);

    /// The end of a TLS handshake, which the runtime begins.
    pub const TLS: Self = Self::of(1 << 11);

    const WRITABLE: Self = Self::of(1 << 12);

    const fn of(kinds: u16) -> Self {
        Self { kinds, below: 0 }
    }

    /// Room for output: fewer than `below` bytes are queued. A flush waits for `below` = 1. Values
    /// above `u32::MAX` count as `u32::MAX`.
    pub const fn writable(below: usize) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "larger values are capped")]
        let below = if below > u32::MAX as usize { u32::MAX } else { below as u32 };
        Self { kinds: Self::WRITABLE.kinds, below }
    }

    /// Whether the set has all kinds of the other one.
    #[inline]
    pub const fn contains(self, other: Self) -> bool {
        self.kinds & other.kinds == other.kinds
    }

    /// The bound of [`writable`](Self::writable); 0 if the set does not wait for room.
    #[inline]
    pub const fn below(self) -> usize {
        self.below as usize
    }
}

impl std::ops::BitOr for WaitSet {
    type Output = Self;

    #[inline]
    fn bitor(self, other: Self) -> Self {
        let below = if self.below > other.below { self.below } else { other.below };
        Self { kinds: self.kinds | other.kinds, below }
    }
}

impl fmt::Debug for WaitSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (Self::READ, "READ"),
            (Self::MESSAGE, "MESSAGE"),
            (Self::REPLY, "REPLY"),
            (Self::ROOM, "ROOM"),
            (Self::TIMER, "TIMER"),
            (Self::END, "END"),
            (Self::SHUTDOWN, "SHUTDOWN"),
            (Self::JOB, "JOB"),
            (Self::CONNECT, "CONNECT"),
            (Self::READ_OTHER, "READ_OTHER"),
            (Self::RELAY, "RELAY"),
            (Self::TLS, "TLS"),
            (Self::WRITABLE, "WRITABLE"),
        ];
        f.debug_set()
            .entries(names.iter().filter(|(kind, _)| self.contains(*kind)).map(|(_, name)| name))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_step_is_returned_in_a_register() {
        assert_eq!(size_of::<crate::Step>(), 8);
    }
}
