//! The commands of beanstalkd.

use fsm_runtime::prelude::*;

use super::{Recorded, are_read, are_written, is_refused};

#[frame(Commands, line = b"\r\n", max = 224)]
#[derive(Debug, PartialEq)]
pub enum Command<'a> {
    #[is("put")]
    Put {
        priority: u32,
        delay: u32,
        time: u32,
        len: u32,
        #[bytes(len <= 65535, then = b"\r\n")]
        body: &'a [u8],
    },
    #[is("reserve")]
    Reserve,
    #[is("reserve-with-timeout")]
    ReserveWithin { seconds: u32 },
    #[is("delete")]
    Delete { id: u64 },
    #[is("release")]
    Release { id: u64, priority: u32, delay: u32 },
    #[is("use")]
    Use { tube: &'a str },
    #[is("watch")]
    Watch { tube: &'a str },
    #[is("ignore")]
    Ignore { tube: &'a str },
    #[other]
    Other {
        name: &'a str,
        #[rest]
        line: Option<&'a [u8]>,
    },
}

/// greenstalk 2.1.1, on Python 3.11.7: `Client(.., use='mail', watch=['mail', 'news'])`, then
/// `put('hello', priority=9, delay=0, ttr=60)`, `put(b'a\r\nb\x00 c', priority=0, delay=5, ttr=1)`, `reserve()`,
/// `reserve(timeout=10)`, `touch(j)`, `release(j, priority=3, delay=4)`, `bury(j, priority=2)`, `delete(j)`,
/// `peek(7)`, `kick(3)`, `ignore('news')` and `stats()`.
const SENT: &[u8] = b"use mail\r\nwatch mail\r\nwatch news\r\nignore default\r\n\
    put 9 0 60 5\r\nhello\r\nput 0 5 1 7\r\na\r\nb\0 c\r\nreserve\r\nreserve-with-timeout 10\r\n\
    touch 7\r\nrelease 7 3 4\r\nbury 7 2\r\ndelete 7\r\npeek 7\r\nkick 3\r\nignore news\r\nstats\r\n";

fn commands() -> Vec<Recorded<Commands>> {
    let other = |name, line| Command::Other { name, line };
    let commands = vec![
        Command::Use { tube: "mail" },
        Command::Watch { tube: "mail" },
        Command::Watch { tube: "news" },
        Command::Ignore { tube: "default" },
        Command::Put { priority: 9, delay: 0, time: 60, body: b"hello" },
        Command::Put { priority: 0, delay: 5, time: 1, body: b"a\r\nb\0 c" },
        Command::Reserve,
        Command::ReserveWithin { seconds: 10 },
        other("touch", Some(b"7")),
        Command::Release { id: 7, priority: 3, delay: 4 },
        other("bury", Some(b"7 2")),
        Command::Delete { id: 7 },
        other("peek", Some(b"7")),
        other("kick", Some(b"3")),
        Command::Ignore { tube: "news" },
        other("stats", None),
    ];
    vec![(SENT, commands)]
}

#[test]
fn f3_commands_of_greenstalk_are_the_same_however_they_are_cut() {
    are_read::<Commands>(&commands());
}

#[test]
fn f1_commands_of_greenstalk_are_written_as_they_were_sent() {
    are_written::<Commands>(&commands());
}

#[test]
fn f3_what_is_no_command_of_beanstalkd_is_refused() {
    is_refused::<Commands>(b"put 9 0 60\r\n", CommandsError::Missing { field: "len" });
    is_refused::<Commands>(b"put 9 0 60 -5\r\n", CommandsError::Number { field: "len" });
    is_refused::<Commands>(b"put 9 0 60 5\r\nhello!\r\n", CommandsError::End { field: "body" });
    is_refused::<Commands>(
        b"put 9 0 60 65536\r\n",
        CommandsError::TooLong { field: "body", len: 65536, max: 65535 },
    );
    is_refused::<Commands>(b"reserve now\r\n", CommandsError::Surplus { field: "Reserve" });
    is_refused::<Commands>(b"use a b\r\n", CommandsError::Surplus { field: "tube" });
    is_refused::<Commands>(
        &[b'a'; 226],
        CommandsError::TooLong { field: "line", len: 226, max: 224 },
    );
}
