//! Connections that stay where they are.

use super::*;

/// Lets a connection that was packed go on where it was, because `new` refuses it.
fn refused(old: &Process, new: &Process, departure: Departure) -> Stays {
    let (departure, why) = *new.take(departure).unwrap_err();
    assert_eq!(old.stats().open, 1, "it is open here until it has arrived");
    drop(departure);
    assert_eq!((old.stats().open, new.stats().open), (1, 0));
    why
}

#[test]
fn u4_what_the_new_process_does_not_know_goes_on_in_the_old_one() {
    type Change = fn(&mut Departure);

    let (old, new) = (Process::new(), Process::new());
    let mut client = old.client();
    assert_eq!(client.ask("name"), "1 name");
    client.say("hal");
    until(|| unread(&old) == 3);
    let changes: [(Change, Stays); 5] = [
        (|it| it.packed.state = "OfLater".to_owned(), Stays::State),
        (|it| it.packed.machine = "Other".to_owned(), Stays::State),
        (|it| it.packed.fields.put("later", &1_u8), Stays::State),
        (|it| it.packed.fields = crate::PackedFields::default(), Stays::State),
        (|it| it.packed.handler.push(0), Stays::Handler),
    ];
    for (change, why) in changes {
        let departures = old.departures();
        let mut departure = next(&departures);
        change(&mut departure);
        assert_eq!(refused(&old, &new, departure), why);
        // It is not asked a second time.
        until(|| old.handle.snapshot(Duration::from_secs(10)).count("Named") == 1);
        assert!(departures.recv_timeout(Duration::ZERO).is_err());
    }
    client.say("f\n");
    assert_eq!(client.hear(), "Ada [1, 2, 3] 2 half");
    assert_eq!((old.stats().accepted, old.stats().moved), (1, 0));
}

#[test]
fn u4_a_panic_in_pack_or_unpack_lets_that_connection_stay_alone() {
    let (old, new) = (Process::new(), Process::new());
    let mut clients: Vec<_> = ["panic in pack", "panic in unpack", "refuse", "move"]
        .into_iter()
        .map(|does| {
            let mut client = old.client();
            assert_eq!(client.ask(does), format!("1 {does}"));
            client
        })
        .collect();
    let departures = old.departures();
    let mut refused = 0;
    for _ in 0..3 {
        if let Err(back) = new.take(next(&departures)) {
            let (departure, why) = *back;
            assert_eq!(why, Stays::Handler);
            drop(departure);
            refused += 1;
        }
    }
    assert_eq!(refused, 2);
    for client in &mut clients {
        assert_eq!(client.ask("more"), "2 more");
    }
    assert_eq!((old.stats().open, old.stats().panicked, old.stats().moved), (3, 0, 1));
    assert_eq!((new.stats().open, new.stats().panicked), (1, 0));
}

#[test]
fn u4_a_connection_that_stays_after_a_panic_takes_messages_again() {
    let old = Process::new();
    let mut client = old.client();
    assert_eq!(client.ask("key"), "1 key");
    assert_eq!(client.ask("panic in pack"), "2 panic in pack");
    let departures = old.departures();
    until(|| !old.packed.lock().unwrap().is_empty());
    // Messages that came while it packed had no mailbox. From now on there is one.
    until(|| old.handle.post(old.last_key(), "news".to_owned()).is_ok());
    assert_eq!(client.hear(), "news");
    assert_eq!(client.ask("more"), "3 more");
    assert!(departures.recv_timeout(Duration::ZERO).is_err());
}

#[test]
fn u4_messages_that_wait_are_taken_first() {
    let (old, new) = (Process::new(), Process::new());
    let mut client = old.client();
    assert_eq!(client.ask("key"), "1 key");
    assert_eq!(client.ask("name"), "2 name");
    old.handle.post(old.last_key(), "news".to_owned()).unwrap();
    let departures = old.departures();
    // A second connection, which moves, shows that the first one has had its turn.
    let mut other = old.client();
    let second = next(&departures);
    assert_eq!(second.packed.state, "Line");
    new.take(second).unwrap();
    assert_eq!(other.ask("here"), "1 here");
    assert_eq!(*old.packed.lock().unwrap(), [0], "the first one has packed nothing in vain");
    client.say("back\n");
    new.take(next(&departures)).unwrap();
    assert_eq!([client.hear(), client.hear()], ["Ada [1, 2, 3] 3 back", "news"]);
    assert_eq!(client.ask("more"), "4 more");
    assert_eq!((old.stats().moved, new.stats().open), (2, 2));
}

#[test]
fn u4_a_full_pool_takes_nobody_in() {
    let (old, new) = (Process::new(), Process::of(Pool::builder("desk").max_connections(1)));
    let mut first = new.client();
    assert_eq!(first.ask("here"), "1 here");
    let mut client = old.client();
    assert_eq!(client.ask("hello"), "1 hello");
    let departures = old.departures();
    let (departure, why) = *new.take(next(&departures)).unwrap_err();
    assert_eq!(why, Stays::Full);
    drop(departure);
    assert_eq!(client.ask("more"), "2 more");
}

#[test]
fn u4_a_connection_on_its_way_holds_up_the_end_of_a_drain_and_drains_when_it_is_back() {
    let (old, new) = (Process::new(), Process::new());
    let mut client = old.client();
    assert_eq!(client.ask("hello"), "1 hello");
    let departures = old.departures();
    let departure = next(&departures);
    old.handle.drain();
    // A pool that drains takes nobody in.
    let mut other = new.client();
    assert_eq!(other.ask("there"), "1 there");
    let of_new = new.departures();
    let (back, why) = *old.take(next(&of_new)).unwrap_err();
    assert_eq!(why, Stays::Pool);
    drop(back);
    assert_eq!(other.ask("still there"), "2 still there");
    assert_eq!(old.stats().open, 1);
    drop(departure);
    let mut rest = Vec::new();
    client.reader.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"");
    let stats = old.running.join().unwrap();
    assert_eq!((stats.accepted, stats.drained, stats.moved), (1, 1, 0));
}

#[test]
fn u4_connections_that_can_move_do_so_while_the_others_drain() {
    let (old, new) = (Process::new(), Process::new());
    let (mut rests, mut works) = (old.client(), old.client());
    assert_eq!((rests.ask("hello"), works.ask("work")), ("1 hello".into(), "1 work".into()));
    let departures = old.departures();
    old.handle.drain();
    new.take(next(&departures)).unwrap();
    assert_eq!(rests.ask("more"), "2 more");
    works.say("done\n");
    new.take(next(&departures)).unwrap();
    assert_eq!(works.hear(), "2 done");
    let stats = old.running.join().unwrap();
    assert_eq!((stats.moved, stats.drained, stats.closed), (2, 0, 0));
}

#[test]
fn u4_connections_stay_again_when_the_move_is_called_off() {
    let (old, new) = (Process::new(), Process::new());
    let mut client = old.client();
    assert_eq!(client.ask("work"), "1 work");
    let departures = old.departures();
    old.state().stay();
    assert_eq!(client.ask("done"), "2 done");
    assert_eq!(client.ask("more"), "3 more");
    assert!(departures.recv_timeout(Duration::ZERO).is_err());
    let departures = old.departures();
    new.take(next(&departures)).unwrap();
    assert_eq!(client.ask("again"), "4 again");
}

#[test]
fn u4_a_sink_that_panics_moves_nobody() {
    let old = Process::new();
    let mut client = old.client();
    assert_eq!(client.ask("hello"), "1 hello");
    let (sender, called) = mpsc::channel();
    let sink = move |departure: Departure| {
        sender.send(departure.packed.state.clone()).unwrap();
        panic!("as it was told to");
    };
    old.state().move_out(Arc::new(sink)).unwrap();
    assert_eq!(called.recv_timeout(Duration::from_secs(30)).unwrap(), "Line");
    assert_eq!(client.ask("more"), "2 more");
    assert_eq!((old.stats().open, old.stats().panicked), (1, 0));
}

#[test]
fn u2_a_pool_tells_which_states_move_or_why_none_do() {
    #[state_machine(start = Line, eof => Gone, limit => Gone)]
    enum Plain {
        #[read(until = b"\n", max = 80, idle = 60s => Gone)]
        #[to(Line)]
        #[rest]
        Line,
        #[end]
        Gone,
    }

    struct Client;

    impl plain::Handler for Client {
        fn line(&mut self, _: &[u8], _: &mut Cx<'_>) -> plain::AfterLine {
            plain::AfterLine::Line
        }
    }

    let process = Process::new();
    assert_eq!(process.state().states_that_move(), Ok(vec!["Line", "Named", "Deaf"]));
    assert!(Desk::SPEC.moves && !Plain::SPEC.moves);
    let pool = Pool::builder::<Plain>("plain").listen("127.0.0.1:0").handler(|_| Client);
    let running = pool.start().unwrap();
    let moved = running.pool_state(0).move_out(Arc::new(drop));
    assert_eq!(moved, Err(Stays::Machine));
}
