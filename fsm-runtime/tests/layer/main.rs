//! Layers of the application's between connections and their sockets: the rules E5 to E10 on real sockets.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use fsm_runtime::prelude::*;
use fsm_runtime::{Layer, LayerEnd, LayerError, LayerInput, LayerSide, Running, Stats};

mod handshake;
mod hostile;
mod moves;

/// Answers lines; a line with a number is answered with so many bytes.
#[state_machine(start = Line, eof => Gone, limit => Gone)]
enum Lines {
    #[read(until = b"\n", max = 64KiB, idle = 20s => Gone)]
    #[to(Line | Bulk | Gone)]
    #[rest]
    Line,
    /// Takes so many bytes, and answers their sum.
    #[read(exact = left <= 64MiB, within = 60s => Gone)]
    #[to(Line)]
    Bulk { left: usize },
    #[end]
    Gone,
}

struct Client;

impl lines::Handler for Client {
    fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> lines::AfterLine {
        let text = String::from_utf8_lossy(line).into_owned();
        match text.split_once(' ') {
            Some(("send", count)) => cx.send(vec![b'x'; count.parse().unwrap()]),
            Some(("take", count)) => {
                return lines::AfterLine::Bulk { left: count.parse().unwrap() };
            }
            _ => match &*text {
                "bye" => {
                    cx.write(b"see you\n");
                    return lines::AfterLine::Gone;
                }
                "records" => {
                    let records = cx.layer::<Flips>().unwrap().records;
                    writeln!(cx, "{records}");
                }
                _ => writeln!(cx, "{text}!"),
            },
        }
        lines::AfterLine::Line
    }

    fn bulk(&mut self, _: &mut usize, bytes: &[u8], cx: &mut Cx<'_>) -> lines::AfterBulk {
        let sum: u64 = bytes.iter().map(|byte| u64::from(*byte)).sum();
        writeln!(cx, "{sum}");
        lines::AfterBulk::Line
    }
}

/// Records of two bytes of length and bytes that are flipped; one of no bytes is the end.
#[derive(Default)]
struct Flips {
    records: usize,
}

impl Layer for Flips {
    fn input(
        &mut self,
        wire: &mut [u8],
        plain: &mut [u8],
        _: &mut Vec<u8>,
    ) -> Result<LayerInput, LayerError> {
        let [high, low, rest @ ..] = &*wire else { return Ok(LayerInput::MORE) };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some(record) = rest.get(..length) else { return Ok(LayerInput::MORE) };
        for (plain, wire) in plain.iter_mut().zip(record) {
            *plain = !wire;
        }
        self.records += 1;
        Ok(LayerInput { used: 2 + length, plain: length, ended: length == 0 })
    }

    fn output(&mut self, plain: &[u8], wire: &mut Vec<u8>) -> Result<usize, LayerError> {
        wire.extend(flipped(plain));
        Ok(plain.len())
    }

    fn end(&self) -> LayerEnd {
        LayerEnd::Unsaid
    }

    fn close(&mut self, wire: &mut Vec<u8>) -> Result<(), LayerError> {
        wire.extend(flipped(b""));
        Ok(())
    }
}

/// A record.
fn flipped(plain: &[u8]) -> Vec<u8> {
    let length = u16::try_from(plain.len()).unwrap();
    length.to_be_bytes().into_iter().chain(plain.iter().map(|byte| !byte)).collect()
}

/// The time for which a pool waits for peers that stay.
const LINGER: Duration = Duration::from_millis(200);

/// A pool of `Lines` with a layer.
fn start<L: Layer>(layer: impl Fn(LayerSide<'_>) -> L + Send + Sync + 'static) -> Running {
    let lines = Pool::builder::<Lines>("lines").layer(layer).linger(LINGER);
    lines.listen("127.0.0.1:0").handler(|_peer| Client).start().unwrap()
}

fn connect(running: &Running) -> TcpStream {
    let address: SocketAddr = running.addresses()[0].to_string().parse().unwrap();
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// Reads a record of `Flips`.
fn record(peer: &mut TcpStream) -> Vec<u8> {
    let mut length = [0; 2];
    peer.read_exact(&mut length).unwrap();
    let mut record = vec![0; u16::from_be_bytes(length).into()];
    peer.read_exact(&mut record).unwrap();
    record.iter().map(|byte| !byte).collect()
}

fn ask(peer: &mut TcpStream, line: &str) -> String {
    peer.write_all(&flipped(format!("{line}\n").as_bytes())).unwrap();
    String::from_utf8(record(peer)).unwrap().trim_end().to_owned()
}

fn until(running: &Running, holds: impl Fn(Stats) -> bool) {
    let begun = Instant::now();
    while !holds(running.stats()) {
        assert!(begun.elapsed() < Duration::from_secs(20), "not in time: {:?}", running.stats());
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn e5_handlers_read_and_write_plaintext() {
    let running = start(|_| Flips::default());
    let mut peer = connect(&running);
    assert_eq!(ask(&mut peer, "hello"), "hello!");
    assert_eq!(ask(&mut peer, "records"), "2");
    // Several records at once, and one line in two of them.
    let parts = [flipped(b"a\nb"), flipped(b"c\nrec"), flipped(b"ords\n")].concat();
    peer.write_all(&parts).unwrap();
    let mut answers = Vec::new();
    while answers.len() < 9 {
        answers.extend(record(&mut peer));
    }
    assert_eq!(answers, b"a!\nbc!\n5\n");
    assert_eq!(ask(&mut peer, "bye"), "see you");
    assert_eq!(record(&mut peer), b"", "the end is told");
    assert_eq!(peer.read(&mut [0]).unwrap(), 0);
    until(&running, |stats| stats.done == 1 && stats.open == 0);
}

#[test]
fn e5_megabytes_pass_both_ways_at_the_peers_pace() {
    const SIZE: usize = 8 << 20;
    let running = start(|_| Flips::default());
    let mut peer = connect(&running);
    peer.write_all(&flipped(format!("send {SIZE}\n").as_bytes())).unwrap();
    let mut got = 0;
    while got < SIZE {
        let record = record(&mut peer);
        assert!(record.iter().all(|byte| *byte == b'x'));
        got += record.len();
    }
    assert_eq!(got, SIZE);

    peer.write_all(&flipped(format!("take {SIZE}\n").as_bytes())).unwrap();
    let bytes: Vec<u8> = (0..SIZE).map(|n| u8::try_from(n % 251).unwrap()).collect();
    for part in bytes.chunks(50_000) {
        peer.write_all(&flipped(part)).unwrap();
    }
    let sum: u64 = bytes.iter().map(|byte| u64::from(*byte)).sum();
    assert_eq!(record(&mut peer), format!("{sum}\n").as_bytes());
    assert_eq!(ask(&mut peer, "still there?"), "still there?!");
}

#[test]
fn e7_an_end_within_a_record_or_a_message_is_truncated_and_one_at_rest_is_not() {
    let running = start(|_| Flips::default());
    let cut_at = |bytes: &[u8]| {
        let mut peer = connect(&running);
        peer.write_all(bytes).unwrap();
        peer.shutdown(Shutdown::Write).unwrap();
        let _ = peer.read_to_end(&mut Vec::new());
    };
    cut_at(&flipped(b"hello\n"));
    until(&running, |stats| stats.done == 1);
    // Half a record, and half a line.
    cut_at(&flipped(b"hello\n")[..4]);
    until(&running, |stats| stats.truncated == 1);
    cut_at(&flipped(b"hel"));
    until(&running, |stats| stats.truncated == 2);
    // The layer's own end is an end.
    cut_at(&[flipped(b"hel"), flipped(b"")].concat());
    until(&running, |stats| stats.done == 2);
}

#[test]
fn e5_a_drain_says_the_end_and_waits_for_what_is_under_way() {
    let lines = Pool::builder::<Lines>("lines").layer(|_| Flips::default()).listen("127.0.0.1:0");
    let handle = lines.handle();
    let running = lines.handler(|_peer| Client).start().unwrap();
    let (mut rests, mut works) = (connect(&running), connect(&running));
    assert_eq!(ask(&mut rests, "hello"), "hello!");
    assert_eq!(ask(&mut works, "hello"), "hello!");
    works.write_all(&flipped(b"half a li")).unwrap();
    // Bytes after the answer to another connection have been read.
    works.write_all(&flipped(b"ne\nand half a li")).unwrap();
    assert_eq!(record(&mut works), b"half a line!\n");
    handle.drain();
    assert_eq!(record(&mut rests), b"");
    works.write_all(&flipped(b"ne\n")).unwrap();
    assert_eq!(record(&mut works), b"and half a line!\n");
    assert_eq!(record(&mut works), b"");
    let stats = running.join().unwrap();
    assert_eq!((stats.drained, stats.ended()), (2, 2));
}
