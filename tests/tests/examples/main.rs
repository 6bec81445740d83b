//! The small examples, driven by their clients.

#![cfg(unix)]

mod echo;
mod kv_client;
mod lines;
mod loadgen;
mod options;
mod proxy_http;
mod proxy_socks5;
mod proxy_tcp;
mod room;
mod room_crowd;
