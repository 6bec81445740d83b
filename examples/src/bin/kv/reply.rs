//! Replies of RESP2 and RESP3, the protocols of Redis.

use fsm_runtime::Cx;

use crate::score;

/// Proof that a command has written its reply.
#[derive(Debug)]
pub(crate) struct Replied;

/// The destination of replies.
pub(crate) trait Out {
    /// Writes raw bytes.
    fn put(&mut self, bytes: &[u8]);

    /// `+text`
    fn simple(&mut self, text: &str) -> Replied {
        self.put(format!("+{text}\r\n").as_bytes());
        Replied
    }

    /// `+OK`
    fn ok(&mut self) -> Replied {
        self.put(b"+OK\r\n");
        Replied
    }

    /// `-text`, each character as one byte. Line ends, which a client's arguments may contain,
    /// become spaces, and are dropped at the end.
    fn error(&mut self, text: &str) -> Replied {
        let text = text.trim_end_matches(['\r', '\n']).replace(['\r', '\n'], " ");
        let mut line = vec![b'-'];
        line.extend(text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')));
        line.extend(b"\r\n");
        self.put(&line);
        Replied
    }

    /// `kind` and a number: an integer, or the header of a bulk string or an array.
    fn number(&mut self, kind: u8, number: i64) -> Replied {
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(number).as_bytes();
        let mut line = [kind; 24];
        line[1..=digits.len()].copy_from_slice(digits);
        line[digits.len() + 1..][..2].copy_from_slice(b"\r\n");
        self.put(&line[..digits.len() + 3]);
        Replied
    }

    /// `:number`
    fn int(&mut self, number: i64) -> Replied {
        self.number(b':', number)
    }

    /// `:count`
    fn count(&mut self, count: usize) -> Replied {
        self.number(b':', i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// `*len`; that many replies follow.
    fn array(&mut self, len: usize) -> Replied {
        self.header(b'*', len)
    }

    /// `kind` and a length.
    fn header(&mut self, kind: u8, len: usize) -> Replied {
        self.number(kind, i64::try_from(len).unwrap_or(i64::MAX))
    }

    /// `$length` and the bytes.
    fn bulk(&mut self, bytes: &[u8]) -> Replied {
        self.header(b'$', bytes.len());
        self.put(bytes);
        self.put(b"\r\n");
        Replied
    }
}

/// The replies of a command, in the protocol of its client: RESP3 has types that RESP2 has not.
pub(crate) struct Replies<'a> {
    out: &'a mut dyn Out,
    /// Whether the client speaks RESP3.
    pub(crate) resp3: bool,
}

impl Out for Replies<'_> {
    fn put(&mut self, bytes: &[u8]) {
        self.out.put(bytes);
    }
}

impl<'a> Replies<'a> {
    /// The replies that go to `out`.
    pub(crate) fn new(out: &'a mut dyn Out, resp3: bool) -> Self {
        Self { out, resp3 }
    }

    /// A bulk string, or nil.
    pub(crate) fn optional<B: AsRef<[u8]>>(&mut self, bytes: Option<B>) -> Replied {
        match bytes {
            Some(bytes) => self.bulk(bytes.as_ref()),
            None => self.null(),
        }
    }

    /// Nil: a bulk string that is missing.
    pub(crate) fn null(&mut self) -> Replied {
        self.put(if self.resp3 { b"_\r\n" } else { b"$-1\r\n" });
        Replied
    }

    /// An array that is missing.
    pub(crate) fn null_array(&mut self) -> Replied {
        self.put(if self.resp3 { b"_\r\n" } else { b"*-1\r\n" });
        Replied
    }

    /// The header of a map; that many pairs follow. In RESP2 it is an array.
    pub(crate) fn map(&mut self, pairs: usize) -> Replied {
        if self.resp3 { self.header(b'%', pairs) } else { self.array(2 * pairs) }
    }

    /// The header of a message that is no reply; in RESP2 it is an array.
    pub(crate) fn push(&mut self, len: usize) -> Replied {
        self.header(if self.resp3 { b'>' } else { b'*' }, len)
    }

    /// The header of a set; that many members follow. In RESP2 it is an array.
    pub(crate) fn set(&mut self, len: usize) -> Replied {
        self.header(if self.resp3 { b'~' } else { b'*' }, len)
    }

    /// Text for people; in RESP2 it is a bulk string.
    pub(crate) fn text(&mut self, text: &[u8]) -> Replied {
        if !self.resp3 {
            return self.bulk(text);
        }
        self.header(b'=', text.len() + 4);
        self.put(b"txt:");
        self.put(text);
        self.put(b"\r\n");
        Replied
    }

    /// A double, or nil. RESP2 has no doubles, so it is a bulk string there.
    pub(crate) fn optional_double(&mut self, number: Option<f64>) -> Replied {
        match number {
            Some(number) => self.double(number),
            None => self.null(),
        }
    }

    fn double(&mut self, number: f64) -> Replied {
        let text = score::format(number);
        if !self.resp3 {
            return self.bulk(text.as_bytes());
        }
        self.put(format!(",{text}\r\n").as_bytes());
        Replied
    }

    /// Members and their scores: in RESP3 an array of pairs, unless it `is_flat`.
    pub(crate) fn scores(&mut self, pairs: &[(&[u8], f64)], is_flat: bool) -> Replied {
        let has_pairs = self.resp3 && !is_flat;
        self.array(if has_pairs { pairs.len() } else { 2 * pairs.len() });
        for (member, score) in pairs {
            if has_pairs {
                self.array(2);
            }
            self.bulk(member);
            self.double(*score);
        }
        Replied
    }

    /// An array of bulk strings.
    pub(crate) fn bulks<B: AsRef<[u8]>>(&mut self, items: impl IntoIterator<Item = B>) -> Replied {
        let items: Vec<_> = items.into_iter().collect();
        self.array(items.len());
        self.each(items)
    }

    /// A set of bulk strings.
    pub(crate) fn bulk_set<B: AsRef<[u8]>>(
        &mut self,
        items: impl IntoIterator<Item = B>,
    ) -> Replied {
        let items: Vec<_> = items.into_iter().collect();
        self.set(items.len());
        self.each(items)
    }

    /// A map of bulk strings.
    pub(crate) fn bulk_map<K: AsRef<[u8]>, V: AsRef<[u8]>>(
        &mut self,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Replied {
        let pairs: Vec<_> = pairs.into_iter().collect();
        self.map(pairs.len());
        for (key, value) in pairs {
            self.bulk(key.as_ref());
            self.bulk(value.as_ref());
        }
        Replied
    }

    fn each<B: AsRef<[u8]>>(&mut self, items: Vec<B>) -> Replied {
        for item in items {
            self.bulk(item.as_ref());
        }
        Replied
    }
}

impl Out for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

impl<Message, Settings> Out for Cx<'_, Message, Settings> {
    fn put(&mut self, bytes: &[u8]) {
        self.write(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies() {
        let mut out = Vec::new();
        out.ok();
        out.simple("PONG");
        out.error("ERR a\r\nb");
        out.int(i64::MIN);
        out.array(2);
        out.bulk(b"\x00\xff");
        let mut replies = Replies::new(&mut out, false);
        replies.optional(None::<&[u8]>);
        replies.bulks(["a", ""]);
        let expected =
            b"+OK\r\n+PONG\r\n-ERR a  b\r\n:-9223372036854775808\r\n*2\r\n$2\r\n\x00\xff\r\n\
            $-1\r\n*2\r\n$1\r\na\r\n$0\r\n\r\n";
        assert_eq!(out, expected);
    }

    #[test]
    fn the_types_of_each_protocol() {
        for (resp3, expected) in [
            (false, "$-1|*-1|*2|$1|k|$1|v|*1|$1|m|$2|hi|"),
            (true, "_|_|%1|$1|k|$1|v|~1|$1|m|=6|txt:hi|"),
        ] {
            let mut out = Vec::new();
            let mut replies = Replies::new(&mut out, resp3);
            replies.null();
            replies.null_array();
            replies.bulk_map([("k", "v")]);
            replies.bulk_set(["m"]);
            replies.text(b"hi");
            assert_eq!(out, expected.replace('|', "\r\n").as_bytes());
        }
    }
}
