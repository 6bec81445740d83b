//! Channels: SUBSCRIBE, PUBLISH and the rest of their commands.

use std::time::{Duration, Instant};

use fsm_tests::{Connection, Server, client, encode, eventually, run};

/// The array or the push of these texts, as a subscriber gets it.
fn message(kind: char, texts: &[&str]) -> Vec<u8> {
    let mut bytes = encode(texts);
    bytes[0] = u8::try_from(kind).expect("an ASCII character");
    bytes
}

/// The reply to a command about subscriptions.
fn confirmation(kind: char, word: &str, name: &str, count: usize) -> String {
    let word = format!("{kind}3\r\n${}\r\n{word}\r\n", word.len());
    format!("{word}${}\r\n{name}\r\n:{count}\r\n", name.len())
}

fn subscriber(server: &Server, channel: &str) -> Connection {
    let mut subscriber = Connection::new(server.address());
    subscriber.expect(&["SUBSCRIBE", channel], &confirmation('*', "subscribe", channel, 1));
    subscriber
}

/// The number of subscribers of a channel.
fn subscribers(one: &mut Connection, channel: &str) -> usize {
    let reply = one.command(&["PUBSUB", "NUMSUB", channel]);
    let reply = String::from_utf8(reply).expect("a reply of text");
    let number = reply.rsplit(':').next().and_then(|number| number.trim_end().parse().ok());
    number.unwrap_or_else(|| panic!("no number in {reply}"))
}

#[test]
fn subscribers_of_channels_and_patterns_hear_what_others_publish() {
    let server = Server::kv(&[]);
    let mut publisher = Connection::new(server.address());
    let mut hears = subscriber(&server, "news");
    hears.expect(&["PSUBSCRIBE", "n?ws"], &confirmation('*', "psubscribe", "n?ws", 2));
    publisher.expect(&["PUBLISH", "news", "hello"], ":2\r\n");
    publisher.expect(&["PUBLISH", "nows", "again"], ":1\r\n");
    publisher.expect(&["PUBLISH", "sports", "nobody"], ":0\r\n");
    assert_eq!(hears.reply(), message('*', &["message", "news", "hello"]));
    assert_eq!(hears.reply(), message('*', &["pmessage", "n?ws", "news", "hello"]));
    assert_eq!(hears.reply(), message('*', &["pmessage", "n?ws", "nows", "again"]));

    publisher.expect(&["PUBSUB", "CHANNELS"], "*1\r\n$4\r\nnews\r\n");
    publisher.expect(&["PUBSUB", "NUMPAT"], ":1\r\n");
    let list = String::from_utf8(publisher.command(&["CLIENT", "LIST", "TYPE", "pubsub"]));
    let list = list.expect("a reply of text");
    assert!(list.contains(" flags=P db=0 sub=1 psub=1 "), "{list}");

    hears.expect(&["UNSUBSCRIBE"], &confirmation('*', "unsubscribe", "news", 1));
    hears.expect(&["PUNSUBSCRIBE", "n?ws"], &confirmation('*', "punsubscribe", "n?ws", 0));
    hears.expect(&["UNSUBSCRIBE"], "*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n");
    publisher.expect(&["PUBLISH", "news", "nobody"], ":0\r\n");
    hears.expect(&["GET", "k"], "$-1\r\n");
    server.stop();
}

#[test]
fn a_subscriber_of_resp2_may_only_subscribe_ping_and_quit() {
    let server = Server::kv(&[]);
    let mut hears = subscriber(&server, "c");
    for (command, name) in [
        (&["GET", "k"][..], "get"),
        (&["PUBLISH", "c", "x"], "publish"),
        (&["MULTI"], "multi"),
        (&["HELLO", "3"], "hello"),
        (&["CLIENT", "ID"], "client|id"),
    ] {
        let error = format!(
            "-ERR Can't execute '{name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / \
             RESET are allowed in this context\r\n"
        );
        hears.expect(command, &error);
    }
    hears.expect(&["PING"], "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
    hears.expect(&["PING", "hi"], "*2\r\n$4\r\npong\r\n$2\r\nhi\r\n");
    hears.expect(&["QUIT"], "+OK\r\n");
    hears.expect_end();
    drop(hears);
    let mut one = Connection::new(server.address());
    eventually("the subscriber is gone", || subscribers(&mut one, "c") == 0);
    server.stop();
}

#[test]
fn in_resp3_pushes_and_replies_share_a_connection() {
    let server = Server::kv(&[]);
    let mut hears = Connection::new(server.address());
    assert!(hears.command(&["HELLO", "3"]).starts_with(b"%7\r\n"));
    hears.expect(&["SUBSCRIBE", "c"], &confirmation('>', "subscribe", "c", 1));
    hears.expect(&["SET", "k", "v"], "+OK\r\n");
    hears.expect(&["PING"], "+PONG\r\n");
    // A client that publishes to itself gets the message before the reply, as from Redis.
    hears.send(encode(&["PUBLISH", "c", "self"]));
    assert_eq!(hears.reply(), message('>', &["message", "c", "self"]));
    assert_eq!(hears.reply(), b":1\r\n");
    Connection::new(server.address()).expect(&["PUBLISH", "c", "other"], ":1\r\n");
    assert_eq!(hears.reply(), message('>', &["message", "c", "other"]));
    hears.expect(&["GET", "k"], "$1\r\nv\r\n");
    server.stop();
}

#[test]
fn a_transaction_may_subscribe_and_publish() {
    let server = Server::kv(&[]);
    let mut hears = subscriber(&server, "c");
    let mut one = Connection::new(server.address());
    one.expect(&["MULTI"], "+OK\r\n");
    for command in [&["PUBLISH", "c", "1"][..], &["PUBLISH", "c", "2"], &["SUBSCRIBE", "d"]] {
        one.expect(command, "+QUEUED\r\n");
    }
    let subscribed = confirmation('*', "subscribe", "d", 1);
    one.expect(&["EXEC"], &format!("*3\r\n:1\r\n:1\r\n{subscribed}"));
    one.expect(&["PING"], "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
    assert_eq!(hears.reply(), message('*', &["message", "c", "1"]));
    assert_eq!(hears.reply(), message('*', &["message", "c", "2"]));
    server.stop();
}

#[test]
fn each_subscriber_hears_the_messages_of_a_publisher_in_order() {
    const MESSAGES: usize = 2_000;
    let server = Server::kv(&[]);
    let mut hear: Vec<_> = (0..5).map(|_| subscriber(&server, "c")).collect();
    let address = server.address();
    let publish = |name: &str| {
        let mut publisher = Connection::new(address);
        for first in (0..MESSAGES).step_by(100) {
            let texts = (first..first + 100).map(|n| format!("{name} {n}"));
            publisher
                .send(texts.flat_map(|text| encode(&["PUBLISH", "c", &text])).collect::<Vec<_>>());
            for _ in 0..100 {
                assert_eq!(publisher.reply(), b":5\r\n");
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| publish("a"));
        scope.spawn(|| publish("b"));
        for one in &mut hear {
            scope.spawn(move || {
                let mut next = [0, 0];
                for _ in 0..2 * MESSAGES {
                    let reply = String::from_utf8(one.reply()).expect("a message of text");
                    let text = reply.trim_end().rsplit("\r\n").next().expect("it has lines");
                    let (name, number) = text.split_once(' ').expect("a name and a number");
                    let next = &mut next[usize::from(name == "b")];
                    assert_eq!(number, next.to_string());
                    *next += 1;
                }
            });
        }
    });
    server.stop();
}

/// Publishes until a subscriber that does not read is gone, and returns the number of messages that another
/// one, which reads, got.
fn outrun(server: &Server, text: &str) -> usize {
    let mut slow = subscriber(server, "c");
    let mut reads = subscriber(server, "c");
    let mut publisher = Connection::new(server.address());
    let (mut sent, begin) = (0, Instant::now());
    while subscribers(&mut publisher, "c") == 2 {
        publisher.send(encode(&["PUBLISH", "c", text]).repeat(100));
        for _ in 0..100 {
            assert!(publisher.reply().starts_with(b":"));
            assert_eq!(reads.reply(), message('*', &["message", "c", text]));
        }
        sent += 100;
        assert!(begin.elapsed() < Duration::from_secs(100), "{sent} messages, and no end");
    }
    // The slow one gets what was sent before, and the end of the stream or a reset.
    while slow.try_reply().is_ok_and(|reply| !reply.is_empty()) {}
    sent
}

#[test]
fn a_subscriber_above_the_hard_limit_is_ended_and_nobody_waits_for_it() {
    let server = Server::kv(&["--client-output-buffer-limit", "pubsub 1mb 0 0"]);
    let published = outrun(&server, &"x".repeat(10_000));
    println!("{published} messages of 10 kB");
    assert!(published >= 100, "{published} messages of 10 kB are less than the limit");
    let mut one = Connection::new(server.address());
    // Half a megabyte is below the limit of a subscriber that reads, and two are above it.
    let mut hears = subscriber(&server, "large");
    let text = "y".repeat(500_000);
    one.expect(&["PUBLISH", "large", &text], ":1\r\n");
    assert_eq!(hears.reply(), message('*', &["message", "large", &text]));
    one.expect(&["PUBLISH", "large", &"z".repeat(2_000_000)], ":1\r\n");
    hears.expect_end();
    server.stop();
}

#[test]
fn a_subscriber_above_the_soft_limit_is_ended_after_its_time() {
    let server = Server::kv(&[]);
    let mut one = Connection::new(server.address());
    let limit = "client-output-buffer-limit";
    one.expect(&["CONFIG", "SET", limit, "pubsub 0 100kb 1"], "+OK\r\n");
    let shown = "normal 0 0 0 slave 0 0 0 pubsub 0 102400 1";
    let reply = format!("*2\r\n$26\r\n{limit}\r\n${}\r\n{shown}\r\n", shown.len());
    one.expect(&["CONFIG", "GET", limit], &reply);
    // Nobody publishes while the time passes.
    let (mut slow, begin) = (subscriber(&server, "c"), Instant::now());
    for _ in 0..100 {
        one.expect(&["PUBLISH", "c", &"x".repeat(100_000)], ":1\r\n");
    }
    eventually("the slow subscriber is gone", || subscribers(&mut one, "c") == 0);
    assert!(begin.elapsed() > Duration::from_secs(1), "{:?}", begin.elapsed());
    while slow.try_reply().is_ok_and(|reply| !reply.is_empty()) {}
    server.stop();
}

#[test]
fn a_subscriber_with_a_full_mailbox_is_ended() {
    let server = Server::kv(&["--client-output-buffer-limit", "pubsub 0 0 0"]);
    let published = outrun(&server, &"x".repeat(100));
    println!("{published} messages of 100 bytes");
    assert!(published >= 1 << 16, "{published} messages are less than a mailbox holds");
    server.stop();
}

/// Messages that are larger than the output which a connection may have queued.
#[test]
fn large_messages_arrive_whole_at_a_subscriber_that_reads_late() {
    let server = Server::kv(&[]);
    let mut hears = subscriber(&server, "c");
    let mut publisher = Connection::new(server.address());
    let texts = ["a", "b", "c"].map(|letter| letter.repeat(5_000_000));
    for text in &texts {
        publisher.expect(&["PUBLISH", "c", text], ":1\r\n");
    }
    for text in &texts {
        assert_eq!(hears.reply(), message('*', &["message", "c", text]));
    }
    hears.expect(&["PING"], "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
    server.stop();
}

#[test]
fn a_killed_subscriber_that_lags_is_ended() {
    let server = Server::kv(&[]);
    let mut hears = subscriber(&server, "c");
    let mut publisher = Connection::new(server.address());
    publisher.expect(&["PUBLISH", "c", &"x".repeat(16_000_000)], ":1\r\n");
    publisher.expect(&["CLIENT", "KILL", "TYPE", "pubsub"], ":1\r\n");
    eventually("the subscriber is gone", || subscribers(&mut publisher, "c") == 0);
    while hears.try_reply().is_ok_and(|reply| !reply.is_empty()) {}
    server.stop();
}

#[test]
fn the_idle_timeout_is_not_for_subscribers() {
    let server = Server::kv(&["--timeout", "1"]);
    let mut hears = subscriber(&server, "c");
    let mut idle = Connection::new(server.address());
    idle.expect(&["PING"], "+PONG\r\n");
    idle.expect_end();
    Connection::new(server.address()).expect(&["PUBLISH", "c", "still here"], ":1\r\n");
    assert_eq!(hears.reply(), message('*', &["message", "c", "still here"]));
    server.stop();
}

#[test]
fn redis_cli_publishes() {
    let Some(mut cli) = client("redis-cli").map(std::process::Command::new) else { return };
    let server = Server::kv(&[]);
    let mut hears = subscriber(&server, "c");
    cli.args(["-p", &server.port(), "publish", "c", "from redis-cli"]);
    let ran = run(&mut cli, Duration::from_secs(20));
    assert_eq!(ran.stdout, "1\n");
    assert_eq!(hears.reply(), message('*', &["message", "c", "from redis-cli"]));
    server.stop();
}
