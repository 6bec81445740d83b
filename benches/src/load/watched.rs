use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::lab::Lab;
use crate::load::program;
use crate::process::{ServerCommand, ServerProcess};

/// The time for a console to listen, and for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The program `watched`, with a console or without.
pub(crate) struct Watched {
    pub(crate) program: PathBuf,
    /// The socket of the console.
    console: Option<PathBuf>,
}

/// A client of a console, with one connection for all requests.
pub(crate) struct Scraper(BufReader<UnixStream>);

impl Watched {
    /// Builds it, and copies the program, which the next build replaces.
    pub(crate) fn build(lab: &Lab, has_console: bool) -> Result<Self, Error> {
        let (name, features): (_, &[&str]) = if has_console {
            ("watched-console", &["--features", "console"])
        } else {
            ("watched", &[])
        };
        let program = lab.scratch_file(name);
        fs::copy(program::build(lab, "watched", "watched", features)?, &program)?;
        Ok(Self { program, console: has_console.then(|| lab.scratch_file("console.sock")) })
    }

    /// Starts the server on the processor of the servers.
    pub(crate) fn start(&self, lab: &Lab) -> Result<ServerProcess, Error> {
        let mut arguments = vec!["serve".to_owned()];
        if let Some(socket) = &self.console {
            arguments.extend(["--console".to_owned(), format!("unix:{}", socket.display())]);
        }
        let server = ServerCommand::new(self.program.clone(), arguments);
        server.pinned_to(lab.server_cpu()).start()
    }

    /// Connects to the console of the server that has started last.
    pub(crate) fn scraper(&self) -> Result<Scraper, Error> {
        let socket = self.console.as_deref().ok_or_else(|| Error::failed("it has no console"))?;
        let stream = connect(socket)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        Ok(Scraper(BufReader::new(stream)))
    }
}

impl Scraper {
    /// Gets a page, and returns its size in bytes.
    pub(crate) fn get(&mut self, path: &str) -> Result<usize, Error> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        self.0.get_mut().write_all(request.as_bytes())?;
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.0.read_line(&mut head)? == 0 {
                return Err(Error::failed("the console has closed a connection"));
            }
        }
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        let length = length.and_then(|length| length.parse().ok());
        match length {
            Some(length) if head.starts_with("HTTP/1.1 200 ") => {
                self.0.read_exact(&mut vec![0; length])?;
                Ok(length)
            }
            _ => Err(Error::failed(format!("the console answered {head}"))),
        }
    }
}

/// Connects as soon as the console listens.
fn connect(socket: &Path) -> Result<UnixStream, Error> {
    let start = Instant::now();
    loop {
        match UnixStream::connect(socket) {
            Err(_) if start.elapsed() < TIMEOUT => thread::sleep(Duration::from_millis(5)),
            connected => return connected.map_err(Error::doing(socket.display())),
        }
    }
}
