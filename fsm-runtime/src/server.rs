//! The public face: pools are built, put together, started and ended.

pub(crate) mod builder;
pub(crate) mod diagram;
pub(crate) mod handle;
pub(crate) mod open_files;
pub(crate) mod pipeline;
pub(crate) mod placement;
pub(crate) mod plan;
pub(crate) mod pool;
pub(crate) mod prepared;
pub(crate) mod process;
pub(crate) mod running;
pub(crate) mod signals;
pub(crate) mod supervisor;
pub(crate) mod type_name;
