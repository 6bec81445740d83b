//! A document server: files, finds and gives out documents, and says what happens.

#![forbid(unsafe_code)]
#![allow(dead_code, unused_imports)] // until the machines use it

mod api;
mod http;
mod page;
mod store;

fn main() -> Result<(), store::Error> {
    let (_store, recovery) = store::Store::open("docs-data")?;
    if !recovery.is_empty() {
        eprintln!("{recovery}");
    }
    Ok(())
}
