//! A crate that forbids the lints that generated code might break.
#![forbid(
    dead_code,
    deprecated,
    elided_lifetimes_in_paths,
    missing_copy_implementations,
    missing_debug_implementations,
    missing_docs,
    private_interfaces,
    trivial_casts,
    unnameable_types,
    unreachable_code,
    unreachable_pub,
    unsafe_code,
    unused_imports,
    unused_qualifications,
    unused_variables,
    variant_size_differences
)]

use std::time::Duration;

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

const LIMIT: usize = 64;

/// Reads in several ways.
#[state_machine(start = Length, eof => Gone, within = 30s => Gone, limit => Gone, size <= 64)]
#[derive(Clone, Copy, Debug)]
pub enum Upload {
    /// Waits for the length.
    #[read(exact = 1)]
    #[to(Body)]
    Length,
    /// Waits for the body.
    #[read(exact = left + 2, max = LIMIT)]
    #[to(Nap)]
    Body {
        /// The length.
        left: u8,
    },
    /// Waits.
    #[sleep(*pause * 2, max = 1s)]
    #[to(Bye)]
    Nap {
        /// Half of the time.
        pause: Duration,
    },
    /// Waits until the answer has left.
    #[flush]
    #[to(Gone)]
    Bye,
    /// It is over.
    #[end]
    Gone,
}

#[derive(Clone, Copy, Debug)]
struct Client;

impl upload::Handler for Client {
    fn length(&mut self, length: &[u8; 1], _: &mut Cx<'_>) -> upload::AfterLength {
        upload::AfterLength::Body { left: length[0] }
    }

    fn body(&mut self, _: &mut u8, bytes: &[u8], cx: &mut Cx<'_>) -> upload::AfterBody {
        cx.write(bytes);
        upload::AfterBody::Nap { pause: Duration::from_millis(1) }
    }
}

fn main() {
    let mut session = Session::<Upload, _>::new(Client);
    session.send(b"\x01abc");
    assert_eq!(session.receive(), b"abc");
}
