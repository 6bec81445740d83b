use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

/// The number of bits of the index; the generation has the other bits of a poll's token but the highest.
pub(crate) const INDEX_BITS: u32 = if usize::BITS >= 64 { 32 } else { 20 };
/// The number of bits of the index that are the slot; the port has the other bits of the index.
const SLOT_BITS: u32 = if usize::BITS >= 64 { 26 } else { 17 };
/// The most slots of a port.
pub(crate) const SLOTS: usize = 1 << SLOT_BITS;
/// The most connections or jobs of a pool. A port has as many slots again, because those of ended ones
/// are not used again at once.
pub(crate) const MAX_TASKS: usize = SLOTS / 2;
/// The most ports of a pool.
pub(crate) const PORTS: usize = 1 << (INDEX_BITS - SLOT_BITS);
/// The largest generation; generations are counted modulo the next number.
///
/// The highest bit of a token says which of a connection's two sockets it is for.
pub(crate) const GENERATIONS: u32 = if usize::BITS >= 64 { u32::MAX >> 1 } else { (1 << 11) - 1 };

/// Identifies one connection or job of a pool by its port, its slot there, and the generation of
/// the slot.
///
/// A later connection that uses the same slot has another generation, so that a key that outlives
/// its connection matches no other one: [`Cx::post`](crate::Cx::post) returns the message, and the
/// port drops and counts an event. Generations repeat after 2,147,483,648 connections of the
/// process (2,048 if a pointer has 32 bits).
///
/// A key is valid only in the pool that it comes from. In another pool it matches nothing, like the
/// key of a connection that has ended.
///
/// The word is that of Windows I/O completion ports, where a completion key identifies an I/O
/// object.
///
/// ```
/// use fsm_runtime::{Cx, Key};
/// use std::collections::HashMap;
///
/// /// Called by a handler, so that other connections can post to this one.
/// fn join(cx: &Cx<'_>, members: &mut HashMap<String, Key>, name: &str) {
///     members.insert(name.to_owned(), cx.key());
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
// The value is the poll's token: the index in the low bits, the generation in the high ones.
pub struct Key(pub(crate) usize);

const INDICES: usize = (1 << INDEX_BITS) - 1;

impl Key {
    /// The key with this index, which is a port and a slot, and this generation.
    #[inline]
    pub(crate) const fn new(index: u32, generation: u32) -> Self {
        Self((generation as usize) << INDEX_BITS | index as usize)
    }

    /// The key of a slot of a port.
    #[inline]
    pub(crate) fn of(port: usize, slot: usize, generation: u32) -> Self {
        debug_assert!(port < PORTS && slot < SLOTS);
        #[expect(clippy::cast_possible_truncation, reason = "both have few bits")]
        Self::new((port << SLOT_BITS | slot) as u32, generation)
    }

    /// A key of the port that no connection or job has, because its slot is behind the last one.
    pub(crate) fn of_no_slot(port: usize) -> Self {
        Self::of(port, SLOTS - 1, 0)
    }

    #[inline]
    pub(crate) const fn port(self) -> usize {
        (self.0 & INDICES) >> SLOT_BITS
    }

    #[inline]
    pub(crate) const fn slot(self) -> usize {
        self.0 & (SLOTS - 1)
    }

    /// The key with these parts, which [`index`](Key::index) and [`generation`](Key::generation) return; `None` if
    /// none has them.
    ///
    /// ```
    /// use fsm_runtime::Key;
    ///
    /// assert_eq!(Key::from_parts(5, 17).unwrap().to_string(), "5#17");
    /// assert_eq!(Key::from_parts(5, u32::MAX), None);
    /// ```
    pub fn from_parts(index: u32, generation: u32) -> Option<Self> {
        let fits = usize::try_from(index).ok()? <= INDICES && generation <= GENERATIONS;
        fits.then(|| Self::new(index, generation))
    }

    /// The number of the slot in the low bits, and that of its port above them.
    ///
    /// In a pool with one port it is less than the pool's limit of connections or jobs plus 1,024,
    /// because up to 1,023 slots of ended ones are not yet used again.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "it has few enough bits")]
    pub const fn index(self) -> u32 {
        (self.0 & INDICES) as u32
    }

    /// The generation of the slot: the number of the connection or job in this process.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "it has few enough bits")]
    pub const fn generation(self) -> u32 {
        (self.0 >> INDEX_BITS) as u32
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.index(), self.generation())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

/// Numbers the uses of slots. Ports that share it never make the same key, so that a key of one pool
/// matches nothing in another one.
#[derive(Debug, Default)]
pub(crate) struct Generations(AtomicU32);

impl Generations {
    /// Those that all pools of the process share.
    pub(crate) fn of_process() -> &'static Arc<Self> {
        static GENERATIONS: OnceLock<Arc<Generations>> = OnceLock::new();
        GENERATIONS.get_or_init(Arc::default)
    }

    /// The generation of a slot that is used from now on.
    #[inline]
    pub(crate) fn next(&self) -> u32 {
        // Each number is given out once in any memory order, and nothing else depends on it.
        self.0.fetch_add(1, Ordering::Relaxed) & GENERATIONS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_has_as_many_connections_or_jobs_at_most_as_the_docs_of_the_builder_state() {
        assert_eq!(MAX_TASKS, if usize::BITS >= 64 { 33_554_432 } else { 65_536 });
    }
}
