use std::io;

/// The head of a response, collected from its parts.
#[derive(Debug, Default)]
pub(crate) struct Head {
    bytes: Vec<u8>,
    /// The length of the body; `None` until the head is complete.
    length: Option<usize>,
}

impl Head {
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.length = None;
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.length.is_some()
    }

    /// The length of the body; 0 until the head is complete.
    pub(crate) fn body_length(&self) -> usize {
        self.length.unwrap_or(0)
    }

    /// Removes the head's bytes from the beginning of `bytes` and returns the others.
    ///
    /// # Errors
    ///
    /// Fails if the status is not 2xx.
    pub(crate) fn take<'a>(&mut self, bytes: &'a [u8]) -> io::Result<&'a [u8]> {
        if self.is_complete() {
            return Ok(bytes);
        }
        let before = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        let Some(end) = self.bytes.windows(4).position(|end| end == b"\r\n\r\n") else {
            return Ok(&[]);
        };
        let head = String::from_utf8_lossy(&self.bytes[..end]);
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap_or_default();
        if !status.starts_with("HTTP/1.1 2") {
            return Err(io::Error::other(format!("the server answered {status}")));
        }
        let length = lines.find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse())
        });
        self.length = Some(length.transpose().map_err(io::Error::other)?.unwrap_or(0));
        Ok(&bytes[end + 4 - before..])
    }
}

/// A request with a body, which may be empty.
pub(crate) fn request(method: &str, path: &str, body: &[u8]) -> Vec<u8> {
    let length =
        if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    let mut request =
        format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{length}\r\n").into_bytes();
    request.extend_from_slice(body);
    request
}
