use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// The behaviour of a layer when it is called.
type Does = fn(&mut [u8], &mut [u8], &mut Vec<u8>) -> Result<LayerInput, LayerError>;

/// A layer that flips nothing, and does something else with input that begins like this.
struct Odd {
    first: u8,
    does: Does,
    calls: Arc<AtomicUsize>,
}

impl Odd {
    fn when(first: u8, does: Does) -> impl Fn(LayerSide<'_>) -> Self + Send + Sync {
        move |_| Self { first, does, calls: Arc::default() }
    }
}

impl Layer for Odd {
    fn input(
        &mut self,
        wire: &mut [u8],
        plain: &mut [u8],
        reply: &mut Vec<u8>,
    ) -> Result<LayerInput, LayerError> {
        if wire.first() == Some(&self.first) {
            self.calls.fetch_add(1, Ordering::SeqCst);
            return (self.does)(wire, plain, reply);
        }
        let before = wire.iter().position(|byte| *byte == self.first).unwrap_or(wire.len());
        let length = before.min(plain.len());
        plain[..length].copy_from_slice(&wire[..length]);
        Ok(LayerInput { used: length, plain: length, ended: false })
    }

    fn output(&mut self, plain: &[u8], wire: &mut Vec<u8>) -> Result<usize, LayerError> {
        match self.first {
            b'0' => return Ok(0),
            b'1' => return Ok(plain.len() + 1),
            b'2' => wire.resize(wire.len() + Self::OUTPUT + 1, 0),
            b'3' => panic!("in output, as planned"),
            _ => wire.extend_from_slice(plain),
        }
        Ok(plain.len())
    }

    fn close(&mut self, _: &mut Vec<u8>) -> Result<(), LayerError> {
        assert_ne!(self.first, b'4', "in close, as planned");
        Ok(())
    }
}

impl Drop for Odd {
    fn drop(&mut self) {
        assert!(self.first != b'5' || thread::panicking(), "in drop, as planned");
    }
}

/// A line, and the answer to it.
fn ask_plain(peer: &mut TcpStream, line: &str) -> String {
    writeln!(peer, "{line}").unwrap();
    let mut answer = Vec::new();
    while answer.last() != Some(&b'\n') {
        let mut byte = [0];
        peer.read_exact(&mut byte).unwrap();
        answer.extend(byte);
    }
    String::from_utf8(answer).unwrap().trim_end().to_owned()
}

/// The bytes that come until the end.
fn rest(peer: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    let _ = peer.read_to_end(&mut rest);
    rest
}

/// A byte that expands without end.
const BOMB: Does = |_, plain, _| {
    plain.fill(1);
    Ok(LayerInput { used: 0, plain: plain.len(), ended: false })
};

#[test]
fn e8_input_that_expands_without_end_is_held_by_the_bounds_of_the_machine() {
    let running = start(Odd::when(b'*', BOMB));
    let mut peer = connect(&running);
    assert_eq!(ask_plain(&mut peer, "hello"), "hello!");
    peer.write_all(b"*").unwrap();
    // A line has at most 64 KiB.
    assert_eq!(rest(&mut peer), b"");
    until(&running, |stats| stats.done == 1);
}

#[test]
fn e8_x4_input_that_expands_takes_turns_with_other_connections() {
    let running = start(Odd::when(b'*', BOMB));
    let (mut bombed, mut other) = (connect(&running), connect(&running));
    assert_eq!(ask_plain(&mut other, "hello"), "hello!");
    let most: u64 = 16 << 20;
    writeln!(bombed, "take {most}").unwrap();
    bombed.write_all(b"*").unwrap();
    // Each of these has its turn while the 16 MiB go on.
    assert_eq!(ask_plain(&mut other, "hello"), "hello!");
    let mut answer = [0; 9];
    bombed.read_exact(&mut answer).unwrap();
    assert_eq!(answer.to_vec(), format!("{most}\n").into_bytes());
}

/// Reads what comes, within a time.
#[state_machine(start = Talk, eof => Gone)]
enum Drops {
    #[read(some, max = 16KiB, within = 500ms => Gone)]
    #[to(Talk)]
    Talk,
    #[end]
    Gone,
}

impl drops::Handler for Client {
    fn talk(&mut self, _: &[u8], _: &mut Cx<'_>) -> drops::AfterTalk {
        drops::AfterTalk::Talk
    }
}

#[test]
fn e8_a_layer_whose_replies_nobody_takes_reads_no_further() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let does: Does = |_, _, reply| {
        reply.resize(reply.len() + 64 * 1024, 0);
        Ok(LayerInput { used: 1, plain: 0, ended: false })
    };
    let drops = Pool::builder::<Drops>("drops")
        .layer(move |_| Odd { first: b'.', does, calls: Arc::clone(&counted) })
        .linger(LINGER)
        .listen("127.0.0.1:0");
    let running = drops.handler(|_peer| Client).start().unwrap();
    let mut peer = connect(&running);
    // 640 MB of replies, which nobody reads.
    peer.write_all(&vec![b'.'; 10_000]).unwrap();
    until(&running, |stats| stats.open == 0 && stats.accepted == 1);
    let calls = calls.load(Ordering::SeqCst);
    assert!((2..1_000).contains(&calls), "{calls}");
}

/// Waits for a byte without an end.
#[state_machine(start = Talk, eof => Gone)]
enum Patient {
    #[read(some, max = 16KiB, within = never)]
    #[to(Talk)]
    #[rest]
    Talk,
    #[end]
    Gone,
}

impl patient::Handler for Client {
    fn talk(&mut self, _: &[u8], _: &mut Cx<'_>) -> patient::AfterTalk {
        patient::AfterTalk::Talk
    }
}

fn patient<L: Layer>(layer: impl Fn(LayerSide<'_>) -> L + Send + Sync + 'static) -> Running {
    let patient = Pool::builder::<Patient>("patient").layer(layer);
    let patient = patient.send_timeout(Duration::from_millis(300)).listen("127.0.0.1:0");
    patient.handler(|_peer| Client).start().unwrap()
}

#[test]
fn l3_e12_a_peer_that_takes_nothing_of_what_a_layer_says_is_reset() {
    let running = patient(Odd::when(b'.', |_, _, reply| {
        reply.resize(reply.len() + 64 * 1024, 0);
        Ok(LayerInput { used: 1, plain: 0, ended: false })
    }));
    let mut other = connect(&running);
    other.write_all(b"hello").unwrap();
    // More than the system takes.
    let mut peer = connect(&running);
    peer.write_all(&[b'.'; 1000]).unwrap();
    until(&running, |stats| stats.send_timeouts == 1);
    assert_eq!(running.stats().open, 1);
}

#[test]
fn e12_a_peer_that_takes_slowly_what_a_layer_says_stays() {
    const REPLY: usize = 64 * 1024;
    let running = patient(Odd::when(b'.', |_, _, reply| {
        reply.resize(reply.len() + REPLY, 0);
        Ok(LayerInput { used: 1, plain: 0, ended: false })
    }));
    let mut peer = connect(&running);
    peer.write_all(&[b'.'; 200]).unwrap();
    let mut left = 200 * REPLY;
    let mut part = vec![0; 1 << 20];
    while left > 0 {
        // Twelve pauses are many times as long as the time for one byte.
        thread::sleep(Duration::from_millis(100));
        let most = left.min(part.len());
        peer.read_exact(&mut part[..most]).unwrap();
        left -= most;
    }
    assert_eq!(running.stats().open, 1);
}

#[test]
fn e12_a_handshake_of_a_layer_is_bounded_also_in_a_state_without_a_deadline() {
    let running = patient(handshake::Three::new);
    let mut other = connect(&running);
    other.write_all(b"C").unwrap();
    let mut answer = [0; 2];
    other.read_exact(&mut answer).unwrap();
    other.write_all(b"C").unwrap();
    let mut silent = connect(&running);
    until(&running, |stats| stats.layer_failures == 1);
    assert_eq!(rest(&mut silent), b"");
    assert_eq!(running.stats().open, 1);
}

#[test]
fn e8_a_layer_that_wants_more_than_is_kept_for_it_fails() {
    let running = start(Odd::when(b'*', |_, _, _| Ok(LayerInput::MORE)));
    let mut peer = connect(&running);
    peer.write_all(&vec![b'*'; Odd::RECORD]).unwrap();
    let _ = peer.write_all(&[b'*'; 8 * 1024]);
    until(&running, |stats| stats.layer_failures == 1);
}

#[test]
fn e9_what_a_layer_has_said_before_its_error_leaves_and_it_is_not_called_again() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let does: Does = |_, _, reply| {
        reply.extend(b"no!");
        Err("not mine".into())
    };
    let running = start(move |_| Odd { first: b'*', does, calls: Arc::clone(&counted) });
    let mut peer = connect(&running);
    assert_eq!(ask_plain(&mut peer, "hello"), "hello!");
    peer.write_all(b"*").unwrap();
    assert_eq!(rest(&mut peer), b"no!");
    until(&running, |stats| stats.layer_failures == 1 && stats.open == 0);
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[test]
fn e9_a_layer_that_does_not_keep_its_contract_fails() {
    let used: Does = |wire, _, _| Ok(LayerInput { used: wire.len() + 1, ..LayerInput::MORE });
    let plain: Does = |_, plain, _| Ok(LayerInput { plain: plain.len() + 1, ..LayerInput::MORE });
    let output: Does = |_, _, reply| {
        reply.resize(reply.len() + Odd::OUTPUT + 1, 0);
        Ok(LayerInput::MORE)
    };
    for does in [used, plain, output] {
        let running = start(Odd::when(b'*', does));
        connect(&running).write_all(b"*").unwrap();
        until(&running, |stats| stats.layer_failures == 1);
    }
    // None of it taken, more than there was, and too much made of it.
    for first in [b'0', b'1', b'2'] {
        let running = start(Odd::when(first, BOMB));
        let mut peer = connect(&running);
        peer.write_all(b"hello\n").unwrap();
        assert_eq!(rest(&mut peer), b"");
        until(&running, |stats| stats.layer_failures == 1);
    }
}

#[test]
fn e9_x8_a_panic_in_a_layer_ends_its_connection_alone() {
    let panics = |first: u8, does: Does| {
        let made = AtomicUsize::new(0);
        let running = start(move |_| match made.fetch_add(1, Ordering::SeqCst) {
            1 if first == b'6' => panic!("in the function that makes layers, as planned"),
            1 => Odd { first, does, calls: Arc::default() },
            _ => Odd { first: b'.', does, calls: Arc::default() },
        });
        let mut other = connect(&running);
        assert_eq!(ask_plain(&mut other, "hello"), "hello!");
        let mut peer = connect(&running);
        let _ = peer.write_all(b"*\nbye\n");
        assert!(rest(&mut peer).len() <= b"*!\nsee you\n".len());
        until(&running, |stats| stats.open == 1);
        assert_eq!(ask_plain(&mut other, "still there?"), "still there?!");
        (running.stats().panicked, running.stats().done)
    };
    assert_eq!(panics(b'*', |_, _, _| panic!("in input, as planned")), (1, 0));
    for first in [b'3', b'4', b'6'] {
        assert_eq!(panics(first, BOMB), (1, 0), "{first}");
    }
    // The end of the connection was decided before.
    assert_eq!(panics(b'5', BOMB), (0, 1));
}
