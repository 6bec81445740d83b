//! The peers at the two sockets.

use super::*;

/// How a peer behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// Reads all, in pieces and with pauses.
    Reads,
    /// Ends its own stream first, and reads all.
    HalfCloses,
    /// Reads some, and then nothing more.
    Stalls,
    /// Resets the connection at some point.
    Resets,
    /// Closes the connection at some point.
    EndsEarly,
}

impl Manner {
    fn random(random: &mut Random) -> Self {
        match random.below(10) {
            0..=3 => Self::Reads,
            4 | 5 => Self::HalfCloses,
            6 => Self::Stalls,
            7 => Self::Resets,
            _ => Self::EndsEarly,
        }
    }

    /// Whether such a peer takes all that it is to get.
    pub(super) fn is_good(self) -> bool {
        matches!(self, Self::Reads | Self::HalfCloses)
    }
}

/// What a peer has got.
#[derive(Debug, Default)]
pub(super) struct Peer {
    pub(super) got: usize,
    pub(super) is_in_order: bool,
    /// The end was told, and is no reset.
    pub(super) is_whole: bool,
}

/// One end of a connection, plain or encrypted.
enum End {
    Plain(TcpStream),
    Client(Box<StreamOwned<ClientConnection, TcpStream>>),
    Server(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl End {
    fn stream(&mut self) -> &mut dyn ReadWrite {
        match self {
            Self::Plain(stream) => stream,
            Self::Client(stream) => stream,
            Self::Server(stream) => stream,
        }
    }

    fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Client(stream) => &stream.sock,
            Self::Server(stream) => &stream.sock,
        }
    }

    /// Ends the stream to the pool.
    fn end(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(_) => {}
            Self::Client(stream) => stream.conn.send_close_notify(),
            Self::Server(stream) => stream.conn.send_close_notify(),
        }
        self.stream().flush()?;
        if let Self::Plain(stream) = self {
            stream.shutdown(Shutdown::Write)?;
        }
        Ok(())
    }

    fn reset(self) {
        socket2::SockRef::from(self.socket()).set_linger(Some(Duration::ZERO)).unwrap();
    }
}

trait ReadWrite: Read + Write {}

impl<T: Read + Write> ReadWrite for T {}

/// What a client says, and how it behaves.
pub(super) struct Client {
    pub(super) manner: Manner,
    tls: Option<Arc<rustls::ClientConfig>>,
    /// The lines, each with the number of bytes that follow it for the target.
    lines: Vec<(String, usize)>,
    reads: Reads,
}

impl Client {
    pub(super) fn new(
        number: usize,
        tls: Option<Arc<rustls::ClientConfig>>,
        random: &mut Random,
    ) -> Self {
        let mut lines = vec![(format!("number {number}\n"), 0)];
        for _ in 0..random.below(6) {
            let (verb, most) = match random.below(4) {
                0 => ("back", 1 << 20),
                1 => ("out", 1 << 20),
                2 => ("file", 1 << 20),
                _ => ("pass", 100_000),
            };
            let count = random.below(most);
            lines.push((format!("{verb} {count}\n"), if verb == "pass" { count } else { 0 }));
        }
        let manner = Manner::random(random);
        if manner == Manner::Reads && random.below(2) == 0 {
            lines.push(("bye\n".to_owned(), 0));
        }
        Self { manner, tls, lines, reads: Reads::new(manner, random) }
    }
}

/// How a server behaves.
pub(super) struct Target {
    pub(super) manner: Manner,
    tls: Option<Arc<ServerConfig>>,
    reads: Reads,
}

impl Target {
    pub(super) fn new(tls: Option<Arc<ServerConfig>>, random: &mut Random) -> Self {
        let manner = Manner::random(random);
        Self { manner, tls, reads: Reads::new(manner, random) }
    }
}

/// How a peer reads.
struct Reads {
    piece: usize,
    pause: Duration,
    /// It stops behind so many bytes.
    stops_at: usize,
}

impl Reads {
    fn new(manner: Manner, random: &mut Random) -> Self {
        let piece = [512, 8_000, 64 * 1024, 256 * 1024][random.below(4)];
        let pause = Duration::from_micros(random.below(4) as u64 * 300);
        let stops_at = if manner.is_good() { usize::MAX } else { random.below(600_000) };
        Self { piece, pause, stops_at }
    }

    /// Reads until the end, or as far as the peer goes.
    fn run(&self, end: &mut End, pattern: &[u8]) -> Peer {
        let mut peer = Peer { is_in_order: true, ..Peer::default() };
        let mut piece = vec![0; self.piece];
        let begun = Instant::now();
        while peer.got < self.stops_at {
            match end.stream().read(&mut piece) {
                Ok(0) => {
                    peer.is_whole = true;
                    break;
                }
                Ok(read) => {
                    let expected = pattern.get(peer.got..peer.got + read);
                    peer.is_in_order &= expected == Some(&piece[..read]);
                    peer.got += read;
                    // Those who behave are never slower than the times of the pool.
                    if begun.elapsed() < Duration::from_millis(500) {
                        thread::sleep(self.pause);
                    }
                }
                Err(_) => break,
            }
        }
        peer
    }
}

/// Does at the end what such a peer does.
fn leave(manner: Manner, end: End, scene: &Scene) {
    match manner {
        Manner::Resets => end.reset(),
        Manner::Stalls => scene.wait(),
        _ => drop(end),
    }
}

/// Runs a client.
pub(super) fn client(
    address: SocketAddr,
    plan: Client,
    scene: &Scene,
    random: &mut Random,
) -> Peer {
    let pattern = &scene.pattern.bytes;
    let Client { manner, tls, lines, reads } = plan;
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(16 * 1024).unwrap();
    thread::sleep(Duration::from_millis(random.below(600) as u64));
    if socket.connect(&address.into()).is_err() {
        scene.asked();
        // The pool drains.
        return Peer { is_in_order: true, ..Peer::default() };
    }
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut end = match tls {
        Some(config) => {
            let session = ClientConnection::new(config, "localhost".try_into().unwrap()).unwrap();
            End::Client(Box::new(StreamOwned::new(session, stream)))
        }
        None => End::Plain(stream),
    };
    // What it says fits the buffers of the two sockets, so that it need not read meanwhile.
    let (mut for_target, mut has_failed) = (0, false);
    for (line, follows) in lines {
        let (verb, count) = line.trim_end().split_once(' ').unwrap_or(("", "0"));
        let count: usize = count.parse().unwrap();
        let said = end
            .stream()
            .write_all(line.as_bytes())
            .and_then(|()| end.stream().write_all(&pattern[for_target..for_target + follows]));
        if matches!(verb, "out" | "file" | "pass") {
            for_target += count;
        }
        if said.is_err() {
            has_failed = true;
            break;
        }
        thread::sleep(Duration::from_millis(random.below(3) as u64 * 20));
    }
    if manner == Manner::HalfCloses {
        let _ = end.end();
    }
    let mut peer = reads.run(&mut end, pattern);
    // The error of a reset is told once, and then it looks like an end.
    peer.is_whole &= !has_failed;
    scene.asked();
    leave(manner, end, scene);
    peer
}

/// Runs a server. Returns the number that the connection's client has told, if it has.
pub(super) fn target(stream: TcpStream, plan: Target, scene: &Scene) -> Option<(usize, Peer)> {
    let Target { manner, tls, reads } = plan;
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut end = match tls {
        Some(config) => {
            let session = ServerConnection::new(config).unwrap();
            End::Server(Box::new(StreamOwned::new(session, stream)))
        }
        None => End::Plain(stream),
    };
    let mut number = [0; 8];
    end.stream().read_exact(&mut number).ok()?;
    if manner == Manner::HalfCloses {
        let _ = end.end();
    }
    let peer = reads.run(&mut end, &scene.pattern.bytes);
    leave(manner, end, scene);
    Some((usize::from_be_bytes(number), peer))
}
