//! Decoders and an encoder written by hand, as a careful author writes them.

pub(crate) mod block;
pub(crate) mod commands;
pub(crate) mod requests;
mod support;
