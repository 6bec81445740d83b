use std::io::{self, Read, Write};
use std::time::Duration;

use may::go;
use may::net::{TcpListener, TcpStream};

use crate::servers::announce;

/// What a coroutine reads at once, on a stack of its own.
const BUFFER: usize = 4096;

/// A coroutine for each connection. There is no deadline. It takes no listener from outside without
/// `unsafe`, so the backlog is its own.
pub(crate) fn serve(threads: usize) -> io::Result<()> {
    may::config().set_workers(threads);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    announce(listener.local_addr()?)?;
    let accepts = go!(move || loop {
        match listener.accept() {
            Ok((stream, _)) => drop(go!(move || talk(stream))),
            // No descriptor is free, or the client has gone already.
            Err(_) => may::coroutine::sleep(Duration::from_millis(10)),
        }
    });
    accepts.join().map_err(|_| io::Error::other("the coroutine that accepts has panicked"))
}

fn talk(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = [0; BUFFER];
    loop {
        let length = stream.read(&mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..length])?;
    }
}
