//! Sockets, the readiness that a poll has reported for them, and the buffers on each side.

#[cfg(feature = "pool")]
pub(crate) mod datagram;
pub(crate) mod dial;
#[cfg(all(feature = "pool", unix))]
pub(crate) mod fd_channel;
mod file_copy;
#[cfg(feature = "pool")]
pub(crate) mod layered;
#[cfg(feature = "pool")]
pub(crate) mod listener;
pub(crate) mod lookup;
pub(crate) mod memory;
#[cfg(feature = "pool")]
pub(crate) mod open_stream;
pub(crate) mod other_end;
#[cfg(all(feature = "pool", target_os = "linux"))]
pub(crate) mod passed;
pub(crate) mod pending_io;
mod piece;
pub(crate) mod poll;
pub(crate) mod readiness;
pub(crate) mod ready_io;
pub(crate) mod recv_buffer;
pub(crate) mod send_buffer;
pub(crate) mod socket;
pub(crate) mod stream;
pub(crate) mod stream_state;
#[cfg(feature = "tls")]
pub(crate) mod tls;
pub(crate) mod tls_progress;
pub(crate) mod token;
pub(crate) mod transport;
