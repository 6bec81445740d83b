use std::net::SocketAddr;

use super::exchange::Exchange;
use super::response::Expected;
use crate::error::Error;

/// The number of keys.
pub(crate) const KEYS: usize = 1000;

const VALUE: [u8; 64] = [b'v'; 64];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Get,
    Set,
}

impl Command {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Set => "SET",
        }
    }
}

/// Sets all keys of `loadgen` to values of 64 bytes.
pub(crate) fn fill(address: SocketAddr) -> Result<(), Error> {
    let requests = (0..KEYS).map(set).collect();
    let exchange = Exchange { requests, response: Expected::Bytes(b"+OK\r\n".to_vec()) };
    exchange.connect(address, 1)?.run(KEYS as u64)
}

fn set(key: usize) -> Vec<u8> {
    let head = format!("*3\r\n$3\r\nSET\r\n$16\r\nkey:{key:012}\r\n${}\r\n", VALUE.len());
    [head.as_bytes(), &VALUE, b"\r\n"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_have_the_encoding_of_redis() {
        let head = &b"*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000042\r\n$64\r\n"[..];
        assert_eq!(set(42), [head, &VALUE, b"\r\n"].concat());
    }
}
