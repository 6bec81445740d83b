//! A blocking Redis client for plain programs, which opens as many connections as its callers need at a time.
//!
//! A connection to the server is a machine, which has a job: a command. Its reply is the server's reply, or the
//! news that the command is lost. The pool opens the connections, gives them jobs, and opens others in place
//! of those that end.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fsm_runtime::Running;
use fsm_runtime::prelude::*;

use crate::resp::{Value, Values, write_command};

/// The longest time that a caller waits for its turn, when many others wait.
const TURN: Duration = Duration::from_secs(10);

/// A connection to the server.
#[state_machine(
    start = Free,
    job = Job,
    reply = Result<Value, Lost>,
    eof => Broken,
    limit => Broken,
    refused => Broken,
)]
enum Connection {
    /// Waits for a command. A connection that has been unused for a minute ends. So does one that the server
    /// ends or says something on, because no command has asked for that.
    #[job(idle = 1min => Gone, eof => Gone)]
    #[to(Answer)]
    #[rest]
    Free,

    /// The command is on its way: waits for the reply.
    #[read(frame = Values, max = 1GiB, within = 30s => Broken)]
    #[to(Free)]
    Answer,

    /// There will be no reply, or none that is its.
    #[run]
    #[to(Gone)]
    Broken,

    #[end]
    Gone,
}

/// A command on its way to the server.
struct Job {
    words: Vec<Vec<u8>>,
    /// Set when a connection has taken it.
    is_sent: Arc<AtomicBool>,
}

/// The client's side of a connection. It has no data: all there is to know is the machine's state.
struct Side;

impl connection::Handler for Side {
    fn free(&mut self, job: Job, cx: &mut Cx<'_>) -> connection::AfterFree {
        job.is_sent.store(true, Ordering::SeqCst);
        let mut command = Vec::new();
        write_command(&job.words, &mut command);
        cx.send(command);
        connection::AfterFree::Answer
    }

    fn answer(&mut self, value: Value, _: &mut Cx<'_>) -> connection::AfterAnswer {
        connection::AfterAnswer::Free { reply: Ok(value) }
    }

    fn broken(&mut self, _: &mut Cx<'_>) -> connection::AfterBroken {
        connection::AfterBroken::Gone { reply: Err(Lost::Unknown) }
    }
}

/// The reason why a command has no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// The server has not got it, because it cannot be connected to or all connections are busy: the caller may
    /// send it again.
    Unsent,
    /// The connection ended, or had no reply for 30 s, after the command had been given to it. The server may or
    /// may not have done it, so the caller may send it again only if doing it twice is as good as once.
    Unknown,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unsent => "the command was not sent: the server cannot be reached, or all connections are busy",
            Self::Unknown => {
                "the connection ended before the reply; the server may have done the command"
            }
        })
    }
}

impl Error for Lost {}

/// A client of one server. Any number of threads may share it, each in one command at a time.
///
/// ```no_run
/// use fsm_examples::kv_client::Client;
///
/// let client = Client::connect("127.0.0.1:6379")?;
/// client.command(["SET", "greeting", "hello"])?;
/// println!("{}", client.command(["GET", "greeting"])?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Client {
    jobs: Submitter<Connection>,
    /// Closes the connections when it is dropped.
    _running: Running,
}

impl Client {
    /// The most connections at a time. Further commands wait until one is free.
    pub const CONNECTIONS: usize = 64;

    /// Makes a client of the server at this address, such as `127.0.0.1:6379`, `example.org:6379` or
    /// `unix:/run/redis.sock`. A command opens the first connection.
    ///
    /// # Errors
    ///
    /// Says so if the text is no address, or the system refuses a thread.
    pub fn connect(server: &str) -> Result<Self, PoolError> {
        let pool = Pool::builder::<Connection>("kv-client")
            .connect(server)
            .connections(0..=Self::CONNECTIONS)
            .max_jobs(Self::CONNECTIONS)
            .handler(|_server| Side);
        Ok(Self { jobs: pool.submitter()?, _running: pool.start()? })
    }

    /// Sends a command with its arguments, and waits for the reply. An error of the server is a reply, too:
    /// [`Value::Error`].
    ///
    /// Each command may have another connection, so those that change the connection itself, such as `SELECT`,
    /// `MULTI` and `SUBSCRIBE`, are not for this client.
    ///
    /// # Errors
    ///
    /// Says whether a command without a reply may have reached the server.
    pub fn command<W>(&self, words: impl IntoIterator<Item = W>) -> Result<Value, Lost>
    where
        W: Into<Vec<u8>>,
    {
        let words = words.into_iter().map(Into::into).collect();
        let is_sent = Arc::<AtomicBool>::default();
        let job = Job { words, is_sent: Arc::clone(&is_sent) };
        let handle = self.jobs.submit_within(job, TURN).map_err(|_| Lost::Unsent)?;
        // Without a reply the job was lost with its connection, or never had one.
        handle.wait().unwrap_or_else(|| {
            Err(if is_sent.load(Ordering::SeqCst) { Lost::Unknown } else { Lost::Unsent })
        })
    }
}

#[cfg(test)]
mod tests;
