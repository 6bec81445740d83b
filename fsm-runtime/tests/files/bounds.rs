//! The bounds of other output hold for files, too.

use super::*;

const MIB: usize = 1 << 20;

fn session(len: usize) -> Session<Parts, Client> {
    Session::new(Client { file: patterned(len) })
}

#[test]
fn l3_a_peer_that_takes_nothing_of_a_file_is_reset() {
    for command in ["get", "last"] {
        let mut peer = session(MIB);
        peer.window(0);
        peer.send(format!("{command} 0 {MIB}\n").as_bytes());
        peer.advance(Duration::from_secs(4));
        assert_eq!(peer.ended(), None);
        // The last output has a few seconds only.
        peer.advance(Duration::from_secs(if command == "last" { 1 } else { 57 }));
        assert_eq!(peer.ended(), Some(Ended::SendTimeout), "{command}");
    }
}

#[test]
fn l3_a_peer_that_takes_a_file_slowly_stays_connected() {
    let mut peer = session(MIB);
    peer.window(0);
    peer.send(format!("get 0 {MIB}\n").as_bytes());
    for n in 1..10 {
        peer.advance(Duration::from_secs(50));
        peer.window(100 * n);
    }
    peer.window(usize::MAX);
    let received = peer.receive();
    assert_eq!(received.len(), MIB + 2);
    expect_part(&mut &received[1..=MIB], 0, MIB, MIB);
    assert_eq!(peer.ended(), None);
}

#[test]
fn w5_a_file_at_the_output_mark_holds_up_further_input() {
    let mut peer = session(MIB);
    peer.window(1);
    peer.send(format!("get 0 {MIB}\nhello\n").as_bytes());
    peer.window(MIB);
    let received = peer.receive();
    assert!(received.ends_with(b">hello!\n"));
    assert_eq!(received.len(), MIB + 9);
}

#[test]
fn x11_a_drain_sends_a_file_that_is_queued() {
    let mut peer = session(3 * MIB);
    peer.window(1);
    peer.send(format!("get 0 {}\n", 3 * MIB).as_bytes());
    peer.drain();
    assert_eq!(peer.ended(), None);
    peer.window(usize::MAX);
    assert_eq!(peer.receive().len(), 3 * MIB + 2);
    assert_eq!(peer.ended(), Some(Ended::Drained));
}

#[test]
fn x16_an_empty_range_queues_nothing_and_a_range_beyond_the_end_is_a_reset() {
    let mut peer = session(10);
    peer.send(b"get 10 0\nget 99 0\n");
    assert_eq!(peer.receive(), b"<><>");
    peer.send(b"get 5 6\n");
    assert_eq!(peer.ended(), Some(Ended::Reset));
    let mut peer = session(10);
    peer.send(b"last 0 11\n");
    // Nothing is sent in place of what the file does not have.
    assert_eq!(peer.receive(), [b"<", &pattern()[..10]].concat());
    assert_eq!(peer.ended(), Some(Ended::Reset));
}
