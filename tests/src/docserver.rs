use std::fs;
use std::path::Path;
use std::process::Command;

use crate::{Answer, Connection, Server, TempDir, example};

/// A running `docserver` with its directory.
#[derive(Debug)]
pub struct Docserver {
    // Dropped first, because the server uses the directory.
    server: Server,
    data: TempDir,
}

impl Docserver {
    /// Starts it with an empty directory, on a free port, with further options.
    pub fn new(options: &[&str]) -> Self {
        Self::over(TempDir::new("docs"), options)
    }

    /// Starts it with a directory in memory, for tests that file much and do not measure the disk.
    pub fn in_memory(options: &[&str]) -> Self {
        Self::over(TempDir::in_memory("docs"), options)
    }

    /// Starts it with an existing directory.
    pub fn over(data: TempDir, options: &[&str]) -> Self {
        let server = Server::start(Self::command(data.path()).args(options));
        Self { server, data }
    }

    /// Starts it with a command that `start` changes.
    pub fn with(mut start: impl FnMut(&mut Command)) -> Self {
        let data = TempDir::new("docs");
        let mut command = Self::command(data.path());
        start(&mut command);
        Self { server: Server::start(&mut command), data }
    }

    /// The command that starts the program with this directory on a free port.
    pub fn command(data: &Path) -> Command {
        let mut command = Command::new(example("docserver"));
        command.args(["--listen", "127.0.0.1:0", "--data"]).arg(data);
        command
    }

    /// The server.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// The server, for waiting for its end.
    pub fn server_mut(&mut self) -> &mut Server {
        &mut self.server
    }

    /// Connects to it.
    pub fn connect(&self) -> Connection {
        Connection::new(self.server.address())
    }

    /// Sends one request on a new connection.
    pub fn ask(&self, request: impl AsRef<[u8]>) -> Answer {
        self.connect().ask(request)
    }

    /// Files a document.
    pub fn put(&self, name: &str, bytes: &[u8]) -> Answer {
        self.ask(put(name, bytes))
    }

    /// Sends a GET.
    pub fn get(&self, path: &str) -> Answer {
        self.ask(get(path))
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address())
    }

    /// The number of files of unfinished uploads.
    pub fn temporary(&self) -> usize {
        files(&self.data.path().join("tmp"))
    }

    /// The number of files of documents.
    pub fn filed(&self) -> usize {
        files(&self.data.path().join("docs"))
    }

    /// Waits until the server ends, as [`Server::ended`] does.
    pub fn ended(self) {
        self.server.ended();
    }

    /// Stops the server as [`Server::stop`] does, and returns the directory.
    pub fn stop(self) -> TempDir {
        self.server.stop();
        self.data
    }

    /// The directory, while the server uses it.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// The directory, after the server has ended.
    pub fn into_data(self) -> TempDir {
        self.data
    }
}

fn files(directory: &Path) -> usize {
    fs::read_dir(directory).expect("the server has made it").count()
}

/// A complete PUT request.
pub fn put(name: &str, bytes: &[u8]) -> Vec<u8> {
    let head =
        format!("PUT /docs/{name} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", bytes.len());
    [head.as_bytes(), bytes].concat()
}

/// A GET request.
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

/// A document in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its length in bytes.
    pub len: u64,
    /// Its SHA-256 digest in hexadecimal digits.
    pub sha256: String,
}

/// Lists all documents, page by page. It does not encode their names, which must be valid in a URL.
pub fn list(connection: &mut Connection) -> Vec<Listed> {
    let mut all = Vec::new();
    let mut after = String::new();
    loop {
        let page =
            connection.ask(get(&format!("/docs?limit=100&after={after}"))).expect(200).json();
        for doc in page["docs"].as_array().expect("a list") {
            let text = |key: &str| doc[key].as_str().expect("a text").to_owned();
            let len = doc["len"].as_u64().expect("a number");
            all.push(Listed { name: text("name"), len, sha256: text("sha256") });
        }
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => return all,
        }
    }
}
