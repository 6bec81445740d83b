//! Netstrings, and the netstring of pairs that begins a request of SCGI.

use fsm_runtime::prelude::*;

use super::{Recorded, are_read, are_written, is_refused};

#[frame(Netstrings)]
#[derive(Debug, PartialEq)]
pub struct Netstring<'a> {
    #[decimal(then = b":")]
    len: u32,
    #[bytes(len <= 64KiB, then = b",")]
    text: &'a [u8],
}

#[frame(Requests)]
#[derive(Debug, PartialEq)]
pub struct Request<'a> {
    #[decimal(then = b":")]
    len: u32,
    #[part(len <= 16KiB, then = b",")]
    #[rest]
    headers: Times<'a, Headers>,
}

#[frame(Headers)]
#[derive(Debug, PartialEq)]
pub struct Header<'a> {
    #[until(b"\0", max = 256)]
    name: &'a str,
    #[until(b"\0", max = 8KiB)]
    value: &'a [u8],
}

// pynetstring 0.5, on Python 3.11.7: `encode('hello world!')`, `encode(b'')` and `encode(',')`
const TEXTS: &[u8] = b"12:hello world!,0:,1:,,";
// nginx 1.22.1, for `curl -d a=b http://127.0.0.1:35811/x`, without the body: `scgi_pass`, and `scgi_param` with
// SCGI, REQUEST_METHOD and REQUEST_URI
const SCGI: &[u8] = b"59:CONTENT_LENGTH\x003\0SCGI\x001\0REQUEST_METHOD\0POST\0REQUEST_URI\0/x\0,";

fn netstrings() -> Vec<Recorded<Netstrings>> {
    let texts = [&b"hello world!"[..], b"", b","];
    vec![
        (TEXTS, texts.into_iter().map(|text| Netstring { text }).collect()),
        (SCGI, vec![Netstring { text: &SCGI[3..SCGI.len() - 1] }]),
    ]
}

fn requests() -> Vec<Recorded<Requests>> {
    let headers = Times::encoded(&SCGI[3..SCGI.len() - 1]).unwrap();
    vec![(SCGI, vec![Request { headers }])]
}

#[test]
fn f3_netstrings_of_pynetstring_and_nginx_are_the_same_however_they_are_cut() {
    are_read::<Netstrings>(&netstrings());
    are_read::<Requests>(&requests());
    let headers = requests().remove(0).1.remove(0).headers;
    assert!(headers.iter().map(|it| (it.name, it.value)).eq([
        ("CONTENT_LENGTH", &b"3"[..]),
        ("SCGI", b"1"),
        ("REQUEST_METHOD", b"POST"),
        ("REQUEST_URI", b"/x")
    ]));
}

#[test]
fn f1_netstrings_of_pynetstring_and_nginx_are_written_as_they_were_sent() {
    are_written::<Netstrings>(&netstrings());
    are_written::<Requests>(&requests());
}

#[test]
fn f3_what_is_no_netstring_is_refused() {
    is_refused::<Netstrings>(b"05:hello,", NetstringsError::Number { field: "len" });
    is_refused::<Netstrings>(b":,", NetstringsError::Number { field: "len" });
    is_refused::<Netstrings>(b"5:hello!", NetstringsError::End { field: "text" });
    is_refused::<Netstrings>(
        b"65537:",
        NetstringsError::TooLong { field: "text", len: 65537, max: 65536 },
    );
    is_refused::<Requests>(b"2:a\0,", RequestsError::Short { field: "headers" });
    is_refused::<Requests>(b"4:a\0b\0;", RequestsError::End { field: "headers" });
}
