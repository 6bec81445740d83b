//! Connections that a pool opens itself, and the jobs that they answer.

pub(crate) mod connections;
pub(crate) mod jobs;
