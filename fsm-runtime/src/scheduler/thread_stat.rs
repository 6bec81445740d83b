//! What the system says about a thread.

use std::fs::File;
use std::sync::Arc;
use std::{fmt, io};

/// The file in which the system says what a thread does. It stays open, so that a look at it is one system call.
pub(crate) struct ThreadStat {
    id: Arc<str>,
    file: File,
}

impl ThreadStat {
    /// Opens the file of the thread with this id; `None` where there is none. Linux has such files.
    pub(crate) fn open(id: &Arc<str>) -> Option<Self> {
        let file = File::open(format!("/proc/self/task/{id}/stat")).ok()?;
        Some(Self { id: Arc::clone(id), file })
    }

    pub(crate) fn is_of(&self, id: &Arc<str>) -> bool {
        self.id == *id
    }

    /// Whether the thread sleeps, by the letter that the system gives it: `S` or `D` where it does. `None` once the
    /// thread has ended.
    pub(crate) fn sleeps(&self) -> Option<bool> {
        // One read has all of it.
        let mut stat = [0; 1024];
        let len = read_from_start(&self.file, &mut stat).ok()?;
        // The name before the letter may have any bytes.
        let after = stat[..len].iter().rposition(|byte| *byte == b')')? + 1;
        Some(matches!(stat[after..len].trim_ascii_start().first()?, b'S' | b'D'))
    }
}

#[cfg(unix)]
fn read_from_start(file: &File, buffer: &mut [u8]) -> io::Result<usize> {
    use std::os::unix::fs::FileExt as _;

    file.read_at(buffer, 0)
}

#[cfg(not(unix))]
fn read_from_start(mut file: &File, buffer: &mut [u8]) -> io::Result<usize> {
    use std::io::{Read as _, Seek as _};

    file.rewind()?;
    file.read(buffer)
}

impl fmt::Debug for ThreadStat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadStat").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::sync::mpsc;
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn r3_the_file_of_a_thread_tells_each_time_anew_whether_it_sleeps() {
        let (ids, id) = mpsc::channel();
        let (orders, order) = mpsc::channel::<()>();
        let thread = thread::spawn(move || {
            let link = std::fs::read_link("/proc/thread-self").unwrap();
            ids.send(Arc::<str>::from(link.file_name().unwrap().to_str().unwrap())).unwrap();
            order.recv().unwrap();
            // Runs until there is another order.
            while order.try_recv().is_err() {
                std::hint::spin_loop();
            }
        });
        let stat = ThreadStat::open(&id.recv().unwrap()).unwrap();
        let expect = |wanted: Option<bool>| {
            let begin = Instant::now();
            while stat.sleeps() != wanted {
                assert!(begin.elapsed() < Duration::from_secs(60), "{wanted:?}");
                thread::yield_now();
            }
        };
        expect(Some(true));
        orders.send(()).unwrap();
        expect(Some(false));
        orders.send(()).unwrap();
        thread.join().unwrap();
        expect(None);
    }
}
