//! `docserver`, driven by its clients.

#![cfg(unix)]

mod browser;
#[cfg(target_os = "linux")]
mod clock;
#[cfg(target_os = "linux")]
mod console;
#[cfg(target_os = "linux")]
mod curl;
#[cfg(target_os = "linux")]
mod differential;
mod drain;
#[cfg(target_os = "linux")]
mod events;
#[cfg(target_os = "linux")]
mod filing_load;
#[cfg(target_os = "linux")]
mod full;
#[cfg(target_os = "linux")]
mod hostile;
mod http;
mod kill;
#[cfg(target_os = "linux")]
mod leaving;
mod python;
#[cfg(target_os = "linux")]
mod slowhttp;
mod start;
#[cfg(target_os = "linux")]
mod times;
mod worker;
