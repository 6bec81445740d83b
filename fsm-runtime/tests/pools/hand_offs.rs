//! Connections that move to another pool.

use super::*;

/// Accepts clients, and hands subscribers over to the other pool.
#[state_machine(start = Hello, eof => Gone, limit => Gone)]
enum Gate {
    #[read(until = b"\n", max = 80, idle = 60s => Gone)]
    #[to(Hello | Subscribing)]
    #[rest]
    Hello,
    #[handoff(News, within = 10s => Gone, gone => Gone)]
    Subscribing,
    #[end]
    Gone,
}

impl gate::Handler for Client {
    fn hello(&mut self, line: &[u8], cx: &mut Cx<'_>) -> gate::AfterHello {
        if let Some(topic) = line.strip_prefix(b"news ") {
            writeln!(cx, "goodbye");
            return gate::AfterHello::Subscribing {
                seed: String::from_utf8_lossy(topic).into_owned(),
            };
        }
        writeln!(cx, "hello");
        gate::AfterHello::Hello
    }
}

#[state_machine(start = Start, seed = String, message = String, eof => Gone, limit => Gone)]
enum News {
    #[run]
    #[to(Line)]
    Start { topic: String },
    #[read(until = b"\n", max = 80, idle = 60s => Gone)]
    #[to(Line | Waiting)]
    #[rest]
    Line,
    #[message(within = never)]
    #[to(Waiting)]
    #[rest]
    Waiting,
    #[end]
    Gone,
}

struct Reader {
    topic: String,
    keys: mpsc::Sender<Key>,
}

impl news::Handler for Reader {
    fn start(&mut self, topic: &mut String, cx: &mut Cx<'_, String>) -> news::AfterStart {
        self.topic = std::mem::take(topic);
        writeln!(cx, "news of {}", self.topic);
        news::AfterStart::Line
    }

    fn line(&mut self, line: &[u8], cx: &mut Cx<'_, String>) -> news::AfterLine {
        writeln!(cx, "{} heard {}", self.topic, String::from_utf8_lossy(line));
        if line == b"wait" {
            self.keys.send(cx.key()).unwrap();
            return news::AfterLine::Waiting;
        }
        news::AfterLine::Line
    }

    fn waiting(&mut self, text: String, cx: &mut Cx<'_, String>) -> news::AfterWaiting {
        writeln!(cx, "{text}");
        news::AfterWaiting::Waiting
    }
}

#[test]
fn x7_a_connection_moves_with_its_unread_input_and_unsent_output() {
    let (sender, keys) = mpsc::channel();
    let news = Pool::builder::<News>("news").shards(2);
    let handle = news.handle();
    let make = move |_| Reader { topic: String::new(), keys: sender.clone() };
    let gate = Pool::builder::<Gate>("gate").listen("127.0.0.1:0").handler(|_| Client);
    let running = Pipeline::new().pool(gate).pool(news.handler(make)).start().unwrap();
    let mut clients: Vec<_> = (0..50).map(|_| connect(&running)).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        // In one piece: the first pool reads the lines after the hand-off, and the second one
        // handles them.
        write!(client, "x\nnews t{number}\none\ntwo\nwait\n").unwrap();
    }
    for (number, client) in clients.iter_mut().enumerate() {
        let said = ["hello", "goodbye"].map(str::to_owned);
        let heard = ["one", "two", "wait"].map(|word| format!("t{number} heard {word}"));
        let expected = said.into_iter().chain([format!("news of t{number}")]).chain(heard);
        for expected in expected {
            assert_eq!(line(client), expected);
        }
    }
    for _ in 0..clients.len() {
        let key = keys.recv().unwrap();
        assert_eq!(handle.post(key, "it rains".to_owned()), Ok(()));
    }
    for client in &mut clients {
        assert_eq!(line(client), "it rains");
    }
    let stats = running.drain().unwrap();
    assert_eq!((stats.handed_off, stats.taken, stats.drained), (50, 50, 50));
    for client in &mut clients {
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
    }
}

#[test]
fn x7_a_hand_off_to_a_full_pool_waits_and_loses_nothing() {
    let (sender, keys) = mpsc::channel();
    let make = move |_| Reader { topic: String::new(), keys: sender.clone() };
    let news = Pool::builder::<News>("news").max_connections(1).handler(make);
    let gate = Pool::builder::<Gate>("gate").listen("127.0.0.1:0").handler(|_| Client);
    let running = Pipeline::new().pool(gate).pool(news).start().unwrap();
    let mut first = connect(&running);
    write!(first, "news a\nwait\n").unwrap();
    keys.recv().unwrap();
    let mut second = connect(&running);
    write!(second, "news b\nleft over\n").unwrap();
    assert_eq!(line(&mut second), "goodbye");
    while running.stats().waiting < 1 {
        std::thread::yield_now();
    }
    drop(first);
    assert_eq!(line(&mut second), "news of b");
    assert_eq!(line(&mut second), "b heard left over");
    drop(second);
    running.drain().unwrap();
}

/// Ends its stream to the client, and hands the connection over.
#[state_machine(start = Word, eof => Gone)]
enum Leaving {
    #[read(exact = 1, within = 60s => Gone)]
    #[to(Hush)]
    Word,
    #[shutdown(within = 60s => Gone)]
    #[to(Subscribing)]
    Hush,
    #[handoff(News, within = 10s => Gone, gone => Gone)]
    Subscribing,
    #[end]
    Gone,
}

impl leaving::Handler for Client {
    fn word(&mut self, _: &[u8; 1], cx: &mut Cx<'_>) -> leaving::AfterWord {
        write!(cx, "goodbye");
        leaving::AfterWord::Hush
    }

    fn hush(&mut self, _: &mut Cx<'_>) -> leaving::AfterHush {
        leaving::AfterHush::Subscribing { seed: "nothing".to_owned() }
    }
}

#[test]
fn g3_x7_a_connection_that_has_ended_its_stream_goes_on_reading_in_another_pool() {
    let (sender, keys) = mpsc::channel();
    let make = move |_| Reader { topic: String::new(), keys: sender.clone() };
    let news = Pool::builder::<News>("news").handler(make);
    let gate = Pool::builder::<Leaving>("gate").listen("127.0.0.1:0").handler(|_| Client);
    let running = Pipeline::new().pool(gate).pool(news).start().unwrap();
    let mut client = connect(&running);
    client.write_all(b"x").unwrap();
    let mut heard = String::new();
    client.read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "goodbye");
    // The other pool has written in vain, and reads.
    client.write_all(b"wait\n").unwrap();
    keys.recv_timeout(Duration::from_secs(20)).unwrap();
    drop(client);
    let stats = running.drain().unwrap();
    assert_eq!((stats.handed_off, stats.taken, stats.reset), (1, 1, 0));
}
