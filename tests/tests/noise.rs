//! Noise below machines, with `snow`: the layer of the guide beside a client that uses `snow` by itself (E5).
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use fsm_runtime::prelude::*;
use fsm_runtime::{Layer, LayerEnd, LayerError, LayerInput, LayerSide, Running};
use fsm_tests::eventually;
use snow::{Builder, HandshakeState, TransportState};

const PATTERN: &str = "Noise_XX_25519_ChaChaPoly_BLAKE2s";
/// The bytes that encryption adds to a message.
const TAG: usize = 16;

/// Noise, each message behind two bytes of length. One without text is the end.
enum Noise {
    Handshake(Box<HandshakeState>),
    Open(Box<TransportState>),
    /// Between the two.
    Changes,
}

impl Noise {
    fn new(side: LayerSide<'_>, key: &[u8]) -> Self {
        let builder = Builder::new(PATTERN.parse().unwrap()).local_private_key(key).unwrap();
        let state = match side {
            LayerSide::Accepted => builder.build_responder(),
            _ => builder.build_initiator(),
        };
        Self::Handshake(Box::new(state.unwrap()))
    }

    /// The public key of the peer.
    fn peer(&self) -> Option<&[u8]> {
        match self {
            Self::Open(open) => open.get_remote_static(),
            _ => None,
        }
    }

    /// Says the next message of the handshake if it is our turn, and begins if it is over.
    fn go_on(&mut self, wire: &mut Vec<u8>) -> Result<(), LayerError> {
        if let Self::Handshake(state) = self {
            if state.is_my_turn() && !state.is_handshake_finished() {
                let mut message = [0; 256];
                let length = state.write_message(&[], &mut message)?;
                wire.extend(u16::try_from(length)?.to_be_bytes());
                wire.extend_from_slice(&message[..length]);
            }
            if state.is_handshake_finished()
                && let Self::Handshake(state) = std::mem::replace(self, Self::Changes)
            {
                *self = Self::Open(Box::new(state.into_transport_mode()?));
            }
        }
        Ok(())
    }
}

impl Layer for Noise {
    fn input(
        &mut self,
        wire: &mut [u8],
        plain: &mut [u8],
        reply: &mut Vec<u8>,
    ) -> Result<LayerInput, LayerError> {
        self.go_on(reply)?;
        let [high, low, rest @ ..] = &*wire else { return Ok(LayerInput::MORE) };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some(message) = rest.get(..length) else { return Ok(LayerInput::MORE) };
        let (read, ended) = match self {
            Self::Handshake(state) => (state.read_message(message, plain)?, false),
            Self::Open(state) => (state.read_message(message, plain)?, length == TAG),
            Self::Changes => return Err("the handshake has failed".into()),
        };
        self.go_on(reply)?;
        Ok(LayerInput { used: 2 + length, plain: read, ended })
    }

    fn output(&mut self, plain: &[u8], wire: &mut Vec<u8>) -> Result<usize, LayerError> {
        let Self::Open(state) = self else { return Ok(0) };
        wire.extend(u16::try_from(plain.len() + TAG)?.to_be_bytes());
        let at = wire.len();
        wire.resize(at + plain.len() + TAG, 0);
        state.write_message(plain, &mut wire[at..])?;
        Ok(plain.len())
    }

    fn is_handshaking(&self) -> bool {
        !matches!(self, Self::Open(_))
    }

    fn end(&self) -> LayerEnd {
        LayerEnd::Unsaid
    }

    fn close(&mut self, wire: &mut Vec<u8>) -> Result<(), LayerError> {
        self.output(&[], wire).map(drop)
    }
}

/// Answers lines, and says who asks.
#[state_machine(start = Line, eof => Gone, limit => Gone)]
enum Lines {
    #[read(until = b"\n", max = 256KiB, within = 20s => Gone)]
    #[to(Line | Gone)]
    #[rest]
    Line,
    #[end]
    Gone,
}

struct Client;

impl lines::Handler for Client {
    fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> lines::AfterLine {
        match line {
            b"bye" => return lines::AfterLine::Gone,
            b"who" => {
                let peer = cx.layer::<Noise>().unwrap().peer().unwrap().to_vec();
                cx.write(&peer);
            }
            line => cx.write(line),
        }
        cx.write(b"\n");
        lines::AfterLine::Line
    }
}

fn start() -> (Running, Vec<u8>) {
    let keys = Builder::new(PATTERN.parse().unwrap()).generate_keypair().unwrap();
    let private = keys.private;
    let lines = Pool::builder::<Lines>("lines").layer(move |side| Noise::new(side, &private));
    let lines = lines.linger(Duration::from_millis(200)).listen("127.0.0.1:0");
    (lines.handler(|_peer| Client).start().unwrap(), keys.public)
}

/// A client that blocks.
struct Blocking {
    stream: TcpStream,
    state: TransportState,
}

impl Blocking {
    fn connect(running: &Running, key: &[u8]) -> Self {
        let mut stream = TcpStream::connect(running.addresses()[0].to_string()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let builder = Builder::new(PATTERN.parse().unwrap()).local_private_key(key).unwrap();
        let mut state = builder.build_initiator().unwrap();
        let mut buffer = [0; 256];
        while !state.is_handshake_finished() {
            if state.is_my_turn() {
                let length = state.write_message(&[], &mut buffer).unwrap();
                write(&mut stream, &buffer[..length]);
            } else {
                state.read_message(&read(&mut stream), &mut buffer).unwrap();
            }
        }
        Self { stream, state: state.into_transport_mode().unwrap() }
    }

    fn send(&mut self, text: &[u8]) {
        let mut message = vec![0; text.len() + TAG];
        self.state.write_message(text, &mut message).unwrap();
        write(&mut self.stream, &message);
    }

    fn receive(&mut self) -> Vec<u8> {
        let message = read(&mut self.stream);
        let mut text = vec![0; message.len()];
        let length = self.state.read_message(&message, &mut text).unwrap();
        text.truncate(length);
        text
    }
}

fn write(stream: &mut TcpStream, message: &[u8]) {
    let length = u16::try_from(message.len()).unwrap();
    stream.write_all(&[&length.to_be_bytes(), message].concat()).unwrap();
}

fn read(stream: &mut TcpStream) -> Vec<u8> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).unwrap();
    let mut message = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut message).unwrap();
    message
}

#[test]
fn e5_a_client_that_uses_snow_by_itself_is_served_and_known() {
    let (running, _) = start();
    let keys = Builder::new(PATTERN.parse().unwrap()).generate_keypair().unwrap();
    let mut peer = Blocking::connect(&running, &keys.private);
    peer.send(b"hello\nwho\n");
    assert_eq!(peer.receive(), [b"hello\n", &*keys.public, b"\n"].concat());
    // The largest message that Noise has, in both directions in parts.
    let text = [vec![b'x'; 65_535 - TAG], vec![b'y'; 100_000], vec![b'\n']].concat();
    for part in text.chunks(65_535 - TAG) {
        peer.send(part);
    }
    let mut got = Vec::new();
    while got.len() < text.len() {
        got.extend(peer.receive());
    }
    assert!(got == text);
    peer.send(b"bye\n");
    assert_eq!(peer.receive(), b"", "the end is told");
    eventually("the end", || running.stats().done == 1);
}

#[test]
fn e9_a_message_that_was_changed_on_the_way_ends_the_connection() {
    let (running, _) = start();
    let keys = Builder::new(PATTERN.parse().unwrap()).generate_keypair().unwrap();
    let mut peer = Blocking::connect(&running, &keys.private);
    write(&mut peer.stream, &[b'x'; 40]);
    eventually("the end", || running.stats().layer_failures == 1);
}

/// Asks a server with lines.
#[state_machine(start = Free, job = Vec<u8>, reply = Option<Vec<u8>>, eof => Cut, limit => Cut)]
enum Ask {
    #[job(eof => Gone, idle = 50s => Gone)]
    #[to(Answer)]
    #[rest]
    Free,
    #[read(until = b"\n", max = 256KiB, within = 20s => Cut)]
    #[to(Free)]
    Answer,
    #[run]
    #[to(Gone)]
    Cut,
    #[end]
    Gone,
}

struct Asker;

impl ask::Handler for Asker {
    fn free(&mut self, job: Vec<u8>, cx: &mut Cx<'_>) -> ask::AfterFree {
        cx.write(&job);
        cx.write(b"\n");
        ask::AfterFree::Answer
    }

    fn answer(&mut self, line: &[u8], _: &mut Cx<'_>) -> ask::AfterAnswer {
        ask::AfterAnswer::Free { reply: Some(line.to_vec()) }
    }

    fn cut(&mut self, _: &mut Cx<'_>) -> ask::AfterCut {
        ask::AfterCut::Gone { reply: None }
    }
}

#[test]
fn e5_two_pools_talk_over_noise() {
    let (server, _) = start();
    let keys = Builder::new(PATTERN.parse().unwrap()).generate_keypair().unwrap();
    let (private, public) = (keys.private, keys.public);
    let asks = Pool::builder::<Ask>("ask").layer(move |side| Noise::new(side, &private));
    let asks = asks.connect(server.addresses()[0].to_string()).handler(|_server| Asker);
    let jobs = asks.submitter::<Ask>().unwrap();
    let _running = asks.start().unwrap();
    let ask = |line: &[u8]| jobs.submit(line.to_vec()).unwrap().wait().flatten();
    assert_eq!(ask(b"hello").as_deref(), Some(&b"hello"[..]));
    // A key may have a line's end in it, which ends the answer.
    let line = public.split(|byte| *byte == b'\n').next().unwrap();
    assert_eq!(ask(b"who").as_deref(), Some(line));
}
