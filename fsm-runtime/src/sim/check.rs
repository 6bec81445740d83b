//! Checks of laws that hold for every machine, to be run on yours.
//!
//! A stream has no messages, because the network cuts it into pieces as it likes. This handler takes
//! each piece for a word, and [`splits`] panics:
//!
//! ```should_panic
//! use fsm_runtime::prelude::*;
//!
//! #[state_machine(start = Word, eof => Gone)]
//! enum Words {
//!     #[read(some, max = 64, idle = 10s => Gone)]
//!     #[to(Word)]
//!     Word,
//!     #[end]
//!     Gone,
//! }
//!
//! struct Client;
//! impl words::Handler for Client {
//!     fn word(&mut self, word: &[u8], cx: &mut Cx<'_>) -> words::AfterWord {
//!         writeln!(cx, "{} letters", word.len());
//!         words::AfterWord::Word
//!     }
//! }
//!
//! fsm_runtime::check::splits::<Words, _>(|| Client, b"hello");
//! ```

mod difference;
mod frames;
mod handshake;
mod interleavings;
mod placements;
mod random;
mod run;
mod splits;

pub use self::frames::{frames, frames_from};
pub use self::interleavings::interleavings;
pub use self::splits::splits;
