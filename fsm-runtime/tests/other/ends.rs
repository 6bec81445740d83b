//! What is queued for the other socket when its connection ends, and peers of it that take nothing (S4, S5).

use std::fs::File;
use std::sync::Arc;

use fsm_runtime::{Builder, Running};

use super::sockets::{bytes, connect};
use super::*;

/// Passes lines on to a target.
#[state_machine(start = Hello, settings = Route, eof => Gone, limit => Gone)]
enum Tee {
    #[run]
    #[to(Dial)]
    Hello,
    #[connect(within = 5s => Gone, refused => Gone)]
    #[to(Line)]
    Dial,
    /// `send` passes a part of a file on, and `bye` ends the machine.
    #[read(until = b"\n", max = 64KiB, idle = 1h => Gone)]
    #[tick(1s)]
    #[to(Line | Gone)]
    #[rest]
    Line,
    #[end]
    Gone,
}

#[derive(Default)]
struct Writer {
    file: Option<Arc<File>>,
    /// What each tick writes.
    tick: &'static [u8],
}

impl tee::Handler for Writer {
    fn hello(&mut self, cx: &mut ForwardCx<'_>) -> tee::AfterHello {
        tee::AfterHello::Dial { to: cx.settings().0.clone() }
    }

    fn dial(&mut self, _: Connected, _: &mut ForwardCx<'_>) -> tee::AfterDial {
        tee::AfterDial::Line
    }

    fn line(&mut self, line: &[u8], cx: &mut ForwardCx<'_>) -> tee::AfterLine {
        let text = std::str::from_utf8(line).unwrap();
        if let (Some(length), Some(file)) = (text.strip_prefix("send "), &self.file) {
            cx.other().send_file(Arc::clone(file), 0..length.parse().unwrap());
        } else {
            cx.other().write(line);
        }
        if line == b"bye" { tee::AfterLine::Gone } else { tee::AfterLine::Line }
    }

    fn line_tick(&mut self, cx: &mut ForwardCx<'_>) -> tee::AfterLine {
        cx.other().write(self.tick);
        tee::AfterLine::Line
    }
}

fn connected() -> Session<Tee, Writer> {
    let mut peer = Session::new(Writer::default());
    peer.accept();
    peer
}

#[test]
fn s4_a_drain_waits_for_output_of_the_other_socket() {
    let mut peer = connected();
    peer.other().window(4);
    peer.send(b"first and last\n");
    peer.drain();
    assert_eq!((peer.state(), peer.ended()), (Some("Line"), None));
    assert_eq!(peer.other().receive(), b"first and last");
    assert_eq!(peer.ended(), Some(Ended::Drained));
    assert!(peer.other().is_ended() && !peer.other().is_reset());
}

#[test]
fn s4_an_end_sends_the_rest_of_the_output_to_the_other_socket() {
    let mut peer = connected();
    peer.other().window(4);
    peer.send(b"first and last\nbye\n");
    assert!(!peer.other().is_ended());
    assert_eq!(peer.other().receive(), b"first and lastbye");
    assert_eq!(peer.ended(), Some(Ended::Done));
    assert!(peer.other().is_ended() && !peer.other().is_reset());
}

#[test]
fn s4_each_byte_that_the_target_takes_at_the_end_gives_it_more_time() {
    let mut peer = connected();
    peer.other().window(1);
    peer.send(b"bye\n");
    for taken in 2..4 {
        peer.advance(Duration::from_secs(4));
        peer.other().window(taken);
    }
    assert_eq!(peer.ended(), Some(Ended::Done));
    assert!(!peer.other().is_reset());
}

#[test]
fn s4_s5_a_target_that_takes_nothing_at_the_end_is_reset_after_the_linger() {
    let mut peer = connected();
    peer.other().window(1);
    peer.send(b"bye\n");
    peer.advance(Duration::from_millis(4_999));
    assert!(!peer.other().is_reset());
    peer.advance(Duration::from_millis(1));
    assert!(peer.other().is_reset());
    assert_eq!(peer.ended(), Some(Ended::SendTimeout));
}

#[test]
fn s5_a_target_that_takes_nothing_is_reset_and_its_machine_goes_on() {
    let mut peer = connected();
    peer.other().window(1);
    peer.send(b"two\n");
    peer.advance(Duration::from_millis(59_999));
    peer.other().window(2);
    peer.advance(Duration::from_millis(59_999));
    assert!(!peer.other().is_reset(), "it has taken a byte");
    peer.advance(Duration::from_millis(1));
    assert!(peer.other().is_reset());
    // What is written then is lost, and takes no room.
    for _ in 0..10 {
        peer.send(&[&vec![b'x'; 60_000][..], b"\n"].concat());
    }
    assert_eq!(peer.state(), Some("Line"));
    peer.drain();
    assert_eq!(peer.ended(), Some(Ended::Drained));
}

#[test]
fn s5_w5_a_tick_is_not_taken_while_output_of_the_other_socket_is_at_the_mark() {
    const TICK: &[u8] = &[b't'; 30 * 1024];
    let mut peer = Session::<Tee, _>::new(Writer { tick: TICK, ..Writer::default() });
    peer.accept();
    peer.other().window(0);
    for _ in 0..30 {
        peer.advance(Duration::from_secs(1));
    }
    peer.other().window(usize::MAX);
    // The mark of a session is 64 KiB.
    assert_eq!(peer.other().receive().len(), 3 * TICK.len());
}

fn start(
    target: &TcpListener,
    file: &Arc<File>,
    set: impl Fn(Builder<Tee>) -> Builder<Tee>,
) -> (Running, SocketAddr) {
    let target = Target::Tcp(target.local_addr().unwrap());
    let file = Arc::clone(file);
    let pool = Pool::builder::<Tee>("tee").settings(Route(target)).listen("127.0.0.1:0");
    let running = set(pool)
        .handler(move |_| Writer { file: Some(Arc::clone(&file)), ..Writer::default() })
        .start()
        .unwrap();
    let address = running.addresses()[0].to_string().parse().unwrap();
    (running, address)
}

/// A file, and a server that nobody has connected to.
fn file_and_target(length: usize) -> (Arc<File>, Vec<u8>, TcpListener) {
    let bytes = bytes(length, 3);
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes).unwrap();
    (Arc::new(file), bytes, TcpListener::bind("127.0.0.1:0").unwrap())
}

fn accept(target: &TcpListener) -> TcpStream {
    let (stream, _) = target.accept().unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

#[test]
fn s4_a_file_of_any_length_arrives_although_its_machine_has_ended() {
    const LENGTH: usize = 12 << 20;
    let (file, bytes, listener) = file_and_target(LENGTH);
    let (running, address) = start(&listener, &file, |pool| pool);
    let mut client = connect(address);
    let mut target = accept(&listener);
    // What the target says is not read. It must not make the close a reset, which would overtake the file.
    target.write_all(&[b'?'; 100]).unwrap();
    write!(client, "send {LENGTH}\nbye\n").unwrap();
    assert_eq!(client.read(&mut [0]).unwrap(), 0, "the client need not wait for the target");
    let mut got = vec![0; LENGTH + 3];
    target.read_exact(&mut got[..1000]).unwrap();
    target.write_all(&[b'?'; 100]).unwrap();
    target.read_exact(&mut got[1000..]).unwrap();
    assert!(got[..LENGTH] == bytes && got.ends_with(b"bye"));
    assert_eq!(target.read(&mut [0]).unwrap(), 0, "the end is no reset");
    drop((client, target));
    assert_eq!(running.drain().unwrap().done, 1);
}

#[test]
fn s4_v11_a_connection_whose_other_socket_sends_is_not_at_rest() {
    const LENGTH: usize = 12 << 20;
    let (file, bytes, listener) = file_and_target(LENGTH);
    let (running, address) = start(&listener, &file, |pool| pool.max_connections(1).shed_at_rest());
    let mut client = connect(address);
    let mut target = accept(&listener);
    writeln!(client, "send {LENGTH}").unwrap();
    // A newcomer, which could take the place of one that has rested for a second.
    let newcomer = connect(address);
    let begun = Instant::now();
    let mut got = Vec::new();
    let mut piece = vec![0; 16 * 1024];
    while got.len() < LENGTH {
        let read = target.read(&mut piece).unwrap();
        got.extend_from_slice(&piece[..read]);
        if begun.elapsed() < Duration::from_millis(1_500) {
            thread::sleep(Duration::from_millis(10));
        }
    }
    assert!(got == bytes);
    assert_eq!(target.read(&mut [0]).unwrap(), 0, "now it is shed");
    drop((client, accept(&listener), newcomer));
    assert_eq!(running.drain().unwrap().shed, 1);
}
