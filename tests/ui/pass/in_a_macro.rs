//! A machine that a macro writes, of fragments of all kinds.
#![allow(missing_docs)]

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

macro_rules! machine {
    ($(#[$meta:meta])* $vis:vis $name:ident, $module:ident, $state:ident { $field:ident: $ty:ty }, $max:expr, $end:literal, $target:ident) => {
        $(#[$meta])*
        #[state_machine(start = Start, eof => Gone, limit => Gone)]
        $vis enum $name {
            #[run]
            #[to($state)]
            Start,
            #[read(until = $end, max = $max, idle = 60s => $target)]
            #[to($state | Gone)]
            $state { $field: $ty },
            #[end]
            Gone,
        }

        struct Client;

        impl $module::Handler for Client {
            fn start(&mut self, _: &mut Cx<'_>) -> $module::AfterStart {
                $module::AfterStart::$state { $field: <$ty>::default() }
            }

            fn line(&mut self, count: &mut $ty, _: &[u8], cx: &mut Cx<'_>) -> $module::AfterLine {
                *count += 1;
                cx.write(count.to_string().as_bytes());
                if *count == 3 { $module::AfterLine::Gone } else { $module::AfterLine::$state }
            }
        }
    };
}

machine!(
    /// Counts lines.
    pub Count, count, Line { lines: u32 }, 2 * 512, b"\n", Gone
);

fn main() {
    let mut session = Session::<Count, _>::new(Client);
    session.send(b"a\nb\nc\nd\n");
    assert_eq!(session.receive(), b"123");
    assert_eq!(session.state(), None);
}
