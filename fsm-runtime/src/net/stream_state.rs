use crate::net::readiness::Readiness;

/// The state of a stream that a connection keeps between turns: the readiness that events reported,
/// which sides have ended, and whether the machine waits for nothing but input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamState(u8);

const READ: u8 = Readiness::READ.bits();
const WRITE: u8 = Readiness::WRITE.bits();
const MAYBE_EOF: u8 = Readiness::MAYBE_EOF.bits();
const BROKEN: u8 = Readiness::BROKEN.bits();
/// Bytes have come since the connection has taken its job.
const HEARD: u8 = 1 << 4;
/// The end of the peer's stream was read.
const EOF: u8 = 1 << 5;
/// The stream to the peer was shut down.
const SHUT: u8 = 1 << 6;
/// The machine waits for input, and nothing is pending.
const IDLE: u8 = 1 << 7;

/// The bits that [`StreamState::hide_input`] has hidden.
#[cfg(all(feature = "pool", unix))]
#[must_use]
pub(crate) struct HiddenInput(u8);

impl StreamState {
    /// A new stream: a write may succeed, and an event reports input.
    pub(crate) const NEW: Self = Self(WRITE);

    #[inline]
    fn has(self, bits: u8) -> bool {
        self.0 & bits != 0
    }

    #[inline]
    fn set(&mut self, bits: u8) {
        self.0 |= bits;
    }

    #[inline]
    fn clear(&mut self, bits: u8) {
        self.0 &= !bits;
    }

    /// Adds the readiness that events have reported.
    #[inline]
    pub(crate) fn add(&mut self, readiness: Readiness) {
        self.set(readiness.bits());
    }

    /// Whether the machine waits for nothing but input, and a read may succeed.
    #[inline]
    pub(crate) fn is_idle_with_input(self) -> bool {
        self.0 & !(WRITE | HEARD) == READ | IDLE
    }

    /// Whether the machine waits for nothing but input, and no event has reported any.
    #[inline]
    pub(crate) fn is_idle_without_events(self) -> bool {
        self.0 & !(WRITE | HEARD) == IDLE
    }

    /// Records whether the machine waits for input while nothing is pending.
    #[inline]
    pub(crate) fn set_idle(&mut self, idle: bool) {
        if idle {
            self.set(IDLE);
        } else {
            self.clear(IDLE);
        }
    }

    /// Forgets what is known of input, until it is [restored](Self::restore_input).
    #[cfg(all(feature = "pool", unix))]
    pub(crate) fn hide_input(&mut self) -> HiddenInput {
        let hidden = HiddenInput(self.0 & (READ | MAYBE_EOF | EOF));
        self.clear(READ | MAYBE_EOF | EOF);
        hidden
    }

    #[cfg(all(feature = "pool", unix))]
    pub(crate) fn restore_input(&mut self, HiddenInput(bits): HiddenInput) {
        self.set(bits);
    }

    #[inline]
    pub(crate) fn is_readable(self) -> bool {
        self.has(READ)
    }

    /// Whether the peer's stream may have ended behind the unread input.
    pub(crate) fn may_have_ended(self) -> bool {
        self.has(MAYBE_EOF) && !self.has_ended()
    }

    #[inline]
    pub(crate) fn is_broken(self) -> bool {
        self.has(BROKEN)
    }

    /// Whether the peer's stream has ended and all of it was read.
    #[inline]
    pub(crate) fn has_ended(self) -> bool {
        self.has(EOF)
    }

    #[inline]
    pub(crate) fn is_writable(self) -> bool {
        self.has(WRITE)
    }

    /// Whether bytes have come since the connection has taken its job.
    #[inline]
    pub(crate) fn has_heard(self) -> bool {
        self.has(HEARD)
    }

    #[inline]
    pub(crate) fn set_heard(&mut self, heard: bool) {
        self.clear(HEARD);
        if heard {
            self.set(HEARD);
        }
    }

    /// Whether the stream to the peer was shut down.
    pub(crate) fn is_shut(self) -> bool {
        self.has(SHUT)
    }

    /// Records that a read has emptied the socket. A further read is still worth a try if the end of the
    /// stream may be behind the bytes.
    #[inline]
    pub(crate) fn set_drained(&mut self) {
        if !self.has(MAYBE_EOF) {
            self.clear(READ);
        }
    }

    /// Records that a read would have blocked.
    pub(crate) fn set_read_blocked(&mut self) {
        self.clear(READ | MAYBE_EOF);
    }

    /// Records that a write would have blocked.
    pub(crate) fn set_write_blocked(&mut self) {
        self.clear(WRITE);
    }

    /// Records that the stream to the peer was shut down.
    pub(crate) fn set_shut(&mut self) {
        self.set(SHUT);
    }

    /// Records that the peer's stream has ended.
    pub(crate) fn set_ended(&mut self) {
        self.set(EOF);
        self.clear(READ);
    }
}
