//! The public face: pools are built, put together, started and ended.
//!
//! A launch has four steps: `Plan`, `Bound`, `Wired` and `Running`. Each is a type that is made
//! from the one before it.

pub(crate) mod bound;
pub(crate) mod builder;
#[cfg(feature = "console")]
pub(crate) mod console;
pub(crate) mod diagram;
pub(crate) mod handle;
pub(crate) mod handover;
pub(crate) mod layer;
#[cfg(unix)]
mod moving;
pub(crate) mod observer;
pub(crate) mod open_files;
pub(crate) mod pipeline;
pub(crate) mod placement;
pub(crate) mod plan;
pub(crate) mod pool;
pub(crate) mod process;
mod progress;
#[cfg(unix)]
pub(crate) mod python;
pub(crate) mod running;
pub(crate) mod signals;
pub(crate) mod snapshot;
pub(crate) mod supervisor;
pub(crate) mod thread;
pub(crate) mod type_name;
#[cfg(unix)]
pub(crate) mod upgrade;
pub(crate) mod wire;
pub(crate) mod wired;

/// The name of the pool of a console.
#[cfg(any(unix, feature = "console"))]
const CONSOLE: &str = "console";
