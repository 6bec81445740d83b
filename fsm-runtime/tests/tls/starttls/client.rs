//! A client with STARTTLS, and TLS that begins with the connection in a state.

use super::*;

/// Sends one mail.
#[state_machine(start = Greeting, eof => Lost, limit => Lost, within = 10s => Lost)]
enum Submit {
    #[read(until = b"\r\n", max = 1KiB)]
    #[to(Answer)]
    Greeting,
    #[read(until = b"\r\n", max = 1KiB)]
    #[to(Answer | Secure | Gone)]
    Answer,
    #[tls(error => Failed)]
    #[to(Answer)]
    Secure,
    #[run]
    #[to(Gone)]
    Failed {
        #[error]
        why: io::Error,
    },
    #[run]
    #[to(Gone)]
    Lost,
    #[end]
    Gone,
}

struct Submits(Log);

impl submit::Handler for Submits {
    fn greeting(&mut self, _: &[u8], cx: &mut Cx<'_>) -> submit::AfterGreeting {
        cx.write(b"STARTTLS\r\n");
        submit::AfterGreeting::Answer
    }

    fn answer(&mut self, line: &[u8], cx: &mut Cx<'_>) -> submit::AfterAnswer {
        let line = String::from_utf8_lossy(line).into_owned();
        self.0.lock().unwrap().push(line.clone());
        match &*line {
            "220 go ahead" => submit::AfterAnswer::Secure,
            "250 ok" => {
                cx.write(b"QUIT\r\n");
                submit::AfterAnswer::Answer
            }
            _ => submit::AfterAnswer::Gone,
        }
    }

    fn secure(&mut self, tls: TlsSession<'_>, cx: &mut Cx<'_>) -> submit::AfterSecure {
        self.0.lock().unwrap().push(format!("secured {}", tls.certificates().len()));
        cx.write(b"MAIL FROM:<a@b>\r\n");
        submit::AfterSecure::Answer
    }

    fn failed(&mut self, why: &mut io::Error, _: &mut Cx<'_>) -> submit::AfterFailed {
        self.0.lock().unwrap().push(format!("failed: {why}"));
        submit::AfterFailed::Gone
    }

    fn lost(&mut self, _: &mut Cx<'_>) -> submit::AfterLost {
        self.0.lock().unwrap().push("lost".to_owned());
        submit::AfterLost::Gone
    }
}

/// Answers one client: plain until it says STARTTLS, and from then on with rustls.
pub(super) fn relay_host(authority: &Authority, name: &str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let config = Arc::new(server_config(authority, name));
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"220 relay\r\n").unwrap();
        let mut said = [0; 10];
        stream.read_exact(&mut said).unwrap();
        assert_eq!(&said, b"STARTTLS\r\n");
        stream.write_all(b"220 go ahead\r\n").unwrap();
        let session = ServerConnection::new(config).unwrap();
        let mut peer = BufReader::new(StreamOwned::new(session, stream));
        let mut said = String::new();
        while peer.read_line(&mut said).is_ok_and(|bytes| bytes > 0) {
            let answer: &[u8] = if said == "QUIT\r\n" { b"221 bye\r\n" } else { b"250 ok\r\n" };
            peer.get_mut().write_all(answer).unwrap();
            said.clear();
        }
    });
    address
}

fn submit(target: String, client: impl Into<TlsClient>) -> (Running, Log) {
    let log = Log::default();
    let running = Pool::builder::<Submit>("submit")
        .tls_client(client)
        .connect(target)
        .connections(1)
        .handler({
            let log = Arc::clone(&log);
            move |_server| Submits(Arc::clone(&log))
        })
        .start()
        .unwrap();
    (running, log)
}

#[test]
fn e1_a_client_begins_tls_in_a_state_and_checks_the_server() {
    let authority = Authority::new();
    let target = format!("localhost:{}", relay_host(&authority, "localhost").port());
    let (_running, log) = submit(target, client_config(&authority));
    until(|| log.lock().unwrap().len() >= 4);
    assert_eq!(log.lock().unwrap()[..4], ["220 go ahead", "secured 1", "250 ok", "221 bye"]);

    let target = format!("localhost:{}", relay_host(&authority, "elsewhere").port());
    let (_running, log) = submit(target, client_config(&authority));
    until(|| log.lock().unwrap().len() >= 2);
    let failed = log.lock().unwrap()[1].clone();
    assert!(failed.starts_with("failed: invalid peer certificate"), "{failed}");
}

/// TLS begins with the connection, behind a PROXY header.
#[state_machine(start = Header, eof => Gone, limit => Gone, within = 10s => Gone, refused => Gone)]
enum Behind {
    #[read(frame = fsm_runtime::proxy::Header, max = 256)]
    #[to(Secure)]
    Header,
    #[tls(error => Gone)]
    #[to(Line)]
    Secure,
    #[read(until = b"\n", max = 80)]
    #[to(Line)]
    Line,
    #[end]
    Gone,
}

struct Shouts;

impl behind::Handler for Shouts {
    fn header(&mut self, _: fsm_runtime::proxy::Origin<'_>, _: &mut Cx<'_>) -> behind::AfterHeader {
        behind::AfterHeader::Secure
    }

    fn secure(&mut self, _: TlsSession<'_>, cx: &mut Cx<'_>) -> behind::AfterSecure {
        cx.write(b"welcome\n");
        behind::AfterSecure::Line
    }

    fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> behind::AfterLine {
        cx.write(&line.to_ascii_uppercase());
        cx.write(b"\n");
        behind::AfterLine::Line
    }
}

#[test]
fn e2_a_proxy_header_and_a_client_hello_in_one_segment_work() {
    let authority = Authority::new();
    let running = Pool::builder::<Behind>("behind")
        .tls(server_config(&authority, "localhost"))
        .listen("127.0.0.1:0")
        .handler(|_peer| Shouts)
        .start()
        .unwrap();
    let address: SocketAddr = running.addresses()[0].to_string().parse().unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let name = "localhost".try_into().unwrap();
    let mut session = ClientConnection::new(client_config(&authority).into(), name).unwrap();
    let mut first = b"PROXY TCP4 192.0.2.1 192.0.2.2 5 443\r\n".to_vec();
    session.write_tls(&mut first).unwrap();
    stream.write_all(&first).unwrap();
    let mut peer = BufReader::new(StreamOwned::new(session, stream));
    assert_eq!(ask(&mut peer, "hello"), "welcome");
    assert_eq!(line(&mut peer), "HELLO");
}
