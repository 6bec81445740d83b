//! Sizes that servers, clients and figures agree on.

/// Bytes of an echo request and of its answer.
pub(crate) const ECHO_BYTES: usize = 64;

/// Bytes of a line of a chat room.
pub(crate) const ROOM_BYTES: usize = 64;

/// Requests that a load-shedding server computes or queues at a time; it refuses the others.
pub(crate) const SHED_CAPACITY: usize = 32;

/// Answer of a load-shedding server to a request that it refuses.
pub(crate) const REFUSAL: [u8; ECHO_BYTES] = [b'-'; ECHO_BYTES];
