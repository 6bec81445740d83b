//! The other socket of a connection: the rules S1 to S3, in the simulator and on real sockets.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::cell::Cell;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

mod bodies;
mod both;
mod early;
mod early_live;
mod ends;
mod files;
mod relay;
mod sockets;
mod targets;

/// Passes everything on to a target.
#[state_machine(start = Hello, settings = Route, size <= 1)]
enum Forward {
    #[run]
    #[to(Dial)]
    Hello,
    #[connect(within = 5s => Refused, refused => Refused)]
    #[to(Tunnel)]
    Dial,
    #[relay(max = 64KiB, idle = 1h => Quiet, eof = 30s => Late, gone => Broken)]
    #[to(Gone)]
    Tunnel,
    #[run]
    #[to(Gone)]
    Refused,
    #[run]
    #[to(Gone)]
    Quiet,
    #[run]
    #[to(Gone)]
    Late,
    #[run]
    #[to(Gone)]
    Broken,
    #[end]
    Gone,
}

struct Route(Target);

impl Default for Route {
    fn default() -> Self {
        Self("127.0.0.1:9".parse().unwrap())
    }
}

type ForwardCx<'a> = Cx<'a, NoMessage, Route>;

#[derive(Default)]
struct Door;

thread_local! {
    /// What the last relay of this thread has passed on, if it did not end with both streams.
    static MOVED: Cell<Option<Moved>> = const { Cell::new(None) };
}

impl Door {
    #[expect(clippy::unused_self, reason = "it belongs to the handler")]
    fn note(&self, cx: &ForwardCx<'_>) {
        MOVED.set(Some(cx.moved()));
    }
}

impl forward::Handler for Door {
    fn hello(&mut self, cx: &mut ForwardCx<'_>) -> forward::AfterHello {
        forward::AfterHello::Dial { to: cx.settings().0.clone() }
    }

    fn dial(&mut self, _: Connected, _: &mut ForwardCx<'_>) -> forward::AfterDial {
        forward::AfterDial::Tunnel
    }

    fn tunnel(&mut self, _: Moved, _: &mut ForwardCx<'_>) -> forward::AfterTunnel {
        forward::AfterTunnel::Gone
    }

    fn refused(&mut self, cx: &mut ForwardCx<'_>) -> forward::AfterRefused {
        cx.write(b"refused");
        forward::AfterRefused::Gone
    }

    fn quiet(&mut self, cx: &mut ForwardCx<'_>) -> forward::AfterQuiet {
        self.note(cx);
        forward::AfterQuiet::Gone
    }

    fn late(&mut self, cx: &mut ForwardCx<'_>) -> forward::AfterLate {
        self.note(cx);
        forward::AfterLate::Gone
    }

    fn broken(&mut self, cx: &mut ForwardCx<'_>) -> forward::AfterBroken {
        self.note(cx);
        forward::AfterBroken::Gone
    }
}
