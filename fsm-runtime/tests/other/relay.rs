use super::*;

fn tunnel() -> Session<Forward, Door> {
    let mut peer = Session::new(Door);
    assert_eq!(peer.connecting(), Some("127.0.0.1:9".parse().unwrap()));
    peer.accept();
    assert_eq!(peer.state(), Some("Tunnel"));
    peer
}

#[test]
fn s1_bytes_are_passed_on_both_ways_and_ends_behind_them() {
    let mut peer = tunnel();
    peer.send(b"ping");
    assert_eq!(peer.other().receive(), b"ping");
    peer.other().send(b"pong");
    assert_eq!(peer.receive(), b"pong");

    peer.other().window(0);
    peer.send(b"last words");
    peer.end();
    assert!(!peer.other().is_ended(), "something is before the end");
    peer.other().window(usize::MAX);
    assert_eq!(peer.other().receive(), b"last words");
    assert!(peer.other().is_ended());
    peer.other().send(b"and still an answer");
    assert_eq!(peer.receive(), b"and still an answer");
    peer.other().end();
    assert_eq!(peer.ended(), Some(Ended::Done));
    assert!(!peer.other().is_reset());
}

#[test]
fn s1_what_came_before_the_connection_is_passed_on_first() {
    let mut peer = Session::<Forward, _>::new(Door);
    peer.send(b"early ");
    peer.accept();
    peer.send(b"and late");
    assert_eq!(peer.other().receive(), b"early and late");
}

#[test]
fn s1_a_side_is_read_only_while_the_other_one_has_room() {
    let mut peer = tunnel();
    peer.other().window(0);
    peer.window(0);
    let many = vec![7; 1 << 20];
    peer.send(&many);
    peer.other().send(&many);
    // The rest waits in the sockets of its senders.
    peer.other().window(usize::MAX);
    peer.window(usize::MAX);
    assert_eq!(peer.other().receive().len(), many.len());
    assert_eq!(peer.receive().len(), many.len());
}

#[test]
fn s1_a_reset_of_one_side_resets_the_other() {
    let mut peer = tunnel();
    peer.other().reset();
    assert_eq!(peer.state(), None);
    assert_eq!(peer.ended(), Some(Ended::Done));

    let mut peer = tunnel();
    peer.reset();
    assert_eq!(peer.ended(), Some(Ended::Reset));
    assert!(peer.other().is_reset() && peer.other().is_ended());
}

#[test]
fn s1_idle_counts_from_the_last_byte_either_way() {
    let mut peer = tunnel();
    for _ in 0..3 {
        peer.advance(Duration::from_secs(3000));
        peer.send(b"x");
        peer.advance(Duration::from_secs(3000));
        peer.other().send(b"y");
    }
    peer.advance(Duration::from_secs(3599));
    assert_eq!(peer.state(), Some("Tunnel"));
    peer.advance(Duration::from_secs(1));
    assert_eq!(peer.state(), None);
    assert!(peer.other().is_ended());
}

#[test]
fn s5_a_tunnel_ends_when_its_target_does_not_read() {
    let mut peer = tunnel();
    peer.other().window(0);
    peer.send(&vec![7; 1 << 20]);
    peer.advance(Duration::from_millis(59_999));
    assert_eq!(peer.state(), Some("Tunnel"));
    peer.advance(Duration::from_millis(1));
    assert_eq!(peer.state(), None);
    assert!(peer.other().is_reset());
}

#[test]
fn s5_a_tunnel_stays_while_its_slow_ends_take_something() {
    let mut peer = tunnel();
    peer.window(1000);
    peer.other().window(1000);
    let many = vec![7; 1 << 20];
    peer.send(&many);
    peer.other().send(&many);
    for taken in 2..10 {
        peer.advance(Duration::from_secs(40));
        peer.window(taken * 1000);
        peer.other().window(taken * 1000);
    }
    assert_eq!(peer.state(), Some("Tunnel"));
    peer.advance(Duration::from_secs(60));
    assert_eq!(peer.state(), None);
}

#[test]
fn s1_a_half_closed_tunnel_ends_when_nothing_moves() {
    let mut peer = tunnel();
    peer.end();
    for _ in 0..10 {
        peer.advance(Duration::from_secs(29));
        peer.other().send(b"a long download");
    }
    assert_eq!(peer.receive().len(), 150);
    peer.advance(Duration::from_secs(29));
    assert_eq!(peer.state(), Some("Tunnel"));
    peer.advance(Duration::from_secs(1));
    assert_eq!(peer.state(), None);
}

#[test]
fn s1_the_bytes_of_a_relay_are_known_on_each_edge() {
    let ends: [fn(&mut Session<Forward, Door>); 3] = [
        |peer| peer.other().reset(),
        |peer| peer.advance(Duration::from_secs(3600)),
        |peer| {
            peer.end();
            peer.advance(Duration::from_secs(30));
        },
    ];
    for end in ends {
        let mut peer = tunnel();
        peer.send(b"ping");
        peer.other().send(b"a pong");
        assert_eq!(peer.receive(), b"a pong");
        MOVED.set(None);
        end(&mut peer);
        let moved = MOVED.take().unwrap();
        assert_eq!((moved.out, moved.back), (4, 6));
    }
}

#[test]
fn c4_a_target_that_refuses_or_is_silent_takes_its_edge() {
    let mut peer = Session::<Forward, _>::new(Door);
    peer.refuse(std::io::ErrorKind::ConnectionRefused);
    assert_eq!(peer.receive(), b"refused");
    let mut peer = Session::<Forward, _>::new(Door);
    peer.advance(Duration::from_secs(5));
    assert_eq!(peer.receive(), b"refused");
    assert_eq!(peer.ended(), Some(Ended::Done));
}

/// A generator of numbers, so that each run is the same.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

/// Random pieces, slow readers and ends: each side gets what the other one has sent, and then its end.
#[test]
fn s1_nothing_is_lost_doubled_or_reordered() {
    for seed in 0..150 {
        let (mut random, mut peer) = (Numbers(seed), tunnel());
        let mut sent = [Vec::new(), Vec::new()];
        let mut got = [Vec::new(), Vec::new()];
        let mut next = 0_u8;
        for _ in 0..40 {
            let bytes: Vec<u8> = (0..random.below(90_000))
                .map(|_| {
                    next = next.wrapping_add(1);
                    next
                })
                .collect();
            match random.below(8) {
                0 | 1 => {
                    peer.send(&bytes);
                    sent[0].extend(bytes);
                }
                2 | 3 => {
                    peer.other().send(&bytes);
                    sent[1].extend(bytes);
                }
                4 => got[1].extend_from_slice(&peer.receive()),
                5 => got[0].extend_from_slice(&peer.other().receive()),
                6 => peer.window(random.below(50_000)),
                _ => peer.other().window(random.below(50_000)),
            }
        }
        peer.window(usize::MAX);
        peer.other().window(usize::MAX);
        peer.end();
        got[0].extend_from_slice(&peer.other().receive());
        got[1].extend_from_slice(&peer.receive());
        assert!(peer.other().is_ended(), "{seed}");
        peer.other().end();
        got[1].extend_from_slice(&peer.receive());
        assert_eq!(peer.ended(), Some(Ended::Done), "{seed}");
        assert!(
            got == sent,
            "{seed}: {} of {} bytes",
            got[0].len() + got[1].len(),
            sent[0].len() + sent[1].len()
        );
    }
}
