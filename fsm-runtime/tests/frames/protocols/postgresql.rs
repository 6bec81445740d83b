//! Version 3.0 of the protocol of `PostgreSQL`: the first message of a client, which has no type, and those behind it.

use fsm_runtime::prelude::*;

use super::{Recorded, are_read, are_written, is_refused};

#[frame(Firsts)]
#[derive(Debug, PartialEq)]
pub struct First<'a> {
    len: u32,
    #[part(len - 4 <= 10000)]
    body: Opening<'a>,
}

#[frame(Openings, tag = u32)]
#[derive(Debug, PartialEq)]
pub enum Opening<'a> {
    #[is(0x0003_0000)]
    Startup {
        #[rest]
        parameters: &'a [u8],
    },
    #[is(80877102)]
    Cancel { process: u32, secret: u32 },
    #[is(80877103)]
    Tls,
}

/// The startup message alone, where no other message may be, with its parameters.
#[frame(Startups)]
#[derive(Debug, PartialEq)]
pub struct Startup<'a> {
    len: u32,
    #[is(0x0003_0000)]
    version: u32,
    #[part(len - 9 <= 10000, then = b"\0")]
    #[rest]
    parameters: Times<'a, Parameters>,
}

#[frame(Parameters)]
#[derive(Debug, PartialEq)]
pub struct Parameter<'a> {
    #[until(b"\0", max = 64)]
    name: &'a str,
    #[until(b"\0", max = 1KiB)]
    value: &'a str,
}

#[frame(Messages)]
#[derive(Debug, PartialEq)]
pub struct Message<'a> {
    kind: u8,
    len: u32,
    #[part(len - 4 <= 1MiB)]
    #[tag(kind)]
    body: Body<'a>,
}

#[frame(Bodies, tag = u8)]
#[derive(Debug, PartialEq)]
pub enum Body<'a> {
    #[is(b'Q')]
    Query {
        #[until(b"\0", max = 1MiB)]
        sql: &'a str,
    },
    #[is(b'p')]
    Password {
        #[secret]
        #[until(b"\0", max = 1KiB)]
        password: &'a str,
    },
    #[is(b'P')]
    Parse {
        #[until(b"\0", max = 64)]
        name: &'a str,
        #[until(b"\0", max = 1MiB)]
        sql: &'a str,
        count: u16,
        #[times(count <= 1024)]
        types: Times<'a, Oids>,
    },
    #[is(b'S')]
    Sync,
    #[is(b'X')]
    Terminate,
    #[other]
    Other {
        #[tag]
        kind: u8,
        #[rest]
        body: &'a [u8],
    },
}

#[frame(Oids)]
#[derive(Debug, PartialEq)]
pub struct Oid {
    oid: u32,
}

// psql 15.18, of Debian 15.18-0+deb12u1: `psql -X 'user=me dbname=db gssencmode=disable' -c 'select 1'`, when the
// server has no TLS and asks for a password in clear text.
const TLS: &[u8] = b"\0\0\0\x08\x04\xD2\x16/";
const STARTUP: &[u8] = b"\0\0\x003\0\x03\0\0user\0me\0database\0db\0application_name\0psql\0\0";
const QUERY: &[u8] = b"p\0\0\0\x0Bsecret\0Q\0\0\0\rselect 1\0X\0\0\0\x04";
// psycopg 3.3.9, with its own libpq: `c.execute('select * from t where a = %s and b = %s', ('x', None))`
const EXTENDED: &[u8] =
    b"P\0\0\x007\0select * from t where a = $1 and b = $2\0\0\x02\0\0\0\0\0\0\0\0\
    B\0\0\0\x1B\0\0\0\x02\0\0\0\0\0\x02\0\0\0\x01x\xFF\xFF\xFF\xFF\0\x01\0\0D\0\0\0\x06P\0\
    E\0\0\0\x09\0\0\0\0\0S\0\0\0\x04X\0\0\0\x04";
// psycopg 3.3.9, with its own libpq: `c.cancel()`, on a connection of its own
const CANCEL: &[u8] = b"\0\0\0\x10\x04\xD2\x16.\0\0\0\x07\0\0\0\x09";

fn firsts() -> Vec<Recorded<Firsts>> {
    let startup = Opening::Startup { parameters: &STARTUP[8..] };
    vec![
        (TLS, vec![First { body: Opening::Tls }]),
        (STARTUP, vec![First { body: startup }]),
        (CANCEL, vec![First { body: Opening::Cancel { process: 7, secret: 9 } }]),
    ]
}

fn startups() -> Vec<Recorded<Startups>> {
    let parameters = Times::encoded(&STARTUP[8..STARTUP.len() - 1]).unwrap();
    vec![(STARTUP, vec![Startup { parameters }])]
}

fn messages() -> Vec<Recorded<Messages>> {
    let message = |body| Message { body };
    let other = |kind, body| Message { body: Body::Other { kind, body } };
    let parse = Body::Parse {
        name: "",
        sql: "select * from t where a = $1 and b = $2",
        types: Times::encoded(&[0; 8]).unwrap(),
    };
    vec![
        (
            QUERY,
            vec![
                message(Body::Password { password: "secret" }),
                message(Body::Query { sql: "select 1" }),
                message(Body::Terminate),
            ],
        ),
        (
            EXTENDED,
            vec![
                message(parse),
                other(b'B', b"\0\0\0\x02\0\0\0\0\0\x02\0\0\0\x01x\xFF\xFF\xFF\xFF\0\x01\0\0"),
                other(b'D', b"P\0"),
                other(b'E', b"\0\0\0\0\0"),
                message(Body::Sync),
                message(Body::Terminate),
            ],
        ),
    ]
}

#[test]
fn f3_messages_of_psql_and_psycopg_are_the_same_however_they_are_cut() {
    are_read::<Firsts>(&firsts());
    are_read::<Startups>(&startups());
    are_read::<Messages>(&messages());
    let parameters = startups().remove(0).1.remove(0).parameters;
    assert!(parameters.iter().map(|it| (it.name, it.value)).eq([
        ("user", "me"),
        ("database", "db"),
        ("application_name", "psql")
    ]));
}

#[test]
fn f1_messages_of_psql_and_psycopg_are_written_as_they_were_sent() {
    are_written::<Firsts>(&firsts());
    are_written::<Startups>(&startups());
    are_written::<Messages>(&messages());
}

#[test]
fn f3_what_is_no_message_of_postgresql_is_refused() {
    // Less than the length itself has.
    is_refused::<Messages>(b"Q\0\0\0\x03", MessagesError::Short { field: "body" });
    // The text ends before the message, or behind it.
    is_refused::<Messages>(b"Q\0\0\0\x07a\0b", MessagesError::Surplus { field: "body" });
    is_refused::<Messages>(b"Q\0\0\0\x06ab\0", MessagesError::Short { field: "body" });
    is_refused::<Messages>(b"X\0\0\0\x05\0", MessagesError::Surplus { field: "body" });
    is_refused::<Messages>(
        b"Q\x7F\0\0\0",
        MessagesError::TooLong { field: "body", len: 0x7EFF_FFFC, max: 1 << 20 },
    );
    // HTTP, and version 2 of the protocol.
    is_refused::<Firsts>(
        b"GET / HTTP/1.1\r\n",
        FirstsError::TooLong { field: "body", len: 0x4745_541C, max: 10000 },
    );
    is_refused::<Firsts>(b"\0\0\0\x08\0\x02\0\0", FirstsError::Body(OpeningsError::Tag));
    is_refused::<Startups>(
        b"\0\0\0\x0D\0\x03\0\0a\0b\0c",
        StartupsError::End { field: "parameters" },
    );
}
