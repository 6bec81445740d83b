//! The values that arguments of random commands have.

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
pub(super) fn values(letter: char) -> &'static [&'static [u8]] {
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
