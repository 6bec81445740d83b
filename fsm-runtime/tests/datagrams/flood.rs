use std::net::Ipv4Addr;

use super::*;

/// The number of addresses that the flood comes from.
fn peers() -> u32 {
    std::env::var("FSM_PEERS").map_or(2_000, |peers| peers.parse().unwrap())
}

/// The memory of this process that no file backs, in KiB.
fn anonymous() -> u64 {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap();
    let line = rollup.lines().find_map(|line| line.strip_prefix("Anonymous:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// A socket with an address of its own in 127.0.0.0/8, as many as a sender could make up.
fn stranger(number: u32, server: SocketAddr) -> UdpSocket {
    let address = Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 1, 0, 0)) + number);
    let socket = UdpSocket::bind((address, 0)).unwrap();
    socket.connect(server).unwrap();
    socket
}

#[test]
fn d2_a_flood_from_many_addresses_is_bounded_and_counted() {
    const LIMIT: u64 = 100;
    let running = serve(|builder| builder.max_connections(100));
    let (server, peers) = (address(&running), peers());
    let friend = client(server);
    assert_eq!(ask(&friend, "+"), "1");
    let before = anonymous();
    let mut asked = 1;
    for number in 0..peers {
        // Its machine waits for more, as long as the pool has room for it.
        stranger(number, server).send(b"+").unwrap();
        // The system drops nothing, because this waits for what was sent before.
        if number % 100 == 99 {
            asked += 1;
            assert_eq!(ask(&friend, "+"), asked.to_string());
        }
    }
    let stats = wait_for(&running, |stats| {
        stats.accepted + stats.datagrams_dropped == u64::from(peers) + 1
    });
    assert_eq!((stats.open, stats.peak), (LIMIT, LIMIT));
    let grown = anonymous().saturating_sub(before);
    println!("{peers} addresses: {grown} KiB, {} datagrams dropped", stats.datagrams_dropped);
    // Other tests of this process run meanwhile.
    assert!(grown < 64 * 1024, "{grown} KiB");
}
