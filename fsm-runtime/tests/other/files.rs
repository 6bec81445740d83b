//! Parts of files as output to the other socket: `cx.other().send_file`.

use std::fs::File;
use std::io;
use std::sync::Arc;

use fsm_runtime::{Address, Running};

use super::*;

const MIB: usize = 1 << 20;

/// Stores a file at another server, and says what that answers.
#[state_machine(start = Name, settings = Route, eof => Gone, limit => Gone, within = 60s => Gone)]
enum Store {
    /// The number of bytes.
    #[read(until = b"\n", max = 80)]
    #[to(Dial | Name)]
    #[rest]
    Name,
    #[connect(refused => Gone)]
    #[to(Answer)]
    Dial,
    #[read(other, until = b"\n", max = 80, eof => Failed)]
    #[to(Name)]
    Answer,
    #[run]
    #[to(Name)]
    Failed,
    #[end]
    Gone,
}

struct Client(Arc<File>);

impl store::Handler for Client {
    fn name(&mut self, line: &[u8], cx: &mut ForwardCx<'_>) -> store::AfterName {
        let Ok(length) = std::str::from_utf8(line).unwrap().parse::<u64>() else {
            cx.write(b"?\n");
            return store::AfterName::Name;
        };
        writeln!(cx.other(), "store {length}");
        cx.other().send_file(Arc::clone(&self.0), 0..length);
        cx.other().write(b"that is all\n");
        store::AfterName::Dial { to: cx.settings().0.clone() }
    }

    fn dial(&mut self, _: Connected, _: &mut ForwardCx<'_>) -> store::AfterDial {
        store::AfterDial::Answer
    }

    fn answer(&mut self, line: &[u8], cx: &mut ForwardCx<'_>) -> store::AfterAnswer {
        cx.write(line);
        cx.write(b"\n");
        store::AfterAnswer::Name
    }

    fn failed(&mut self, cx: &mut ForwardCx<'_>) -> store::AfterFailed {
        cx.write(b"failed\n");
        store::AfterFailed::Name
    }
}

/// A file whose bytes tell their place.
fn file(length: usize) -> (Arc<File>, Vec<u8>) {
    let bytes: Vec<u8> = (0..length).map(|n| u8::try_from((n / 7 + n) % 251).unwrap()).collect();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes).unwrap();
    (Arc::new(file), bytes)
}

fn start(file: &Arc<File>, target: SocketAddr) -> (Running, SocketAddr) {
    let file = Arc::clone(file);
    let running = Pool::builder::<Store>("store")
        .settings(Route(Target::Tcp(target)))
        .listen("127.0.0.1:0")
        .handler(move |_| Client(Arc::clone(&file)))
        .start()
        .unwrap();
    let Address::Tcp(address) = running.addresses()[0] else { unreachable!() };
    (running, address)
}

fn connect(address: SocketAddr) -> TcpStream {
    let peer = TcpStream::connect(address).unwrap();
    peer.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    peer
}

#[test]
fn s1_x16_a_large_file_arrives_at_the_other_socket_while_others_have_their_turns() {
    const LENGTH: usize = 24 * MIB;
    let (file, bytes) = file(LENGTH);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (_running, address) = start(&file, listener.local_addr().unwrap());
    let (mut peer, mut other) = (connect(address), connect(address));
    writeln!(peer, "{LENGTH}").unwrap();
    let (mut target, _) = listener.accept().unwrap();
    target.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // Nothing is taken yet, and the next client has its answer.
    let mut answer = [0; 2];
    other.write_all(b"others?\n").unwrap();
    other.read_exact(&mut answer).unwrap();
    let head = format!("store {LENGTH}\n");
    let whole = [head.as_bytes(), &bytes, b"that is all\n"].concat();
    let mut got = vec![0; whole.len()];
    target.read_exact(&mut got).unwrap();
    assert!(got == whole, "each byte is in its place");
    target.write_all(b"stored\n").unwrap();
    let mut answer = [0; 7];
    peer.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"stored\n");
}

#[test]
fn s1_x16_a_file_that_is_too_short_makes_the_end_of_the_other_connection_a_reset() {
    let (file, bytes) = file(1000);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (running, address) = start(&file, listener.local_addr().unwrap());
    let mut peer = connect(address);
    writeln!(peer, "1001").unwrap();
    let (mut target, _) = listener.accept().unwrap();
    target.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut answer = [0; 7];
    peer.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"failed\n");
    // The connection is closed with the machine's.
    drop(peer);
    let mut got = Vec::new();
    let error = target.read_to_end(&mut got).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    assert!([b"store 1001\n", &bytes[..]].concat().starts_with(&got));
    assert_eq!(running.stats().panicked, 0);
}

#[test]
fn x4_x16_a_turn_sends_a_bounded_part_of_a_file_to_the_other_socket() {
    let (file, bytes) = file(5 * MIB);
    let mut peer = Session::<Store, _>::new(Client(file));
    peer.send(format!("{}\n", bytes.len()).as_bytes());
    peer.accept();
    // The turns go on by themselves until all has left.
    let got = peer.other().receive();
    assert_eq!(got.len(), format!("store {}\n", bytes.len()).len() + bytes.len() + 12);
    assert!(got.ends_with(b"that is all\n"));
    peer.other().send(b"stored\n");
    assert_eq!(peer.receive(), b"stored\n");
}
