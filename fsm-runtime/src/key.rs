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
/// A generation comes again only after 4,294,967,296 further connections on the same port (4,096 where a
/// pointer has 32 bits).
///
/// ```
/// use fsm_runtime::Key;
///
/// let key = Key::new(7, 1);
/// assert_eq!(key.index(), 7);
/// assert_eq!(key.to_string(), "7#1");
/// assert_ne!(key, Key::new(7, 2));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    index: u32,
    generation: u32,
}

impl Key {
    /// The key of slot `index` in its use number `generation`.
    ///
    /// ```
    /// assert_eq!(fsm_runtime::Key::new(3, 9).generation(), 9);
    /// ```
    #[inline]
    pub const fn new(index: u32, generation: u32) -> Self {
        Self { index, generation }
    }

    /// The number of the slot.
    ///
    /// ```
    /// assert_eq!(fsm_runtime::Key::new(3, 9).index(), 3);
    /// ```
    #[inline]
    pub const fn index(self) -> u32 {
        self.index
    }

    /// The number of this use of the slot.
    ///
    /// ```
    /// assert_eq!(fsm_runtime::Key::new(3, 9).generation(), 9);
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
