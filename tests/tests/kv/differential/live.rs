//! Random commands and mutated byte streams, sent to `kv` and to a Redis of this machine.
//!
//! `FSM_COMMANDS` is their number, and `FSM_SEED` their seed.

use std::fmt::Write;
use std::process::Command;
use std::{env, io};

use fsm_tests::{Connection, Random, Redis, Server, TIMEOUT, all_in_ci, client, encode, run, skip};

use super::commands::{self, Arguments};
use super::streams;

/// The Redis of this machine, if it is the one that `kv` imitates.
fn redis() -> Option<Redis> {
    let program = client("redis-server")?;
    let version = run(Command::new(&program).arg("--version"), TIMEOUT).stdout;
    if !version.contains(" v=7.0.") {
        skip(&format!("`kv` imitates Redis 7.0, and this is `{}`", version.trim()));
        return None;
    }
    Some(Redis::start(&program))
}

/// The difference, and the commands that were sent before.
#[derive(Default)]
struct Differences {
    text: String,
    count: usize,
}

impl Differences {
    fn add(&mut self, sent: &[u8], redis: &[u8], kv: &[u8]) {
        let [sent, redis, kv] = [sent, redis, kv].map(<[u8]>::escape_ascii);
        let _ = write!(self.text, "\n{sent}\n  Redis: {redis}\n  kv:    {kv}");
        self.count += 1;
    }
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|error| panic!("{name}={text}: {error}")))
}

/// Runs `compare` with a Redis, a `kv`, random numbers, and the number of things to send.
fn beside_redis(compare: impl Fn(&Redis, &Server, &mut Random, usize) -> Differences) {
    let Some(redis) = redis() else { return };
    let server = Server::kv(&[]);
    let count = number("FSM_COMMANDS").map(|count| usize::try_from(count).expect("it fits"));
    let (count, seed) = (count.unwrap_or(all_in_ci(5_000, 500)), number("FSM_SEED").unwrap_or(1));
    let Differences { text, count: different } =
        compare(&redis, &server, &mut Random::new(seed), count);
    assert!(text.is_empty(), "FSM_SEED={seed}: {different} of {count} differ:{text}");
    server.stop();
}

/// The reply to a command; empty if the server closes the connection.
fn ask(connection: &mut Connection, arguments: &Arguments) -> Vec<u8> {
    let sent = connection.try_send(&encode(arguments));
    sent.and_then(|()| connection.try_reply()).unwrap_or_default()
}

#[test]
fn random_commands_are_answered_as_by_redis() {
    beside_redis(|redis, server, random, count| {
        let connect = || [Connection::new(redis.address()), Connection::new(server.address())];
        let (mut both, mut differences) = (connect(), Differences::default());
        let mut in_transaction = false;
        for _ in 0..count {
            if random.below(50) == 0 {
                for connection in &mut both {
                    connection.command(&["DISCARD"]);
                    connection.expect(&["FLUSHALL"], "+OK\r\n");
                }
                in_transaction = false;
            }
            let arguments = commands::random(random);
            if in_transaction && !commands::has_one_reply(&arguments) {
                continue;
            }
            let [from_redis, from_kv] = both.each_mut().map(|one| ask(one, &arguments));
            if !commands::are_equal(&arguments, &from_redis, &from_kv) {
                differences.add(&encode(&arguments), &from_redis, &from_kv);
            }
            // After this command the two may hold different members.
            if arguments[0].eq_ignore_ascii_case(b"SPOP") && !from_redis.starts_with(b"-") {
                let delete = vec![b"DEL".to_vec(), arguments[1].clone()];
                for connection in &mut both {
                    ask(connection, &delete);
                }
            }
            in_transaction &= !from_redis.starts_with(b"-EXECABORT");
            match &*arguments[0].to_ascii_uppercase() {
                b"MULTI" => in_transaction |= from_redis == b"+OK\r\n",
                b"EXEC" | b"DISCARD" if arguments.len() == 1 => in_transaction = false,
                _ => {}
            }
            let quits = arguments[0].eq_ignore_ascii_case(b"QUIT");
            if quits || from_redis.is_empty() || from_kv.is_empty() {
                both = connect();
                in_transaction = false;
            }
        }
        differences
    });
}

#[test]
fn mutated_streams_are_answered_as_by_redis() {
    beside_redis(|redis, server, random, count| {
        let mut differences = Differences::default();
        for _ in 0..count {
            let stream = streams::random(random);
            let [from_redis, from_kv] = [redis.address(), server.address()].map(|address| {
                Connection::new(address).expect(&["FLUSHALL"], "+OK\r\n");
                whole_answer(Connection::new(address), &stream)
            });
            // Redis refuses a line at its end, which may be missing here, and `kv` where it is wrong.
            let refused = from_kv.strip_prefix(&from_redis[..]);
            let sooner = refused.is_some_and(|more| more.starts_with(b"-ERR Protocol error: "));
            if from_redis != from_kv && !sooner {
                differences.add(&stream, &from_redis, &from_kv);
            }
        }
        differences
    });
}

/// All that a server answers to a stream that ends.
fn whole_answer(mut connection: Connection, stream: &[u8]) -> Vec<u8> {
    let mut answer = Vec::new();
    // The server may have closed the connection after an error.
    if connection.try_send(stream).is_ok() {
        let _ = connection.socket().shutdown(std::net::Shutdown::Write);
    }
    let _ = io::Read::read_to_end(&mut connection.socket(), &mut answer);
    answer
}
