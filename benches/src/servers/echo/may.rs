use std::io::{self, Read, Write};
use std::time::Duration;

use may::go;
use may::net::{TcpListener, TcpStream};

use crate::servers::listener::{ANY_PORT, announce};

/// The most bytes of one read; each coroutine has the buffer on its own stack.
const BUFFER: usize = 4096;

/// Serves with one coroutine per connection, without deadlines.
///
/// The backlog is the default of `may`, because `may` accepts another listener only in `unsafe` code.
pub(super) fn serve(threads: usize) -> io::Result<()> {
    may::config().set_workers(threads);
    let listener = TcpListener::bind(ANY_PORT)?;
    announce(listener.local_addr()?)?;
    let accepts = go!(move || loop {
        match listener.accept() {
            Ok((stream, _)) => drop(go!(move || echo(stream))),
            // The process has no free descriptor, or the client has already left.
            Err(_) => may::coroutine::sleep(Duration::from_millis(10)),
        }
    });
    accepts.join().map_err(|_| io::Error::other("the accepting coroutine panicked"))
}

fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = [0; BUFFER];
    loop {
        let length = stream.read(&mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..length])?;
    }
}
