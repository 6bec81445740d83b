//! SOCKS 5, of RFC 1928, with the names and passwords of RFC 1929.

use fsm_runtime::prelude::*;

use super::{Recorded, are_read, are_written, is_refused};

#[frame(Greetings)]
#[derive(Debug, PartialEq)]
pub struct Greeting<'a> {
    #[is(5)]
    version: u8,
    count: u8,
    #[bytes(count <= 255)]
    methods: &'a [u8],
}

#[frame(Logins)]
#[derive(Debug, PartialEq)]
pub struct Login<'a> {
    #[is(1)]
    version: u8,
    user_len: u8,
    #[bytes(user_len <= 255)]
    user: &'a str,
    password_len: u8,
    #[secret]
    #[bytes(password_len <= 255)]
    password: &'a str,
}

#[frame(Requests)]
#[derive(Debug, PartialEq)]
pub struct Request<'a> {
    #[is(5)]
    version: u8,
    command: u8,
    #[is(0)]
    reserved: u8,
    address: Address<'a>,
    port: u16,
}

#[frame(Addresses, tag = u8)]
#[derive(Debug, PartialEq)]
pub enum Address<'a> {
    #[is(1)]
    V4 { ip: [u8; 4] },
    #[is(3)]
    Name {
        len: u8,
        #[bytes(len <= 255)]
        name: &'a str,
    },
    #[is(4)]
    V6 { ip: [u8; 16] },
}

fn greetings() -> Vec<Recorded<Greetings>> {
    vec![
        // curl 7.88.1: `curl --socks5-hostname 127.0.0.1:35957 http://example.test/`
        (b"\x05\x02\0\x01", vec![Greeting { methods: &[0, 1] }]),
        // curl 7.88.1: `curl --proxy socks5h://me:pass@127.0.0.1:35957 http://example.test:8080/`
        (b"\x05\x03\0\x01\x02", vec![Greeting { methods: &[0, 1, 2] }]),
    ]
}

fn logins() -> Vec<Recorded<Logins>> {
    // The same.
    vec![(b"\x01\x02me\x04pass", vec![Login { user: "me", password: "pass" }])]
}

fn requests() -> Vec<Recorded<Requests>> {
    let request = |address, port| vec![Request { command: 1, address, port }];
    let name = || Address::Name { name: "example.test" };
    let v6 = 0x2001_0DB8_0000_0000_0000_0000_0000_0007_u128.to_be_bytes();
    vec![
        // curl 7.88.1: `curl --socks5-hostname 127.0.0.1:35957 http://example.test/`
        (b"\x05\x01\0\x03\x0Cexample.test\0P", request(name(), 80)),
        // curl 7.88.1: `curl --proxy socks5h://me:pass@127.0.0.1:35957 http://example.test:8080/`
        (b"\x05\x01\0\x03\x0Cexample.test\x1F\x90", request(name(), 8080)),
        // curl 7.88.1: `curl --socks5 127.0.0.1:35957 http://192.0.2.7/`
        (b"\x05\x01\0\x01\xC0\0\x02\x07\0P", request(Address::V4 { ip: [192, 0, 2, 7] }, 80)),
        // curl 7.88.1: `curl --socks5 127.0.0.1:35957 'http://[2001:db8::7]:443/'`
        (
            b"\x05\x01\0\x04 \x01\r\xB8\0\0\0\0\0\0\0\0\0\0\0\x07\x01\xBB",
            request(Address::V6 { ip: v6 }, 443),
        ),
    ]
}

#[test]
fn f3_greetings_and_requests_of_curl_are_the_same_however_they_are_cut() {
    are_read::<Greetings>(&greetings());
    are_read::<Logins>(&logins());
    are_read::<Requests>(&requests());
}

#[test]
fn f1_greetings_and_requests_of_curl_are_written_as_they_were_sent() {
    are_written::<Greetings>(&greetings());
    are_written::<Logins>(&logins());
    are_written::<Requests>(&requests());
}

#[test]
fn f3_what_is_no_socks_5_is_refused() {
    // A request of SOCKS 4.
    is_refused::<Greetings>(b"\x04\x01\0P\xC0\0\x02\x07\0", GreetingsError::Version { found: 4 });
    is_refused::<Requests>(b"\x05\x01\x01\x01", RequestsError::Reserved { found: 1 });
    is_refused::<Requests>(b"\x05\x01\0\x02", RequestsError::Address(AddressesError::Tag));
    is_refused::<Requests>(
        b"\x05\x01\0\x03\x01\xFF\0P",
        RequestsError::Address(AddressesError::Utf8 { field: "name" }),
    );
}
