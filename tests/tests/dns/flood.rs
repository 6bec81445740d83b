//! Queries from more addresses than anybody has.

use std::net::Ipv4Addr;

use fsm_tests::{Connection, MemoryGrowth};

use super::*;

/// A query for the address of `mail.example.org`.
const QUERY: &[u8] = b"\x12\x34\0\0\0\x01\0\0\0\0\0\0\x04mail\x07example\x03org\0\0\x01\0\x01";

fn peers() -> u32 {
    std::env::var("FSM_PEERS").map_or(2_000, |peers| peers.parse().expect("a number"))
}

#[cfg(target_os = "linux")]
#[test]
fn d2_a_flood_from_many_addresses_is_bounded_and_counted() {
    let (port, console) = (free_port(), free_port());
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let options = ["--console", &console.to_string(), "--max-connections", "100"];
    let (server, _folder) = dns(&address.to_string(), &options);
    let friend = UdpSocket::bind("127.0.0.1:0").expect("a port should be free");
    friend.set_read_timeout(Some(TIMEOUT)).expect("it takes one");
    friend.connect(address).expect("it can be");
    let ask = || {
        friend.send(QUERY).expect("it can be sent");
        let len = friend.recv(&mut [0; 512]).expect("it is answered");
        assert!(len > QUERY.len());
    };
    ask();
    let peers = peers();
    let growth = MemoryGrowth::of(&server, || {
        for number in 0..peers {
            let from = Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 1, 0, 0)) + number);
            let stranger = UdpSocket::bind((from, 0)).expect("it is this machine's");
            stranger.send_to(QUERY, address).expect("it can be sent");
            // The system drops nothing, because this waits for what was sent before.
            if number % 50 == 49 {
                ask();
            }
        }
        ask();
    });
    println!("{peers} addresses: {growth:?}");
    assert!(growth.grown < 4 << 20, "{growth:?}");
    let mut console = Connection::new((Ipv4Addr::LOCALHOST, console).into());
    let metrics = String::from_utf8(
        console.ask("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").expect(200).body,
    );
    let metrics = metrics.expect("it is text");
    let count = |name: &str| -> u64 {
        let line = metrics.lines().find(|line| line.starts_with(name) && line.contains("\"udp\""));
        let value = line.and_then(|line| line.rsplit(' ').next());
        value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("{name} in {metrics}"))
    };
    let all = u64::from(peers) + u64::from(peers / 50) + 2;
    let dropped = count("fsm_datagrams_dropped_total");
    assert_eq!(count("fsm_accepted_total") + dropped, all, "{metrics}");
    server.stop();
}
