//! `--maxmemory` bounds the memory of keys and values: `kv` refuses writes beyond it.

use fsm_tests::{Connection, Server, all_in_ci, encode};

const OOM: &str = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";

#[test]
fn strings() {
    let value = "v".repeat(100);
    fills_up("strings", |n| encode(&["SET", &format!("key:{n}"), &value]));
}

#[test]
fn large_strings() {
    let value = "v".repeat(100_000);
    fills_up("large strings", |n| encode(&["SET", &format!("key:{n}"), &value]));
}

#[test]
fn lists() {
    fills_up("list elements", |n| encode(&["RPUSH", &format!("key:{}", n % 7), &n.to_string()]));
}

#[test]
fn hashes() {
    fills_up("fields", |n| {
        encode(&["HSET", &format!("key:{}", n % 7), &format!("field:{n}"), &n.to_string()])
    });
}

#[test]
fn sets() {
    fills_up("members", |n| encode(&["SADD", &format!("key:{}", n % 7), &format!("member:{n}")]));
}

#[test]
fn sorted_sets() {
    fills_up("scores", |n| {
        let member = format!("member:{n}");
        encode(&["ZADD", &format!("key:{}", n % 7), &(n % 1000).to_string(), &member])
    });
}

/// Writes until the server refuses a write; reads and deletions still work, and then writes, too.
fn fills_up(what: &str, write: impl Fn(usize) -> Vec<u8>) {
    // Small, so that a server that is built without optimization fills it in seconds.
    let maxmemory = all_in_ci(16, 4) * 1024 * 1024;
    let server = Server::kv(&["--maxmemory", &maxmemory.to_string()]);
    let mut connection = Connection::new(server.address());
    let full = (0..100_000)
        .find(|batch| {
            let requests: Vec<_> = (0..100).flat_map(|n| write(100 * batch + n)).collect();
            connection.send(requests);
            let replies: Vec<_> = (0..100).map(|_| connection.reply()).collect();
            let refused = replies.iter().filter(|reply| reply.starts_with(b"-"));
            for reply in refused.clone() {
                assert_eq!(String::from_utf8_lossy(reply), OOM);
            }
            refused.count() > 0
        })
        .expect("some write should be refused");
    let anonymous = server.anonymous();
    println!("{} {what} in {} kB of memory", full * 100, anonymous / 1024);
    assert!(anonymous < 2 * maxmemory, "{anonymous} bytes of memory for {maxmemory}");

    connection.expect(&["SET", "another", &"v".repeat(200_000)], OOM);
    connection.expect(&["SETRANGE", "another", "500000000", "v"], OOM);
    connection.expect(&["GET", "another"], "$-1\r\n");
    connection.expect(&["EXISTS", "key:1"], ":1\r\n");
    connection.expect(&["DEL", "key:1", "key:2", "key:3"], ":3\r\n");
    connection.expect(&["SET", "another", "value"], "+OK\r\n");
    connection.expect(&["FLUSHALL"], "+OK\r\n");
    connection.send(write(1));
    assert!(!connection.reply().starts_with(b"-"), "there should be room again");
    server.stop();
}
