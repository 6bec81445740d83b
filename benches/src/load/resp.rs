use std::net::SocketAddr;

use super::exchange::Exchange;
use super::response::Expected;
use crate::error::Error;

const KEYS: usize = 1000;
const VALUE: [u8; 64] = [b'v'; 64];

/// The number of different pipelines.
const PIPELINES: usize = 64;

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

/// Sets all keys to values of 64 bytes.
pub(crate) fn fill(address: SocketAddr) -> Result<(), Error> {
    let requests = (0..KEYS).map(|key| request(Command::Set, key)).collect();
    let exchange = Exchange { requests, response: Expected::Bytes(answer(Command::Set)) };
    exchange.connect(address, 1)?.run(KEYS as u64)
}

/// An exchange whose requests are pipelines of `depth` commands.
pub(crate) fn exchange(command: Command, depth: usize) -> Exchange {
    let mut keys = keys();
    let pipeline = |_| keys.by_ref().take(depth).flat_map(|key| request(command, key)).collect();
    let requests = (0..PIPELINES).map(pipeline).collect();
    Exchange { requests, response: Expected::Bytes(answer(command).repeat(depth)) }
}

/// All keys in a fixed order without neighbours.
fn keys() -> impl Iterator<Item = usize> {
    std::iter::successors(Some(0), |key| Some((key + 619) % KEYS))
}

fn request(command: Command, key: usize) -> Vec<u8> {
    let key = format!("key:{key:012}");
    let mut words = vec![command.name().as_bytes(), key.as_bytes()];
    if command == Command::Set {
        words.push(&VALUE);
    }
    let mut request = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        request.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        request.extend_from_slice(word);
        request.extend_from_slice(b"\r\n");
    }
    request
}

fn answer(command: Command) -> Vec<u8> {
    match command {
        Command::Get => [&b"$64\r\n"[..], &VALUE, b"\r\n"].concat(),
        Command::Set => b"+OK\r\n".to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn requests_have_the_encoding_of_redis() {
        let get = b"*2\r\n$3\r\nGET\r\n$16\r\nkey:000000000007\r\n";
        assert_eq!(request(Command::Get, 7), get);
        let set = [&b"*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000042\r\n$64\r\n"[..], &VALUE, b"\r\n"];
        assert_eq!(request(Command::Set, 42), set.concat());
    }

    #[test]
    fn the_order_visits_all_keys() {
        assert_eq!(keys().take(KEYS).collect::<HashSet<_>>().len(), KEYS);
    }
}
