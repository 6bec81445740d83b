use std::io;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Buf, BytesMut};
use fsm_runtime::{Decoded, Frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::decoder::{Decoder, MAX};
use super::store::{Store, refuse};
use crate::servers::tasks;

/// How much room a read has at least.
const ROOM: usize = 16 * 1024;

pub(crate) fn serve(listener: TcpListener) -> io::Result<()> {
    let store = Arc::default();
    tasks::serve(listener, move |stream| connection(stream, Arc::clone(&store)))
}

pub(crate) fn serve_on_threads(listener: TcpListener, threads: usize) -> io::Result<()> {
    let store = Arc::default();
    tasks::serve_on_threads(listener, threads, move |stream| connection(stream, Arc::clone(&store)))
}

/// One read, all whole requests that it brought, one write.
async fn connection(mut stream: TcpStream, store: Arc<Mutex<Store>>) -> io::Result<()> {
    let mut input = BytesMut::with_capacity(ROOM);
    let mut output = Vec::new();
    loop {
        input.reserve(ROOM);
        if stream.read_buf(&mut input).await? == 0 {
            return Ok(());
        }
        let more = answer(&mut input, lock(&store), &mut output);
        stream.write_all(&output).await?;
        output.clear();
        if !more {
            return Ok(());
        }
    }
}

/// Answers all whole requests; says whether there may be more.
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
