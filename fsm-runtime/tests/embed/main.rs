//! Machines on an event loop that is not ours.

mod bounds;
mod ends;
mod messages;
mod same;

use std::time::Duration;

use fsm_runtime::embed::{Conn, Host, HostBuilder};
use fsm_runtime::prelude::*;
use fsm_runtime::{Ended, TrySendError};

/// Takes commands of several shapes, and messages beside them.
#[state_machine(start = Hello, message = u8, eof => Lost)]
enum Talk {
    /// Greets.
    #[run]
    #[to(Command)]
    Hello,
    #[read(until = b"\n", max = 16, limit => Long, idle = 10s => Slow)]
    #[message]
    #[to(Command | Pair | Part | Mail | Bye | Gone)]
    #[rest]
    Command,
    #[read(exact = 2, within = 5s => Slow)]
    #[to(Command)]
    Pair,
    #[read(some, max = 3, within = 5s => Slow)]
    #[to(Command)]
    Part,
    #[message(within = 5s => Slow)]
    #[to(Command)]
    Mail,
    /// Says that it was too slow, and goes on.
    #[run]
    #[to(Command)]
    Slow,
    /// Says that a line was too long, and ends.
    #[run]
    #[to(Gone)]
    Long,
    /// Says that the end was unexpected.
    #[run]
    #[to(Gone)]
    Lost,
    /// Ends its stream, and reads the peer out.
    #[shutdown(within = 5s => Gone)]
    #[to(Last)]
    Bye,
    #[read(some, max = 64, within = 5s => Gone, eof => Gone)]
    #[to(Last)]
    Last,
    #[end]
    Gone,
}

/// Writes down everything that it hears.
struct Speaker;

impl talk::Handler for Speaker {
    fn hello(&mut self, cx: &mut Cx<'_, u8>) -> talk::AfterHello {
        cx.write(b"hello;");
        talk::AfterHello::Command
    }

    fn command(&mut self, line: &[u8], cx: &mut Cx<'_, u8>) -> talk::AfterCommand {
        cx.write(line);
        cx.write(b";");
        match line {
            b"pair" => talk::AfterCommand::Pair,
            b"part" => talk::AfterCommand::Part,
            b"mail" => talk::AfterCommand::Mail,
            b"bye" => talk::AfterCommand::Bye,
            b"quit" => talk::AfterCommand::Gone,
            b"panic" => panic!("requested"),
            // Twice the mark of a pool by default.
            b"flood" => {
                cx.write(&vec![b'f'; 512 * 1024]);
                talk::AfterCommand::Command
            }
            _ => talk::AfterCommand::Command,
        }
    }

    fn command_message(&mut self, message: u8, cx: &mut Cx<'_, u8>) -> talk::AfterCommand {
        write!(cx, ">{message};");
        talk::AfterCommand::Command
    }

    fn pair(&mut self, pair: &[u8; 2], cx: &mut Cx<'_, u8>) -> talk::AfterPair {
        cx.write(pair);
        cx.write(b";");
        talk::AfterPair::Command
    }

    fn part(&mut self, part: &[u8], cx: &mut Cx<'_, u8>) -> talk::AfterPart {
        cx.write(part);
        talk::AfterPart::Command
    }

    fn mail(&mut self, message: u8, cx: &mut Cx<'_, u8>) -> talk::AfterMail {
        write!(cx, "mail {message};");
        talk::AfterMail::Command
    }

    fn slow(&mut self, cx: &mut Cx<'_, u8>) -> talk::AfterSlow {
        cx.write(b"slow;");
        talk::AfterSlow::Command
    }

    fn long(&mut self, cx: &mut Cx<'_, u8>) -> talk::AfterLong {
        cx.write(b"too long");
        talk::AfterLong::Gone
    }

    fn lost(&mut self, cx: &mut Cx<'_, u8>) -> talk::AfterLost {
        cx.write(b"lost");
        talk::AfterLost::Gone
    }

    fn bye(&mut self, _: &mut Cx<'_, u8>) -> talk::AfterBye {
        talk::AfterBye::Last
    }

    fn last(&mut self, _: &[u8], _: &mut Cx<'_, u8>) -> talk::AfterLast {
        talk::AfterLast::Last
    }
}

type Talking = Conn<Talk, Speaker>;

/// The time in milliseconds.
const fn at(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A connection of a host of its own, which has greeted.
fn talking() -> Talking {
    let mut conn = Host::new().open(Peer::Memory, Speaker, at(0));
    assert_eq!(taken(&mut conn, at(0)), b"hello;");
    conn
}

/// Gives all of `bytes` to the machine.
fn give(conn: &mut Talking, mut bytes: &[u8], now: Duration) {
    while !bytes.is_empty() {
        let taken = conn.input(bytes, now);
        assert!(taken > 0, "it takes nothing of {bytes:?}");
        bytes = &bytes[taken..];
    }
}

/// Takes all output.
fn taken(conn: &mut Talking, now: Duration) -> Vec<u8> {
    let mut output = Vec::new();
    while !conn.output().is_empty() {
        output.extend_from_slice(conn.output());
        conn.sent(conn.output().len(), now);
    }
    output
}
