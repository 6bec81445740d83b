use std::collections::HashMap;

use bytes::Bytes;
use fsm_runtime::Cx;

use super::decoder::Request;

/// The values of GET and SET.
#[derive(Debug, Default)]
pub(crate) struct Store {
    values: HashMap<Vec<u8>, Bytes>,
}

impl Store {
    /// Executes a request and writes the answer.
    #[inline]
    pub(crate) fn answer(&mut self, request: &Request<'_>, out: &mut impl Out) {
        match *request.words() {
            // Redis does not answer an empty array.
            [] => {}
            [get, key] if get.eq_ignore_ascii_case(b"GET") => match self.values.get(key) {
                Some(value) => put_bulk(value, out),
                None => out.put(b"$-1\r\n"),
            },
            [set, key, value] if set.eq_ignore_ascii_case(b"SET") => {
                let value = Bytes::copy_from_slice(value);
                match self.values.get_mut(key) {
                    Some(old) => *old = value,
                    None => drop(self.values.insert(key.to_vec(), value)),
                }
                out.put(b"+OK\r\n");
            }
            [ping] if ping.eq_ignore_ascii_case(b"PING") => out.put(b"+PONG\r\n"),
            [ping, text] if ping.eq_ignore_ascii_case(b"PING") => put_bulk(text, out),
            _ => out.put(b"-ERR unknown command, or a wrong number of arguments for it\r\n"),
        }
    }
}

/// Writes the reason for closing the connection.
#[cold]
pub(crate) fn refuse(reason: impl std::fmt::Display, out: &mut impl Out) {
    out.put(format!("-ERR Protocol error: {reason}\r\n").as_bytes());
}

/// Writes a bulk string: a length and the bytes.
#[inline]
fn put_bulk(bytes: &[u8], out: &mut impl Out) {
    let mut header = *b"$12345678901234567890\r\n";
    let (mut left, mut at) = (bytes.len(), header.len() - 2);
    loop {
        at -= 1;
        header[at] = b"0123456789"[left % 10];
        left /= 10;
        if left == 0 {
            break;
        }
    }
    header[at - 1] = b'$';
    out.put(&header[at - 1..]);
    out.put(bytes);
    out.put(b"\r\n");
}

/// A sink for answers.
pub(crate) trait Out {
    fn put(&mut self, bytes: &[u8]);
}

impl Out for Cx<'_> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.write(bytes);
    }
}

impl Out for Vec<u8> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use fsm_runtime::{Decoded, Frame};

    use super::*;
    use crate::servers::resp::decoder::Decoder;

    #[test]
    fn requests_are_answered() {
        let mut store = Store::default();
        let cases: [(&[u8], &[u8]); 9] = [
            (b"*1\r\n$4\r\nPING\r\n", b"+PONG\r\n"),
            (b"*2\r\n$4\r\nping\r\n$12\r\nhello, world\r\n", b"$12\r\nhello, world\r\n"),
            (b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", b"$-1\r\n"),
            (b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\na\r\n", b"+OK\r\n"),
            (b"*2\r\n$3\r\nget\r\n$1\r\nk\r\n", b"$1\r\na\r\n"),
            (b"*3\r\n$3\r\nset\r\n$1\r\nk\r\n$0\r\n\r\n", b"+OK\r\n"),
            (b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", b"$0\r\n\r\n"),
            (
                b"*1\r\n$3\r\nSET\r\n",
                b"-ERR unknown command, or a wrong number of arguments for it\r\n",
            ),
            (b"*0\r\n", b""),
        ];
        for (request, answer) in cases {
            let Ok(Decoded::Frame(request, _)) = Decoder.decode(request) else { panic!() };
            let mut out = Vec::new();
            store.answer(&request, &mut out);
            assert_eq!(out, answer, "{request:?}");
        }
    }
}
