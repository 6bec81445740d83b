use std::io;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Buf, BytesMut};
use fsm_runtime::{Decoded, Frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::decoder::{Decoder, MAX};
use super::store::{Store, refuse};
use crate::servers::tokio_tasks;

/// The least capacity for a read.
const READ: usize = 16 * 1024;

pub(super) fn serve(listener: TcpListener) -> io::Result<()> {
    let store = Arc::default();
    tokio_tasks::serve(listener, move |stream| connection(stream, Arc::clone(&store)))
}

pub(super) fn serve_on_threads(listener: TcpListener, threads: usize) -> io::Result<()> {
    let store = Arc::default();
    tokio_tasks::serve_on_threads(listener, threads, move |stream| {
        connection(stream, Arc::clone(&store))
    })
}

/// Repeats: one read, the answers to all complete requests, one write.
async fn connection(mut stream: TcpStream, store: Arc<Mutex<Store>>) -> io::Result<()> {
    let mut input = BytesMut::with_capacity(READ);
    let mut output = Vec::new();
    loop {
        input.reserve(READ);
        if stream.read_buf(&mut input).await? == 0 {
            return Ok(());
        }
        let open = answer(&mut input, lock(&store), &mut output);
        stream.write_all(&output).await?;
        output.clear();
        if !open {
            return Ok(());
        }
    }
}

/// Answers all complete requests; returns whether the connection stays open.
fn answer(input: &mut BytesMut, mut store: MutexGuard<'_, Store>, output: &mut Vec<u8>) -> bool {
    while !input.is_empty() {
        match Decoder.decode(input) {
            Ok(Decoded::Frame(request, used)) => {
                store.answer(&request, output);
                input.advance(used);
            }
            Ok(Decoded::More(least)) if least <= MAX && input.len() < MAX => break,
            Ok(Decoded::More(_)) => {
                refuse("too long", output);
                return false;
            }
            Err(why) => {
                refuse(why, output);
                return false;
            }
        }
    }
    true
}

fn lock(store: &Mutex<Store>) -> MutexGuard<'_, Store> {
    store.lock().unwrap_or_else(PoisonError::into_inner)
}
