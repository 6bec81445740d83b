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
use crate::Error;
use crate::servers::rings;

/// How much room a read has at least.
const ROOM: usize = 16 * 1024;

pub(crate) fn serve(listen: impl FnOnce() -> io::Result<net::TcpListener>) -> Result<(), Error> {
    let store = Rc::<RefCell<Store>>::default();
    rings::serve(listen, move |stream| connection(stream, Rc::clone(&store)))
}

/// One read, all whole requests that it brought, one write.
async fn connection(mut stream: TcpStream, store: Rc<RefCell<Store>>) -> io::Result<()> {
    let (mut input, mut output) = (Vec::with_capacity(ROOM), Vec::new());
    loop {
        input.reserve(ROOM);
        let held = input.len();
        let BufResult(read, lent) = stream.read(input.slice(held..)).await;
        input = lent.into_inner();
        if read? == 0 {
            return Ok(());
        }
        let (used, more) = answer(&input, &mut store.borrow_mut(), &mut output);
        input.drain(..used);
        let BufResult(written, lent) = stream.write_all(output).await;
        written?;
        output = lent;
        output.clear();
        if !more {
            return Ok(());
        }
    }
}

/// Answers all whole requests; says how many bytes they had, and whether there may be more.
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
