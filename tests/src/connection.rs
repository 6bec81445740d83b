use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::TIMEOUT;

const OPTIONS: &str = "a socket takes options";

/// A connection to a server, with timeouts for reading and writing.
#[derive(Debug)]
pub struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    /// Connects to a server.
    pub fn new(address: SocketAddr) -> Self {
        Self::from_stream(TcpStream::connect_timeout(&address, TIMEOUT).expect("it should connect"))
    }

    /// Wraps a connected socket.
    pub fn from_stream(stream: TcpStream) -> Self {
        stream.set_nodelay(true).expect(OPTIONS);
        stream.set_write_timeout(Some(TIMEOUT)).expect(OPTIONS);
        stream.set_read_timeout(Some(TIMEOUT)).expect(OPTIONS);
        Self { stream: BufReader::new(stream) }
    }

    /// The socket.
    pub fn socket(&self) -> &TcpStream {
        self.stream.get_ref()
    }

    pub(crate) fn reader(&mut self) -> &mut BufReader<TcpStream> {
        &mut self.stream
    }

    /// Sends bytes.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes.as_ref()).expect("the server should take what is sent");
    }

    /// Sends bytes to a server that may have closed the connection.
    ///
    /// # Errors
    ///
    /// Returns the error of the socket.
    pub fn try_send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// Sends a command and reads its reply, undecoded.
    pub fn command<A: AsRef<[u8]>>(&mut self, arguments: &[A]) -> Vec<u8> {
        self.send(encode(arguments));
        self.reply()
    }

    /// Sends a command and reads its reply, undecoded; empty if the stream ends before it.
    ///
    /// # Errors
    ///
    /// Returns the error of the socket, or `UnexpectedEof` if the stream ends within a reply.
    pub fn try_command<A: AsRef<[u8]>>(&mut self, arguments: &[A]) -> io::Result<Vec<u8>> {
        self.try_send(&encode(arguments))?;
        self.try_reply()
    }

    /// Sends a command and checks its reply.
    pub fn expect<A: AsRef<[u8]>>(&mut self, arguments: &[A], reply: &str) {
        let got = self.command(arguments);
        let command: Vec<_> = arguments.iter().map(|a| a.as_ref().escape_ascii()).collect();
        assert_eq!(
            got.escape_ascii().to_string(),
            reply.as_bytes().escape_ascii().to_string(),
            "{command:?}"
        );
    }

    /// Reads the next RESP reply, undecoded.
    pub fn reply(&mut self) -> Vec<u8> {
        self.try_reply().expect("the server should reply")
    }

    /// Reads the next RESP reply, undecoded; empty if the stream ends before it.
    ///
    /// # Errors
    ///
    /// Returns the error of the socket, or `UnexpectedEof` if the stream ends within a reply.
    pub fn try_reply(&mut self) -> io::Result<Vec<u8>> {
        let mut reply = Vec::new();
        if !self.stream.fill_buf()?.is_empty() {
            self.append_reply(&mut reply)?;
        }
        Ok(reply)
    }

    fn append_reply(&mut self, reply: &mut Vec<u8>) -> io::Result<()> {
        let start = reply.len();
        self.stream.read_until(b'\n', reply)?;
        if !reply.ends_with(b"\r\n") {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let header = &reply[start..];
        let number = std::str::from_utf8(&header[1..header.len() - 2]).ok();
        let number = number.and_then(|number| number.parse::<i64>().ok());
        match (header[0], number) {
            (b'+' | b'-' | b'_' | b',', _) | (b':', Some(_)) | (b'$' | b'*', Some(-1)) => {}
            (b'$' | b'=', Some(len @ 0..)) => {
                let start = reply.len();
                reply.resize(start + usize::try_from(len).expect("it fits") + 2, 0);
                self.stream.read_exact(&mut reply[start..])?;
                assert!(reply.ends_with(b"\r\n"), "no end of line after {len} bytes");
            }
            (kind @ (b'*' | b'~' | b'%' | b'>'), Some(len @ 0..)) => {
                for _ in 0..if kind == b'%' { 2 * len } else { len } {
                    self.append_reply(reply)?;
                }
            }
            _ => panic!("no reply: {}", reply.escape_ascii()),
        }
        Ok(())
    }

    /// Whether no byte arrives for as long as `pause`.
    pub fn is_silent_for(&mut self, pause: Duration) -> bool {
        let socket = self.socket();
        if pause.is_zero() {
            socket.set_nonblocking(true).expect(OPTIONS);
        } else {
            socket.set_read_timeout(Some(pause)).expect(OPTIONS);
        }
        let peeked = socket.peek(&mut [0]);
        socket.set_nonblocking(false).expect(OPTIONS);
        socket.set_read_timeout(Some(TIMEOUT)).expect(OPTIONS);
        matches!(peeked, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Reads the next line, without its end.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("the server should send a line");
        line.strip_suffix('\n').unwrap_or_else(|| panic!("no whole line: {line:?}")).to_owned()
    }

    /// Waits for the next byte or the end of the stream; returns whether it is the end.
    ///
    /// # Errors
    ///
    /// Returns the error of the socket.
    pub fn is_at_end(&mut self) -> io::Result<bool> {
        Ok(self.stream.fill_buf()?.is_empty())
    }

    /// Reads the next line, without its end; `None` at the end of the stream.
    ///
    /// # Errors
    ///
    /// Returns the error of the socket, or `UnexpectedEof` if the stream ends within a line.
    pub fn try_line(&mut self) -> io::Result<Option<String>> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        match line.strip_suffix('\n') {
            Some(line) => Ok(Some(line.to_owned())),
            None if line.is_empty() => Ok(None),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Reads the next bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes).expect("the server should send bytes");
        bytes
    }

    /// Checks that the stream ends, without further bytes and without a reset.
    pub fn expect_end(&mut self) {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).expect("the stream should end, without a reset");
        assert!(rest.is_empty(), "the stream should have ended: {}", rest.escape_ascii());
    }

    /// Shuts down the sending side; the server may still send.
    pub fn shutdown_write(&mut self) {
        self.socket().shutdown(std::net::Shutdown::Write).expect("it is connected");
    }
}

/// A command as a RESP client sends it.
pub fn encode<A: AsRef<[u8]>>(arguments: &[A]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", arguments.len()).into_bytes();
    for argument in arguments {
        let argument = argument.as_ref();
        bytes.extend(format!("${}\r\n", argument.len()).bytes());
        bytes.extend(argument);
        bytes.extend(b"\r\n");
    }
    bytes
}

/// Checks that no byte arrives on any of the connections for as long as `pause`.
pub fn expect_silence<'a>(
    connections: impl IntoIterator<Item = &'a mut Connection>,
    pause: Duration,
) {
    let end = Instant::now() + pause;
    for connection in connections {
        let rest = end.saturating_duration_since(Instant::now());
        assert!(connection.is_silent_for(rest), "it should have nothing to read yet");
    }
}
