//! Byte streams of commands with a few changed bytes.

use fsm_tests::{Random, encode};

const NAMES: &[&str] = &[
    "PING", "ECHO", "SET", "GET", "STRLEN", "TYPE", "EXISTS", "INCR", "DEL", "APPEND", "LPUSH",
    "NOPE",
];
const ARGUMENTS: &[&[u8]] = &[b"k", b"v", b"", b"12", b"a\r\nb", b"xxxxxxxxxxxxxxxxxxxx", b"\xff"];
/// The parts of inline commands: names, words in quotes, and kinds of space. `POST` is not among
/// them, because Redis then drops answers that it has not sent.
const WORDS: &[&[u8]] = &[
    b"PING",
    b"ECHO",
    b"SET",
    b"GET",
    b"k",
    b"\"a b\"",
    b"'x'",
    b"a\"b\"",
    b"\x0b",
    b"\x0c",
    b"\t",
    b"  ",
    b"'\\''",
    b"\"\\x4\"",
    b"\"\\x41\"",
    b"\"\\n\"",
    b"'",
    b"\"",
    b"a\x0bb",
    b"a\x0cb",
    b"\xff",
    b"\\",
    b"\"\\",
    b"\"\" ",
];
const ENDS: &[&[u8]] = &[b"\r\n", b"\n", b"\r\r\n", b" \r\n"];
/// The bytes that matter to a parser. A NUL is not among them, because Redis takes it for the end of
/// its buffer and waits.
const BYTES: &[u8] = b"$*\r\n0123459-+ :\"'\\xabPING\xff\x0b";

pub(super) fn random(random: &mut Random) -> Vec<u8> {
    let mut stream = Vec::new();
    for _ in 0..=random.below(3) {
        if random.below(5) < 2 {
            for _ in 0..=random.below(4) {
                stream.extend(WORDS[random.index(WORDS.len())]);
                stream.push(b' ');
            }
            stream.extend(ENDS[random.index(ENDS.len())]);
        } else {
            let mut command = vec![NAMES[random.index(NAMES.len())].as_bytes()];
            for _ in 0..random.below(3) {
                command.push(ARGUMENTS[random.index(ARGUMENTS.len())]);
            }
            stream.extend(encode(&command));
        }
    }
    for _ in 0..random.below(4) {
        change(random, &mut stream);
    }
    stream
}

/// Changes, inserts, removes or doubles a few bytes.
fn change(random: &mut Random, stream: &mut Vec<u8>) {
    if stream.is_empty() {
        return;
    }
    let at = random.index(stream.len());
    let end = (at + 1 + random.index(7)).min(stream.len());
    let byte = BYTES[random.index(BYTES.len())];
    match random.below(5) {
        0 => stream[at] = byte,
        1 => stream.insert(at, byte),
        2 => drop(stream.remove(at)),
        3 => drop(stream.drain(at..end)),
        _ => {
            let part = stream[at..end].to_vec();
            stream.splice(at..at, part);
        }
    }
}
