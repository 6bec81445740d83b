//! A half-close in the middle of a protocol.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use fsm_runtime::Address;
use fsm_runtime::prelude::*;

/// Says its word, ends its own stream, and reads on.
#[state_machine(start = Word, eof => Done)]
enum Half {
    #[run]
    #[to(Over)]
    Word,
    #[shutdown(within = 5s => Gone)]
    #[to(Rest)]
    Over,
    #[read(some, max = 64KiB, within = 20s => Gone)]
    #[to(Rest)]
    Rest,
    #[run]
    #[to(Gone)]
    Done,
    #[end]
    Gone,
}

struct Reader {
    bytes: usize,
    done: std::sync::mpsc::Sender<usize>,
}

impl half::Handler for Reader {
    fn word(&mut self, cx: &mut Cx<'_>) -> half::AfterWord {
        cx.send(vec![b'w'; 3 * 1024 * 1024]);
        half::AfterWord::Over
    }

    fn rest(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> half::AfterRest {
        self.bytes += bytes.len();
        // Output after the end of the stream is lost, and harms nobody.
        cx.write(b"too late");
        half::AfterRest::Rest
    }

    fn done(&mut self, _: &mut Cx<'_>) -> half::AfterDone {
        self.done.send(self.bytes).unwrap();
        half::AfterDone::Gone
    }
}

#[test]
fn g3_after_a_shutdown_the_peer_sees_the_end_and_may_still_send() {
    let (done, received) = std::sync::mpsc::channel();
    let pool = Pool::builder::<Half>("half").listen("127.0.0.1:0");
    let running = pool.handler(move |_| Reader { bytes: 0, done: done.clone() }).start().unwrap();
    let Address::Tcp(address) = running.addresses()[0] else { unreachable!() };
    let mut peer = TcpStream::connect(address).unwrap();
    let mut word = Vec::new();
    peer.read_to_end(&mut word).unwrap();
    assert_eq!(word.len(), 3 * 1024 * 1024);
    for _ in 0..10 {
        peer.write_all(&[b'r'; 10_000]).unwrap();
    }
    drop(peer);
    assert_eq!(received.recv_timeout(Duration::from_secs(20)), Ok(100_000));
    running.drain().unwrap();
}
