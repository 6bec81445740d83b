use std::collections::{BTreeMap, BTreeSet};

use super::*;

#[test]
fn threads_are_named_after_their_pool() {
    let running = start(pool("named").shards(3), |_, _| thread_name());
    let names: BTreeSet<_> = Peer::many(&running, 3).iter_mut().map(|peer| peer.ask("?")).collect();
    assert_eq!(names, ["named-0", "named-1", "named-2"].map(str::to_owned).into());
}

#[test]
fn x10_connections_are_placed_on_the_port_with_the_fewest() {
    let running = start(pool("placed").shards(3), |_, _| thread_name());
    let mut ports: BTreeMap<String, Vec<Peer>> = BTreeMap::new();
    for mut peer in Peer::many(&running, 9) {
        ports.entry(peer.ask("?")).or_default().push(peer);
    }
    let loads: Vec<_> = ports.values().map(Vec::len).collect();
    assert_eq!(loads, [3, 3, 3]);
    // Two connections leave a port. The answer to the third shows that the port, which has one
    // thread, has noticed.
    let left = ports.get_mut("placed-1").unwrap();
    left.truncate(1);
    while running.stats().open > 7 {
        thread::yield_now();
    }
    assert_eq!(left[0].ask("?"), "placed-1");
    for mut peer in Peer::many(&running, 2) {
        assert_eq!(peer.ask("?"), "placed-1");
        left.push(peer);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn x10_with_reuse_port_each_port_accepts() {
    let running = start(pool("spread").shards(2).reuse_port(), |_, _| thread_name());
    let mut names = BTreeSet::new();
    // The kernel spreads connections by a hash of their addresses.
    let mut peers = Vec::new();
    while names.len() < 2 && peers.len() < 200 {
        let mut peer = Peer::new(&running);
        names.insert(peer.ask("?"));
        peers.push(peer);
    }
    assert_eq!(names, ["spread-0", "spread-1"].map(str::to_owned).into());
}

#[test]
fn x9_the_limit_is_that_of_all_ports_together() {
    let running = start(pool("limited").shards(3).max_connections(6), |_, _| thread_name());
    let mut served = Peer::many(&running, 6);
    let names: BTreeSet<_> = served.iter_mut().map(|peer| peer.ask("?")).collect();
    assert_eq!(names.len(), 3);
    let waiting = Peer::many(&running, 4);
    for peer in &waiting {
        peer.send("?");
    }
    served[0].ask("?");
    assert_eq!(running.stats().accepted, 6);
    // A place that becomes free on any port is given to a waiting client.
    for mut peer in waiting {
        served.pop();
        peer.receive();
        served.insert(0, peer);
    }
    assert_eq!((running.stats().accepted, running.stats().open), (10, 6));
}

/// The threads whose names begin with `pool`, and how often each went to sleep.
#[cfg(target_os = "linux")]
fn sleeps(pool: &str) -> BTreeMap<String, String> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let threads = tasks.filter_map(|task| {
        // Skip threads of other tests that end meanwhile.
        let status = std::fs::read_to_string(task.unwrap().path().join("status")).ok()?;
        let field = |name| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            Some(line.trim().to_owned())
        };
        Some((field("Name:")?, field("voluntary_ctxt_switches:")?))
    });
    threads.filter(|(name, _)| name.starts_with(pool)).collect()
}

#[test]
#[cfg(target_os = "linux")]
fn pitfall_21_a_connection_wakes_one_port_and_no_other() {
    let running = start(pool("alone").shards(4).watchdog(false), |_, _| thread_name());
    // Each of the other ports keeps one connection.
    let mut peers = Peer::many(&running, 4);
    peers.retain_mut(|peer| peer.ask("?") != "alone-0");
    assert_eq!(peers.len(), 3);
    let mut before = sleeps("alone-");
    loop {
        thread::sleep(Duration::from_millis(20));
        let now = sleeps("alone-");
        if std::mem::replace(&mut before, now.clone()) == now {
            break;
        }
    }
    for _ in 0..50 {
        // The first port has the fewest connections: none, or the previous one.
        let mut peer = Peer::new(&running);
        assert_eq!(peer.ask("?"), "alone-0");
    }
    let after = sleeps("alone-");
    assert_eq!(after.len(), 4);
    for thread in ["alone-1", "alone-2", "alone-3"] {
        assert_eq!(after[thread], before[thread], "{thread} woke up");
    }
}

/// Accepts a client, and hands it over.
#[state_machine(start = Hello, eof => Gone, limit => Gone)]
enum Gate {
    #[read(until = b"\n", max = 80, idle = 60s => Gone)]
    #[to(Moving)]
    Hello,
    #[handoff(Counting, within = 10s => Gone, gone => Gone)]
    Moving,
    #[end]
    Gone,
}

struct GateHandler {
    entered: mpsc::Sender<()>,
    latch: Arc<Latch>,
}

impl gate::Handler for GateHandler {
    fn hello(&mut self, line: &[u8], _: &mut Cx<'_>) -> gate::AfterHello {
        self.entered.send(()).unwrap();
        self.latch.wait();
        let seed = String::from_utf8_lossy(line).parse().unwrap();
        gate::AfterHello::Moving { seed }
    }
}

/// Answers after this many bytes.
#[state_machine(start = Begin, seed = u64, eof => Gone)]
enum Counting {
    #[run]
    #[to(Bytes)]
    Begin { left: u64 },
    #[read(upto = left, max = 64KiB, idle = 60s => Gone)]
    #[to(Bytes | Whole)]
    Bytes {
        #[carry]
        left: u64,
    },
    #[run]
    #[to(Gone)]
    Whole,
    #[end]
    Gone,
}

struct Counter;

impl counting::Handler for Counter {
    fn begin(&mut self, _: &mut u64, _: &mut Cx<'_>) -> counting::AfterBegin {
        counting::AfterBegin::Bytes
    }

    fn bytes(&mut self, left: &mut u64, bytes: &[u8], _: &mut Cx<'_>) -> counting::AfterBytes {
        *left -= bytes.len() as u64;
        if *left == 0 { counting::AfterBytes::Whole } else { counting::AfterBytes::Bytes }
    }

    fn whole(&mut self, cx: &mut Cx<'_>) -> counting::AfterWhole {
        writeln!(cx, "all of it");
        counting::AfterWhole::Gone
    }
}

#[test]
fn pitfall_12_a_poll_reports_unread_bytes_of_a_socket_that_moved_to_it() {
    let (entered, inside) = mpsc::channel();
    let latch = Arc::<Latch>::default();
    let handler = {
        let latch = Arc::clone(&latch);
        move |_| GateHandler { entered: entered.clone(), latch: Arc::clone(&latch) }
    };
    let gate = Pool::builder::<Gate>("gate").listen("127.0.0.1:0").handler(handler);
    let counting = Pool::builder::<Counting>("counting").shards(2).handler(|_| Counter);
    let running = Pipeline::new().pool(gate).pool(counting).start().unwrap();
    let mut peer = Peer::new(&running);
    let bytes = 200_000;
    peer.send(&bytes.to_string());
    inside.recv().unwrap();
    // These bytes are in the socket's buffer when it leaves its poll, and no more arrive.
    peer.0.get_ref().write_all(&vec![0; bytes]).unwrap();
    latch.open();
    assert_eq!(peer.receive(), "all of it");
    assert_eq!(running.drain().unwrap().handed_off, 1);
}
