/// The readiness of a socket that events have reported, one bit for each kind. A bit stays set
/// until a read or a write finds that it no longer holds, because an edge-triggered poll reports it
/// once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Readiness(u8);

/// The place of the bits of a connection's other socket.
const OTHER: u8 = 4;

impl Readiness {
    pub(crate) const NONE: Self = Self(0);
    /// A read may succeed.
    pub(crate) const READ: Self = Self(1);
    /// A write may succeed.
    pub(crate) const WRITE: Self = Self(1 << 1);
    /// A short read does not prove that the socket is empty: the end of the stream or urgent data
    /// may be behind it.
    pub(crate) const MAYBE_EOF: Self = Self(1 << 2);
    /// The connection is broken.
    pub(crate) const BROKEN: Self = Self(1 << 3);

    /// The same readiness, of the other socket of a connection.
    #[inline]
    pub(crate) const fn of_other(self) -> Self {
        Self(self.0 << OTHER)
    }

    /// The readiness of the first socket of a connection, and of the other one.
    pub(crate) const fn apart(self) -> (Self, Self) {
        (Self(self.0 & ((1 << OTHER) - 1)), Self(self.0 >> OTHER))
    }

    /// Whether it has some of these bits.
    pub(crate) const fn has(self, some: Self) -> bool {
        self.0 & some.0 != 0
    }

    #[inline]
    pub(crate) const fn bits(self) -> u8 {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s3_the_readiness_of_both_sockets_is_told_apart() {
        let all = [Readiness::READ, Readiness::WRITE, Readiness::MAYBE_EOF, Readiness::BROKEN];
        for first in all {
            assert_eq!(first.apart(), (first, Readiness::NONE));
            assert_eq!(first.of_other().apart(), (Readiness::NONE, first));
            for other in all {
                assert_eq!((first | other.of_other()).apart(), (first, other));
            }
        }
    }
}
