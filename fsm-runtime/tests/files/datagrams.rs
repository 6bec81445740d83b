//! Files in datagrams.

use std::time::Instant;

use super::*;

/// Answers a number with so many bytes of a file.
#[state_machine(start = Ask)]
enum Pieces {
    #[read(datagram, max = 16, idle = 10s => Gone)]
    #[to(Ask)]
    #[rest]
    Ask,
    #[end]
    Gone,
}

impl pieces::Handler for Client {
    fn ask(&mut self, number: &[u8], cx: &mut Cx<'_>) -> pieces::AfterAsk {
        let len = std::str::from_utf8(number).unwrap().parse().unwrap();
        cx.write(b"<");
        cx.send_file(Arc::clone(&self.file), 0..len);
        pieces::AfterAsk::Ask
    }
}

#[test]
fn d1_a_file_is_part_of_a_datagram_or_ends_the_session() {
    let file = patterned(3_000_000);
    let running = Pool::builder::<Pieces>("pieces")
        .listen("udp:127.0.0.1:0")
        .handler(move |_| Client { file: Arc::clone(&file) })
        .start()
        .unwrap();
    let Address::Udp(address) = running.addresses()[0] else { unreachable!() };
    let peer = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.connect(address).unwrap();
    peer.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut buffer = vec![0; 65_536];
    // A file that fits in no datagram is not sent in part.
    for len in [1_000, 70_000, 5, 2_500_000, 60_000] {
        peer.send(len.to_string().as_bytes()).unwrap();
        if len <= 60_000 {
            assert_eq!(peer.recv(&mut buffer).unwrap(), len + 1);
            assert!(buffer[1..=len] == pattern()[..len]);
            continue;
        }
        let begun = Instant::now();
        while running.stats().open > 0 {
            assert!(begun.elapsed() < Duration::from_secs(20), "the session goes on");
            std::thread::yield_now();
        }
    }
    assert_eq!(running.stats().reset, 2);
}
