//! Requests of RESP2 and RESP3, the protocols of Redis, which differ in replies alone.

use std::borrow::Cow;
use std::convert::Infallible;
use std::ops::{Index, Range};
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering::Relaxed;

use fsm_runtime::prelude::*;
use smallvec::SmallVec;

use crate::words::split;

const MAX_INLINE: usize = 64 * 1024;
const DEFAULT_MAX_BULK: i64 = 512 * 1024 * 1024;

/// The reason why a request is refused, in the words of Redis. Each character is one byte of the
/// reply (Latin-1), because the words may quote any bytes of the request.
pub(crate) type Error = Cow<'static, str>;

/// The ranges of the arguments in the input; up to eight need no allocation.
///
/// A request of many short arguments takes little more than twice its bytes, because a request is
/// shorter than 4 GiB.
pub(crate) type Spans = SmallVec<[Range<u32>; 8]>;

/// The range of an argument.
pub(crate) fn span(start: usize, end: usize) -> Range<u32> {
    let short = |at| u32::try_from(at).expect("a request is shorter than 4 GiB");
    short(start)..short(end)
}

/// The maximum length of an argument and of a value, `--proto-max-bulk-len`. It is of the process, because
/// the machine makes a decoder for each request, with nothing but its `Default`.
static MAX_BULK: AtomicI64 = AtomicI64::new(DEFAULT_MAX_BULK);

/// The maximum length of an argument and of a value.
pub(crate) fn max_bulk() -> i64 {
    MAX_BULK.load(Relaxed)
}

/// Sets the maximum length of an argument and of a value for the whole process.
pub(crate) fn set_max_bulk(max: i64) {
    MAX_BULK.store(max, Relaxed);
}

/// A command and its arguments, borrowed from the input; empty for a blank line, which has no
/// reply.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    bytes: Cow<'a, [u8]>,
    spans: Spans,
}

impl Request<'_> {
    /// The number of arguments, including the command's name.
    pub(crate) fn len(&self) -> usize {
        self.spans.len()
    }

    /// The number of bytes of the whole request.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The memory that a copy of the request takes, with that of its place in a queue.
    pub(crate) fn memory(&self) -> usize {
        self.size() + self.len() * size_of::<Range<u32>>() + size_of::<Self>()
    }

    /// A copy of the request that does not borrow from the input.
    pub(crate) fn to_owned(&self) -> Request<'static> {
        Request { bytes: Cow::Owned(self.bytes.to_vec()), spans: self.spans.clone() }
    }

    /// A request of these arguments.
    pub(crate) fn of(arguments: &[Vec<u8>]) -> Request<'static> {
        let mut at = 0;
        let spans = arguments.iter().map(|argument| {
            let start = at;
            at += argument.len();
            span(start, at)
        });
        let spans = spans.collect();
        Request { bytes: Cow::Owned(arguments.concat()), spans }
    }

    /// The arguments from `first` on.
    pub(crate) fn from(&self, first: usize) -> impl Iterator<Item = &[u8]> {
        (first..self.len()).map(|i| &self[i])
    }
}

impl Index<usize> for Request<'_> {
    type Output = [u8];

    fn index(&self, i: usize) -> &[u8] {
        let Range { start, end } = self.spans[i];
        &self.bytes[start as usize..end as usize]
    }
}

/// A request as an array of arguments, which is empty if the count is not above 0.
#[frame(Arrays, max = 1GiB)]
struct Array<'a> {
    #[is(b'*')]
    kind: u8,
    #[decimal(then = b"\r")]
    count: i32,
    line_feed: u8,
    #[when(count > 0)]
    #[times(count <= 2147483647)]
    arguments: Option<Times<'a, Arguments>>,
}

/// An argument of a request. As Redis does, the server skips one byte behind each CR and two behind an
/// argument, whatever they are.
#[frame(Arguments)]
struct Argument<'a> {
    #[is(b'$')]
    kind: u8,
    #[decimal(then = b"\r")]
    len: u32,
    line_feed: u8,
    #[bytes(len <= max_bulk().unsigned_abs() <= 1GiB)]
    bytes: &'a [u8],
    end: [u8; 2],
}

/// The decoder of requests: of arrays, and of inline commands, which have quotes and so are no frames. It
/// reads no part of an incomplete request twice.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    array: Arrays,
    /// The position up to which no inline command ends.
    searched: usize,
}

impl Frame for Decoder {
    type Item<'a> = Request<'a>;
    type Error = Error;

    fn decode<'a>(&mut self, input: &'a [u8]) -> Result<Decoded<Request<'a>>, Error> {
        if input.first().is_some_and(|&kind| kind != b'*') {
            return self.inline(input);
        }
        Ok(match self.array.decode(input).map_err(|error| refusal(&error))? {
            Decoded::More(total) => Decoded::More(total),
            Decoded::Frame(array, used) => {
                let place = |bytes: &[u8]| bytes.as_ptr().addr() - input.as_ptr().addr();
                let arguments = array.arguments.unwrap_or_default().into_iter();
                let spans = arguments.map(|Argument { bytes, .. }| {
                    let start = place(bytes);
                    span(start, start + bytes.len())
                });
                Decoded::Frame(
                    Request { bytes: input[..used].into(), spans: spans.collect() },
                    used,
                )
            }
        })
    }
}

impl Decoder {
    fn inline<'a>(&mut self, input: &'a [u8]) -> Result<Decoded<Request<'a>>, Error> {
        let found = input[self.searched..].iter().position(|&byte| byte == b'\n');
        let Some(end) = found.map(|i| self.searched + i) else {
            self.searched = input.len();
            if input.len() > MAX_INLINE {
                return Err("Protocol error: too big inline request".into());
            }
            return Ok(Decoded::More(input.len() + 1));
        };
        let line = input[..end].strip_suffix(b"\r").unwrap_or(&input[..end]);
        let (bytes, spans) = split(line).ok_or("Protocol error: unbalanced quotes in request")?;
        Ok(Decoded::Frame(Request { bytes, spans }, end + 1))
    }
}

/// The words of Redis for a request that is refused.
fn refusal(error: &ArraysError) -> Error {
    let invalid = match error {
        ArraysError::Arguments(ArgumentsError::Kind { found }) => {
            return format!("Protocol error: expected '$', got '{}'", char::from(*found)).into();
        }
        ArraysError::Arguments(_) => "invalid bulk length",
        ArraysError::TooLong { .. } => "the command is larger than 1 GiB",
        _ => "invalid multibulk length",
    };
    format!("Protocol error: {invalid}").into()
}

/// Parses an integer as strictly as Redis does: no `+`, no space, no leading zero.
pub(crate) fn parse_int(text: &[u8]) -> Option<i64> {
    let (sign, digits) = text.strip_prefix(b"-").map_or((1, text), |digits| (-1, digits));
    match digits {
        b"0" if sign == 1 => Some(0),
        [b'1'..=b'9', ..] => digits.iter().try_fold(0_i64, |number, digit| {
            let digit = char::from(*digit).to_digit(10)?;
            number.checked_mul(10)?.checked_add(sign * i64::from(digit))
        }),
        _ => None,
    }
}

/// A decoder for a state that runs no commands: those that come stay in the input for a later state, and the
/// end of the stream is noticed behind them.
#[derive(Debug, Default)]
pub(crate) struct Later;

impl Frame for Later {
    type Item<'a> = Infallible;
    type Error = Infallible;

    fn decode(&mut self, input: &[u8]) -> Result<Decoded<Infallible>, Infallible> {
        Ok(Decoded::More(input.len() + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Args = Vec<Vec<u8>>;

    /// Feeds `input` in pieces that end at `cuts`, as the framework does.
    fn feed(input: &[u8], cuts: impl IntoIterator<Item = usize>) -> Result<(Args, usize), String> {
        let mut decoder = Decoder::default();
        for end in cuts.into_iter().chain([input.len()]) {
            match decoder.decode(&input[..end]).map_err(|error| error.to_string())? {
                Decoded::Frame(request, used) => {
                    return Ok((request.from(0).map(Vec::from).collect(), used));
                }
                Decoded::More(least) => assert!(end < least, "{least} after {end} bytes"),
            }
        }
        Err("not whole".into())
    }

    fn args(args: &[&[u8]]) -> Args {
        args.iter().map(|arg| arg.to_vec()).collect()
    }

    fn messages() -> Vec<(&'static [u8], Args)> {
        vec![
            (b"*1\r\n$4\r\nPING\r\n", args(&[b"PING"])),
            (b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", args(&[b"GET", b"k"])),
            (
                b"*3\r\n$3\r\nSET\r\n$0\r\n\r\n$6\r\n\r\n$1\r\n\r\n",
                args(&[b"SET", b"", b"\r\n$1\r\n"]),
            ),
            (
                b"*9\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n$1\r\ne\r\n$1\r\nf\r\n\
                $1\r\ng\r\n$1\r\nh\r\n$11\r\nhello world\r\n",
                args(&[b"a", b"b", b"c", b"d", b"e", b"f", b"g", b"h", b"hello world"]),
            ),
            (b"*0\r\n", args(&[])),
            (b"*-1\r\n", args(&[])),
            (b"*-7\r\n", args(&[])),
            (b"\r\n", args(&[])),
            (b"\n", args(&[])),
            (b"  \t \r\n", args(&[])),
            (b"PING\r\n", args(&[b"PING"])),
            (b"PING\n", args(&[b"PING"])),
            (b"  SET  a\tb  \r\n", args(&[b"SET", b"a", b"b"])),
            (b"SET a \"b c\"\r\n", args(&[b"SET", b"a", b"b c"])),
            (b"SET \"\" ''\n", args(&[b"SET", b"", b""])),
            (br#"a "\n\r\t\b\a\\\"\x41\xfF\xg1\q" 'it\'s \n'"#, vec![]),
        ]
    }

    fn whole_messages() -> Vec<(Vec<u8>, Args)> {
        let mut all: Vec<_> = messages().into_iter().map(|(m, a)| (m.to_vec(), a)).collect();
        if let Some((message, expected)) = all.last_mut() {
            message.extend(b"\r\n");
            *expected = args(&[b"a", b"\n\r\t\x08\x07\\\"A\xffxg1q", b"it's \\n"]);
        }
        all
    }

    #[test]
    fn requests_however_they_are_cut() {
        for (message, expected) in whole_messages() {
            let whole = Ok((expected, message.len()));
            let followed = [&message[..], b"*1\r\n$4\r\nQUIT\r\n"].concat();
            assert_eq!(feed(&followed, []), whole, "{}", message.escape_ascii());
            assert_eq!(feed(&message, 0..message.len()), whole, "{}", message.escape_ascii());
            for first in 0..message.len() {
                for second in first..message.len() {
                    assert_eq!(feed(&message, [first, second]), whole);
                }
            }
        }
    }

    #[test]
    fn protocol_errors() {
        let long = "1".repeat(MAX_INLINE + 1);
        let cases: &[(&[&[u8]], &str)] = &[
            (&[b"*x\r\n"], "invalid multibulk length"),
            (&[b"*\r\n"], "invalid multibulk length"),
            (&[b"*01\r\n"], "invalid multibulk length"),
            (&[b"*+1\r\n"], "invalid multibulk length"),
            (&[b"*2147483648\r\n"], "invalid multibulk length"),
            (&[b"*99999999999999999999\r\n"], "invalid multibulk length"),
            (&[b"*1\r\n$x\r\n"], "invalid bulk length"),
            (&[b"*1\r\n$-1\r\n"], "invalid bulk length"),
            (&[b"*1\r\n$536870913\r\n"], "invalid bulk length"),
            (&[b"*1\r\nx\r\n"], "expected '$', got 'x'"),
            (&[b"*2\r\n$1\r\na\r\n:1\r\n"], "expected '$', got ':'"),
            (&[b"a \"b\r\n"], "unbalanced quotes in request"),
            (&[b"a 'b\r\n"], "unbalanced quotes in request"),
            (&[b"a \"b\\\r\n"], "unbalanced quotes in request"),
            (&[b"a \"b\"c\r\n"], "unbalanced quotes in request"),
            (&[b"*", long.as_bytes()], "invalid multibulk length"),
            (&[b"*1\r\n$", long.as_bytes()], "invalid bulk length"),
            // That many arguments do not fit, however short they are.
            (&[b"*2147483647\r\n"], "the command is larger than 1 GiB"),
            (&[long.as_bytes()], "too big inline request"),
        ];
        for (input, text) in cases {
            let input = input.concat();
            let error = Err(format!("Protocol error: {text}"));
            assert_eq!(feed(&input, []), error);
            assert_eq!(feed(&input, 0..input.len()), error);
        }
    }

    #[test]
    fn the_largest_lengths() {
        let header = b"*1\r\n$536870912\r\n";
        let mut decoder = Decoder::default();
        let end = header.len() + 536_870_912 + 2;
        assert!(matches!(decoder.decode(header), Ok(Decoded::More(least)) if least == end));
        let line = ("x".repeat(MAX_INLINE - 1) + "\n").into_bytes();
        assert_eq!(feed(&line, []), Ok((args(&[&line[..MAX_INLINE - 1]]), MAX_INLINE)));
    }

    /// Takes minutes if the decoder reads anything twice.
    #[test]
    fn many_arguments_byte_by_byte() {
        let message = format!("*100000\r\n{}", "$1\r\nx\r\n".repeat(100_000)).into_bytes();
        let Ok((args, used)) = feed(&message, 0..message.len()) else { panic!() };
        assert_eq!((args.len(), used), (100_000, message.len()));
    }

    #[test]
    fn small_requests_are_lent() {
        for message in [&b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"[..], b"GET k\r\n"] {
            let Ok(Decoded::Frame(request, _)) = Decoder::default().decode(message) else {
                panic!()
            };
            assert!(matches!(request.bytes, Cow::Borrowed(_)) && !request.spans.spilled());
        }
    }

    #[test]
    fn integers() {
        for number in [0, 1, -1, 10, i64::MAX, i64::MIN] {
            assert_eq!(parse_int(number.to_string().as_bytes()), Some(number));
        }
        for text in ["", "-", "-0", "00", "01", "+1", " 1", "1 ", "1x", "9223372036854775808"] {
            assert_eq!(parse_int(text.as_bytes()), None, "{text}");
        }
    }
}
