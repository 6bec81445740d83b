use std::fs;
use std::path::Path;
use std::process::Command;

use crate::{Answer, Connection, Scratch, Server, example};

/// A `docserver`, with the directory of its documents.
#[derive(Debug)]
pub struct Docs {
    // The server goes before its directory.
    server: Server,
    data: Scratch,
}

impl Docs {
    /// Starts one with an empty directory, on a port that is free, with further options.
    pub fn new(options: &[&str]) -> Self {
        Self::over(Scratch::new("docs"), options)
    }

    /// Starts one whose directory is in memory: where much is filed, the disk is not what counts.
    pub fn in_memory(options: &[&str]) -> Self {
        Self::over(Scratch::in_memory("docs"), options)
    }

    /// Starts one with the directory of an earlier one.
    pub fn over(data: Scratch, options: &[&str]) -> Self {
        let server = Server::start(Self::command(data.path()).args(options));
        Self { server, data }
    }

    /// Starts one by a command of another kind.
    pub fn with(mut start: impl FnMut(&mut Command)) -> Self {
        let data = Scratch::new("docs");
        let mut command = Self::command(data.path());
        start(&mut command);
        Self { server: Server::start(&mut command), data }
    }

    /// The program, with a port that is free and this directory.
    pub fn command(data: &Path) -> Command {
        let mut command = Command::new(example("docserver"));
        command.args(["--listen", "127.0.0.1:0", "--data"]).arg(data);
        command
    }

    /// The server.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// The server, to wait for its end.
    pub fn server_mut(&mut self) -> &mut Server {
        &mut self.server
    }

    /// Connects to it.
    pub fn connect(&self) -> Connection {
        Connection::new(self.server.address())
    }

    /// Sends one request on a connection of its own.
    pub fn ask(&self, request: impl AsRef<[u8]>) -> Answer {
        self.connect().ask(request)
    }

    /// Files a document.
    pub fn put(&self, name: &str, bytes: &[u8]) -> Answer {
        self.ask(put(name, bytes))
    }

    /// Gets a document, or the answer that there is none.
    pub fn get(&self, path: &str) -> Answer {
        self.ask(get(path))
    }

    /// The address of a path, for a command line.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address())
    }

    /// The files of what clients are sending.
    pub fn temporary(&self) -> usize {
        files(&self.data.path().join("tmp"))
    }

    /// The files of documents.
    pub fn filed(&self) -> usize {
        files(&self.data.path().join("docs"))
    }

    /// Ends it with SIGTERM, as [`Server::stop`] does; its directory is left.
    pub fn stop(self) -> Scratch {
        self.server.stop();
        self.data
    }

    /// What is left of one that has ended.
    pub fn into_data(self) -> Scratch {
        self.data
    }
}

fn files(directory: &Path) -> usize {
    fs::read_dir(directory).expect("the server has made it").count()
}

/// A PUT of a document, whole.
pub fn put(name: &str, bytes: &[u8]) -> Vec<u8> {
    let head =
        format!("PUT /docs/{name} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", bytes.len());
    [head.as_bytes(), bytes].concat()
}

/// A GET of a path.
pub fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")
}

/// A request without a body, such as `HEAD /docs`, with further fields.
pub fn request(line: &str, fields: &[&str]) -> String {
    let mut request = format!("{line} HTTP/1.1\r\nHost: a\r\n");
    for field in fields {
        request.push_str(field);
        request.push_str("\r\n");
    }
    request + "\r\n"
}
