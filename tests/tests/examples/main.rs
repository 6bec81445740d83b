//! The small examples, driven by their clients.

#![cfg(unix)]

mod echo;
mod lines;
mod options;
mod room;
