use super::*;

/// Reads a stream.
#[state_machine(start = Talk, eof => Gone)]
enum Talks {
    #[read(some, max = 512, idle = 20s => Gone)]
    #[to(Talk)]
    #[rest]
    Talk,
    #[end]
    Gone,
}

struct Talker;

impl talks::Handler for Talker {
    fn talk(&mut self, _: &[u8], _: &mut Cx<'_>) -> talks::AfterTalk {
        talks::AfterTalk::Talk
    }
}

#[test]
fn d4_a_machine_and_its_addresses_fit() {
    let answers = |address: &str| {
        let pool = Pool::builder::<Answers>("answers").listen(address).handler(Client);
        pool.start().map(drop).unwrap_err().to_string()
    };
    assert_eq!(
        answers("127.0.0.1:0"),
        "the pool `answers` does not fit its machine: it listens on `127.0.0.1:0`, and `Answers` reads \
         datagrams; listen on `udp:ADDRESS:PORT`"
    );
    let talks = Pool::builder::<Talks>("talks").listen("udp:127.0.0.1:0").handler(|_| Talker);
    assert_eq!(
        talks.start().map(drop).unwrap_err().to_string(),
        "the pool `talks` does not fit its machine: it listens on `udp:127.0.0.1:0`, and `Talks` reads a \
         stream; leave out `udp:`, or read with `#[read(datagram, ..)]`"
    );
    assert!(answers("udp:").contains("is no address to listen on"));
}

#[test]
fn d4_a_pool_of_datagrams_has_no_listener_and_connects_to_nobody() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let pool = Pool::builder::<Answers>("answers").listener(listener).handler(Client);
    let refused = pool.start().map(drop).unwrap_err().to_string();
    assert!(refused.contains("it has a listener"), "{refused}");
    let pool = Pool::builder::<Answers>("answers").connect("127.0.0.1:9").handler(Client);
    let refused = pool.start().map(drop).unwrap_err().to_string();
    assert!(refused.contains("it connects to `127.0.0.1:9`"), "{refused}");
}

#[test]
fn d4_an_address_that_is_taken_is_named() {
    let running = serve(|builder| builder);
    let taken = running.addresses()[0].to_string();
    let pool = Pool::builder::<Answers>("answers").listen(&*taken).handler(Client);
    assert!(matches!(pool.start(), Err(PoolError::InUse(Address::Udp(_)))));
}
