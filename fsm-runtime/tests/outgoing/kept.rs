use super::*;

/// A subscriber: it says who it is and then hears news.
#[state_machine(start = Hello, eof => Gone, limit => Gone)]
enum Hearing {
    #[run]
    #[to(News)]
    Hello,
    #[read(until = b"\n", max = 1KiB, idle = 60s => Gone)]
    #[to(News | Gone)]
    #[rest]
    News,
    #[end]
    Gone,
}

struct Hearer(mpsc::Sender<String>);

impl hearing::Handler for Hearer {
    fn hello(&mut self, cx: &mut Cx<'_>) -> hearing::AfterHello {
        cx.write(b"hello\n");
        hearing::AfterHello::News
    }

    fn news(&mut self, line: &[u8], _: &mut Cx<'_>) -> hearing::AfterNews {
        let line = String::from_utf8_lossy(line).into_owned();
        let ends = line == "end";
        let _ = self.0.send(line);
        if ends { hearing::AfterNews::Gone } else { hearing::AfterNews::News }
    }
}

#[test]
fn c3_a_pool_keeps_its_number_of_connections_and_replaces_those_that_end() {
    let server = Server::start(|line| Some(format!("{line} you")));
    let (sender, news) = mpsc::channel();
    let builder = Pool::builder::<Hearing>("hearing")
        .connect(server.address.to_string())
        .connections(5)
        .retry(Duration::from_millis(1)..=Duration::from_millis(5));
    let handle = builder.handle();
    let running = builder.handler(move |_| Hearer(sender.clone())).start().unwrap();
    for _ in 0..5 {
        assert_eq!(news.recv_timeout(Duration::from_secs(20)).unwrap(), "hello you");
    }
    assert_eq!(handle.stats().open, 5);
    let stats = running.drain().unwrap();
    assert_eq!((stats.accepted, stats.drained), (5, 5));

    // A server that ends each connection.
    let server = Server::start(|_| Some("end".to_owned()));
    let (sender, news) = mpsc::channel();
    let builder = Pool::builder::<Hearing>("hearing")
        .connect(server.address.to_string())
        .connections(2)
        .retry(Duration::from_millis(1)..=Duration::from_millis(5));
    let running = builder.handler(move |_| Hearer(sender.clone())).start().unwrap();
    for _ in 0..20 {
        assert_eq!(news.recv_timeout(Duration::from_secs(20)).unwrap(), "end");
    }
    running.drain().unwrap();
}

#[test]
fn c4_thousands_of_connections_are_opened_some_at_a_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, news) = mpsc::channel();
    let builder = Pool::builder::<Hearing>("hearing").connect(address.to_string()).connections(700);
    let handle = builder.handle();
    let running = builder.handler(move |_| Hearer(sender.clone())).start().unwrap();
    let mut streams = Vec::new();
    for _ in 0..700 {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"welcome\n").unwrap();
        streams.push(stream);
    }
    for _ in 0..700 {
        assert_eq!(news.recv_timeout(Duration::from_secs(20)).unwrap(), "welcome");
    }
    assert_eq!(handle.stats().open, 700);
    let stats = running.drain().unwrap();
    assert_eq!((stats.accepted, stats.open, stats.connect_failures), (700, 0, 0));
}

#[test]
fn c3_the_connections_of_clients_are_none_of_those_that_are_kept() {
    let server = Server::start(|_| Some("end".to_owned()));
    let (sender, news) = mpsc::channel();
    let builder = Pool::builder::<Hearing>("hearing")
        .listen("127.0.0.1:0")
        .connect(server.address.to_string())
        .retry(Duration::from_millis(1)..=Duration::from_millis(5));
    let running = builder.handler(move |_| Hearer(sender.clone())).start().unwrap();
    let address: SocketAddr = running.addresses()[0].to_string().parse().unwrap();
    let clients: Vec<_> = (0..3).map(|_| TcpStream::connect(address).unwrap()).collect();
    for _ in 0..20 {
        assert_eq!(news.recv_timeout(Duration::from_secs(20)).unwrap(), "end");
    }
    drop(clients);
    running.drain().unwrap();
}
