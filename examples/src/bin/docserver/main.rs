//! A document server: files, finds and gives out documents, and says what happens.

#![forbid(unsafe_code)]
#![allow(dead_code, unused_imports)] // until the machines use it

mod api;
mod http;

fn main() {}
