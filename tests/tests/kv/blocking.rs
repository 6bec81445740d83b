//! Commands that wait for elements: BLPOP, BLMOVE and their kin.

use std::time::{Duration, Instant};

use fsm_tests::{Connection, Server, encode, eventually};

fn text(connection: &mut Connection, command: &[&str]) -> String {
    String::from_utf8(connection.command(command)).expect("a reply of text")
}

fn id(connection: &mut Connection) -> String {
    text(connection, &["CLIENT", "ID"]).trim_start_matches(':').trim_end().to_owned()
}

/// Waits until this number of clients wait for elements.
fn eventually_blocked(one: &mut Connection, count: usize) {
    let line = format!("blocked_clients:{count}\r\n");
    eventually("the clients wait", || text(one, &["INFO", "clients"]).contains(&line));
}

/// A client that waits with this command.
fn waiting(server: &Server, one: &mut Connection, before: usize, command: &[&str]) -> Connection {
    let mut waiter = Connection::new(server.address());
    waiter.send(encode(command));
    eventually_blocked(one, before + 1);
    waiter
}

fn pair(key: &str, element: &str) -> Vec<u8> {
    encode(&[key, element])
}

#[test]
fn an_element_goes_to_the_client_that_has_waited_longest() {
    let server = Server::kv(&[]);
    let mut one = Connection::new(server.address());
    let mut first = waiting(&server, &mut one, 0, &["BLPOP", "a", "b", "0"]);
    let mut second = waiting(&server, &mut one, 1, &["BRPOP", "b", "a", "0"]);
    let mut third = waiting(&server, &mut one, 2, &["BLPOP", "b", "0"]);
    assert!(text(&mut one, &["CLIENT", "LIST"]).contains(" flags=b "));
    one.expect(&["RPUSH", "b", "1", "2", "3"], ":3\r\n");
    assert_eq!(first.reply(), pair("b", "1"));
    assert_eq!(second.reply(), pair("b", "3"));
    assert_eq!(third.reply(), pair("b", "2"));
    one.expect(&["EXISTS", "a", "b"], ":0\r\n");
    eventually_blocked(&mut one, 0);
    // The connections go on.
    first.expect(&["RPUSH", "a", "4"], ":1\r\n");
    second.expect(&["BLPOP", "nosuch", "a", "0"], "*2\r\n$1\r\na\r\n$1\r\n4\r\n");
    server.stop();
}

#[test]
fn a_wait_ends_after_its_time() {
    let server = Server::kv(&[]);
    let mut one = Connection::new(server.address());
    let begin = Instant::now();
    one.expect(&["BLPOP", "a", "0.3"], "*-1\r\n");
    one.expect(&["BLMOVE", "a", "b", "LEFT", "RIGHT", "0.01"], "*-1\r\n");
    one.expect(&["BZPOPMIN", "a", "1e-2"], "*-1\r\n");
    assert!(begin.elapsed() >= Duration::from_millis(300), "{:?}", begin.elapsed());
    for (time, error) in [
        ("-1", "timeout is negative"),
        ("1e300", "timeout is negative"),
        ("soon", "timeout is not a float or out of range"),
    ] {
        one.expect(&["BLPOP", "a", time], &format!("-ERR {error}\r\n"));
    }
    // Nobody waits any longer.
    one.expect(&["RPUSH", "a", "1"], ":1\r\n");
    one.expect(&["LLEN", "a"], ":1\r\n");
    server.stop();
}

#[test]
fn commands_behind_one_that_waits_run_after_it() {
    let server = Server::kv(&[]);
    let mut one = Connection::new(server.address());
    let mut waiter = Connection::new(server.address());
    waiter.send([encode(&["BLPOP", "a", "0"]), encode(&["GET", "k"])].concat());
    eventually_blocked(&mut one, 1);
    one.expect(&["SET", "k", "later"], "+OK\r\n");
    one.expect(&["LPUSH", "a", "1"], ":1\r\n");
    assert_eq!(waiter.reply(), pair("a", "1"));
    assert_eq!(waiter.reply(), b"$5\r\nlater\r\n");
    server.stop();
}

#[test]
fn a_client_that_leaves_gives_its_place_up() {
    let server = Server::kv(&[]);
    let mut one = Connection::new(server.address());
    let gone = waiting(&server, &mut one, 0, &["BLPOP", "a", "0"]);
    let mut stays = waiting(&server, &mut one, 1, &["BLPOP", "a", "0"]);
    drop(gone);
    eventually_blocked(&mut one, 1);
    // With a command behind the one that waits.
    let mut pipelines = waiting(&server, &mut one, 1, &["BRPOP", "a", "0"]);
    pipelines.send(encode(&["PING"]));
    drop(pipelines);
    eventually_blocked(&mut one, 1);
    one.expect(&["RPUSH", "a", "1"], ":1\r\n");
    assert_eq!(stays.reply(), pair("a", "1"));
    let mut killed = waiting(&server, &mut one, 0, &["BLPOP", "a", "0"]);
    one.expect(&["CLIENT", "KILL", "TYPE", "normal"], ":2\r\n");
    killed.expect_end();
    eventually_blocked(&mut one, 0);
    one.expect(&["RPUSH", "a", "2"], ":1\r\n");
    one.expect(&["LLEN", "a"], ":1\r\n");
    server.stop();
}

#[test]
fn a_transaction_does_not_wait_and_serves_others_at_its_end() {
    let server = Server::kv(&[]);
    let mut one = Connection::new(server.address());
    let mut waiter = waiting(&server, &mut one, 0, &["BLPOP", "a", "0"]);
    one.expect(&["MULTI"], "+OK\r\n");
    for command in [
        &["RPUSH", "a", "1"][..],
        &["LPUSH", "a", "2"],
        &["BLPOP", "b", "0"],
        &["BLMOVE", "b", "c", "LEFT", "LEFT", "0"],
    ] {
        one.expect(command, "+QUEUED\r\n");
    }
    one.expect(&["EXEC"], "*4\r\n:1\r\n:2\r\n*-1\r\n$-1\r\n");
    assert_eq!(waiter.reply(), pair("a", "2"));
    one.expect(&["LRANGE", "a", "0", "-1"], "*1\r\n$1\r\n1\r\n");
    server.stop();
}

#[test]
fn moves_wake_those_who_wait_for_the_destination() {
    let server = Server::kv(&[]);
    let mut one = Connection::new(server.address());
    let mut last = waiting(&server, &mut one, 0, &["BLPOP", "c", "0"]);
    let mut middle = waiting(&server, &mut one, 1, &["BRPOPLPUSH", "b", "c", "0"]);
    let mut first = waiting(&server, &mut one, 2, &["BLMOVE", "a", "b", "LEFT", "RIGHT", "0"]);
    one.expect(&["RPUSH", "a", "x"], ":1\r\n");
    assert_eq!(first.reply(), b"$1\r\nx\r\n");
    assert_eq!(middle.reply(), b"$1\r\nx\r\n");
    assert_eq!(last.reply(), pair("c", "x"));
    // A destination of another type ends the wait, and the element stays.
    let mut wrong = waiting(&server, &mut one, 0, &["BLMOVE", "a", "s", "LEFT", "RIGHT", "0"]);
    one.expect(&["SET", "s", "text"], "+OK\r\n");
    one.expect(&["RPUSH", "a", "y"], ":1\r\n");
    assert!(wrong.reply().starts_with(b"-WRONGTYPE"));
    one.expect(&["LMOVE", "a", "a", "LEFT", "RIGHT"], "$1\r\ny\r\n");
    one.expect(&["RPOPLPUSH", "a", "d"], "$1\r\ny\r\n");
    server.stop();
}

#[test]
fn members_of_sorted_sets_are_waited_for_too() {
    let server = Server::kv(&[]);
    let mut one = Connection::new(server.address());
    let mut lowest = waiting(&server, &mut one, 0, &["BZPOPMIN", "z", "0"]);
    let mut list = waiting(&server, &mut one, 1, &["BLPOP", "z", "0"]);
    let mut highest = Connection::new(server.address());
    assert!(highest.command(&["HELLO", "3"]).starts_with(b"%7\r\n"));
    highest.send(encode(&["BZPOPMAX", "z", "0"]));
    eventually_blocked(&mut one, 3);
    one.expect(&["ZADD", "z", "1", "a", "2.5", "b"], ":2\r\n");
    assert_eq!(lowest.reply(), b"*3\r\n$1\r\nz\r\n$1\r\na\r\n$1\r\n1\r\n");
    assert_eq!(highest.reply(), b"*3\r\n$1\r\nz\r\n$1\r\nb\r\n,2.5\r\n");
    one.expect(&["RPUSH", "z", "element"], ":1\r\n");
    assert_eq!(list.reply(), pair("z", "element"));
    server.stop();
}

#[test]
fn client_unblock_ends_a_wait() {
    let server = Server::kv(&[]);
    let mut one = Connection::new(server.address());
    for (reason, reply) in [
        (&[][..], &b"*-1\r\n"[..]),
        (&["TIMEOUT"], b"*-1\r\n"),
        (&["ERROR"], b"-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n"),
    ] {
        let mut waiter = Connection::new(server.address());
        let id = id(&mut waiter);
        let unblock = [&["CLIENT", "UNBLOCK", &id][..], reason].concat();
        one.expect(&unblock, ":0\r\n");
        waiter.send(encode(&["BLPOP", "a", "0"]));
        eventually_blocked(&mut one, 1);
        one.expect(&unblock, ":1\r\n");
        assert_eq!(waiter.reply(), reply);
        waiter.expect(&["PING"], "+PONG\r\n");
    }
    server.stop();
}

#[test]
fn a_client_of_resp3_hears_channels_while_it_waits() {
    let server = Server::kv(&[]);
    let mut one = Connection::new(server.address());
    let mut waiter = Connection::new(server.address());
    assert!(waiter.command(&["HELLO", "3"]).starts_with(b"%7\r\n"));
    assert!(waiter.command(&["SUBSCRIBE", "c"]).starts_with(b">3\r\n"));
    waiter.send(encode(&["BLPOP", "a", "0"]));
    eventually_blocked(&mut one, 1);
    let texts = [&"x".repeat(100_000), "y"];
    for text in texts {
        one.expect(&["PUBLISH", "c", text], ":1\r\n");
    }
    for text in texts {
        let expected = encode(&["message", "c", text]);
        assert_eq!(waiter.reply()[1..], expected[1..]);
    }
    one.expect(&["RPUSH", "a", "1"], ":1\r\n");
    assert_eq!(waiter.reply(), pair("a", "1"));
    one.expect(&["PUBLISH", "c", "z"], ":1\r\n");
    assert!(waiter.reply().ends_with(b"$1\r\nz\r\n"));
    server.stop();
}

#[test]
fn the_idle_timeout_is_not_for_clients_that_wait() {
    let server = Server::kv(&["--timeout", "1"]);
    let mut waiter = Connection::new(server.address());
    waiter.send(encode(&["BLPOP", "a", "0"]));
    let mut idle = Connection::new(server.address());
    idle.expect(&["PING"], "+PONG\r\n");
    idle.expect_end();
    Connection::new(server.address()).expect(&["RPUSH", "a", "1"], ":1\r\n");
    assert_eq!(waiter.reply(), pair("a", "1"));
    waiter.expect_end();
    server.stop();
}

/// Four workers take from a queue what two producers put there.
#[test]
fn each_element_is_taken_once() {
    const ELEMENTS: usize = 1_000;
    let server = Server::kv(&[]);
    let address = server.address();
    let produce = || {
        let mut producer = Connection::new(address);
        for n in 0..ELEMENTS {
            assert!(producer.command(&["RPUSH", "q", &n.to_string()]).starts_with(b":"));
        }
    };
    let work = || {
        let mut worker = Connection::new(address);
        let (mut taken, mut sum) = (0, 0);
        loop {
            let reply = String::from_utf8(worker.command(&["BLPOP", "q", "0"])).expect("text");
            let element = reply.trim_end().rsplit("\r\n").next().expect("it has lines");
            if element == "stop" {
                return (taken, sum);
            }
            sum += element.parse::<usize>().expect("a number");
            taken += 1;
        }
    };
    let (taken, sum) = std::thread::scope(|scope| {
        let workers = [(); 4].map(|()| scope.spawn(work));
        let producers = [(); 2].map(|()| scope.spawn(produce));
        for producer in producers {
            producer.join().expect("a producer should not fail");
        }
        Connection::new(address).command(&["RPUSH", "q", "stop", "stop", "stop", "stop"]);
        workers.into_iter().fold((0, 0), |(taken, sum), worker| {
            let (more, other) = worker.join().expect("a worker should not fail");
            (taken + more, sum + other)
        })
    });
    assert_eq!((taken, sum), (2 * ELEMENTS, ELEMENTS * (ELEMENTS - 1)));
    server.stop();
}
