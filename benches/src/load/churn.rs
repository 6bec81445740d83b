use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::error::Error;
use crate::workload::ECHO_BYTES;

/// Connections that are open at a time.
const OPEN: u64 = 16;

const REQUEST: [u8; ECHO_BYTES] = [b'!'; ECHO_BYTES];

/// Opens `connections` connections, 16 at a time, makes one echo on each, and closes it.
pub(crate) fn churn(address: SocketAddr, connections: u64) -> Result<(), Error> {
    let mut left = connections;
    while left > 0 {
        let count = left.min(OPEN);
        left -= count;
        let mut streams = Vec::new();
        for _ in 0..count {
            let mut stream = TcpStream::connect(address).map_err(Error::doing("connect"))?;
            stream.write_all(&REQUEST).map_err(Error::doing("send"))?;
            streams.push(stream);
        }
        for mut stream in streams {
            let mut answer = [0; ECHO_BYTES];
            stream.read_exact(&mut answer).map_err(Error::doing("receive"))?;
            if answer != REQUEST {
                return Err(Error::failed("the server sent a wrong answer"));
            }
        }
    }
    Ok(())
}
