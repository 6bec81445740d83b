//! `kv`, driven by its clients.

#![cfg(unix)]

mod benchmark;
mod blocking;
mod clients;
#[cfg(target_os = "linux")]
mod costs;
mod differential;
mod drain;
#[cfg(target_os = "linux")]
mod hostile;
mod large;
#[cfg(target_os = "linux")]
mod log;
#[cfg(target_os = "linux")]
mod memory;
mod pipe;
mod pubsub;
mod python;
mod start;
mod transactions;
mod web;
