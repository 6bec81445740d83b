use std::cell::RefCell;
use std::io;
use std::net;
use std::rc::Rc;

use compio::BufResult;
use compio::buf::{IntoInner, IoBuf};
use compio::io::{AsyncRead, AsyncWriteExt};
use compio::net::TcpStream;
use fsm_runtime::{Decoded, Frame};

use super::decoder::{Decoder, MAX};
use super::store::{Store, refuse};
use crate::error::Error;
use crate::servers::compio_tasks;

/// The least capacity for a read.
const READ: usize = 16 * 1024;

pub(super) fn serve(listen: impl FnOnce() -> io::Result<net::TcpListener>) -> Result<(), Error> {
    let store = Rc::<RefCell<Store>>::default();
    compio_tasks::serve(listen, move |stream| connection(stream, Rc::clone(&store)))
}

/// Repeats: one read, the answers to all complete requests, one write.
async fn connection(mut stream: TcpStream, store: Rc<RefCell<Store>>) -> io::Result<()> {
    let (mut input, mut output) = (Vec::with_capacity(READ), Vec::new());
    loop {
        input.reserve(READ);
        let held = input.len();
        let BufResult(read, lent) = stream.read(input.slice(held..)).await;
        input = lent.into_inner();
        if read? == 0 {
            return Ok(());
        }
        let (used, open) = answer(&input, &mut store.borrow_mut(), &mut output);
        input.drain(..used);
        let BufResult(written, lent) = stream.write_all(output).await;
        written?;
        output = lent;
        output.clear();
        if !open {
            return Ok(());
        }
    }
}

/// Answers all complete requests; returns their length, and whether the connection stays open.
fn answer(input: &[u8], store: &mut Store, output: &mut Vec<u8>) -> (usize, bool) {
    let mut at = 0;
    while at < input.len() {
        match Decoder.decode(&input[at..]) {
            Ok(Decoded::Frame(request, used)) => {
                store.answer(&request, output);
                at += used;
            }
            Ok(Decoded::More(least)) if least <= MAX && input.len() - at < MAX => break,
            Ok(Decoded::More(_)) => {
                refuse("too long", output);
                return (at, false);
            }
            Err(why) => {
                refuse(why, output);
                return (at, false);
            }
        }
    }
    (at, true)
}
