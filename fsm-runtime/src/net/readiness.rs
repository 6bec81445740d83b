/// What is known of a socket, a bit each: readiness is cached until `WouldBlock` takes it back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Readiness(pub(super) u8);

impl Readiness {
    pub(crate) const NONE: Self = Self(0);
    /// A read may succeed.
    pub(crate) const READ: Self = Self(1);
    /// A write may succeed.
    pub(crate) const WRITE: Self = Self(2);
    /// A short read proves nothing: the end of the stream or urgent data may be behind it.
    pub(crate) const DOUBT: Self = Self(4);
    /// The connection is broken.
    pub(crate) const BROKEN: Self = Self(8);
    /// The system says that the peer has ended its stream.
    pub(crate) const HANGUP: Self = Self(64);
    /// The end of the peer's stream was read.
    pub(super) const EOF: Self = Self(16);
    /// We have ended our stream.
    pub(super) const SHUT: Self = Self(32);
    /// The machine was left waiting for input, with none to use.
    pub(super) const EAGER: Self = Self(128);
}

impl Readiness {
    #[inline]
    pub(crate) fn bits(self) -> u8 {
        self.0
    }

    #[inline]
    pub(crate) fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    #[inline]
    pub(crate) fn of(read: bool, write: bool) -> Self {
        Self(u8::from(read) | u8::from(write) << 1)
    }
}

impl std::ops::BitOr for Readiness {
    type Output = Self;

    #[inline]
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What is known of a new socket.
pub(crate) const NEW: Readiness = Readiness::WRITE;
