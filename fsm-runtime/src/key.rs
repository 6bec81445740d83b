use std::fmt;

/// How many bits of a poll's token the index takes; the generation has the rest.
pub(crate) const INDEX_BITS: u32 = if usize::BITS >= 64 { 32 } else { 20 };
/// Generations are counted within what is left of a token.
pub(crate) const GENERATIONS: u32 = if usize::BITS >= 64 { u32::MAX } else { (1 << 12) - 1 };

/// Names one connection of a port: the index of its slot and the slot's generation.
///
/// A slot is used again when its connection is gone, with another generation, so a key that
/// outlives its connection matches nothing: what is sent to it is dropped and counted, never
/// delivered to the connection that has the slot now. (The word is that of Win32 completion
/// ports, where a key finds the state of an I/O object.)
///
/// A generation comes again only after 4,294,967,296 further connections of the process (4,096
/// where a pointer has 32 bits).
///
/// A key is good for the pool that it comes from. To another pool it is a connection that is gone.
///
/// ```
/// use fsm_runtime::{Cx, Key};
/// use std::collections::HashMap;
///
/// /// In a handler: who can be written to.
/// fn join(cx: &Cx<'_>, members: &mut HashMap<String, Key>, name: &str) {
///     members.insert(name.to_owned(), cx.key());
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    index: u32,
    generation: u32,
}

impl Key {
    /// The key of slot `index` in its use number `generation`.
    #[inline]
    pub(crate) const fn new(index: u32, generation: u32) -> Self {
        Self { index, generation }
    }

    /// The number of the slot: less than the pool's limit of connections, and a little more where
    /// many have ended at once.
    ///
    /// ```
    /// # use fsm_runtime::Cx;
    /// fn seat(cx: &Cx<'_>) -> u32 {
    ///     cx.key().index()
    /// }
    /// ```
    #[inline]
    pub const fn index(self) -> u32 {
        self.index
    }

    /// The number of this use of the slot.
    ///
    /// ```
    /// # use fsm_runtime::Cx;
    /// fn name(cx: &Cx<'_>) -> String {
    ///     format!("{}#{}", cx.key().index(), cx.key().generation())
    /// }
    /// ```
    #[inline]
    pub const fn generation(self) -> u32 {
        self.generation
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.index, self.generation)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}
