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
fn d4_a_pool_of_datagrams_has_no_listener_and_does_not_connect_beside() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let pool = Pool::builder::<Answers>("answers").listener(listener).handler(Client);
    let refused = pool.start().map(drop).unwrap_err().to_string();
    assert!(refused.contains("it has a listener"), "{refused}");
    let pool = Pool::builder::<Answers>("answers").listen("udp:127.0.0.1:0");
    let pool = pool.connect("udp:127.0.0.1:9").handler(Client);
    let refused = pool.start().map(drop).unwrap_err().to_string();
    assert!(refused.contains("it listens and connects"), "{refused}");
}

#[test]
fn d4_a_pool_of_datagrams_sheds_nobody() {
    let pool = Pool::builder::<Answers>("answers").listen("udp:127.0.0.1:0").shed_at_rest();
    assert_eq!(
        pool.handler(Client).start().map(drop).unwrap_err().to_string(),
        "the pool `answers` does not fit its machine: it has `shed_at_rest()`, and `Answers` reads datagrams, \
         whose peers do not wait for a place; leave it out"
    );
}

#[test]
fn d4_a_pool_of_datagrams_turns_nobody_away() {
    let pool = Pool::builder::<Answers>("answers").listen("udp:127.0.0.1:0").turn_away("full");
    assert_eq!(
        pool.handler(Client).start().map(drop).unwrap_err().to_string(),
        "the pool `answers` does not fit its machine: it has `turn_away(..)`, and `Answers` reads datagrams, whose \
         peers have no connection; leave it out"
    );
}

#[test]
fn d4_a_machine_and_its_targets_fit() {
    let answers = |target: &str| {
        let pool = Pool::builder::<Answers>("answers").connect(target).handler(Client);
        pool.start().map(drop).unwrap_err().to_string()
    };
    assert_eq!(
        answers("127.0.0.1:9"),
        "the pool `answers` does not fit its machine: it connects to `127.0.0.1:9`, and `Answers` reads \
         datagrams; connect to `udp:HOST:PORT`"
    );
    assert!(answers("tls:127.0.0.1:9").contains("connect to `udp:HOST:PORT`"));
    let talks = Pool::builder::<Talks>("talks").connect("udp:127.0.0.1:9").handler(|_| Talker);
    assert_eq!(
        talks.start().map(drop).unwrap_err().to_string(),
        "the pool `talks` does not fit its machine: it connects to `udp:127.0.0.1:9`, and `Talks` reads a \
         stream; leave out `udp:`, or read with `#[read(datagram, ..)]`"
    );
}

#[test]
fn d4_an_address_that_is_taken_is_named() {
    let running = serve(|builder| builder);
    let taken = running.addresses()[0].to_string();
    let pool = Pool::builder::<Answers>("answers").listen(&*taken).handler(Client);
    assert!(matches!(pool.start(), Err(PoolError::InUse(Address::Udp(_)))));
}

/// Hands its connection over to a pool that has none.
#[state_machine(start = Hello)]
enum Strays {
    #[run]
    #[to(Go)]
    Hello,
    #[handoff(Answers, gone => Gone, within = 5s => Gone)]
    Go,
    #[end]
    Gone,
}

struct Stray;

impl strays::Handler for Stray {
    fn hello(&mut self, _: &mut Cx<'_>) -> strays::AfterHello {
        strays::AfterHello::Go { seed: () }
    }
}

#[test]
fn d4_no_connection_is_handed_over_to_a_pool_of_datagrams() {
    let strays = Pool::builder::<Strays>("strays").listen("127.0.0.1:0").handler(|_| Stray);
    let answers = Pool::builder::<Answers>("answers").listen("udp:127.0.0.1:0").handler(Client);
    let error = Pipeline::new().pool(strays).pool(answers).start().map(drop).unwrap_err();
    assert_eq!(
        error.to_string(),
        "state `Go` of the pool `strays` hands its connection over to the pool `answers`, whose machine reads \
         datagrams; hand it over to one that reads a stream"
    );
}
