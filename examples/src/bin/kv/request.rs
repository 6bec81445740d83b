//! Requests of RESP2, the protocol of Redis.

use std::borrow::Cow;
use std::ops::{Index, Range, RangeInclusive};

use fsm_runtime::{Decoded, Frame};
use smallvec::SmallVec;

const MAX_LINE: usize = 64 * 1024;
const MAX_ARGUMENTS: i64 = 1024 * 1024;
/// The maximum length of an argument and of a value.
pub(crate) const MAX_BULK: i64 = 512 * 1024 * 1024;

/// The reason why a request is refused, in the words of Redis.
pub(crate) type Error = Cow<'static, str>;

/// The ranges of the arguments in the input; up to eight need no allocation.
type Spans = SmallVec<[Range<usize>; 8]>;

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

    /// The arguments from `first` on.
    pub(crate) fn from(&self, first: usize) -> impl Iterator<Item = &[u8]> {
        (first..self.len()).map(|i| &self[i])
    }
}

impl Index<usize> for Request<'_> {
    type Output = [u8];

    fn index(&self, i: usize) -> &[u8] {
        &self.bytes[self.spans[i].clone()]
    }
}

/// The request decoder. It reads no part of an incomplete request twice.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    spans: Spans,
    count: usize,
    /// The length of the next argument, once its header is read.
    bulk: Option<usize>,
    /// The position of the next header or argument.
    at: usize,
    /// The position up to which no line ends.
    searched: usize,
}

impl Frame for Decoder {
    type Item<'a> = Request<'a>;
    type Error = Error;

    fn decode<'a>(&mut self, input: &'a [u8]) -> Result<Decoded<Request<'a>>, Error> {
        let more = Ok(Decoded::More(input.len() + 1));
        if input.first().is_some_and(|&kind| kind != b'*') {
            let Some(end) = self.line_end(input, b'\n', "inline request")? else { return more };
            let line = input[..end].strip_suffix(b"\r").unwrap_or(&input[..end]);
            let (bytes, spans) =
                split(line).ok_or("Protocol error: unbalanced quotes in request")?;
            return Ok(Decoded::Frame(Request { bytes, spans }, end + 1));
        }
        if self.at == 0 {
            match self.header(input, "mbulk count string", "multibulk", i64::MIN..=MAX_ARGUMENTS)? {
                Some(count) => self.count = count,
                None => return more,
            }
        }
        while self.spans.len() < self.count {
            if self.bulk.is_none() {
                self.bulk = match input.get(self.at).map(|&kind| char::from(kind)) {
                    None | Some('$') => {
                        self.header(input, "bulk count string", "bulk", 0..=MAX_BULK)?
                    }
                    Some(other) => {
                        return Err(format!("Protocol error: expected '$', got '{other}'").into());
                    }
                };
            }
            let Some(len) = self.bulk else { return more };
            let end = self.at + len;
            if input.len() < end + 2 {
                return Ok(Decoded::More(end + 2));
            }
            self.spans.push(self.at..end);
            (self.at, self.bulk) = (end + 2, None); // like Redis, ignore the two bytes
        }
        let spans = std::mem::take(&mut self.spans);
        Ok(Decoded::Frame(Request { bytes: input.into(), spans }, self.at))
    }
}

impl Decoder {
    fn line_end(&mut self, input: &[u8], end: u8, name: &str) -> Result<Option<usize>, Error> {
        let from = self.searched.max(self.at);
        let found = input[from..].iter().position(|&byte| byte == end).map(|i| from + i);
        self.searched = found.unwrap_or(input.len());
        if found.is_none() && input.len() - self.at > MAX_LINE {
            return Err(format!("Protocol error: too big {name}").into());
        }
        Ok(found)
    }

    /// Reads the number of a header and moves behind it; `None` while the line is incomplete.
    fn header(
        &mut self,
        input: &[u8],
        line: &str,
        name: &str,
        valid: RangeInclusive<i64>,
    ) -> Result<Option<usize>, Error> {
        let end = self.line_end(input, b'\r', line)?;
        let Some(end) = end.filter(|end| end + 1 < input.len()) else { return Ok(None) };
        let number = parse_int(&input[self.at + 1..end]).filter(|number| valid.contains(number));
        self.at = end + 2;
        match number {
            Some(number) => Ok(Some(usize::try_from(number).unwrap_or(0))),
            None => Err(format!("Protocol error: invalid {name} length").into()),
        }
    }
}

/// Splits a line into words as `redis-cli` does; `None` if a quote is not closed.
fn split(line: &[u8]) -> Option<(Cow<'_, [u8]>, Spans)> {
    let (mut spans, mut at) = (Spans::new(), 0);
    if !line.iter().any(|byte| matches!(byte, b'"' | b'\'')) {
        for word in line.split(u8::is_ascii_whitespace) {
            if !word.is_empty() {
                spans.push(at..at + word.len());
            }
            at += word.len() + 1;
        }
        return Some((line.into(), spans));
    }
    let (mut text, mut rest) = (Vec::new(), line.trim_ascii());
    while !rest.is_empty() {
        let (start, mut quote) = (text.len(), None);
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            match (quote, byte) {
                (None, b'"' | b'\'') => quote = Some(byte),
                (None, _) if byte.is_ascii_whitespace() => break,
                (Some(open), _) if open == byte => {
                    quote = None;
                    if rest.first().is_some_and(|next| !next.is_ascii_whitespace()) {
                        return None;
                    }
                }
                (Some(b'"'), b'\\') => text.push(unescape(&mut rest)?),
                (Some(b'\''), b'\\') if rest.starts_with(b"'") => {
                    text.push(b'\'');
                    rest = &rest[1..];
                }
                _ => text.push(byte),
            }
        }
        if quote.is_some() {
            return None;
        }
        spans.push(start..text.len());
        rest = rest.trim_ascii_start();
    }
    Some((text.into(), spans))
}

/// The byte of an escape sequence between double quotes, whose text after the backslash is `rest`.
fn unescape(rest: &mut &[u8]) -> Option<u8> {
    let hex = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (&byte, after) = rest.split_first()?;
    *rest = after;
    Some(match (byte, after) {
        (b'x', [high, low, after @ ..]) if hex(*high).is_some() && hex(*low).is_some() => {
            *rest = after;
            hex(*high)? << 4 | hex(*low)?
        }
        (b'n', _) => b'\n',
        (b'r', _) => b'\r',
        (b't', _) => b'\t',
        (b'b', _) => 8,
        (b'a', _) => 7,
        _ => byte,
    })
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
        let long = "1".repeat(MAX_LINE + 1);
        let cases: &[(&[&[u8]], &str)] = &[
            (&[b"*x\r\n"], "invalid multibulk length"),
            (&[b"*\r\n"], "invalid multibulk length"),
            (&[b"*01\r\n"], "invalid multibulk length"),
            (&[b"*+1\r\n"], "invalid multibulk length"),
            (&[b"*1048577\r\n"], "invalid multibulk length"),
            (&[b"*99999999999999999999\r\n"], "invalid multibulk length"),
            (&[b"*1\r\n$x\r\n"], "invalid bulk length"),
            (&[b"*1\r\n$-1\r\n"], "invalid bulk length"),
            (&[b"*1\r\n$536870913\r\n"], "invalid bulk length"),
            (&[b"*1\r\nx"], "expected '$', got 'x'"),
            (&[b"*2\r\n$1\r\na\r\n:1\r\n"], "expected '$', got ':'"),
            (&[b"a \"b\r\n"], "unbalanced quotes in request"),
            (&[b"a 'b\r\n"], "unbalanced quotes in request"),
            (&[b"a \"b\\\r\n"], "unbalanced quotes in request"),
            (&[b"a \"b\"c\r\n"], "unbalanced quotes in request"),
            (&[b"*", long.as_bytes()], "too big mbulk count string"),
            (&[b"*1\r\n$", long.as_bytes()], "too big bulk count string"),
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
        let mut decoder = Decoder::default();
        assert!(matches!(decoder.decode(b"*1048576\r\n"), Ok(Decoded::More(11))));
        let header = b"*1\r\n$536870912\r\n";
        let mut decoder = Decoder::default();
        let end = header.len() + 536_870_912 + 2;
        assert!(matches!(decoder.decode(header), Ok(Decoded::More(least)) if least == end));
        let line = ("x".repeat(MAX_LINE - 1) + "\n").into_bytes();
        assert_eq!(feed(&line, []), Ok((args(&[&line[..MAX_LINE - 1]]), MAX_LINE)));
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
