//! Clients that misbehave: each connection ends correctly, a background client is served all the
//! time, and afterwards `kv` has no more memory and descriptors than before.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use fsm_tests::{
    BackgroundClient, Connection, Server, TIMEOUT, all_in_ci, encode, eventually, example,
    expect_silence, one_at_a_time,
};
use socket2::{Domain, Protocol, SockRef, Socket, Type};

mod descriptors;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// The tolerated growth of memory between two equal rounds: some pages of the allocator.
const TOLERANCE: u64 = 256 * KIB;

/// Lets clients misbehave in two rounds, the first of which warms up, beside a background client.
fn twice(options: &[&str], misbehave: impl Fn(&Server)) {
    twice_on(start(Command::new(example("kv")).args(["--port", "0"]).args(options)), misbehave);
}

/// Starts a server whose allocator returns freed memory to the system. By default glibc keeps up to
/// twice the largest block, which could hide a leak.
fn start(server: &mut Command) -> Server {
    let threshold = (128 * KIB).to_string();
    server.env("MALLOC_MMAP_THRESHOLD_", &threshold).env("MALLOC_TRIM_THRESHOLD_", &threshold);
    Server::start(server)
}

/// Starts `kv` under a limit of the shell's `ulimit`.
fn limited(limit: &str) -> Server {
    limited_with(limit, "")
}

/// The same with these options.
fn limited_with(limit: &str, options: &str) -> Server {
    let run = format!("ulimit {limit} && exec \"$0\" --port 0 {options}");
    start(Command::new("sh").args(["-c", &run]).arg(example("kv")))
}

/// Does the same on a given server, and returns its log.
fn twice_on(server: Server, misbehave: impl Fn(&Server)) -> String {
    let background = BackgroundClient::on_kv(server.address());
    let descriptors = server.descriptors();
    let round = || {
        let start = Instant::now();
        misbehave(&server);
        let took = start.elapsed();
        eventually("the descriptors are closed", || server.descriptors() == descriptors);
        (server.anonymous(), took)
    };
    let ((before, _), (after, took)) = (round(), round());
    println!("{} kB of memory, then {}; {took:.1?}", before / KIB, after / KIB);
    println!("{}", background.finish());
    assert!(after <= before + TOLERANCE, "memory grew from {before} to {after} bytes");
    server.stop()
}

/// A long pipeline has the same answers a byte at a time as in one piece.
#[test]
fn one_byte_at_a_time() {
    let _exclusive = one_at_a_time();
    let (mut requests, mut replies) = (Vec::new(), Vec::new());
    for n in 0..all_in_ci(200, 60) {
        let (key, value) = (format!("key:{n}"), "v".repeat(n % 50));
        requests.extend(encode(&["SET", &key, &value]));
        requests.extend(encode(&["GET", &key]));
        requests.extend(format!("GET {key}\r\nECHO \"{n} \\x00\"\r\n\r\n").bytes());
        let value = format!("${}\r\n{value}\r\n", value.len());
        let echo = format!("${}\r\n{n} \0\r\n", n.to_string().len() + 2);
        replies.extend(format!("+OK\r\n{value}{value}{echo}").bytes());
    }
    twice(&[], |server| {
        let mut connection = Connection::new(server.address());
        for byte in &requests {
            connection.send([*byte]);
        }
        assert_eq!(connection.bytes(replies.len()), replies);
        connection.shutdown_write();
        connection.expect_end();
    });
}

/// Eight clients request 1 MiB again and again and never read: soon they cannot send either, and
/// the server buffers little more than one answer for each.
#[test]
fn eight_clients_that_never_read() {
    let _exclusive = one_at_a_time();
    let value = vec![b'v'; 1024 * 1024];
    // A server without bounds would use all memory of this machine.
    twice_on(limited("-v 1048576"), |server| {
        Connection::new(server.address()).expect(&[b"SET", &b"large"[..], &value], "+OK\r\n");
        let before = server.anonymous();
        let address = server.address();
        let asking: Vec<_> =
            (0..8).map(|_| thread::spawn(move || ask_without_reading(address))).collect();
        let unread: Vec<_> =
            asking.into_iter().map(|asking| asking.join().expect("see above")).collect();
        let grown = server.anonymous().saturating_sub(before);
        let sent: usize = unread.iter().map(|(_, sent)| sent).sum();
        println!("{} kB of requests; memory grew by {} kB", sent / 1024, grown / KIB);
        assert!(grown < 16 * MIB, "memory grew by {grown} bytes");
        // A client that reads is served meanwhile.
        let mut other = Connection::new(server.address());
        assert_eq!(other.command(&["GET", "large"]).len(), value.len() + b"$1048576\r\n\r\n".len());
    });
}

/// Sends requests and reads nothing until the server takes no more; returns the bytes it took.
fn ask_without_reading(address: SocketAddr) -> (TcpStream, usize) {
    let mut unread = small_buffers(address);
    unread.set_write_timeout(Some(Duration::from_millis(500))).expect("a socket takes options");
    let gets = encode(&["GET", "large"]).repeat(1000);
    let mut sent = 0;
    loop {
        match unread.write(&gets) {
            Ok(n) => sent += n,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return (unread, sent),
            Err(error) => panic!("after {sent} bytes: {error}"),
        }
        assert!(sent < 256 * 1024 * 1024, "the server takes whatever is sent");
    }
}

/// The server reserves no memory for announced lengths.
#[test]
fn pitfall_24_announced_lengths_take_no_memory() {
    let _exclusive = one_at_a_time();
    let announcements = [
        ("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1073741824\r\n", "invalid bulk length"),
        ("*1\r\n$1073741824\r\n", "invalid bulk length"),
        ("*1\r\n$-1\r\n", "invalid bulk length"),
        ("*1\r\n$99999999999999999999\r\n", "invalid bulk length"),
        ("*2147483648\r\n", "invalid multibulk length"),
        ("*1\r\n$536870913\r\n", "invalid bulk length"),
        ("*1\r\n:1\r\n", "expected '$', got ':'"),
    ];
    twice(&[], |server| {
        let before = server.anonymous();
        let valid = ["*1\r\n$536870912\r\n", "*1024\r\n$536870912\r\n"].repeat(20);
        let waiting: Vec<_> = valid
            .iter()
            .map(|announcement| {
                let mut connection = Connection::new(server.address());
                connection.send(announcement);
                connection
            })
            .collect();
        for (announcement, error) in announcements {
            let mut connection = Connection::new(server.address());
            connection.send(announcement);
            let reply = String::from_utf8_lossy(&connection.reply()).into_owned();
            assert_eq!(reply, format!("-ERR Protocol error: {error}\r\n"), "{announcement:?}");
            connection.expect_end();
        }
        for line in ["*1", "$1", "PING "] {
            let mut connection = Connection::new(server.address());
            let endless = if line == "$1" { "*1\r\n$1" } else { line };
            connection.send(format!("{endless}{}", "1".repeat(80 * 1024)));
            let reply = String::from_utf8_lossy(&connection.reply()).into_owned();
            assert!(reply.starts_with("-ERR Protocol error: "), "{line:?}: {reply}");
            connection.expect_end();
        }
        let grown = server.anonymous().saturating_sub(before);
        assert!(grown < MIB, "memory grew by {grown} bytes");
        drop(waiting);
    });
}

/// A million arguments are allowed, but a client that announces them uses only the memory that it
/// fills.
#[test]
fn clients_that_stop_within_a_command() {
    let _exclusive = one_at_a_time();
    twice(&[], |server| {
        let mut connections = Vec::new();
        for _ in 0..20 {
            let mut connection = Connection::new(server.address());
            connection.send("*1048576\r\n$4\r\nMGET\r\n$33554432\r\nthe beginning of a key");
            connections.push(connection);
        }
        Connection::new(server.address()).expect(&["PING"], "+PONG\r\n");
        let anonymous = server.anonymous();
        assert!(anonymous < 16 * MIB, "{anonymous} bytes for 20 clients that announce much");
    });
}

/// Resets within a large SET, after 4 of 16 MiB.
#[test]
fn resets_in_the_middle_of_a_command() {
    let _exclusive = one_at_a_time();
    let value = vec![b'v'; 4 * 1024 * 1024];
    twice(&[], |server| {
        for n in 0..all_in_ci(200, 60) {
            let mut connection = Connection::from_stream(small_buffers(server.address()));
            connection.send("*3\r\n$3\r\nSET\r\n$5\r\nlarge\r\n$16777216\r\n");
            connection.send(&value);
            reset(connection);
            if n % 20 == 0 {
                Connection::new(server.address()).expect(&["EXISTS", "large"], ":0\r\n");
            }
        }
    });
}

/// Resets while the server sends: the client requested much and reads only the beginning.
#[test]
fn resets_in_the_middle_of_an_answer() {
    let _exclusive = one_at_a_time();
    let value = vec![b'v'; 4 * 1024 * 1024];
    twice(&[], |server| {
        Connection::new(server.address()).expect(&[b"SET", &b"large"[..], &value], "+OK\r\n");
        for _ in 0..all_in_ci(200, 60) {
            let mut connection = Connection::from_stream(small_buffers(server.address()));
            connection.send(encode(&["GET", "large"]).repeat(3));
            assert_eq!(connection.bytes(10), b"$4194304\r\n");
            reset(connection);
        }
    });
}

/// A thousand that connect and vanish: one half properly, the other with a reset.
#[test]
fn a_thousand_that_vanish() {
    let _exclusive = one_at_a_time();
    twice(&[], |server| {
        for n in 0..1000 {
            let connection = Connection::new(server.address());
            if n % 2 == 0 {
                reset(connection);
            }
        }
    });
}

/// Three hundred clients with half a command each keep nobody waiting, and can go on when they
/// like.
#[test]
fn three_hundred_with_half_a_command() {
    let _exclusive = one_at_a_time();
    twice(&[], |server| {
        let mut clients: Vec<_> = (0..300)
            .map(|n| {
                let command = encode(&["ECHO", &format!("client {n}")]);
                let (half, rest) = command.split_at(1 + n % (command.len() - 1));
                let mut connection = Connection::new(server.address());
                connection.send(half);
                (connection, rest.to_owned(), n)
            })
            .collect();
        let connections = clients.iter_mut().map(|(connection, ..)| connection);
        expect_silence(connections, Duration::from_millis(200));
        for (connection, rest, _) in &mut clients {
            connection.send(rest);
        }
        for (connection, _, n) in &mut clients {
            let text = format!("client {n}");
            let reply = connection.reply();
            assert_eq!(reply, format!("${}\r\n{text}\r\n", text.len()).as_bytes());
        }
    });
}

/// At its limit of clients the server turns others away as Redis does, and serves them later.
#[test]
fn two_hundred_clients_over_the_limit() {
    let _exclusive = one_at_a_time();
    twice(&["--max-connections", "50"], |server| {
        let mut holders: Vec<_> = (0..49).map(|_| ping(server)).collect();
        holders.iter_mut().for_each(pong);
        for mut connection in (0..200).map(|_| ping(server)).collect::<Vec<_>>() {
            assert_eq!(connection.reply(), FULL);
        }
        for connection in &mut holders {
            connection.send("PING\r\n");
        }
        holders.iter_mut().for_each(pong);
        drop(holders);
        // Until the server has noticed that they have left, it is full.
        while ping(server).reply() == FULL {}
    });
}

const FULL: &[u8] = b"-ERR max number of clients reached\r\n";

fn ping(server: &Server) -> Connection {
    let mut connection = Connection::new(server.address());
    connection.send("PING\r\n");
    connection
}

fn pong(connection: &mut Connection) {
    assert_eq!(connection.reply(), b"+PONG\r\n");
}

/// A client's socket with small buffers, so that most bytes sent have reached the server.
fn small_buffers(address: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP));
    let socket = socket.expect("a socket");
    socket.set_send_buffer_size(64 * 1024).expect("a socket takes options");
    socket.set_recv_buffer_size(64 * 1024).expect("a socket takes options");
    socket.connect_timeout(&address.into(), TIMEOUT).expect("it should connect");
    socket.into()
}

/// Closes a connection with a reset.
fn reset(connection: Connection) {
    let socket = SockRef::from(connection.socket());
    socket.set_linger(Some(Duration::ZERO)).expect("a socket takes options");
    drop(connection);
}
