//! Bytes that are no PROXY header, and the messages that say so.

use fsm_runtime::prelude::*;
use fsm_runtime::proxy::Header;

use super::v2;
use crate::protocols::proxy::VALUES;

#[test]
fn f5_what_is_no_header_is_refused_by_its_first_wrong_byte() {
    for (input, message) in [
        // The last byte is the first one that is wrong.
        (&b"G"[..], "the connection does not begin with a PROXY header"),
        (b"\x16", "the connection does not begin with a PROXY header"),
        (b"\n", "the connection does not begin with a PROXY header"),
        (b"PO", "the connection does not begin with a PROXY header"),
        (b"PROXY\t", "the connection does not begin with a PROXY header"),
        (b"\r\n\r\n\0\r\nQUIT\r", "the connection does not begin with a PROXY header"),
        (b"\r\n\r\n\r", "the connection does not begin with a PROXY header"),
        (b"PROXY  ", "the protocol is none of `TCP4`, `TCP6` and `UNKNOWN`"),
        (b"PROXY t", "the protocol is none of `TCP4`, `TCP6` and `UNKNOWN`"),
        (b"PROXY TCP5", "the protocol is none of `TCP4`, `TCP6` and `UNKNOWN`"),
        (b"PROXY TCP4\r", "the protocol is none of `TCP4`, `TCP6` and `UNKNOWN`"),
        (b"PROXY UNKNOWNS", "the protocol is none of `TCP4`, `TCP6` and `UNKNOWN`"),
        (b"PROXY TCP4 :", "the source is no address of `TCP4`"),
        (b"PROXY TCP4 1234567890123456", "the source is no address of `TCP4`"),
        (b"PROXY TCP4 1.2.3 ", "the source is no address of `TCP4`"),
        (b"PROXY TCP4 1.2.3.256 ", "the source is no address of `TCP4`"),
        (b"PROXY TCP4 1.2.3.04 ", "the source is no address of `TCP4`"),
        (b"PROXY TCP4  ", "the source is no address of `TCP4`"),
        (b"PROXY TCP4 \r", "the source is no address of `TCP4`"),
        (b"PROXY TCP4 1.2.3.4\n", "the source is no address of `TCP4`"),
        (b"PROXY TCP4 1.2.3.4\r", "the line ends before the destination"),
        (b"PROXY TCP4 1.2.3.4 5.6.7.8\r", "the line ends before the source port"),
        (b"PROXY TCP4 1.2.3.4 5.6.7.8 1\r", "the line ends before the destination port"),
        (b"PROXY TCP6 ::1 g", "the destination is no address of `TCP6`"),
        (b"PROXY TCP6 ::1 1.2.3.4 ", "the destination is no address of `TCP6`"),
        (b"PROXY TCP6 ::1%", "the source is no address of `TCP6`"),
        (b"PROXY TCP6 1::2::3 ", "the source is no address of `TCP6`"),
        (
            b"PROXY TCP4 1.2.3.4 5.6.7.8 01 ",
            "the source port is no number from 0 to 65535 without leading zeros",
        ),
        (
            b"PROXY TCP4 1.2.3.4 5.6.7.8 65536 ",
            "the source port is no number from 0 to 65535 without leading zeros",
        ),
        (
            b"PROXY TCP4 1.2.3.4 5.6.7.8 -",
            "the source port is no number from 0 to 65535 without leading zeros",
        ),
        (
            b"PROXY TCP4 1.2.3.4 5.6.7.8 1 000000",
            "the destination port is no number from 0 to 65535 without leading zeros",
        ),
        (
            b"PROXY TCP4 1.2.3.4 5.6.7.8 1 \r",
            "the destination port is no number from 0 to 65535 without leading zeros",
        ),
        (b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2 ", "the line does not end after the destination port"),
        (b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\r", "no line feed follows the carriage return"),
        (b"\r\n\r\n\0\r\nQUIT\n\x11", "the binary header has version 1, not 2"),
        (b"\r\n\r\n\0\r\nQUIT\n\x31", "the binary header has version 3, not 2"),
        (b"\r\n\r\n\0\r\nQUIT\n\x22", "the command 2 is neither LOCAL (0) nor PROXY (1)"),
        (b"\r\n\r\n\0\r\nQUIT\n\x21\x41", "the family 0x41 is unknown"),
        (b"\r\n\r\n\0\r\nQUIT\n\x21\x13", "the family 0x13 is unknown"),
        (
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0B",
            "the length is 11, and the addresses have 12 bytes",
        ),
        (
            b"\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x23",
            "the length is 35, and the addresses have 36 bytes",
        ),
        (
            b"\r\n\r\n\0\r\nQUIT\n\x21\x31\0\xD7",
            "the length is 215, and the addresses have 216 bytes",
        ),
        (
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x02\x09",
            "the header has 537 bytes, and may have at most 536",
        ),
        (
            b"\r\n\r\n\0\r\nQUIT\n\x20\0\xFF\xFF",
            "the header has 65551 bytes, and may have at most 536",
        ),
    ] {
        is_refused(input, message);
    }
    let line = [b"PROXY UNKNOWN ".to_vec(), vec![b'x'; 92]].concat();
    is_refused(&line, "the line does not end within 107 bytes");
}

#[test]
fn f5_values_that_are_wrong_are_refused() {
    let long = [&b"\x05\0\x81"[..], &[0; 129]].concat();
    for (values, message) in [
        (&b"\x04\0"[..], "the header ends in the middle of a value"),
        (b"\x04\0\x02a", "the length of the value of type 0x04 is wrong"),
        (b"\x02\0\x01\xFF", "the authority is not UTF-8"),
        (b"\x02\0\x01a\x02\0\x01a", "there are two values of type 0x02"),
        (b"\x01\0\x01a\x01\0\x01a", "there are two values of type 0x01"),
        (b"\x05\0\0\x05\0\0", "there are two values of type 0x05"),
        (&long, "the length of the value of type 0x05 is wrong"),
        (b"\x03\0\x03abc", "the length of the value of type 0x03 is wrong"),
        (b"\x03\0\x04abcd", "the checksum of the header is wrong"),
    ] {
        is_refused(&v2(0x21, 0x11, &[&[0; 12], values].concat()), message);
    }
    let mut changed = VALUES.to_vec();
    changed[20] ^= 1;
    is_refused(&changed, "the checksum of the header is wrong");
}

/// The last byte is the first wrong one, and what follows it does not change the error.
#[track_caller]
fn is_refused(input: &[u8], message: &str) {
    for end in 0..input.len() {
        let part = Header.decode(&input[..end]);
        assert!(matches!(part, Ok(Decoded::More(_))), "{part:?}: {}", input.escape_ascii());
    }
    for behind in [&b""[..], b" 1 2\r\n", &[0; 200]] {
        match Header.decode(&[input, behind].concat()) {
            Err(error) => assert_eq!(error.to_string(), message, "{}", input.escape_ascii()),
            other => panic!("{other:?}: {}", input.escape_ascii()),
        }
    }
}
