//! The other socket of a connection, as machines and handlers see it.

use std::fmt::{self, Arguments};
use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::Output;
use crate::net::other_end::OtherEnd;
use crate::net::transport::OtherAccess;

/// The room for the other socket of a connection: [`NoOther`] or [`Other`].
pub trait OtherSlot: sealed::OtherEndSlot {}

impl<T: sealed::OtherEndSlot> OtherSlot for T {}

/// The slot of machines without a `#[connect]` state. It takes no memory.
#[derive(Debug, Default)]
pub struct NoOther;

/// The slot of machines with a `#[connect]` state.
#[derive(Debug, Default)]
pub struct Other(Option<Box<OtherEnd>>);

pub(crate) mod sealed {
    use super::{NoOther, Other, OtherEnd};

    pub trait OtherEndSlot: Default + Send + 'static {
        /// The other end, which is made if there is none yet; `None` in a machine without one.
        fn get(&mut self) -> Option<&mut OtherEnd>;
        /// The other end, if it was made.
        fn peek(&self) -> Option<&OtherEnd>;
    }

    impl OtherEndSlot for NoOther {
        #[inline]
        fn get(&mut self) -> Option<&mut OtherEnd> {
            None
        }

        #[inline]
        fn peek(&self) -> Option<&OtherEnd> {
            None
        }
    }

    impl OtherEndSlot for Other {
        fn get(&mut self) -> Option<&mut OtherEnd> {
            Some(self.0.get_or_insert_default())
        }

        fn peek(&self) -> Option<&OtherEnd> {
            self.0.as_deref()
        }
    }
}

/// Output to the other socket: what [`Cx::other`](crate::Cx::other) returns.
pub struct OtherOutput<'a> {
    pub(crate) to: Option<&'a dyn OtherAccess>,
}

impl OtherOutput<'_> {
    /// Queues a copy of `bytes`.
    pub fn write(&mut self, bytes: &[u8]) {
        if let Some(to) = self.to {
            to.write(bytes);
        }
    }

    /// Queues formatted text. `write!(cx.other(), ..)` calls it; it returns `()`, because queueing cannot fail.
    pub fn write_fmt(&mut self, text: Arguments<'_>) {
        match text.as_str() {
            Some(text) => self.write(text.as_bytes()),
            None => self.write(fmt::format(text).as_bytes()),
        }
    }

    /// Queues `bytes` without copying them, for large or shared output.
    pub fn send(&mut self, bytes: impl Into<Bytes>) {
        if let Some(to) = self.to {
            to.send(bytes.into());
        }
    }

    /// Queues the bytes of a file in the range, as [`Cx::send_file`](crate::Cx::send_file) does for the peer: they take
    /// no memory, count as queued, leave in their place between other output, and at most 2 MiB of them in a turn.
    ///
    /// When the file is found to be shorter, or cannot be read, the other connection is reset, so that its peer does
    /// not take what it has got for the whole. The machine sees the end of that stream, or the edge `gone` of a
    /// `#[relay]`.
    ///
    /// # Panics
    ///
    /// When more than `usize::MAX` bytes would be queued.
    pub fn send_file(&mut self, file: impl Into<Arc<File>>, range: Range<u64>) {
        let len = range.end.saturating_sub(range.start);
        if let Some(to) = self.to {
            to.send_file(file.into(), range.start, usize::try_from(len).unwrap_or(usize::MAX));
        }
    }

    /// The number of bytes that are queued and have not left.
    pub fn queued(&self) -> usize {
        match self.to {
            Some(to) => to.queued(),
            None => 0,
        }
    }
}

/// Queues frames.
impl Output for OtherOutput<'_> {
    fn put(&mut self, bytes: &[u8]) {
        self.write(bytes);
    }
}

impl fmt::Debug for OtherOutput<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtherOutput").field("queued", &self.queued()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::sealed::OtherEndSlot;
    use super::*;

    #[test]
    fn s3_a_connection_without_another_socket_has_no_room_for_it() {
        assert_eq!(size_of::<NoOther>(), 0);
        assert_eq!(size_of::<Other>(), size_of::<usize>());
        assert!(NoOther.get().is_none());
        let mut slot = Other::default();
        assert!(slot.peek().is_none());
        assert!(slot.get().is_some() && slot.peek().is_some());
    }
}
