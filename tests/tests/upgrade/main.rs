//! Examples that a new process takes over while their clients are at work.

#![cfg(target_os = "linux")]

mod clients;
mod docserver;
mod kv;
mod room;
mod talk;
mod unit;
