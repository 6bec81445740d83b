//! Random commands, mostly almost valid ones, and the comparison of their replies.

use fsm_tests::Random;

use super::values::values;

pub(super) type Arguments = Vec<Vec<u8>>;

/// The commands, and a letter of [`values`] for each argument. The truth has fewer or more of them.
const COMMANDS: &[(&str, &str)] = &[
    ("PING", "V"),
    ("ECHO", "V"),
    ("QUIT", "V"),
    ("SELECT", "I"),
    ("GET", "K"),
    ("SET", "KVOOO"),
    ("SET", "KVO"),
    ("MGET", "KKK"),
    ("MSET", "KVKV"),
    ("SETNX", "KV"),
    ("SETEX", "KTV"),
    ("PSETEX", "KTV"),
    ("GETSET", "KV"),
    ("GETDEL", "K"),
    ("GETEX", "KOO"),
    ("INCR", "K"),
    ("DECR", "K"),
    ("INCRBY", "KI"),
    ("DECRBY", "KI"),
    ("STRLEN", "K"),
    ("APPEND", "KV"),
    ("SETRANGE", "KIV"),
    ("GETRANGE", "KII"),
    ("DEL", "KK"),
    ("UNLINK", "K"),
    ("EXISTS", "KKK"),
    ("TYPE", "K"),
    ("EXPIRE", "KTOO"),
    ("PEXPIRE", "KTOO"),
    ("EXPIREAT", "KTOO"),
    ("PEXPIREAT", "KTOO"),
    ("TTL", "K"),
    ("PTTL", "K"),
    ("EXPIRETIME", "K"),
    ("PEXPIRETIME", "K"),
    ("PERSIST", "K"),
    ("KEYS", "P"),
    ("SCAN", "SOPOP"),
    ("DBSIZE", ""),
    ("FLUSHDB", "O"),
    ("FLUSHALL", "O"),
    ("LPUSH", "KVV"),
    ("RPUSH", "KVV"),
    ("LPOP", "KI"),
    ("RPOP", "KI"),
    ("LLEN", "K"),
    ("LINDEX", "KI"),
    ("LRANGE", "KII"),
    ("HSET", "KVV"),
    ("HGET", "KV"),
    ("HMGET", "KVV"),
    ("HGETALL", "K"),
    ("HLEN", "K"),
    ("HEXISTS", "KV"),
    ("HDEL", "KV"),
    ("HINCRBY", "KVI"),
    ("SADD", "KVV"),
    ("SREM", "KV"),
    ("SMEMBERS", "K"),
    ("SISMEMBER", "KV"),
    ("SCARD", "K"),
    ("SPOP", "KI"),
    ("ZADD", "ZFV"),
    ("ZADD", "ZFVFV"),
    ("ZADD", "ZAFV"),
    ("ZADD", "ZAAFV"),
    ("ZADD", "ZAAAFVFV"),
    ("ZINCRBY", "ZFV"),
    ("ZRANGE", "ZII"),
    ("ZRANGE", "ZIIR"),
    ("ZRANGE", "ZFFRR"),
    ("ZRANGE", "ZIIRRII"),
    ("ZREVRANGE", "ZIIR"),
    ("ZRANGEBYSCORE", "ZFFR"),
    ("ZREVRANGEBYSCORE", "ZFFR"),
    ("ZRANGEBYLEX", "XXX"),
    ("ZLEXCOUNT", "XXX"),
    ("ZRANK", "ZV"),
    ("ZREVRANK", "ZV"),
    ("ZSCORE", "ZV"),
    ("ZMSCORE", "ZVV"),
    ("ZREM", "ZVV"),
    ("ZCARD", "Z"),
    ("ZCOUNT", "ZFF"),
    ("ZPOPMIN", "ZI"),
    ("ZPOPMAX", "Z"),
    ("ZREMRANGEBYRANK", "ZII"),
    ("LMOVE", "KKEE"),
    ("LMOVE", "LLEE"),
    ("RPOPLPUSH", "KK"),
    ("BLPOP", "KD"),
    ("BRPOP", "KKD"),
    ("BLMOVE", "KKEED"),
    ("BRPOPLPUSH", "KKD"),
    ("BZPOPMIN", "ZD"),
    ("BZPOPMAX", "KZD"),
    ("PUBLISH", "KV"),
    ("PUBSUB", "BP"),
    ("UNSUBSCRIBE", ""),
    ("ZREMRANGEBYSCORE", "ZFF"),
    ("MULTI", ""),
    ("EXEC", ""),
    ("EXEC", ""),
    ("DISCARD", ""),
    ("WATCH", "KZ"),
    ("UNWATCH", ""),
    ("AUTH", "VV"),
    ("HELLO", "HO"),
    ("CLIENT", "BVV"),
    ("CONFIG", "BC"),
    ("COMMAND", "B"),
    ("CONFIG|GET", "C"),
    ("CLIENT|ID", ""),
    ("NONSENSE", "LLL"),
];

fn pick(random: &mut Random, letter: char) -> Vec<u8> {
    // Values of another kind, but none that could be a short time.
    let letter = match random.below(20) {
        0 if letter != 'D' => ['K', 'V', 'O', 'L'][random.index(4)],
        _ => letter,
    };
    let values = values(letter);
    values[random.index(values.len())].to_vec()
}

/// A random command.
pub(super) fn random(random: &mut Random) -> Arguments {
    let (name, shape) = COMMANDS[random.index(COMMANDS.len())];
    let mut letters: Vec<char> = shape.chars().collect();
    // A command that waits keeps its last argument, so that it does not wait for long.
    let waits = shape.ends_with('D');
    match random.below(8) {
        _ if waits => {}
        0 => letters.truncate(random.index(letters.len() + 1)),
        1 => letters.push(['K', 'V', 'O', 'T'][random.index(4)]),
        _ => {}
    }
    let mut arguments = vec![name.as_bytes().to_vec()];
    for letter in letters {
        let value = pick(random, letter);
        let is_time = matches!(&*value.to_ascii_lowercase(), b"ex" | b"px" | b"exat" | b"pxat");
        arguments.push(value);
        if letter == 'O' && is_time && random.below(5) > 0 {
            arguments.push(pick(random, 'T'));
        }
    }
    if random.below(20) == 0 {
        arguments[0].make_ascii_lowercase();
    }
    arguments
}

/// Whether all servers give the same reply to the command, so that the replies of a transaction with it
/// can be compared.
pub(super) fn has_one_reply(arguments: &Arguments) -> bool {
    let name = String::from_utf8_lossy(&arguments[0]).to_uppercase();
    let varied = ["KEYS", "SMEMBERS", "HGETALL", "SCAN", "SPOP", "HELLO", "COMMAND", "CLIENT"];
    !varied.contains(&&*name) && !name.contains("TTL") && !name.contains("EXPIRETIME")
}

/// Whether the replies are the same: byte for byte but for orders and times that may differ.
pub(super) fn are_equal(arguments: &Arguments, redis: &[u8], kv: &[u8]) -> bool {
    if redis == kv {
        return true;
    }
    let name = String::from_utf8_lossy(&arguments[0]).to_uppercase();
    match &*name {
        "TTL" | "EXPIRETIME" => is_near(redis, kv, 2),
        "PTTL" | "PEXPIRETIME" => is_near(redis, kv, 2_000),
        "KEYS" | "SMEMBERS" | "HGETALL" => are_permuted(redis, kv),
        // The cursor of one server says nothing to another.
        "SCAN" if !matches!(&*arguments[1], b"0" | b"+0" | b"-0" | b"" | b"00" | b"0\0") => {
            redis.starts_with(b"*2\r\n") && kv.starts_with(b"*2\r\n")
        }
        "SCAN" => match [redis, kv].map(|reply| reply.strip_prefix(b"*2\r\n$1\r\n0\r\n")) {
            [Some(redis), Some(kv)] => are_permuted(redis, kv),
            _ => false,
        },
        "SPOP" => redis[0] == kv[0] && matches!(redis[0], b'*' | b'$' | b'~'),
        "HELLO" => [&b"*14\r\n"[..], b"%7\r\n"]
            .iter()
            .any(|header| redis.starts_with(header) && kv.starts_with(header)),
        // The two have different lists of commands.
        "COMMAND" => arguments.len() == 1,
        _ => false,
    }
}

/// Whether both are integers, and no further apart than `tolerance`.
fn is_near(redis: &[u8], kv: &[u8], tolerance: u64) -> bool {
    let numbers = [redis, kv].map(|reply| {
        let digits = reply.strip_prefix(b":")?.strip_suffix(b"\r\n")?;
        std::str::from_utf8(digits).ok()?.parse::<i64>().ok().filter(|number| *number >= 0)
    });
    matches!(numbers, [Some(a), Some(b)] if a.abs_diff(b) <= tolerance)
}

/// Whether both are arrays of the same bulk strings.
fn are_permuted(redis: &[u8], kv: &[u8]) -> bool {
    let sorted = |reply| {
        let mut items = bulks(reply)?;
        items.sort_unstable();
        Some((reply[0], items))
    };
    sorted(redis).is_some_and(|items| Some(items) == sorted(kv))
}

/// The elements of an array, a set or a map of bulk strings.
fn bulks(reply: &[u8]) -> Option<Vec<&[u8]>> {
    let kind = reply.first().filter(|kind| matches!(kind, b'*' | b'~' | b'%'))?;
    let (_, mut rest) = header(reply, *kind)?;
    let mut items = Vec::new();
    while !rest.is_empty() {
        let (len, after) = header(rest, b'$')?;
        items.push(after.get(..len)?);
        rest = after.get(len + 2..)?;
    }
    Some(items)
}

fn header(reply: &[u8], kind: u8) -> Option<(usize, &[u8])> {
    let end = reply.iter().position(|byte| *byte == b'\r')?;
    let digits = reply[..end].strip_prefix(&[kind])?;
    Some((std::str::from_utf8(digits).ok()?.parse().ok()?, &reply[end + 2..]))
}
