//! The data of a connection that moves to another process, and its form.

pub(crate) mod by_fields;
#[cfg(all(feature = "pool", unix))]
pub(crate) mod departure;
pub(crate) mod fields;
#[cfg(all(feature = "pool", unix))]
pub(crate) mod packed_connection;
#[cfg(all(feature = "pool", unix))]
pub(crate) mod stays;
mod values;

/// A value that moves to another process with its connection: a field of a `#[rest]` state of a machine with
/// `#[state_machine(moves)]`.
///
/// It is there for numbers, `bool`, `char`, text, `Duration`, `Bytes`, addresses, and for options, tuples, arrays
/// and collections of such values. For a struct of your own name its fields with
/// [`moves_by_fields!`](crate::moves_by_fields), or, with the feature `serde`, use `moves_by_serde!`. Else write
/// the two methods:
///
/// ```
/// use fsm_runtime::Moves;
///
/// #[derive(Debug, PartialEq)]
/// enum Format {
///     Text,
///     Binary { version: u8 },
/// }
///
/// impl Moves for Format {
///     fn pack(&self, into: &mut Vec<u8>) {
///         match self {
///             Self::Text => 0_u8.pack(into),
///             Self::Binary { version } => (1_u8, *version).pack(into),
///         }
///     }
///
///     fn unpack(from: &mut &[u8]) -> Option<Self> {
///         match u8::unpack(from)? {
///             0 => Some(Self::Text),
///             1 => Some(Self::Binary { version: u8::unpack(from)? }),
///             _ => None,
///         }
///     }
/// }
///
/// let mut bytes = Vec::new();
/// Format::Binary { version: 3 }.pack(&mut bytes);
/// assert_eq!(Format::unpack(&mut &bytes[..]), Some(Format::Binary { version: 3 }));
/// assert_eq!(Format::unpack(&mut &b"\x07"[..]), None);
/// ```
///
/// Another version of the program unpacks what this one has packed. A connection whose values do not unpack there
/// stays in the old process. So `unpack` returns `None` for all bytes that it does not know, and does not panic; a
/// panic counts as `None`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot move to another process",
    label = "this type does not implement `Moves`",
    note = "name the fields of a struct of yours with `fsm_runtime::moves_by_fields!`, use `moves_by_serde!` of the \
            feature `serde`, or implement `fsm_runtime::Moves`; what cannot be packed, such as an `Arc` of what \
            connections share, belongs in the handler"
)]
pub trait Moves: Sized {
    /// Appends the value to `into`.
    fn pack(&self, into: &mut Vec<u8>);

    /// Takes a value from the beginning of `from`, and leaves the bytes behind it. Returns `None` if the bytes are none
    /// that [`pack`](Moves::pack) has written.
    fn unpack(from: &mut &[u8]) -> Option<Self>;
}

/// A handler of a machine with `#[state_machine(moves)]`, whose connections move to another process.
///
/// A handler often has an `Arc` of what connections share, which cannot be packed. So the other process makes the
/// handler with the function of its own pool, as for a new connection, and `unpack` adds what only the old handler
/// knew.
///
/// ```
/// use std::sync::{Arc, Mutex};
///
/// use fsm_runtime::{Key, Moves, MovesHandler};
///
/// /// The handler of a connection. The pool makes one with `.handler(move |_peer| Member::new(&hall))`.
/// struct Member {
///     hall: Arc<Mutex<Vec<Key>>>,
///     name: Option<String>,
///     lines: u64,
/// }
///
/// impl MovesHandler for Member {
///     fn pack(&self, into: &mut Vec<u8>) {
///         self.name.pack(into);
///         self.lines.pack(into);
///     }
///
///     fn unpack(&mut self, from: &mut &[u8]) -> Option<()> {
///         self.name = Moves::unpack(from)?;
///         self.lines = Moves::unpack(from)?;
///         Some(())
///     }
///
///     fn moved(&mut self, key: Key) {
///         self.hall.lock().unwrap().push(key);
///     }
/// }
/// ```
///
/// The old handler is dropped, without another call, when the other process has the connection. If that does not take
/// it, the old handler goes on.
#[diagnostic::on_unimplemented(
    message = "`{Self}` handles a machine whose connections move, and does not say how it moves",
    label = "`{Self}` must implement `MovesHandler`",
    note = "pack in `pack` what the function of the pool's `handler(..)` does not know, and take it up in `unpack`; a \
            handler without data of its own packs nothing and returns `Some(())`"
)]
pub trait MovesHandler {
    /// Appends to `into` what the handler knows of its connection and the pool's function for new handlers does not.
    ///
    /// It runs when nothing else keeps the connection, whose mailbox takes no message any more. If the connection
    /// comes back, [`moved`](MovesHandler::moved) runs, and the next upgrade packs again. If this panics, the
    /// connection stays as it was.
    fn pack(&self, into: &mut Vec<u8>);

    /// Takes up what [`pack`](MovesHandler::pack) has written, in a handler that was just made. The handler is dropped
    /// and the connection stays in the old process if this returns `None`, panics, or leaves bytes over.
    fn unpack(&mut self, from: &mut &[u8]) -> Option<()>;

    /// Runs before the first turn of the connection in its new place, with the key that it has there. The old key names
    /// nobody any more, so a handler that has given its key to others gives them this one. A connection that the other
    /// process has refused gets a new key, too. A panic ends the connection.
    fn moved(&mut self, key: crate::Key) {
        let _ = key;
    }
}

/// Takes the first `len` bytes.
fn take<'a>(from: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (taken, left) = from.split_at_checked(len)?;
    *from = left;
    Some(taken)
}
