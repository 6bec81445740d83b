use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
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
/// wait. A name whose asker is gone is not looked up any more, so that the queue is at most twice as long as
/// the number of connections and targets that ask, however long the resolver takes.
#[derive(Default)]
pub(crate) struct Lookups {
    state: Mutex<Queue>,
    condvar: Condvar,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Lookup>,
    /// The length at which names whose askers are gone are taken out of it.
    swept_at: usize,
    threads: usize,
    /// The number of threads that wait for work.
    idle: usize,
}

struct Lookup {
    host: String,
    port: u16,
    /// The place of the result, which the asker holds.
    found: Weak<Found>,
    tell: Box<dyn FnOnce() + Send>,
}

/// The addresses of a name, once they are found, at least one.
pub(crate) type Found = Mutex<Option<io::Result<Vec<SocketAddr>>>>;

/// The least length of a queue that is swept.
const SWEPT: usize = 64;

impl Lookup {
    /// Leaves the result to the asker, if it still waits.
    fn finish(self, addresses: io::Result<Vec<SocketAddr>>) {
        if let Some(found) = self.found.upgrade() {
            *found.lock().unwrap_or_else(PoisonError::into_inner) = Some(addresses);
            (self.tell)();
        }
    }
}

impl Lookups {
    /// Looks up a name, and calls `tell` on another thread when the result is there. Dropping the
    /// handle to the result cancels that call.
    pub(crate) fn start(
        &'static self,
        host: String,
        port: u16,
        tell: impl FnOnce() + Send + 'static,
    ) -> Arc<Found> {
        let found = Arc::<Found>::default();
        let mut queue = self.queue();
        if queue.waiting.len() >= queue.swept_at.max(SWEPT) {
            queue.waiting.retain(|lookup| lookup.found.strong_count() > 0);
            queue.swept_at = 2 * queue.waiting.len();
        }
        let lookup = Lookup { host, port, found: Arc::downgrade(&found), tell: Box::new(tell) };
        queue.waiting.push_back(lookup);
        if queue.waiting.len() <= queue.idle || queue.threads == MAX_THREADS {
            drop(queue);
            self.condvar.notify_one();
            return found;
        }
        queue.threads += 1;
        drop(queue);
        let spawned = thread::Builder::new().name("lookup".to_owned()).spawn(|| self.run());
        if let Err(error) = spawned {
            self.refuse(&error);
        }
        found
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
            lookup.finish(Err(io::Error::new(error.kind(), error.to_string())));
        }
    }

    fn run(&self) {
        while let Some(lookup) = self.next() {
            let found = (lookup.host.as_str(), lookup.port).to_socket_addrs();
            let found = found.map(Iterator::collect).and_then(|addresses: Vec<SocketAddr>| {
                let none = || io::Error::new(io::ErrorKind::NotFound, "the name has no address");
                if addresses.is_empty() { Err(none()) } else { Ok(addresses) }
            });
            if caught(|| lookup.finish(found)).is_none() {
                crate::log::error!("a lookup panicked");
            }
        }
    }

    /// The next name to look up. Waits for one; `None` when the thread is to end.
    fn next(&self) -> Option<Lookup> {
        let mut queue = self.queue();
        loop {
            while let Some(lookup) = queue.waiting.pop_front() {
                if lookup.found.strong_count() > 0 {
                    return Some(lookup);
                }
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
        let (sender, told) = mpsc::channel();
        let mut found = Vec::new();
        for number in 0..3 * MAX_THREADS {
            let sender = sender.clone();
            let host = if number % 2 == 0 { "localhost" } else { "no.such.host.invalid" };
            found.push(lookups.start(host.to_owned(), 80, move || {
                sender.send(thread::current().name().map(str::to_owned)).unwrap();
            }));
        }
        drop(sender);
        let told: Vec<_> = told.into_iter().collect();
        assert_eq!(told, vec![Some("lookup".to_owned()); 3 * MAX_THREADS]);
        for (number, found) in found.iter().enumerate() {
            match found.lock().unwrap().take().unwrap() {
                Ok(addresses) => {
                    assert_eq!(number % 2, 0);
                    assert!(addresses.iter().all(|address| address.ip().is_loopback()));
                }
                Err(_) => assert_eq!(number % 2, 1),
            }
        }
        assert!(lookups.queue().threads <= MAX_THREADS);
    }

    #[test]
    fn c4_names_that_nobody_waits_for_take_no_room() {
        let lookups: &'static Lookups = Box::leak(Box::default());
        // No thread takes any of them.
        lookups.queue().threads = MAX_THREADS;
        let kept: Vec<_> = (0..100)
            .map(|_| {
                for _ in 0..50 {
                    let _ = lookups.start("localhost".to_owned(), 80, || {});
                }
                lookups.start("localhost".to_owned(), 80, || {})
            })
            .collect();
        assert!(lookups.queue().waiting.len() <= 2 * kept.len() + SWEPT);
        for _ in &kept {
            assert!(lookups.next().unwrap().found.strong_count() > 0);
        }
    }
}
