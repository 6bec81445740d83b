//! Sockets: what is known of their readiness, and the buffers on each side.

pub(crate) mod listener;
pub(crate) mod non_blocking;
pub(crate) mod readiness;
pub(crate) mod recv_buffer;
pub(crate) mod send_buffer;
pub(crate) mod socket;
pub(crate) mod token;
pub(crate) mod transport;
