use std::io::{self, BufRead, Read};

use serde_json::Value;

use crate::Connection;

/// An HTTP response. Its body has a `Content-Length` unless it is an event stream.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The fields: names in lower case, and values.
    pub fields: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a field, which may occur once at most.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut values = self.fields.iter().filter(|(field, _)| field == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "`{name}` is there twice: {self:?}");
        value
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Whether the server keeps the connection open after this answer.
    pub fn keeps_alive(&self) -> bool {
        match self.field("connection") {
            Some("keep-alive") => true,
            Some("close") => false,
            other => panic!("`connection` is {other:?}"),
        }
    }

    /// Checks the status, and returns the answer.
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:?} {}", self.fields, self.body.escape_ascii());
        self
    }
}

impl Connection {
    /// Reads the next answer, to any request but HEAD.
    pub fn answer(&mut self) -> Answer {
        self.try_answer().expect("the server should answer").expect("the stream has ended")
    }

    /// Reads the answer to a HEAD, which has no body whatever its fields say.
    pub fn answer_to_head(&mut self) -> Answer {
        let head = read_head(self.reader()).expect("the server should answer");
        head.expect("the stream has ended").answer
    }

    /// Reads the next answer; `None` if the stream ends before it.
    ///
    /// # Errors
    ///
    /// Returns the error of the socket, or `UnexpectedEof` if the stream ends within an answer.
    pub fn try_answer(&mut self) -> io::Result<Option<Answer>> {
        let Some(Head { mut answer, len }) = read_head(self.reader())? else { return Ok(None) };
        if let Some(len) = len {
            answer.body = vec![0; len];
            self.reader().read_exact(&mut answer.body)?;
        }
        Ok(Some(answer))
    }

    /// Sends a request and reads its answer.
    pub fn ask(&mut self, request: impl AsRef<[u8]>) -> Answer {
        self.send(request);
        self.answer()
    }
}

struct Head {
    answer: Answer,
    /// `None` if there is no body.
    len: Option<usize>,
}

fn read_head(reader: &mut impl BufRead) -> io::Result<Option<Head>> {
    let Some(line) = read_line(reader)? else { return Ok(None) };
    let status = line.strip_prefix("HTTP/1.1 ").and_then(|line| line.get(..4));
    let status = status.and_then(|code| code.strip_suffix(' ')?.parse().ok());
    let status = status.unwrap_or_else(|| panic!("no status line: {line:?}"));
    let mut answer = Answer { status, fields: Vec::new(), body: Vec::new() };
    loop {
        let line = read_line(reader)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("no field: {line:?}"));
        answer.fields.push((name.to_ascii_lowercase(), value.trim_start().to_owned()));
    }
    let len = answer.field("content-length").map(|len| len.parse().expect("it is a number"));
    let is_bodiless = matches!(status, 100..=199 | 204 | 304);
    let is_endless = answer.field("content-type") == Some("text/event-stream");
    assert_eq!(len.is_none(), is_bodiless || is_endless, "{answer:?}");
    Ok(Some(Head { answer, len }))
}

/// Reads a line, without its CRLF; `None` at the end of the stream.
fn read_line(reader: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    let Some(line) = line.strip_suffix(b"\r\n") else {
        return Err(io::ErrorKind::UnexpectedEof.into());
    };
    assert!(!line.contains(&b'\r'), "{}", line.escape_ascii());
    Ok(Some(String::from_utf8(line.to_vec()).expect("a head is ASCII")))
}
