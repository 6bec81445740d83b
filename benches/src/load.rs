//! The clients. They are the same for all servers, and check what these answer.

pub(crate) mod echo;
