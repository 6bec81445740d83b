//! The small examples, driven by their clients.

#![cfg(unix)]

mod echo;
mod lines;
mod options;
mod proxy_socks5;
mod proxy_tcp;
mod room;
