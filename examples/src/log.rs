//! A log on stderr that neither panics nor blocks.
//!
//! A server outlives the reader of its log. Lines that cannot be written are lost: when stderr is a
//! closed pipe or a full disk, and when a pipe is full because nobody reads it.
//!
//! The guard of `tracing-appender` prints to stdout if its queue is full at the end, and so a program whose
//! stdout is the same pipe would never end.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// The most lines that wait to be written.
const LINES: usize = 1024;
/// The longest that the end of a program waits for its last lines.
const LAST_LINES: Duration = Duration::from_millis(200);

/// Makes writers to stderr. A thread of its own writes the lines, and lines beyond 1,024 waiting ones are
/// dropped and counted.
#[derive(Clone, Debug)]
pub(crate) struct Stderr {
    lines: SyncSender<Vec<u8>>,
    dropped: Arc<AtomicUsize>,
}

impl Stderr {
    /// Starts the thread that writes. Dropping the [`Flush`] waits for the last lines, for 200 ms at most.
    ///
    /// # Errors
    ///
    /// Returns the error of the system if it refuses the thread.
    pub(crate) fn start() -> io::Result<(Self, Flush)> {
        let (lines, received) = sync_channel(LINES);
        let dropped = Arc::<AtomicUsize>::default();
        let counted = Arc::clone(&dropped);
        let (ends, ended) = channel();
        thread::Builder::new().name("log".to_owned()).spawn(move || {
            let _at_end = ends;
            write(&received, &counted);
        })?;
        Ok((Self { lines: lines.clone(), dropped }, Flush { lines, ended }))
    }
}

/// Waits for the last lines when it is dropped.
#[derive(Debug)]
pub struct Flush {
    lines: SyncSender<Vec<u8>>,
    /// Disconnected when the thread has ended.
    ended: Receiver<()>,
}

impl Drop for Flush {
    fn drop(&mut self) {
        // An empty line ends the thread. There is no room for it if nobody reads.
        if self.lines.try_send(Vec::new()).is_ok() {
            let _ = self.ended.recv_timeout(LAST_LINES);
        }
    }
}

/// Writes the lines that arrive, and the number of those that were dropped before.
fn write(lines: &Receiver<Vec<u8>>, dropped: &AtomicUsize) {
    for line in lines {
        if line.is_empty() {
            return;
        }
        let mut stderr = io::stderr();
        // There is no place to report an error of the log.
        let _ = stderr.write_all(&line);
        let lost = dropped.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let _ = writeln!(stderr, "{lost} lines of the log were dropped");
        }
    }
}

/// One line, which is queued when it is complete.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    bytes: Vec<u8>,
    log: &'a Stderr,
}

impl<'a> MakeWriter<'a> for Stderr {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { bytes: Vec::new(), log: self }
    }
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        if !self.bytes.is_empty()
            && self.log.lines.try_send(std::mem::take(&mut self.bytes)).is_err()
        {
            self.log.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}
