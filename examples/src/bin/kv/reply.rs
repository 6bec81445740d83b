//! Replies of RESP2, the protocol of Redis.

use fsm_runtime::Cx;

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
        self.number(b'*', i64::try_from(len).unwrap_or(i64::MAX))
    }

    /// `$length` and the bytes.
    fn bulk(&mut self, bytes: &[u8]) -> Replied {
        self.number(b'$', i64::try_from(bytes.len()).unwrap_or(i64::MAX));
        self.put(bytes);
        self.put(b"\r\n");
        Replied
    }
}

impl dyn Out + '_ {
    /// A bulk string, or nil.
    pub(crate) fn optional<B: AsRef<[u8]>>(&mut self, bytes: Option<B>) -> Replied {
        match bytes {
            Some(bytes) => self.bulk(bytes.as_ref()),
            None => self.number(b'$', -1),
        }
    }

    /// An array of bulk strings.
    pub(crate) fn bulks<B: AsRef<[u8]>>(&mut self, items: impl IntoIterator<Item = B>) -> Replied {
        let items: Vec<_> = items.into_iter().collect();
        self.array(items.len());
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

impl Out for Cx<'_> {
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
        let out_dyn: &mut dyn Out = &mut out;
        out_dyn.optional(None::<&[u8]>);
        out_dyn.bulks(["a", ""]);
        let expected =
            b"+OK\r\n+PONG\r\n-ERR a  b\r\n:-9223372036854775808\r\n*2\r\n$2\r\n\x00\xff\r\n\
            $-1\r\n*2\r\n$1\r\na\r\n$0\r\n\r\n";
        assert_eq!(out, expected);
    }
}
