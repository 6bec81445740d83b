//! The text commands of memcached.

use fsm_runtime::prelude::*;

use super::{Recorded, are_read, are_written, is_refused};

#[frame(Commands, line = b"\r\n", max = 2KiB)]
#[derive(Debug, PartialEq)]
pub enum Command<'a> {
    #[is("get")]
    Get { key: &'a str, more: Words<'a> },
    #[is("set")]
    Set {
        key: &'a str,
        flags: u32,
        expires: i32,
        len: u32,
        #[is("noreply")]
        noreply: bool,
        #[bytes(len <= 1MiB, then = b"\r\n")]
        value: &'a [u8],
    },
    #[is("delete")]
    Delete {
        key: &'a str,
        #[is("noreply")]
        noreply: bool,
    },
    #[is("incr")]
    Increment {
        key: &'a str,
        by: u64,
        #[is("noreply")]
        noreply: bool,
    },
    #[is("touch")]
    Touch {
        key: &'a str,
        expires: i32,
        #[is("noreply")]
        noreply: bool,
    },
    #[is("quit")]
    Quit,
}

/// pymemcache 4.0.0, on Python 3.11.7: `get('a')`, `get_many(['a', 'bb', 'ccc'])`,
/// `set('k', 'hello', expire=60, noreply=False)`, `set('k', b'a\r\nb', noreply=True)`, `delete('k', noreply=False)`,
/// `delete('k', noreply=True)`, `incr('n', 3)`, `incr('n', 18446744073709551615, noreply=True)`,
/// `touch('k', -1, noreply=False)` and `quit()`.
const PYTHON: &[u8] = b"get a\r\nget a bb ccc\r\nset k 0 60 5\r\nhello\r\n\
    set k 0 0 4 noreply\r\na\r\nb\r\ndelete k\r\ndelete k noreply\r\nincr n 3\r\n\
    incr n 18446744073709551615 noreply\r\ntouch k -1\r\nquit\r\n";
/// libmemcached-tools 1.1.4: `memccp --expire=60 --flag=5 file.txt`
const COPY: &[u8] = b"set file.txt 5 60 5\r\nhello\r\nquit\r\n";

fn commands() -> Vec<Recorded<Commands>> {
    let none = || Words::new(b"");
    vec![
        (
            PYTHON,
            vec![
                Command::Get { key: "a", more: none() },
                Command::Get { key: "a", more: Words::new(b"bb ccc") },
                Command::Set { key: "k", flags: 0, expires: 60, noreply: false, value: b"hello" },
                Command::Set { key: "k", flags: 0, expires: 0, noreply: true, value: b"a\r\nb" },
                Command::Delete { key: "k", noreply: false },
                Command::Delete { key: "k", noreply: true },
                Command::Increment { key: "n", by: 3, noreply: false },
                Command::Increment { key: "n", by: u64::MAX, noreply: true },
                Command::Touch { key: "k", expires: -1, noreply: false },
                Command::Quit,
            ],
        ),
        (
            COPY,
            vec![
                Command::Set {
                    key: "file.txt",
                    flags: 5,
                    expires: 60,
                    noreply: false,
                    value: b"hello",
                },
                Command::Quit,
            ],
        ),
        // libmemcached-tools 1.1.4: `memccat a bb`
        (
            b"get a\r\nget bb\r\nquit\r\n",
            vec![
                Command::Get { key: "a", more: none() },
                Command::Get { key: "bb", more: none() },
                Command::Quit,
            ],
        ),
    ]
}

#[test]
fn f3_commands_of_pymemcache_and_libmemcached_are_the_same_however_they_are_cut() {
    are_read::<Commands>(&commands());
}

#[test]
fn f1_commands_of_pymemcache_and_libmemcached_are_written_as_they_were_sent() {
    are_written::<Commands>(&commands());
}

#[test]
fn f3_what_is_no_command_of_memcached_is_refused() {
    is_refused::<Commands>(b"get\r\n", CommandsError::Missing { field: "key" });
    is_refused::<Commands>(b"got a\r\n", CommandsError::Tag);
    is_refused::<Commands>(b"incr n -3\r\n", CommandsError::Number { field: "by" });
    is_refused::<Commands>(
        b"incr n 18446744073709551616\r\n",
        CommandsError::Number { field: "by" },
    );
    is_refused::<Commands>(b"delete k now\r\n", CommandsError::Surplus { field: "noreply" });
    is_refused::<Commands>(b"set k 0 0 1\r\nab\r\n", CommandsError::End { field: "value" });
}
