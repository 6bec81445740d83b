use super::*;

/// A client that answers jobs: a line for a line.
#[state_machine(start = Free, job = String, reply = Option<String>, eof => Cut, limit => Cut)]
enum Asking {
    #[job(idle = 60s => Gone, eof => Gone)]
    #[to(Answer)]
    #[rest]
    Free,
    #[read(until = b"\n", max = 1KiB, within = 20s => Cut)]
    #[to(Free)]
    Answer,
    #[run]
    #[to(Gone)]
    Cut,
    #[end]
    Gone,
}

struct Upstream;

impl asking::Handler for Upstream {
    fn free(&mut self, job: String, cx: &mut Cx<'_>) -> asking::AfterFree {
        writeln!(cx, "{job}");
        asking::AfterFree::Answer
    }

    fn answer(&mut self, line: &[u8], _: &mut Cx<'_>) -> asking::AfterAnswer {
        asking::AfterAnswer::Free { reply: Some(String::from_utf8_lossy(line).into_owned()) }
    }

    fn cut(&mut self, _: &mut Cx<'_>) -> asking::AfterCut {
        asking::AfterCut::Gone { reply: None }
    }
}

/// A server of rustls's own, which answers each line of one connection after another with itself in capitals.
fn shouting(authority: &Authority, name: &str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let config = Arc::new(server_config(authority, name));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let config = Arc::clone(&config);
            thread::spawn(move || {
                let session = ServerConnection::new(config).unwrap();
                let mut peer = BufReader::new(StreamOwned::new(session, stream.unwrap()));
                loop {
                    let mut line = String::new();
                    if !peer.read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
                        return;
                    }
                    if peer.get_mut().write_all(line.to_uppercase().as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

fn asking(target: String, client: TlsClient) -> (Running, Submitter<Asking>) {
    let pool = Pool::builder::<Asking>("asking")
        .tls_client(client)
        .connect(target)
        .handler(|_server| Upstream);
    let jobs = pool.submitter::<Asking>().unwrap();
    (pool.start().unwrap(), jobs)
}

fn reply(jobs: &Submitter<Asking>, question: &str) -> Option<String> {
    jobs.submit(question.to_owned()).unwrap().wait_for(Duration::from_secs(20)).unwrap().flatten()
}

#[test]
fn e1_connections_that_a_pool_opens_are_encrypted_and_their_servers_checked() {
    let authority = Authority::new();
    let address = shouting(&authority, "localhost");
    let target = format!("localhost:{}", address.port());
    let (running, jobs) = asking(target.clone(), client_config(&authority).into());
    for question in ["one", "two", "three"] {
        assert_eq!(reply(&jobs, question), Some(question.to_uppercase()));
    }
    assert_eq!(running.stats().accepted, 1);

    // The name in the certificate is another one.
    let elsewhere = shouting(&authority, "elsewhere");
    let target = format!("localhost:{}", elsewhere.port());
    let (running, jobs) = asking(target.clone(), client_config(&authority).into());
    assert_eq!(reply(&jobs, "one"), None);
    until(|| running.stats().tls_failures == 1);
    // Unless that name is expected.
    let client = TlsClient::new(client_config(&authority)).name("elsewhere".try_into().unwrap());
    let (_running, jobs) = asking(target, client);
    assert_eq!(reply(&jobs, "one").as_deref(), Some("ONE"));
}

#[test]
fn e1_settings_that_are_missing_are_told_at_the_start() {
    let authority = Authority::new();
    let listens = Pool::builder::<Lines>("lines")
        .tls_client(client_config(&authority))
        .listen("127.0.0.1:0")
        .handler(|_peer| Client);
    assert_eq!(
        listens.start().unwrap_err().to_string(),
        "the pool `lines` cannot encrypt all its connections: it listens; give it `and_tls(..)` with the \
         settings of a server"
    );
    let connects = Pool::builder::<Lines>("lines")
        .tls_client(client_config(&authority))
        .connect("unix:/run/nobody.sock")
        .handler(|_peer| Client);
    assert_eq!(
        connects.start().unwrap_err().to_string(),
        "the pool `lines` cannot encrypt all its connections: the target `unix:/run/nobody.sock` has no host \
         that a certificate could be for; set `TlsClient::name`"
    );
}
