use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::panics::caught;

/// The most threads that look up names. The system's resolver blocks, for some seconds at worst.
const MAX_THREADS: usize = 16;
/// The time after which a thread without work ends.
const IDLE: Duration = Duration::from_secs(10);

/// Looks up the addresses of names, on threads of its own, which end when there is nothing to do.
///
/// Each process has one. More names than threads wait in a queue; those who ask bound the time that they
/// wait, and their number is bounded by that of connections and targets.
#[derive(Default)]
pub(crate) struct Lookups {
    state: Mutex<Queue>,
    condvar: Condvar,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Lookup>,
    threads: usize,
    /// The number of threads that wait for work.
    idle: usize,
}

struct Lookup {
    host: String,
    port: u16,
    done: Box<dyn FnOnce(io::Result<Vec<SocketAddr>>) + Send>,
}

impl Lookups {
    /// Looks up a name, and calls `done` on another thread with all its addresses, at least one.
    pub(crate) fn start(
        &'static self,
        host: String,
        port: u16,
        done: impl FnOnce(io::Result<Vec<SocketAddr>>) + Send + 'static,
    ) {
        let mut queue = self.queue();
        queue.waiting.push_back(Lookup { host, port, done: Box::new(done) });
        if queue.waiting.len() <= queue.idle || queue.threads == MAX_THREADS {
            drop(queue);
            self.condvar.notify_one();
            return;
        }
        queue.threads += 1;
        drop(queue);
        let spawned = thread::Builder::new().name("lookup".to_owned()).spawn(|| self.run());
        if let Err(error) = spawned {
            self.refuse(&error);
        }
    }

    /// Fails what waits if no thread is there for it, because the system has refused one.
    #[cold]
    fn refuse(&self, error: &io::Error) {
        let mut queue = self.queue();
        queue.threads -= 1;
        let left =
            if queue.threads == 0 { std::mem::take(&mut queue.waiting) } else { VecDeque::new() };
        drop(queue);
        for lookup in left {
            (lookup.done)(Err(io::Error::new(error.kind(), error.to_string())));
        }
    }

    fn run(&self) {
        while let Some(Lookup { host, port, done }) = self.next() {
            let found = (host.as_str(), port).to_socket_addrs().map(Iterator::collect);
            let found = found.and_then(|addresses: Vec<SocketAddr>| {
                let none = || io::Error::new(io::ErrorKind::NotFound, "the name has no address");
                if addresses.is_empty() { Err(none()) } else { Ok(addresses) }
            });
            if caught(|| done(found)).is_none() {
                crate::log::error!(host, "a lookup panicked");
            }
        }
    }

    /// The next name to look up. Waits for one; `None` when the thread is to end.
    fn next(&self) -> Option<Lookup> {
        let mut queue = self.queue();
        loop {
            if let Some(lookup) = queue.waiting.pop_front() {
                return Some(lookup);
            }
            queue.idle += 1;
            let waited = self.condvar.wait_timeout(queue, IDLE);
            let (woken, result) = waited.unwrap_or_else(PoisonError::into_inner);
            queue = woken;
            queue.idle -= 1;
            if result.timed_out() && queue.waiting.is_empty() {
                queue.threads -= 1;
                return None;
            }
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn c4_names_are_looked_up_elsewhere_and_each_gets_an_answer() {
        let lookups: &'static Lookups = Box::leak(Box::default());
        let (sender, answers) = mpsc::channel();
        for number in 0..3 * MAX_THREADS {
            let sender = sender.clone();
            let host = if number % 2 == 0 { "localhost" } else { "no.such.host.invalid" };
            lookups.start(host.to_owned(), 80, move |found| {
                let here = thread::current().name().map(str::to_owned);
                sender.send((number, here, found)).unwrap();
            });
        }
        drop(sender);
        let mut answers: Vec<_> = answers.into_iter().collect();
        answers.sort_by_key(|(number, ..)| *number);
        assert_eq!(answers.len(), 3 * MAX_THREADS);
        for (number, thread, found) in answers {
            assert_eq!(thread.as_deref(), Some("lookup"));
            match found {
                Ok(addresses) => {
                    assert_eq!(number % 2, 0);
                    assert!(addresses.iter().all(|address| address.ip().is_loopback()));
                }
                Err(_) => assert_eq!(number % 2, 1),
            }
        }
        assert!(lookups.queue().threads <= MAX_THREADS);
    }
}
