use super::*;
use std::sync::mpsc;

/// Takes everything until the end of the stream, and reports it.
#[state_machine(start = Upload, eof => Whole)]
enum Uploads {
    #[read(some, max = 16KiB, idle = 20s => Gone)]
    #[to(Upload)]
    Upload,
    #[run]
    #[to(Gone)]
    Whole,
    #[end]
    Gone,
}

struct Collects {
    got: Vec<u8>,
    whole: mpsc::Sender<Vec<u8>>,
}

impl uploads::Handler for Collects {
    fn upload(&mut self, bytes: &[u8], _: &mut Cx<'_>) -> uploads::AfterUpload {
        self.got.extend_from_slice(bytes);
        uploads::AfterUpload::Upload
    }

    fn whole(&mut self, _: &mut Cx<'_>) -> uploads::AfterWhole {
        let _ = self.whole.send(std::mem::take(&mut self.got));
        uploads::AfterWhole::Gone
    }
}

/// A client that sends `text`, ends its stream, and is cut off after so many bytes of ciphertext. Returns whether
/// all of it left.
fn upload(address: SocketAddr, config: Arc<rustls::ClientConfig>, text: &[u8], cut: usize) -> bool {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut session = ClientConnection::new(config, "localhost".try_into().unwrap()).unwrap();
    session.writer().write_all(text).unwrap();
    let mut left = cut;
    let mut closed = false;
    loop {
        let mut out = Vec::new();
        while session.wants_write() {
            session.write_tls(&mut out).unwrap();
        }
        let allowed = out.len().min(left);
        stream.write_all(&out[..allowed]).unwrap();
        left -= allowed;
        if allowed < out.len() {
            stream.shutdown(Shutdown::Write).unwrap();
            // It ends when the server does.
            let _ = io::copy(&mut stream, &mut io::sink());
            return false;
        }
        if session.is_handshaking() {
            session.read_tls(&mut stream).unwrap();
            session.process_new_packets().unwrap();
        } else if !closed {
            session.send_close_notify();
            closed = true;
        } else {
            stream.shutdown(Shutdown::Write).unwrap();
            let _ = io::copy(&mut stream, &mut io::sink());
            return true;
        }
    }
}

#[test]
fn e3_a_stream_that_is_cut_off_anywhere_does_not_pass_for_whole() {
    let authority = Authority::new();
    let (sender, whole) = mpsc::channel();
    let running = Pool::builder::<Uploads>("uploads")
        .tls(server_config(&authority, "localhost"))
        .listen("127.0.0.1:0")
        .handler(move |_peer| Collects { got: Vec::new(), whole: sender.clone() })
        .start()
        .unwrap();
    let address: SocketAddr = running.addresses()[0].to_string().parse().unwrap();
    let mut config = client_config(&authority);
    config.resumption = rustls::client::Resumption::disabled();
    let config = Arc::new(config);
    let text = b"all of this belongs together";
    let mut cut = 0;
    while !upload(address, Arc::clone(&config), text, cut) {
        cut += 1;
        assert!(cut < 5_000);
    }
    assert!(cut > 300, "the handshake and the text have more bytes than {cut}");
    until(|| running.stats().open == 0);
    let stats = running.stats();
    // Those who leave during the handshake have begun nothing.
    let whole: Vec<_> = whole.try_iter().filter(|upload| !upload.is_empty()).collect();
    assert_eq!(whole, [text]);
    // All bytes of the record of the text, and of the one that ends the stream.
    assert!(stats.truncated >= 74, "{stats:?}");
}

#[test]
fn e3_a_peer_that_rests_may_leave_without_a_word() {
    let server = Server::start();
    let mut peer = server.connect();
    assert_eq!(ask(&mut peer, "hello"), "hello!");
    drop(peer);
    server.until(|stats| stats.done == 1);

    let mut peer = server.connect();
    assert_eq!(ask(&mut peer, "hello"), "hello!");
    peer.get_mut().write_all(b"half a li").unwrap();
    drop(peer);
    server.until(|stats| stats.truncated == 1);
}

#[test]
fn e3_a_record_that_is_cut_off_is_no_end_at_rest_either() {
    let server = Server::start();
    let mut peer = server.connect();
    assert_eq!(ask(&mut peer, "hello"), "hello!");
    let StreamOwned { conn, sock } = peer.get_mut();
    conn.writer().write_all(b"more\n").unwrap();
    let mut record = Vec::new();
    conn.write_tls(&mut record).unwrap();
    sock.write_all(&record[..record.len() - 1]).unwrap();
    sock.shutdown(Shutdown::Write).unwrap();
    server.until(|stats| stats.truncated == 1);
}
