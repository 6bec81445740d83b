//! The names that the file of a server needs.
//!
//! `Builder`, `Stats`, `Address` and the items of `sim` and `check` are not among them.
//!
//! ```
//! use fsm_runtime::prelude::*;
//!
//! fn name<M: Machine>() -> &'static str {
//!     M::SPEC.name
//! }
//! ```

pub use crate::{
    Connected, Cx, Decoded, Drive, Encode, Ended, Frame, JobCx, JobHandle, Key, Machine, Moved,
    NoMessage, Peer, PoolError, Service, Submitter, Target, Times, TlsSession, TrySendError, Words,
};
#[cfg(feature = "pool")]
pub use crate::{Handle, Pipeline, Pool};
pub use bytes::Bytes;
pub use fsm_macros::{frame, state_machine};
