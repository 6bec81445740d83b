//! A log on stderr that neither panics nor blocks.
//!
//! A server outlives the reader of its log. Lines, and what panics say, that cannot be written are lost: when stderr is a
//! closed pipe or a full disk, and when a pipe is full because nobody reads it.
//!
//! The guard of `tracing-appender` prints to stdout if its queue is full at the end, and so a program whose
//! stdout is the same pipe would never end.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, Write};
use std::panic;
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
        let log = Self { lines: lines.clone(), dropped };
        log.takes_panics();
        Ok((log, Flush { lines, ended }))
    }

    /// Writes panics to the log. The hook of the standard library would block the thread of a handler that
    /// panics if stderr is a pipe that nobody reads.
    fn takes_panics(&self) {
        let log = self.clone();
        panic::set_hook(Box::new(move |panicked| {
            let thread = thread::current();
            let thread = thread.name().unwrap_or("<unnamed>");
            // With the same variables as elsewhere it has the calls.
            let calls = Backtrace::capture();
            let calls = match calls.status() {
                BacktraceStatus::Captured => format!("{calls}"),
                _ => String::new(),
            };
            log.add(format!("thread '{thread}' {panicked}\n{calls}").into_bytes());
        }));
    }

    /// Queues a line, or counts it as dropped.
    fn add(&self, line: Vec<u8>) {
        if self.lines.try_send(line).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
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
        if !self.bytes.is_empty() {
            self.log.add(std::mem::take(&mut self.bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_line_of_the_log_and_blocks_no_thread() {
        let (lines, received) = sync_channel(1);
        let log = Stderr { lines, dropped: Arc::default() };
        let before = panic::take_hook();
        log.takes_panics();
        let panics = |text: &'static str| {
            let thread = thread::Builder::new().name("handlers".to_owned());
            thread.spawn(move || panic!("{text}")).expect("a thread").join().unwrap_err();
        };
        panics("the first");
        // Nobody has read the first one, so there is no room for this.
        panics("the second");
        panic::set_hook(before);
        let line = String::from_utf8(received.recv().expect("a line")).expect("text");
        assert!(line.starts_with("thread 'handlers' panicked at "), "{line}");
        assert!(line.contains("the first"), "{line}");
        assert_eq!(log.dropped.load(Ordering::Relaxed), 1);
    }
}
