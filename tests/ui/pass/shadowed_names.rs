//! A crate that has other things under the names of the standard library.
#![allow(non_upper_case_globals)]

use fsm_runtime::sim::Session;

#[allow(dead_code)]
mod shadows {
    pub struct Result;
    pub struct Option;
    pub struct Vec;
    pub struct String;
    pub struct Box;
    pub struct Send;
    pub struct Default;
    pub struct Clone;
    pub struct From;
    pub struct Duration;
    pub struct Sized;
    pub const Some: () = ();
    pub const None: () = ();
    pub const Ok: () = ();
    pub const Err: () = ();
    pub mod core {}
    pub mod std {}
    pub mod alloc {}
}

mod machine {
    #[allow(unused_imports)]
    use super::shadows::*;
    use fsm_runtime::{Cx, Machine, state_machine};

    #[derive(Debug)]
    pub struct Fault;

    impl ::core::fmt::Display for Fault {
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            f.write_str("fault")
        }
    }

    #[state_machine(start = Line, eof => Gone, limit => Gone, error = Fault, error => Gone, size <= 24)]
    pub enum Talk {
        #[read(until = b"\n", max = 1KiB, idle = 60s => Gone)]
        #[to(Line | Nap)]
        Line,
        #[sleep(pause, max = 5min)]
        #[to(Kept)]
        Nap { pause: ::core::time::Duration },
        #[run]
        #[to(Line)]
        Kept {
            #[carry]
            pause: ::core::time::Duration,
        },
        #[end]
        Gone,
    }

    pub struct Client;

    impl talk::Handler for Client {
        fn line(
            &mut self,
            line: &[u8],
            cx: &mut Cx<'_>,
        ) -> ::core::result::Result<talk::AfterLine, Fault> {
            cx.write(line);
            match line {
                [] => return ::core::result::Result::Err(Fault),
                [_] => return ::core::result::Result::Ok(talk::AfterLine::Line),
                _ => {}
            }
            ::core::result::Result::Ok(talk::AfterLine::Nap {
                pause: ::core::time::Duration::from_secs(1),
            })
        }

        fn kept(
            &mut self,
            _: &mut ::core::time::Duration,
            _: &mut Cx<'_>,
        ) -> ::core::result::Result<talk::AfterKept, Fault> {
            ::core::result::Result::Ok(talk::AfterKept::Line)
        }
    }

    pub fn states() -> usize {
        Talk::SPEC.states.len()
    }
}

fn main() {
    let mut session = Session::<machine::Talk, _>::new(machine::Client);
    session.send(b"hello\n");
    session.advance(std::time::Duration::from_secs(1));
    assert_eq!(session.state(), Some("Line"));
    session.send(b"\n");
    assert_eq!(session.state(), None);
    assert_eq!(machine::states(), 4);
}
