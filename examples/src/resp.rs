//! Commands and replies of RESP2, the protocol of Redis, as a client sees them.

use std::fmt;

use fsm_runtime::{Decoded, Frame, frame};

/// The deepest array of arrays that a client takes.
const DEPTH: usize = 32;

/// Appends a command and its arguments as they are sent: an array of counted strings.
pub fn write_command(words: &[impl AsRef<[u8]>], out: &mut Vec<u8>) {
    out.extend(format!("*{}\r\n", words.len()).bytes());
    for word in words.iter().map(AsRef::as_ref) {
        out.extend(format!("${}\r\n", word.len()).bytes());
        out.extend(word);
        out.extend(b"\r\n");
    }
}

/// A reply that is no array, or the head of one. The macro makes the decoder `Parts` of it.
#[frame(Parts, tag = u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// Such as `+OK`.
    #[is(b'+')]
    Simple {
        /// The text.
        #[until(b"\r\n", max = 64KiB)]
        text: &'a [u8],
    },
    /// Such as `-ERR unknown command`.
    #[is(b'-')]
    Error {
        /// A word in capitals, and what is wrong.
        #[until(b"\r\n", max = 64KiB)]
        text: &'a [u8],
    },
    /// Such as `:42`.
    #[is(b':')]
    Integer {
        /// The number.
        #[decimal(then = b"\r\n")]
        number: i64,
    },
    /// A string behind its length. The length -1 means that there is none.
    #[is(b'$')]
    Bulk {
        /// The length.
        #[decimal(then = b"\r\n")]
        len: i64,
        /// The string, which may be any bytes.
        #[when(len >= 0)]
        #[bytes(len <= 512MiB, then = b"\r\n")]
        bytes: Option<&'a [u8]>,
    },
    /// The number of replies that follow and are one array. -1 means that there is none.
    #[is(b'*')]
    Array {
        /// The number.
        #[decimal(then = b"\r\n")]
        len: i64,
    },
}

/// A whole reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A short text of the server, such as `OK`.
    Simple(String),
    /// An error of the server, such as `ERR unknown command`.
    Error(String),
    /// A number.
    Integer(i64),
    /// A string, which may be any bytes.
    Bulk(Vec<u8>),
    /// Nothing, such as the value of a key that does not exist.
    Nil,
    /// Several replies.
    Array(Vec<Value>),
}

/// The reason why bytes of a server are no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// A part of it is neither of the five kinds, or too long.
    Part,
    /// Arrays of arrays go too deep.
    Depth,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Part => "the server's bytes are no reply",
            Self::Depth => "the reply has too many arrays in arrays",
        })
    }
}

/// The decoder of whole replies. Replies nest, so they are no declared frame; their parts are.
///
/// It reads no part twice, and takes no memory for replies that an array announces before they arrive.
#[derive(Debug, Default)]
pub struct Values {
    parts: Parts,
    /// The end of the parts that are decoded.
    at: usize,
    /// The arrays that are not complete, the outermost first.
    open: Vec<Open>,
}

#[derive(Debug)]
struct Open {
    missing: i64,
    values: Vec<Value>,
}

impl Frame for Values {
    type Item<'a> = Value;
    type Error = Malformed;

    fn decode(&mut self, input: &[u8]) -> Result<Decoded<Value>, Malformed> {
        loop {
            let part = match self.parts.decode(&input[self.at..]) {
                Ok(Decoded::More(least)) => return Ok(Decoded::More(self.at + least)),
                Ok(Decoded::Frame(part, used)) => {
                    self.at += used;
                    part
                }
                Err(_) => return Err(Malformed::Part),
            };
            self.parts = Parts::default();
            if let Some(value) = self.add(part)? {
                return Ok(Decoded::Frame(value, self.at));
            }
        }
    }
}

impl Values {
    /// Adds a part. Returns the reply that it completes.
    fn add(&mut self, part: Part<'_>) -> Result<Option<Value>, Malformed> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut value = match part {
            Part::Simple { text: bytes } => Value::Simple(text(bytes)),
            Part::Error { text: bytes } => Value::Error(text(bytes)),
            Part::Integer { number } => Value::Integer(number),
            Part::Bulk { bytes, .. } => {
                bytes.map_or(Value::Nil, |bytes| Value::Bulk(bytes.to_vec()))
            }
            Part::Array { len } if len < 0 => Value::Nil,
            Part::Array { len: 0 } => Value::Array(Vec::new()),
            Part::Array { .. } if self.open.len() == DEPTH => return Err(Malformed::Depth),
            Part::Array { len } => {
                self.open.push(Open { missing: len, values: Vec::new() });
                return Ok(None);
            }
        };
        while let Some(mut array) = self.open.pop() {
            array.values.push(value);
            array.missing -= 1;
            if array.missing > 0 {
                self.open.push(array);
                return Ok(None);
            }
            value = Value::Array(array.values);
        }
        Ok(Some(value))
    }
}

/// As `redis-cli` shows it.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.show(0, f)
    }
}

impl Value {
    /// Shows it behind this number of columns, which further lines are indented by.
    fn show(&self, column: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Simple(text) => f.write_str(text),
            Self::Error(text) => write!(f, "(error) {text}"),
            Self::Integer(number) => write!(f, "(integer) {number}"),
            Self::Bulk(bytes) => write!(f, "\"{}\"", Quoted(bytes)),
            Self::Nil => f.write_str("(nil)"),
            Self::Array(values) if values.is_empty() => f.write_str("(empty array)"),
            Self::Array(values) => {
                let width = values.len().to_string().len();
                for (number, value) in (1..).zip(values) {
                    if number > 1 {
                        write!(f, "\n{:column$}", "")?;
                    }
                    write!(f, "{number:width$}) ")?;
                    value.show(column + width + 2, f)?;
                }
                Ok(())
            }
        }
    }
}

/// Bytes between quotes. Those that are no printable ASCII are escaped as in C.
struct Quoted<'a>(&'a [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0 {
            match byte {
                b'\'' => f.write_str("'")?,
                7 => f.write_str("\\a")?,
                8 => f.write_str("\\b")?,
                byte => write!(f, "{}", byte.escape_ascii())?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use fsm_runtime::sim::check;

    use super::*;

    /// Feeds `input` byte by byte.
    fn feed(input: &[u8]) -> Result<Option<(Value, usize)>, Malformed> {
        let mut decoder = Values::default();
        for end in 0..=input.len() {
            match decoder.decode(&input[..end])? {
                Decoded::Frame(value, used) => return Ok(Some((value, used))),
                Decoded::More(least) => assert!(least > end),
            }
        }
        Ok(None)
    }

    #[test]
    fn replies_however_they_are_cut() {
        let bulk = |text: &str| Value::Bulk(text.into());
        let cases = [
            ("+OK\r\n", Value::Simple("OK".to_owned())),
            ("-ERR no\r\n", Value::Error("ERR no".to_owned())),
            (":-42\r\n", Value::Integer(-42)),
            ("$5\r\na\r\nbc\r\n", bulk("a\r\nbc")),
            ("$0\r\n\r\n", bulk("")),
            ("$-1\r\n", Value::Nil),
            ("*-1\r\n", Value::Nil),
            ("*0\r\n", Value::Array(Vec::new())),
            (
                "*3\r\n:1\r\n*2\r\n$1\r\na\r\n*0\r\n$-1\r\n",
                Value::Array(vec![
                    Value::Integer(1),
                    Value::Array(vec![bulk("a"), Value::Array(Vec::new())]),
                    Value::Nil,
                ]),
            ),
        ];
        for (input, value) in cases {
            let whole = Some((value, input.len()));
            assert_eq!(feed(input.as_bytes()), Ok(whole), "{input:?}");
            assert_eq!(feed(&input.as_bytes()[..input.len() - 1]), Ok(None), "{input:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_reply() {
        let deep = "*1\r\n".repeat(DEPTH + 1);
        assert_eq!(feed(deep.as_bytes()), Err(Malformed::Depth));
        for input in ["HTTP/1.1", ":x\r\n", "$536870913\r\n", "$1\r\nab", "*1\r\n!"] {
            assert_eq!(feed(input.as_bytes()), Err(Malformed::Part), "{input:?}");
        }
    }

    #[test]
    fn parts_are_written_as_they_are_read() {
        check::frames::<Parts>();
    }

    #[test]
    fn replies_look_as_in_redis_cli() {
        let text = |value: &str| {
            let Ok(Some((value, _))) = feed(value.as_bytes()) else { panic!("{value}") };
            value.to_string()
        };
        assert_eq!(text("+PONG\r\n"), "PONG");
        assert_eq!(text(":7\r\n"), "(integer) 7");
        assert_eq!(text("$-1\r\n"), "(nil)");
        assert_eq!(text("*0\r\n"), "(empty array)");
        assert_eq!(text("$6\r\n'\"\\\n\u{e9}\r\n"), "\"'\\\"\\\\\\n\\xc3\\xa9\"");
        let nested = "*2\r\n*2\r\n:1\r\n:2\r\n$1\r\na\r\n";
        assert_eq!(text(nested), "1) 1) (integer) 1\n   2) (integer) 2\n2) \"a\"");
    }

    #[test]
    fn commands_are_arrays_of_counted_strings() {
        let mut out = Vec::new();
        write_command(&["SET", "k", ""], &mut out);
        assert_eq!(out, b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n");
    }
}
