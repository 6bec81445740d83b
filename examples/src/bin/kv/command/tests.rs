use std::collections::HashSet;

use fsm_runtime::{Decoded, Frame};

use super::*;
use crate::request::Decoder;

/// Runs a command at the given time and returns its reply.
fn at(now: i64, store: &mut Store, command: &str) -> String {
    let line = format!("{command}\n");
    let mut decoder = Decoder::default();
    let Ok(Decoded::Frame(request, _)) = decoder.decode(line.as_bytes()) else { panic!() };
    let mut session = Session::new(store, Peer::Memory, now);
    let mut out = Vec::new();
    let flow = execute(store, &mut session, &request, now, &mut out);
    assert_eq!(flow == Flow::Quit, command == "QUIT");
    String::from_utf8(out).expect("replies of text")
}

fn run(store: &mut Store, command: &str) -> String {
    at(0, store, command)
}

#[test]
fn blank_requests_have_no_reply() {
    assert_eq!(run(&mut Store::new(0), ""), "");
    assert_eq!(run(&mut Store::new(0), "QUIT"), "+OK\r\n");
}

#[test]
fn names_are_unique_and_lower_case() {
    let mut names = HashSet::new();
    for command in all() {
        assert_eq!(&*lowercase(command.name.as_bytes()), command.name.as_bytes());
        assert!(names.insert(command.name), "{}", command.name);
    }
}

#[test]
fn expired_keys_are_gone() {
    let store = &mut Store::new(0);
    at(1000, store, "SET k v PX 10");
    assert_eq!(at(1010, store, "GET k"), "$1\r\nv\r\n");
    assert_eq!(at(1011, store, "KEYS *"), "*0\r\n");
    assert_eq!(at(1011, store, "SCAN 0"), "*2\r\n$1\r\n0\r\n*0\r\n");
    assert_eq!(at(1011, store, "GET k"), "$-1\r\n");
    at(2000, store, "SET k v EX 1");
    assert_eq!(at(2400, store, "PTTL k"), ":600\r\n");
    assert_eq!(at(2400, store, "TTL k"), ":1\r\n");
    assert_eq!(at(3001, store, "SET k v NX GET"), "$-1\r\n");
    assert_eq!(at(3001, store, "TTL k"), ":-1\r\n");
}

#[test]
fn sweeps_remove_expired_keys_without_a_read() {
    let store = &mut Store::new(0);
    for i in 0..1000 {
        at(1000, store, &format!("SET k{i} v PX 10"));
        at(1000, store, &format!("SET stays{i} v"));
    }
    for now in 1011..1200 {
        store.sweep(now);
    }
    assert_eq!((store.len(), store.volatile, store.stats.expired), (1000, 0, 1000));
}

#[test]
fn memory_is_given_back() {
    let store = &mut Store::new(0);
    for command in [
        "SET s hello",
        "APPEND s more",
        "SETRANGE s 100 x",
        "SET s x EX 1",
        "RPUSH l a b ccc",
        "LPOP l",
        "HSET h f v g looong",
        "HSET h f longer g s",
        "HINCRBY h n 1000",
        "HDEL h f nosuch",
        "SADD t a b c a",
        "SREM t a nosuch",
        "SPOP t",
        "INCR i",
        "SET l now-a-string",
        "RPUSH q a b",
        "RPOP q 2",
        "ZADD z 1 a 2 b 3 c 4 d 5 e",
        "ZADD z 9 a",
        "ZPOPMIN z",
        "ZREM z c nosuch",
        "ZREMRANGEBYSCORE z 4 4",
        "ZREMRANGEBYRANK nosuch 0 1",
        "LPOP nosuch",
    ] {
        run(store, command);
    }
    assert!(store.used > 0);
    assert_eq!(run(store, "DEL s l h t i q z nosuch"), ":6\r\n");
    assert_eq!((store.used, store.len(), store.volatile), (0, 0, 0));
}

#[test]
fn a_full_store_refuses_to_grow() {
    let oom = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
    let store = &mut Store::new(1000);
    assert_eq!(run(store, "SETRANGE big 500000000 x"), oom);
    assert_eq!(run(store, &format!("SET big {}", "x".repeat(1000))), oom);
    while run(store, "RPUSH l element") != oom {}
    assert_eq!(run(store, "SET k a-longer-value"), oom);
    assert!(run(store, "LRANGE l 0 0").contains("element"));
    assert_eq!(run(store, "EXPIRE l 100"), ":1\r\n");
    assert_eq!(run(store, "DEL l"), ":1\r\n");
    assert_eq!(run(store, "SET k v"), "+OK\r\n");
}

#[test]
fn a_scan_returns_every_key_that_stays() {
    let store = &mut Store::new(0);
    for i in 0..500 {
        run(store, &format!("MSET stays{i} v goes{i} v"));
    }
    let (mut seen, mut cursor, mut i) = (HashSet::new(), "0".to_owned(), 0);
    loop {
        let reply = run(store, &format!("SCAN {cursor} COUNT 7"));
        let mut lines = reply.lines().filter(|line| !line.starts_with(['*', '$']));
        cursor = lines.next().expect("a cursor").to_owned();
        let keys: Vec<_> = lines.map(str::to_owned).collect();
        assert!(keys.len() <= 7);
        seen.extend(keys);
        if cursor == "0" {
            break;
        }
        for _ in 0..3 {
            run(store, &format!("DEL goes{}", (i * 37) % 500));
            i += 1;
        }
        run(store, &format!("SET new{i} v"));
    }
    assert_eq!((0..500).filter(|i| seen.contains(&format!("stays{i}"))).count(), 500);
}

#[test]
fn spop_draws_any_member() {
    let store = &mut Store::new(0);
    let mut drawn = HashSet::new();
    for _ in 0..300 {
        run(store, "SADD t a b c d");
        drawn.insert(run(store, "SPOP t"));
    }
    assert_eq!(drawn.len(), 4);
}

#[test]
fn hello_chooses_the_protocol() {
    let store = &mut Store::new(0);
    assert!(run(store, "HELLO 2 SETNAME me").starts_with("*14\r\n$6\r\nserver\r\n"));
    assert!(run(store, "HELLO 3 AUTH default any").starts_with("%7\r\n$6\r\nserver\r\n"));
    assert_eq!(run(store, "HELLO 4"), "-NOPROTO unsupported protocol version\r\n");
    assert!(run(store, "INFO keyspace").contains("# Keyspace\r\ndb0:keys=0,expires=0"));
    assert!(
        run(store, "COMMAND").starts_with(&format!("*{}", run(store, "COMMAND COUNT")[1..].trim()))
    );
}
