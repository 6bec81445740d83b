use super::handshake::Three;
use super::*;

/// Reads a line, and hands the connection over.
#[state_machine(start = Ask, eof => Gone, limit => Gone)]
enum Door {
    #[read(until = b"\n", max = 64, within = 20s => Gone)]
    #[to(Go)]
    Ask,
    #[handoff(Lines, gone => Gone, within = 20s => Gone)]
    Go,
    #[end]
    Gone,
}

impl door::Handler for Client {
    fn ask(&mut self, _: &[u8], cx: &mut Cx<'_>) -> door::AfterAsk {
        cx.write(b"go ahead\n");
        door::AfterAsk::Go { seed: () }
    }
}

#[test]
fn e5_a_layer_begins_where_a_plain_pool_hands_over() {
    let lines = Pool::builder::<Lines>("lines").layer(|_| Flips::default());
    let running = Pipeline::new()
        .pool(Pool::builder::<Door>("door").listen("127.0.0.1:0").handler(|_peer| Client))
        .pool(lines.handler(|_peer| Client))
        .start()
        .unwrap();
    // The bytes behind the line are the layer's, also in the middle of a record.
    let record = flipped(b"hello\n");
    for cut in 0..=record.len() {
        let mut peer = connect(&running);
        peer.write_all(&[b"please\n", &record[..cut]].concat()).unwrap();
        let mut answer = [0; 9];
        peer.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"go ahead\n", "plain");
        peer.write_all(&record[cut..]).unwrap();
        assert_eq!(super::record(&mut peer), b"hello!\n", "{cut}");
    }
}

#[test]
fn e10_a_layer_goes_on_in_a_pool_with_layers_of_the_same_type() {
    let door = Pool::builder::<Door>("door").layer(|_| Flips::default()).listen("127.0.0.1:0");
    let lines = Pool::builder::<Lines>("lines").layer(|_| Flips { records: 100 });
    let running = Pipeline::new()
        .pool(door.handler(|_peer| Client))
        .pool(lines.handler(|_peer| Client))
        .start()
        .unwrap();
    let mut peer = connect(&running);
    // A line for each machine, and half a record.
    let next = flipped(b"records\n");
    peer.write_all(&[&flipped(b"please\nhello\n"), &next[..5]].concat()).unwrap();
    let mut answers = Vec::new();
    while answers.len() < 16 {
        answers.extend(record(&mut peer));
    }
    assert_eq!(answers, b"go ahead\nhello!\n");
    peer.write_all(&next[5..]).unwrap();
    assert_eq!(record(&mut peer), b"2\n", "the layer is the one from before");
}

#[test]
fn e10_a_hand_off_to_a_pool_that_cannot_go_on_with_the_layer_is_refused_at_the_start() {
    let door = || Pool::builder::<Door>("door").layer(|_| Flips::default()).listen("127.0.0.1:0");
    let lines = || Pool::builder::<Lines>("lines");
    let start = |lines: Pool| {
        let door = door().handler(|_peer| Client);
        Pipeline::new().pool(door).pool(lines).start().unwrap_err().to_string()
    };
    let why = "state `Go` of the pool `door` hands connections with the layer `Flips` over to the pool `lines`, which \
               cannot go on with it; give that one the same `layer(..)`";
    assert_eq!(start(lines().handler(|_peer| Client)), why);
    assert_eq!(start(lines().layer(Three::new).handler(|_peer| Client)), why);
}

#[test]
fn e5_what_a_layer_cannot_be_for_is_told_at_the_start() {
    let lines = Pool::builder::<Lines>("lines").layer(Three::new).connect("tls:localhost:1");
    assert_eq!(
        lines.handler(|_peer| Client).start().unwrap_err().to_string(),
        "the pool `lines` cannot have its layer: it connects to a `tls:` target; leave `tls:` out, or give it \
         `tls_client(..)` in place of `layer(..)`"
    );
}
