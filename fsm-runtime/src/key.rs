use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many bits of a poll's token the index takes; the generation has the rest.
pub(crate) const INDEX_BITS: u32 = if usize::BITS >= 64 { 32 } else { 20 };
/// How many bits of the index name the slot; the port has the rest.
const SLOT_BITS: u32 = if usize::BITS >= 64 { 26 } else { 17 };
/// The most slots of a port.
pub(crate) const SLOTS: usize = 1 << SLOT_BITS;
/// The most ports of a pool.
pub(crate) const PORTS: usize = 1 << (INDEX_BITS - SLOT_BITS);
/// Generations are counted within what is left of a token.
pub(crate) const GENERATIONS: u32 = if usize::BITS >= 64 { u32::MAX } else { (1 << 12) - 1 };

/// Names one connection or job of a pool: its port, the index of its slot there, and the slot's
/// generation.
///
/// A slot is used again when its connection is gone, with another generation, so a key that
/// outlives its connection matches nothing: a message posted to it comes back, an event for it is
/// dropped and counted, and neither reaches the connection that has the slot now. (The word is that of Win32 completion
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
// It is the poll's token: the index below, the generation above.
pub struct Key(pub(crate) usize);

const INDICES: usize = (1 << INDEX_BITS) - 1;

impl Key {
    /// The key of slot `index` in its use number `generation`.
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

    #[inline]
    pub(crate) const fn port(self) -> usize {
        (self.0 & INDICES) >> SLOT_BITS
    }

    #[inline]
    pub(crate) const fn slot(self) -> usize {
        self.0 & (SLOTS - 1)
    }

    /// The number of the slot, and above it that of the port: in a pool of one port less than the
    /// pool's limit of connections, and a little more where many have ended at once.
    ///
    /// ```
    /// fn seat(cx: &Cx<'_>) -> u32 {
    ///     cx.key().index()
    /// }
    /// # use fsm_runtime::{prelude::*, sim::Session};
    /// # #[state_machine(start = Talk, eof => Gone)]
    /// # enum Echo {
    /// #     #[read(some, max = 16KiB, idle = 60s => Gone)] #[to(Talk)] #[rest] Talk,
    /// #     #[end] Gone,
    /// # }
    /// # struct Client;
    /// # impl echo::Handler for Client {
    /// #     fn talk(&mut self, _bytes: &[u8], cx: &mut Cx<'_>) -> echo::AfterTalk {
    /// #         write!(cx, "{}", seat(cx));
    /// #         echo::AfterTalk::Talk
    /// #     }
    /// # }
    /// # let mut peer = Session::<Echo, _>::new(Client);
    /// # peer.send(b"x");
    /// # assert_eq!(peer.receive(), b"0");
    /// ```
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "it has few enough bits")]
    pub const fn index(self) -> u32 {
        (self.0 & INDICES) as u32
    }

    /// The number that tells this use of the slot from others: that of the connection in the process.
    ///
    /// ```
    /// fn name(cx: &Cx<'_>) -> String {
    ///     format!("{}#{}", cx.key().index(), cx.key().generation())
    /// }
    /// # use fsm_runtime::{prelude::*, sim::Session};
    /// # #[state_machine(start = Talk, eof => Gone)]
    /// # enum Echo {
    /// #     #[read(some, max = 16KiB, idle = 60s => Gone)] #[to(Talk)] #[rest] Talk,
    /// #     #[end] Gone,
    /// # }
    /// # struct Client;
    /// # impl echo::Handler for Client {
    /// #     fn talk(&mut self, _bytes: &[u8], cx: &mut Cx<'_>) -> echo::AfterTalk {
    /// #         let (name, key) = (name(cx), cx.key());
    /// #         assert_eq!(name, key.to_string());
    /// #         echo::AfterTalk::Talk
    /// #     }
    /// # }
    /// # let mut peer = Session::<Echo, _>::new(Client);
    /// # peer.send(b"x");
    /// # assert_eq!(peer.receive(), b"");
    /// ```
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
/// names nothing in another one.
#[derive(Debug, Default)]
pub(crate) struct Generations(AtomicU32);

impl Generations {
    /// The generation of a slot that is used from now on.
    #[inline]
    pub(crate) fn next(&self) -> u32 {
        // Only that each number is given out once matters, and that is so in any order.
        self.0.fetch_add(1, Ordering::Relaxed) & GENERATIONS
    }
}
