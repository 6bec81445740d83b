//! Random commands, mostly almost valid ones, and the comparison of their replies.

use fsm_tests::Random;

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

/// The keys of sorted sets, and now and then of something else.
const SORTED: &[&[u8]] = &[b"z", b"z", b"z2", b"z", b"l"];
/// Scores, and ends of ranges of scores.
const SCORES: &[&[u8]] = &[
    b"0",
    b"1",
    b"-1",
    b"2.5",
    b"(1",
    b"(2.5",
    b"inf",
    b"-inf",
    b"+inf",
    b"nan",
    b"0.1",
    b"1e17",
    b"-1e-7",
    b"1e999",
    b"3",
    b"x",
    b"",
    b"(",
    b"-0",
    b" 1",
    b"Infinity",
    b"5.",
    b"123456789.123",
];
const ADDING: &[&[u8]] =
    &[b"NX", b"XX", b"GT", b"LT", b"CH", b"INCR", b"incr", b"ch", b"FOO", b"CH\0x"];
const RANGES: &[&[u8]] =
    &[b"BYSCORE", b"BYLEX", b"REV", b"LIMIT", b"WITHSCORES", b"withscores", b"byscore", b"FOO"];
/// Ends of ranges of members. They are used on a key without members, because with different scores Redis
/// does not say what is found.
const MEMBERS: &[&[u8]] = &[b"-", b"+", b"[a", b"(a", b"", b"a", b"-x", b"[", b"("];

const KEYS: &[&[u8]] = &[b"a", b"b", b"l", b"h", b"t", b"", b"n", b"k\xff"];
const VALUES: &[&[u8]] =
    &[b"v", b"", b"70000", b"-5", b"9223372036854775807", b"\0\xff", b"a\r\nb"];
const INTEGERS: &[&[u8]] = &[
    b"0",
    b"1",
    b"-1",
    b"2",
    b"100",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"9223372036854775808",
    b"01",
    b"+1",
    b" 1",
    b"1 ",
    b"x",
    b"",
    b"1.0",
    b"-0",
    b"2147483648",
    b"1e3",
    b"\xff",
    b"1\0",
];
/// No time is a little above 0, because a key that expires meanwhile could make a difference.
const TIMES: &[&[u8]] = &[
    b"0",
    b"-1",
    b"100000",
    b"1000000",
    b"4102444800",
    b"4102444800000",
    b"9223372036854775",
    b"9223372036854776",
    b"-9223372036854775",
    b"-9223372036854776",
    b"9223370236854775",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"9223372036854775808",
    b"x",
    b"",
    b"0100000",
];
/// Short times to wait in seconds, and what is no such time.
const SECONDS: &[&[u8]] = &[
    b"0.001",
    b"1e-3",
    b".002",
    b"+0.001",
    b"-1",
    b"-inf",
    b"inf",
    b"1e300",
    b"9223372036854776",
    b"nan",
    b"x",
    b"",
    b" 0.001",
    b"0.001 ",
    b"0.001\0",
];
const ENDS: &[&[u8]] = &[b"LEFT", b"RIGHT", b"left", b"Right", b"LEFT\0", b"", b"UP"];
const OPTIONS: &[&[u8]] = &[
    b"NX",
    b"XX",
    b"GT",
    b"LT",
    b"GET",
    b"EX",
    b"PX",
    b"EXAT",
    b"PXAT",
    b"KEEPTTL",
    b"PERSIST",
    b"nx",
    b"eX",
    b"",
    b"EX\0y",
    b"FOO",
    b"MATCH",
    b"COUNT",
    b"TYPE",
    b"SYNC",
    b"ASYNC",
    b"async",
    b"a\r\nb\r\n",
    b"EXX",
    b"string",
    b"SETNAME",
];
const PATTERNS: &[&[u8]] = &[
    b"*",
    b"**",
    b"",
    b"?",
    b"[a-c]",
    b"[^a]",
    b"[",
    b"[^",
    b"[a-",
    b"\\",
    b"\\*",
    b"*\\",
    b"a*",
    b"*a",
    b"[]",
    b"[]a]",
    b"k?",
    b"k[\x80-\xff]",
    b"[z-a]",
    b"***a",
    b"?*",
    b"*?",
    b"[\\]",
    b"[a-]]",
    b"l\0",
    b"100",
    b"1000",
    b"0",
    b"-1",
    b"string",
    b"LIST",
];
const CURSORS: &[&[u8]] = &[
    b"0",
    b"0",
    b"0",
    b"0",
    b"+0",
    b"-0",
    b"",
    b"x",
    b"-1",
    b"18446744073709551615",
    b"18446744073709551616",
    b"-",
    b" 0",
    b"0 ",
    b"0x",
    b"00",
    b"0\0",
];
const VERSIONS: &[&[u8]] = &[b"2", b"3", b"3", b"1", b"x", b"", b"02"];
const SUBCOMMANDS: &[&[u8]] =
    &[b"GET", b"get", b"GETNAME", b"SETNAME", b"NO-EVICT", b"nope", b"", b"\xff"];
const SETTINGS: &[&[u8]] =
    &[b"databases", b"save", b"nope", b"[d]atabases", b"DATABASES", b"append?nly"];
const ODD: &[&[u8]] = &[&[b'q'; 200], &[0xc3; 90], b"x\0y", b"\r\n", b"a'b"];

/// The values that a letter stands for.
fn values(letter: char) -> &'static [&'static [u8]] {
    match letter {
        'K' => KEYS,
        'V' => VALUES,
        'I' => INTEGERS,
        'T' => TIMES,
        'O' => OPTIONS,
        'P' => PATTERNS,
        'S' => CURSORS,
        'H' => VERSIONS,
        'D' => SECONDS,
        'E' => ENDS,
        'B' => SUBCOMMANDS,
        'C' => SETTINGS,
        'Z' => SORTED,
        'F' => SCORES,
        'A' => ADDING,
        'R' => RANGES,
        'X' => MEMBERS,
        _ => ODD,
    }
}

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
