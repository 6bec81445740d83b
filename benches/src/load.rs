//! The clients. They are the same for all servers, and check what these answer.

pub(crate) mod download;
pub(crate) mod echo;
pub(crate) mod exchange;
mod http;
pub(crate) mod open;
pub(crate) mod resp;
pub(crate) mod upload;
