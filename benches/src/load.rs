//! Load generators: the same clients for all servers of a figure, which check every answer.

pub(crate) mod churn;
pub(crate) mod download;
pub(crate) mod echo;
pub(crate) mod exchange;
mod http;
pub(crate) mod loadgen;
pub(crate) mod open_loop;
mod program;
pub(crate) mod resp;
mod response;
pub(crate) mod room;
mod stream;
pub(crate) mod tls;
pub(crate) mod upload;
pub(crate) mod watched;
