use std::sync::atomic::AtomicBool;
use std::sync::{MutexGuard, OnceLock};

use super::*;

/// The log of this process.
#[derive(Clone, Default)]
struct Log(Arc<(Mutex<String>, Condvar)>);

impl Log {
    /// The log that all tests of this file share.
    fn new() -> Self {
        static LOG: OnceLock<Log> = OnceLock::new();
        let install = || {
            let log = Self::default();
            let written = log.clone();
            let subscriber = tracing_subscriber::fmt()
                .with_ansi(false)
                .with_max_level(tracing::Level::WARN)
                .with_writer(move || written.clone());
            subscriber.init();
            log
        };
        LOG.get_or_init(install).clone()
    }

    fn text(&self) -> MutexGuard<'_, String> {
        self.0.0.lock().unwrap()
    }

    /// Waits for a line that contains this text.
    fn line(&self, with: &str) -> String {
        let mut text = self.text();
        loop {
            if let Some(line) = text.lines().find(|line| line.contains(with)) {
                return line.to_owned();
            }
            let (next, waited) = self.0.1.wait_timeout(text, Duration::from_secs(20)).unwrap();
            assert!(!waited.timed_out(), "no line with {with} in:\n{next}");
            text = next;
        }
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.text().push_str(&String::from_utf8_lossy(bytes));
        self.0.1.notify_all();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn r3_the_watchdog_notices_a_handler_that_blocks_and_others_go_on() {
    let log = Log::new();
    let (entered, inside) = mpsc::channel();
    let latch = Arc::<Latch>::default();
    let running = {
        let latch = Arc::clone(&latch);
        start(pool("silent").threads(3).max_running(1), move |line, _| {
            if line == "block" {
                entered.send(()).unwrap();
                latch.wait();
            }
            line.to_owned()
        })
    };
    let mut blocked = Peer::many(&running, 2);
    for peer in &blocked {
        peer.send("block");
        inside.recv().unwrap();
    }
    for mut peer in Peer::many(&running, 20) {
        assert_eq!(peer.ask("go on"), "go on");
    }
    let line = log.line("pool=\"silent\"");
    assert!(line.contains("a handler blocks; declare it"), "{line}");
    latch.open();
    for peer in &mut blocked {
        assert_eq!(peer.receive(), "block");
    }
}

#[test]
fn r4_the_cap_holds_again_after_blocked_handlers_go_on() {
    let (entered, inside) = mpsc::channel();
    let latch = Arc::<Latch>::default();
    let concurrency = Arc::<Concurrency>::default();
    let running = {
        let (latch, concurrency) = (Arc::clone(&latch), Arc::clone(&concurrency));
        start(pool("back").threads(4).max_running(1), move |line, cx| {
            match line {
                "block" => {
                    entered.send(()).unwrap();
                    latch.wait();
                }
                // Declared as blocking, so that the watchdog ignores it.
                "yield" => cx.blocking(thread::yield_now),
                _ => concurrency.dwell(),
            }
            line.to_owned()
        })
    };
    let mut blocked = Peer::many(&running, 3);
    for peer in &blocked {
        peer.send("block");
        inside.recv().unwrap();
    }
    let mut others = Peer::many(&running, 6);
    assert_eq!(others[0].ask("yield"), "yield");
    latch.open();
    for peer in &mut blocked {
        assert_eq!(peer.receive(), "block");
    }
    // The count of active threads is right again.
    flood(&mut others, 20);
    assert_eq!(concurrency.peak(), 1);
}

#[test]
fn a_busy_handler_stays_active_and_is_logged() {
    let log = Log::new();
    let (stop, quick) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
    let running = {
        let (stop, quick) = (Arc::clone(&stop), Arc::clone(&quick));
        start(pool("busy").threads(2).max_running(1), move |line, cx| {
            if line == "spin" {
                while !stop.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            } else {
                quick.fetch_add(1, Ordering::Relaxed);
            }
            cx.key().index().to_string()
        })
    };
    let (mut busy, mut other) = (Peer::new(&running), Peer::new(&running));
    other.ask("?");
    busy.send("spin");
    other.send("wait");
    let line = log.line("pool=\"busy\"");
    assert_eq!(quick.load(Ordering::Relaxed), 1, "it was let in beside one that is busy");
    stop.store(true, Ordering::Relaxed);
    assert!(line.contains("a handler is busy; give such work"), "{line}");
    assert!(line.contains("state=\"Line\"") && line.contains("age="), "{line}");
    let index = busy.receive();
    assert!(line.contains(&format!("key={index}")), "key {index}: {line}");
    other.receive();
}
